/**
 * Outgoing terminal connections: TCP, with the telnet protocol once the other end speaks it (RFC 854, 857, 858). It may
 * echo and leave go-aheads out; all other options are refused.
 */
import { connect } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { formatAddress } from '../ios/ipv4-text.js';
import type { Call, CallEvents, CallFailure } from '../ios/exec/dial.js';
import { DO, DONT, ECHO, IAC, SB, SE, SUPPRESS_GO_AHEAD, WILL, WONT } from './telnet-bytes.js';

const CR = 13;
const OPEN_MS = 30_000; // as IOS waits
const MAX_UNSENT = 1 << 16; // bytes of keys, or answers, that the other end has not taken

const FAILURES: Readonly<Record<string, CallFailure>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/** Connects to a host. `events.closed` is called once, at the end, unless `close` was called before. */
export function dial(address: number, port: number, events: CallEvents): Call {
  const socket = connect({ host: formatAddress(address), port, noDelay: true });
  const decoder = new StringDecoder('utf8');
  let failure: CallFailure = 'timed-out';
  let isOpen = false;
  let echoes = false; // the other end
  let state: 'data' | 'iac' | 'option' | 'sub' | 'sub-iac' = 'data';
  let verb = 0;

  const say = (...bytes: number[]): void => {
    // Who asks without reading gets no answer.
    if (socket.writable && socket.writableLength < MAX_UNSENT) socket.write(Buffer.from(bytes));
  };
  const negotiate = (option: number): void => {
    if (verb === WILL) {
      const wanted = option === ECHO || option === SUPPRESS_GO_AHEAD;
      if (option === ECHO && echoes) return;
      if (option === ECHO) echoes = true;
      say(IAC, wanted ? DO : DONT, option);
    } else if (verb === WONT && option === ECHO && echoes) {
      echoes = false;
      say(IAC, DONT, ECHO);
    } else if (verb === DO) say(IAC, WONT, option);
  };
  const receive = (bytes: Buffer): Buffer => {
    const text: number[] = [];
    for (const b of bytes) {
      if (state === 'data') {
        if (b === IAC) state = 'iac';
        else if (b !== 0) text.push(b);
      } else if (state === 'iac') {
        if (b === IAC) text.push(b);
        verb = b;
        state = b === SB ? 'sub' : b >= WILL && b < IAC ? 'option' : 'data';
      } else if (state === 'option') {
        negotiate(b);
        state = 'data';
      } else if (state === 'sub') state = b === IAC ? 'sub-iac' : 'sub';
      else state = b === SE ? 'data' : 'sub';
    }
    return Buffer.from(text);
  };

  const timer = setTimeout(() => socket.destroy(), OPEN_MS);
  socket.on('connect', () => {
    clearTimeout(timer);
    isOpen = true;
    events.open();
  });
  socket.on('data', (bytes: Buffer) => {
    const text = decoder.write(receive(bytes));
    if (text !== '') events.data(text.replaceAll('\r\n', '\n'));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => (failure = FAILURES[error.code ?? ''] ?? failure));
  const closed = (): void => {
    clearTimeout(timer);
    events.closed(isOpen ? 'closed' : failure);
  };
  socket.on('close', closed);

  return {
    send(key) {
      if (!socket.writable || socket.writableLength > MAX_UNSENT) return;
      const bytes = key === CR ? [CR, 10] : key === IAC ? [IAC, IAC] : [key];
      socket.write(Buffer.from(bytes));
      if (!echoes) events.data(key === CR ? '\n' : String.fromCharCode(key));
    },
    hold(held) {
      if (held) socket.pause();
      else socket.resume();
    },
    close() {
      clearTimeout(timer);
      socket.off('close', closed);
      socket.destroy();
    },
  };
}
