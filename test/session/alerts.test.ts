/** `ip inspect alert-off`, `alert off` of a protocol, `ip inspect tcp reassembly alarm off`: none of the alerts gets past them. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { messageOf } from '../../src/ios/messages.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { tcpPacket, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { CLIENT, MAIL, Talk } from '../wiring/scene.js';

const syn = (r: Router3640, n: number): void =>
  void r.fromOutside(
    tcpPacket({ src: `172.22.1.${n}`, srcPort: 1024 + n, dst: MAIL, dstPort: 25, flags: 'S', seq: 1 }),
  );
const fragments = (r: Router3640, cuts: number[], pick: (all: Uint8Array[]) => Uint8Array[]): void =>
  pick(fragmentsAt(udpPacket('10.10.10.2', 9, CLIENT, 53, 'u'.repeat(200)), cuts)).forEach((f, i) =>
    r.fromInside(f, i),
  );

interface Case {
  alert: Event['type'];
  /** More configuration, and what makes the alert. */
  lines?: string;
  /** Most sessions. */
  capacity?: number;
  happens: (r: Router3640) => void;
}

const CASES: Case[] = [
  {
    alert: 'smtp',
    happens: (r) => void new Talk(r, true, 25).says(false, '220 mail\r\n').says(true, 'EXPN root\r\n'),
  },
  {
    alert: 'ftp',
    happens: (r) => void new Talk(r, false, 21).says(false, '220 ready\r\n').says(true, 'PORT 10,10,10,2,4,1\r\n'),
  },
  {
    alert: 'java-blocked',
    happens: (r) =>
      void new Talk(r, false, 80)
        .says(true, 'GET /A.class HTTP/1.0\r\n\r\n')
        .says(false, 'HTTP/1.0 200 OK\r\n\r\n\xca\xfe\xba\xbe\x00\x00\x004'),
  },
  {
    alert: 'tcp-gap',
    happens: (r) => {
      const talk = new Talk(r, true, 25).says(false, '220 mail\r\n');
      for (let s = 0; s < 40; s++) {
        talk.says(true, 'LO b\r\n', 3);
        r.wait(1000);
      }
    },
  },
  {
    alert: 'tcp-memory',
    lines: 'ip inspect tcp reassembly memory limit 1024',
    happens: (r) => {
      for (let n = 0; n < 32; n++) {
        const talk = new Talk(r, true, 25, 2000 + n).says(false, '220 mail\r\n');
        for (let i = 0; i < 16; i++) talk.says(true, 'x', 50 + 10 * i);
      }
      new Talk(r, true, 25, 4000, '172.22.1.77').says(false, '220 mail\r\n').says(true, 'x', 50);
    },
  },
  {
    alert: 'finding',
    lines: 'access-list 101 permit tcp any any\nip inspect name OUT-IN pop3',
    happens: (r) => new Talk(r, true, 110).says(false, '+OK\r\n').says(true, 'FOO\r\n'),
  },
  {
    alert: 'aggressive-on',
    lines: 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3',
    happens: (r) => [1, 2, 3, 4, 5, 6, 7, 8].forEach((n) => syn(r, n)),
  },
  {
    alert: 'aggressive-off',
    lines: 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3',
    happens: (r) => {
      for (let n = 1; n < 9; n++) syn(r, n);
      for (let s = 0; s < 90; s++) r.wait(1000);
    },
  },
  {
    alert: 'sessions-reset',
    lines: 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3',
    happens: (r) => {
      for (let n = 1; n < 9; n++) syn(r, n);
      for (let s = 0; s < 90; s++) r.wait(1000);
    },
  },
  {
    alert: 'host-alert',
    lines: 'ip inspect tcp max-incomplete host 3 block-time 0',
    happens: (r) => [1, 2, 3, 4].forEach((n) => syn(r, n)),
  },
  {
    alert: 'host-blocked',
    lines: 'ip inspect tcp max-incomplete host 3 block-time 2',
    happens: (r) => [1, 2, 3, 4].forEach((n) => syn(r, n)),
  },
  {
    alert: 'host-unblocked',
    lines: 'ip inspect tcp max-incomplete host 3 block-time 2',
    happens: (r) => {
      for (let n = 1; n < 5; n++) syn(r, n);
      r.wait(180_000);
    },
  },
  { alert: 'table-full', capacity: 2, happens: (r) => [1, 2, 3].forEach((n) => syn(r, n)) },
  { alert: 'fragments', happens: (r) => fragments(r, [4, 12], ([a, b]) => [a!, b!, b!]) },
];

/** What `happens` is told as. Alerts are those of the firewall and of virtual reassembly, severity 5 and graver. */
function alerts({ lines = '', capacity, happens }: Case, extra: string): Event['type'][] {
  const r = new Router3640(`${lines}\n${extra}`, capacity);
  happens(r);
  return r.events.filter((e) => /^%(FW|IP_VFR)-[0-5]-/.test(messageOf(e).mnemonic)).map((e) => e.type);
}

const PER_PROTOCOL = [
  'OUT-IN smtp',
  'OUT-IN pop3',
  'IN-OUT ftp',
  'IN-OUT http',
  'IN-OUT tcp',
  'IN-OUT udp',
  'IN-OUT icmp',
]
  .map((p) => `ip inspect name ${p} alert off`)
  .join('\n');

describe.each(CASES)('$alert', (c) => {
  test('is given by default', () => expect(alerts(c, '')).toContain(c.alert));

  test('and not with alert-off, nor is any other', () => expect(alerts(c, 'ip inspect alert-off')).toEqual([]));

  test('and not where the protocols of the rules say alert off', () => {
    const ofNoProtocol = ['fragments', 'tcp-memory', 'table-full'].includes(c.alert);
    const wanted = ofNoProtocol ? [c.alert] : [];
    expect([...new Set(alerts(c, PER_PROTOCOL))]).toEqual(wanted);
  });
});

test('every alert that there is has its case', () => {
  // Exhaustive: a new kind of event has to be put on one side or the other.
  const KINDS: Record<Event['type'], 'alert' | 'none'> = {
    smtp: 'alert',
    finding: 'alert',
    ftp: 'alert',
    'java-blocked': 'alert',
    'tcp-gap': 'alert',
    'tcp-memory': 'alert',
    'aggressive-on': 'alert',
    'aggressive-off': 'alert',
    'sessions-reset': 'alert',
    'table-full': 'alert',
    'host-alert': 'alert',
    'host-blocked': 'alert',
    'host-unblocked': 'alert',
    fragments: 'alert',
    'session-start': 'none', // audit-trail
    'session-stop': 'none',
    'acl-denied': 'none', // log of the entry
    'acl-permitted': 'none',
    'acl-log-missed': 'none',
    'packet-dropped': 'none', // log drop-pkt
    'nat-exhausted': 'none',
    'intercept-on': 'none', // ip tcp intercept, which has no such switch
    'intercept-off': 'none',
    'taken-over': 'none',
    'left-out': 'none',
    transcript: 'none',
    debug: 'none',
  };
  const types = Object.entries(KINDS).flatMap(([type, kind]) => (kind === 'alert' ? [type] : []));
  expect(CASES.map((c) => c.alert as string).sort()).toEqual(types.sort());
});

test.each(['tcp-gap', 'tcp-memory'])('reassembly alarm off silences %s', (alert) => {
  expect(
    alerts(
      CASES.find((c) => c.alert === alert)!,
      'ip inspect tcp reassembly alarm off',
    ),
  ).toEqual([]);
});

test('alert-off typed while sessions live silences them, too', () => {
  const r = new Router3640();
  const talk = new Talk(r, true, 25).says(false, '220 mail\r\n');
  const { config } = r;
  r.configure({ ...config, inspect: { ...config.inspect, alertOff: true }, inspectionRules: new Map() });
  talk.says(true, 'EXPN root\r\n');
  expect(r.events.filter((e) => e.type === 'smtp')).toEqual([]);
});
