/** The lines that each debug event prints, without time stamps. */
import type { DebugEvent } from '../../core/observe/debug-event.js';
import * as inspect from './inspect.js';
import { natLine } from './nat.js';
import { datagramText, fateOf, packetLines } from './packet.js';
import { smtpLine } from './smtp.js';
import { endpointLine } from '../reasons.js';

export function debugLines(e: DebugEvent): string[] {
  switch (e.facility) {
    case 'packet':
      return packetLines(e.packet, datagramText(e.packet, e.path), fateOf(e.verdict), e.detail);
    case 'nat':
      return [natLine(e.packet, e.src, e.dst)];
    case 'smtp':
      return [`CBAC SMTP: ${smtpLine(e.step)}`];
    case 'ftp':
      return e.what === 'line'
        ? [inspect.ftpDialogueLine(e.sis, e.fromClient, e.line)]
        : [inspect.ftpEndpointLine(e.sis, endpointLine(e.command), e.own, e.seen)];
    case 'http':
      return [inspect.httpLine(e.sis, httpText(e))];
    case 'tcp':
    case 'udp':
    case 'icmp':
      return packetOfSession(e);
    case 'events':
      return e.what === 'session' ? [inspect.endpointsLine(e.sis, e.own, e.seen)] : inspect.preGeneratedLines(e);
    case 'objectCreation':
    case 'objectDeletion': {
      const created = e.facility === 'objectCreation';
      return [
        e.what === 'session' ? inspect.objectLine(e.sis, created) : inspect.preGeneratedObjectLine(e.id, created),
      ];
    }
    case 'timers':
      return e.what === 'session' ? sessionTimer(e) : expectedTimer(e);
  }
}

function packetOfSession(e: Extract<DebugEvent, { facility: 'tcp' | 'udp' | 'icmp' }>): string[] {
  switch (e.what) {
    case 'packet': {
      if (e.facility !== 'tcp') return [inspect.datagramLine(e.sis, e.packet)];
      const line = inspect.tcpLine(e.sis, e.packet, e.fromInitiator);
      return e.state === undefined ? [line] : [line, inspect.segmentStateLine(e.sis, e.packet, e.state)];
    }
    case 'lookup':
      return inspect.lookupLines(e.packet, e.facility, datagramText(e.packet, e.path), e.found);
    case 'checked':
      return [inspect.packetResultLine(e.sis, e.packet, e.service, e.verdict)];
    case 'forwarded':
      return [inspect.newStateLine(e.sis, e.packet, e.numbers)];
    case 'inspected':
      return [inspect.streamResultLine(e.sis, e.service, e.verdict)];
  }
}

function httpText(e: Extract<DebugEvent, { facility: 'http' }>): string {
  switch (e.what) {
    case 'request':
      return e.line;
    case 'site':
      return `${e.friendly ? 'friendly' : 'hostile'} site, java-list ${e.javaList ?? 'none'}`;
    case 'applet-blocked':
      return 'Java applet, connection reset';
  }
}

type TimerEvent = Extract<DebugEvent, { facility: 'timers' }>;

function sessionTimer(e: Extract<TimerEvent, { what: 'session' }>): string[] {
  switch (e.did) {
    case 'created':
      return [inspect.timerInitLine(e.sis)];
    case 'started':
      return [inspect.timerStartLine(e.sis, e.ms)];
    case 'stopped':
      return [inspect.timerStopLine(e.sis)];
  }
}

const expectedTimer = (e: Extract<TimerEvent, { what: 'expected' }>): string[] =>
  e.did === 'started' ? inspect.preGeneratedTimerStartLines(e.id, e.ms) : [inspect.preGeneratedTimerStopLine(e.id)];
