/**
 * The law of the wiring: every setting that the data plane is told changes something that can be seen, and by as much
 * as it says. Each is changed by the line that a person types. What settings there are is read off the defaults, so one
 * that is added without a case here makes this red.
 */
import { describe, expect, test } from 'vitest';
import type {
  FragmentOptions,
  InspectGlobals,
  InterceptPolicy,
  InterfacePolicy,
  NatTimeouts,
  ProtocolPolicy,
  SmtpOptions,
} from '../../src/core/policy.js';
import { DROP, HOLD, isDrop, PASS } from '../../src/core/verdict.js';
import { REGISTRY } from '../../src/core/inspect/registry.js';
import {
  inspectDefaults,
  interceptDefaults,
  natTimeoutDefaults,
  smtpDefaults,
  virtualReassemblyDefaults,
} from '../../src/ios/config/defaults.js';
import { FEATURES } from '../../src/ios/features/index.js';
import { messageOf } from '../../src/ios/messages.js';
import { tcpPacket, udpPacket } from '../support/packets.js';
import { config3640, Router3640 } from '../support/router-3640.js';
import * as scene from './scene.js';
import { CLIENT, HOST, MAIL, OUTSIDE, SERVER, syn, Talk, told } from './scene.js';

interface Case {
  /** The line that changes the setting. */
  line: string;
  /** Lines that stand there before and after, so that the setting matters. */
  with?: string;
  /** What is seen of it. */
  see: (r: Router3640) => unknown;
  before: unknown;
  after: unknown;
  /** Sessions that the router has room for, 1024. */
  capacity?: number;
}

type Cases<T> = Readonly<Record<keyof Required<T>, Case>>;

const NO_RATE = 'ip inspect one-minute high 100000\nip inspect one-minute low 90000';
const NO_COUNT = 'ip inspect max-incomplete high 100000\nip inspect max-incomplete low 90000';
const NO_HOST = 'ip inspect tcp max-incomplete host 100000';

/** As many SYNs as that from all the world. */
const flood = (r: Router3640, from: number, to: number): void => {
  for (let n = from; n < to; n++) syn(r, n);
};

/** Bytes of a mail command that overtake others: the verdicts of so many segments behind a gap. */
const gap = (r: Router3640, segments: number): number[] => {
  const talk = new Talk(r, true, 25).says(false, '220 mail\r\n');
  return Array.from({ length: segments }, (_, i) => talk.says(true, 'x', 3 + i).last.verdict);
};

const INSPECT: Cases<InspectGlobals> = {
  transcripts: {
    line: 'ip inspect transcript 5',
    see: (r) => (new Talk(r, true, 25).says(false, '220 mail\r\n').ends(), told(r, 'transcript').length),
    before: 0,
    after: 2,
  },
  auditTrail: {
    line: 'ip inspect audit-trail',
    see: (r) => (
      new Talk(r, true, 25).ends(),
      scene.sessionLasts(r),
      [told(r, 'session-start').length, told(r, 'session-stop').length]
    ),
    before: [0, 0],
    after: [1, 1],
  },
  alertOff: {
    line: 'ip inspect alert-off',
    see: (r) => (new Talk(r, true, 25).says(false, '220 mail\r\n').says(true, 'EXPN root\r\n'), told(r, 'smtp').length),
    before: 1,
    after: 0,
  },
  maxIncompleteHigh: {
    line: 'ip inspect max-incomplete high 450',
    with: `${NO_RATE}\n${NO_HOST}`,
    see: (r) => (flood(r, 0, 510), r.sessionCount),
    before: 501,
    after: 451,
  },
  maxIncompleteLow: {
    line: 'ip inspect max-incomplete low 480',
    with: `${NO_RATE}\n${NO_HOST}`,
    see: (r) => {
      flood(r, 0, 502);
      let answered = 0;
      for (let n = 1; answered < 501 && told(r, 'aggressive-off').length === 0; n++, answered++) {
        scene.establish(r, n);
        r.wait(10);
      }
      return answered;
    },
    before: 102,
    after: 22,
  },
  oneMinuteHigh: {
    line: 'ip inspect one-minute high 420',
    with: `${NO_COUNT}\n${NO_HOST}`,
    see: (r) => (flood(r, 0, 510), told(r, 'aggressive-on')[0]?.rate),
    before: 501,
    after: 421,
  },
  oneMinuteLow: {
    line: 'ip inspect one-minute low 100',
    with: `${NO_COUNT}\n${NO_HOST}`,
    see: (r) => {
      for (let s = 0; s < 55; s++) {
        flood(r, 10 * s, 10 * s + 10);
        r.wait(1000);
      }
      return scene.lasts(r, () => told(r, 'aggressive-off').length === 0);
    },
    before: 20,
    after: 50,
  },
  tcpSynwait: {
    line: 'ip inspect tcp synwait-time 12',
    see: (r) => (syn(r, 1), scene.sessionLasts(r)),
    before: 30,
    after: 12,
  },
  tcpFinwait: {
    line: 'ip inspect tcp finwait-time 9',
    see: (r) => (new Talk(r, true, 25).ends(), scene.sessionLasts(r)),
    before: 5,
    after: 9,
  },
  tcpIdle: {
    line: 'ip inspect tcp idle-time 100',
    see: (r) => (new Talk(r, false, 443), scene.sessionLasts(r, 10)),
    before: 3600,
    after: 100,
  },
  udpIdle: {
    line: 'ip inspect udp idle-time 11',
    see: (r) => (scene.query(r, 4000), scene.sessionLasts(r)),
    before: 30,
    after: 11,
  },
  dnsTimeout: {
    line: 'ip inspect dns-timeout 9',
    see: (r) => (scene.query(r, 4000, 53), scene.sessionLasts(r)),
    before: 5,
    after: 9,
  },
  hostMaxIncomplete: {
    line: 'ip inspect tcp max-incomplete host 3',
    see: (r) => (flood(r, 0, 60), [r.sessionCount, told(r, 'host-alert').map((e) => e.limit)]),
    before: [50, [50]],
    after: [3, [3]],
  },
  hostBlockMinutes: {
    line: 'ip inspect tcp max-incomplete host 3 block-time 2',
    with: 'ip inspect tcp max-incomplete host 3',
    see: (r) => {
      flood(r, 0, 4);
      return scene.lasts(r, () => syn(r, 9) !== PASS);
    },
    before: 0,
    after: 120,
  },
  logDropPkt: {
    line: 'ip inspect log drop-pkt',
    see: (r) => (
      new Talk(r, true, 25).send(true, 'PA', { seq: 99_000_000 }),
      told(r, 'packet-dropped').map((e) => e.reason)
    ),
    before: [],
    after: [DROP.invalidSeq],
  },
  reassemblyQueueLength: {
    line: 'ip inspect tcp reassembly queue length 2',
    see: (r) => gap(r, 4),
    before: [HOLD, HOLD, HOLD, HOLD],
    after: [HOLD, HOLD, DROP.outOfOrder, DROP.outOfOrder],
  },
  reassemblyTimeout: {
    line: 'ip inspect tcp reassembly timeout 9',
    see: (r) => (gap(r, 1), scene.lasts(r, () => r.released.length === 0)),
    before: 5,
    after: 9,
  },
  reassemblyMemoryKb: {
    line: 'ip inspect tcp reassembly memory limit 1',
    see: (r) => {
      const talk = new Talk(r, true, 25).says(false, '220 mail\r\n');
      let held = 0;
      for (let i = 0; i < 20; i++) if (talk.says(true, 'x'.repeat(100), 3 + 100 * i).last.verdict === HOLD) held++;
      return held === 20;
    },
    before: true,
    after: false,
  },
  reassemblyAlarm: {
    line: 'ip inspect tcp reassembly alarm off',
    see: (r) => {
      const talk = new Talk(r, true, 25).says(false, '220 mail\r\n');
      for (let s = 0; s < 40; s++) {
        talk.says(true, 'LO b\r\n', 3);
        r.wait(1000);
      }
      return told(r, 'tcp-gap').length;
    },
    before: 1,
    after: 0,
  },
};

const LIST = 'access-list 150 permit tcp any host 10.10.10.2 eq 25\naccess-list 150 permit tcp any any eq 443';
const ON = `${LIST}\nip tcp intercept list 150`;
const WATCH = `${ON}\nip tcp intercept mode watch`;
const MANY = `${NO_RATE}\n${NO_COUNT}\n${NO_HOST}`;
const ONLY_WATCH = `${WATCH}\nno ip inspect name OUT-IN`;

/** Sessions that watch so many handshakes, and when they say what they think of it. */
const WATCHED = `${WATCH}\nip tcp intercept watch-timeout 100000\nip inspect tcp synwait-time 100000\n${MANY}`;

const INTERCEPT: Cases<InterceptPolicy> = {
  list: {
    line: 'ip tcp intercept list 150',
    with: LIST,
    see: (r) => syn(r, 1),
    before: PASS,
    after: DROP.intercepted,
  },
  mode: {
    line: 'ip tcp intercept mode watch',
    with: ON,
    see: (r) => [syn(r, 1), r.injected.length],
    before: [DROP.intercepted, 1],
    after: [PASS, 0],
  },
  dropMode: {
    line: 'ip tcp intercept drop-mode random',
    with: `${WATCHED}\nip tcp intercept max-incomplete high 6`,
    see: (r) => {
      flood(r, 0, 40);
      const last: string[] = [];
      r.engine.sessions.table.forEach((s) => last.push(String(s.initiator & 255)));
      return (
        last
          .map(Number)
          .sort((a, b) => a - b)
          .join() === '33,34,35,36,37,38,39'
      );
    },
    before: true,
    after: false,
  },
  connectionTimeout: {
    line: 'ip tcp intercept connection-timeout 600',
    with: ONLY_WATCH,
    see: (r) => (new Talk(r, true, 25), scene.sessionLasts(r, 600)),
    before: 86_400,
    after: 600,
  },
  finrstTimeout: {
    line: 'ip tcp intercept finrst-timeout 9',
    with: ONLY_WATCH,
    see: (r) => (new Talk(r, true, 25).ends(), scene.sessionLasts(r)),
    before: 5,
    after: 9,
  },
  watchTimeout: {
    line: 'ip tcp intercept watch-timeout 12',
    with: `${WATCH}\nip inspect tcp synwait-time 100`,
    see: (r) => (syn(r, 1), scene.sessionLasts(r)),
    before: 30,
    after: 12,
  },
  maxIncompleteHigh: {
    capacity: 2048,
    line: 'ip tcp intercept max-incomplete high 950',
    with: `${WATCHED}\nip tcp intercept one-minute high 100000\nip tcp intercept one-minute low 90000`,
    see: (r) => (flood(r, 0, 1120), told(r, 'intercept-on').map((e) => [e.count, e.limit])),
    before: [[1101, 1100]],
    after: [[951, 950]],
  },
  maxIncompleteLow: {
    capacity: 2048,
    line: 'ip tcp intercept max-incomplete low 1000',
    with: `${WATCHED}\nip tcp intercept one-minute high 100000\nip tcp intercept one-minute low 90000`,
    see: (r) => {
      flood(r, 0, 1120);
      let n = 1119;
      for (; n > 0 && told(r, 'intercept-off').length === 0; n--) {
        scene.establish(r, n);
        r.wait(10);
      }
      return [1119 - n, told(r, 'intercept-off')[0]?.limit];
    },
    before: [202, 900],
    after: [102, 1000],
  },
  oneMinuteHigh: {
    line: 'ip tcp intercept one-minute high 950',
    with: `${WATCHED}\nip tcp intercept max-incomplete high 100000\nip tcp intercept max-incomplete low 90000`,
    see: (r) => (flood(r, 0, 1120), told(r, 'intercept-on').map((e) => e.rate)),
    before: [1101],
    after: [951],
  },
  oneMinuteLow: {
    line: 'ip tcp intercept one-minute low 300',
    with: `${WATCHED}\nip tcp intercept max-incomplete high 100000\nip tcp intercept max-incomplete low 90000`,
    see: (r) => {
      for (let s = 0; s < 56; s++) {
        flood(r, 20 * s, 20 * s + 20);
        r.wait(1000);
      }
      return scene.lasts(r, () => told(r, 'intercept-off').length === 0);
    },
    before: 15,
    after: 45,
  },
};

const PAT = 'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload';
const POOL = `access-list 1 permit 10.10.10.0 0.0.0.255
ip nat pool P 172.22.1.120 172.22.1.125 netmask 255.255.255.0
ip nat inside source list 1 pool P`;
/** A connection of an inside host that has no static translation; its answers go to the outside address. */
const connection = (r: Router3640): ((flags: string, seq: number, ack: number, fromInside: boolean) => void) => {
  return (flags, seq, ack, fromInside) => {
    if (fromInside) r.fromInside(tcpPacket({ src: HOST, srcPort: 4000, dst: CLIENT, dstPort: 443, flags, seq, ack }));
    else r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 443, dst: OUTSIDE, dstPort: 4000, flags, seq, ack }));
  };
};
const handshake = (r: Router3640): ReturnType<typeof connection> => {
  const send = connection(r);
  send('S', 100, 0, true);
  send('SA', 500, 101, false);
  send('A', 101, 501, true);
  return send;
};

const NAT: Cases<NatTimeouts> = {
  timeout: {
    line: 'ip nat translation timeout 600',
    with: POOL,
    see: (r) => (scene.query(r, 4000, 5000, HOST), scene.translationLasts(r, 600)),
    before: 86_400,
    after: 600,
  },
  tcp: {
    line: 'ip nat translation tcp-timeout 600',
    with: PAT,
    see: (r) => (handshake(r), scene.translationLasts(r, 600)),
    before: 86_400,
    after: 600,
  },
  udp: {
    line: 'ip nat translation udp-timeout 40',
    with: PAT,
    see: (r) => (scene.query(r, 4000, 5000, HOST), scene.translationLasts(r)),
    before: 300,
    after: 40,
  },
  dns: {
    line: 'ip nat translation dns-timeout 40',
    with: PAT,
    see: (r) => (scene.query(r, 4000, 53, HOST), scene.translationLasts(r)),
    before: 60,
    after: 40,
  },
  finrst: {
    line: 'ip nat translation finrst-timeout 40',
    with: PAT,
    see: (r) => {
      const send = handshake(r);
      send('FA', 101, 501, true);
      send('FA', 501, 102, false);
      return scene.translationLasts(r);
    },
    before: 60,
    after: 40,
  },
  syn: {
    line: 'ip nat translation syn-timeout 40',
    with: PAT,
    see: (r) => (scene.opening(r, 4000, HOST), scene.translationLasts(r)),
    before: 60,
    after: 40,
  },
  icmp: {
    line: 'ip nat translation icmp-timeout 40',
    with: PAT,
    see: (r) => (scene.ping(r, HOST), scene.translationLasts(r)),
    before: 60,
    after: 40,
  },
  port: {
    line: 'ip nat translation port-timeout 70',
    // The answer would leave by the other address: that takes a flow.
    with: [120, 121].reduce(
      (lines, n) => `${lines}\nip nat inside source static udp ${HOST} 5000 172.22.1.${n} 5000 extendable`,
      'access-list 101 permit ip any any',
    ),
    see: (r) => {
      r.fromOutside(udpPacket(CLIENT, 4000, '172.22.1.121', 5000, 'query'));
      return scene.translationLasts(r, 10);
    },
    before: 300,
    after: 70,
  },
  maxEntries: {
    line: 'ip nat translation max-entries 2',
    with: PAT,
    see: (r) => [4000, 4001, 4002].map((port) => scene.query(r, port, 5000, HOST).verdict),
    before: [PASS, PASS, PASS],
    after: [PASS, PASS, DROP.noTranslation],
  },
};

const reassembly = (options: string): string => `interface Ethernet2/0\nip virtual-reassembly ${options}`;

const REASSEMBLY: Cases<FragmentOptions> = {
  maxReassemblies: {
    line: reassembly('max-reassemblies 2'),
    see: (r) => {
      for (let n = 0; n < 20; n++) scene.pieces(r, n, 1, `172.22.1.${n + 20}`);
      return scene.state(r).reassembly('Ethernet2/0').reassemblies;
    },
    before: 16,
    after: 2,
  },
  maxFragments: {
    line: reassembly('max-fragments 4'),
    see: (r) => scene.pieces(r, 1, 40).filter((v) => v === HOLD).length,
    before: 32,
    after: 4,
  },
  timeout: {
    line: reassembly('timeout 7'),
    see: (r) => (scene.pieces(r, 1, 1), scene.lasts(r, () => r.released.length === 0)),
    before: 3,
    after: 7,
  },
  dropFragments: {
    line: reassembly('drop-fragments'),
    see: (r) => scene.pieces(r, 1, 1),
    before: [HOLD],
    after: [DROP.fragment],
  },
};

const rule = (words: string): string => `ip inspect name OUT-IN ${words}`;
const mail = (r: Router3640): Talk => new Talk(r, true, 25).says(false, '220 mail\r\n');
/** Whether the server gets what the client says. */
const arrives = (talk: Talk, line: string): boolean =>
  talk.says(true, line).last.verdict === PASS && scene.carried(talk.last) === line;

const SMTP: Cases<SmtpOptions> = {
  maxData: {
    line: rule('smtp max-data 100'),
    see: (r) => {
      const talk = mail(r);
      for (const [line, reply] of [
        ['HELO a\r\n', '250 mail\r\n'],
        ['MAIL FROM:<a@b.example>\r\n', '250 ok\r\n'],
        ['RCPT TO:<c@d.example>\r\n', '250 ok\r\n'],
        ['DATA\r\n', '354 go\r\n'],
      ] as const)
        talk.says(true, line).says(false, reply);
      return isDrop(talk.says(true, `${'x'.repeat(198)}\r\n`).last.verdict);
    },
    before: false,
    after: true,
  },
  lineLength: {
    line: rule('smtp line-length 1000'),
    see: (r) => {
      const talk = mail(r).says(true, 'HELO a\r\n').says(false, '250 mail\r\n');
      return arrives(talk, `VRFY ${'a'.repeat(600)}\r\n`);
    },
    before: false,
    after: true,
  },
  monitorOnly: {
    line: rule('smtp monitor-only'),
    see: (r) => {
      const talk = mail(r);
      return [arrives(talk, 'EXPN root\r\n'), told(r, 'smtp').length];
    },
    before: [false, 1],
    after: [true, 1],
  },
  maskEhlo: {
    line: rule('esmtp mask-ehlo off'),
    with: 'no ip inspect name OUT-IN smtp\nip inspect name OUT-IN esmtp',
    see: (r) => {
      const talk = mail(r).says(true, 'EHLO a\r\n').says(false, '250-mail\r\n250 CHUNKING\r\n');
      return scene.carried(talk.last).includes('CHUNKING');
    },
    before: false,
    after: true,
  },
  allow: {
    line: rule('esmtp allow BDAT'),
    with: 'no ip inspect name OUT-IN smtp\nip inspect name OUT-IN esmtp',
    see: (r) =>
      scene
        .carried(mail(r).says(true, 'EHLO a\r\n').says(false, '250-mail\r\n250 CHUNKING\r\n').last)
        .includes('CHUNKING'),
    before: false,
    after: true,
  },
};

const applet = (r: Router3640): number => {
  new Talk(r, false, 80)
    .says(true, 'GET /A.class HTTP/1.0\r\n\r\n')
    .says(false, 'HTTP/1.0 200 OK\r\n\r\n\xca\xfe\xba\xbe\x00\x00\x004');
  return told(r, 'java-blocked').length;
};

/** Settings of `ip inspect name`, on the line of a protocol. */
const PROTOCOL: Cases<ProtocolPolicy> = {
  protocol: {
    line: rule('tcp'),
    with: 'access-list 101 permit tcp any any',
    see: (r) => (
      new Talk(r, true, 443),
      scene
        .state(r)
        .sessions()
        .map((s) => s.service)
    ),
    before: [],
    after: ['tcp'],
  },
  alert: {
    line: rule('smtp alert off'),
    see: (r) => (mail(r).says(true, 'EXPN root\r\n'), told(r, 'smtp').length),
    before: 1,
    after: 0,
  },
  auditTrail: {
    line: rule('smtp audit-trail on'),
    see: (r) => (syn(r, 1), told(r, 'session-start').length),
    before: 0,
    after: 1,
  },
  idleMs: {
    line: rule('smtp timeout 60'),
    see: (r) => (mail(r), scene.sessionLasts(r, 20)),
    before: 3600,
    after: 60,
  },
  smtp: {
    line: rule('smtp'),
    with: 'no ip inspect name OUT-IN smtp\nip inspect name OUT-IN tcp',
    see: (r) => arrives(mail(r), 'EXPN root\r\n'),
    before: true,
    after: false,
  },
  javaList: {
    line: 'ip inspect name IN-OUT http java-list 5',
    with: `access-list 5 permit ${CLIENT}`,
    see: applet,
    before: 1,
    after: 0,
  },
  options: {
    line: rule('pop3 reset'),
    with: `access-list 101 permit tcp any any\n${rule('pop3')}`,
    see: (r) => (new Talk(r, true, 110).says(false, '+OK\r\n').says(true, 'FOO\r\n'), r.injected.length > 0),
    before: false,
    after: true,
  },
};

/** Options of the registered protocols, by `protocol option`. */
const login =
  (port: number, greeting: string, command: string) =>
  (r: Router3640): boolean =>
    arrives(new Talk(r, true, port).says(false, greeting), command);
const open110 = 'access-list 101 permit tcp any any';
const REGISTERED: Readonly<Record<string, Case>> = {
  'pop3 reset': PROTOCOL.options,
  'pop3 secureLogin': {
    line: rule('pop3 secure-login'),
    with: `${open110}\n${rule('pop3')}`,
    see: login(110, '+OK\r\n', 'USER me\r\n'),
    before: true,
    after: false,
  },
  'imap reset': {
    line: rule('imap reset'),
    with: `${open110}\n${rule('imap')}`,
    see: (r) => (new Talk(r, true, 143).says(false, '* OK\r\n').says(true, 'a FOO\r\n'), r.injected.length > 0),
    before: false,
    after: true,
  },
  'imap secureLogin': {
    line: rule('imap secure-login'),
    with: `${open110}\n${rule('imap')}`,
    see: login(143, '* OK\r\n', 'a LOGIN me secret\r\n'),
    before: true,
    after: false,
  },
};

const on = (name: string, words: string): string => `interface ${name}\n ${words}`;
const unreachable = (r: Router3640): number => {
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: 80, flags: 'S', seq: 1 }));
  return r.injected.length;
};
const mss = (r: Router3640): number => {
  const { bytes } = r.fromInside(
    tcpPacket({ src: SERVER, srcPort: 4000, dst: CLIENT, dstPort: 443, flags: 'S', options: [2, 4, 5, 180] }),
  );
  return (bytes[42]! << 8) | bytes[43]!;
};

const INTERFACE: Cases<InterfacePolicy> = {
  name: {
    line: 'access-list 101 deny ip any any log-input',
    see: (r) => (unreachable(r), told(r, 'acl-denied').map((e) => messageOf(e).text.includes('Ethernet2/0'))),
    before: [],
    after: [true],
  },
  address: {
    line: on('Ethernet2/0', 'ip address 172.22.1.17 255.255.255.0'),
    see: (r) => (unreachable(r), scene.source({ bytes: r.injected[0]! } as Parameters<typeof scene.source>[0])),
    before: OUTSIDE,
    after: '172.22.1.17',
  },
  nat: {
    line: on('Ethernet2/1', 'no ip nat inside'),
    see: (r) => scene.source(scene.query(r, 4000)),
    before: MAIL,
    after: SERVER,
  },
  accessGroupIn: {
    line: on('Ethernet2/1', 'ip access-group 7 in'),
    with: 'access-list 7 deny any',
    see: (r) => scene.query(r, 4000).verdict,
    before: PASS,
    after: DROP.acl,
  },
  accessGroupOut: {
    line: on('Ethernet2/0', 'ip access-group 7 out'),
    with: 'access-list 7 deny any',
    see: (r) => [scene.query(r, 4000).verdict, r.sessionCount],
    before: [PASS, 1],
    after: [DROP.acl, 0],
  },
  inspectIn: {
    line: on('Ethernet2/1', 'no ip inspect IN-OUT in'),
    see: (r) => (scene.query(r, 4000), r.sessionCount),
    before: 1,
    after: 0,
  },
  inspectOut: {
    line: on('Ethernet2/0', 'ip inspect UP out'),
    with: `ip inspect name UP icmp\n${on('Ethernet2/1', 'no ip inspect IN-OUT in')}`,
    see: (r) => (scene.ping(r), r.sessionCount),
    before: 0,
    after: 1,
  },
  adjustMss: { line: on('Ethernet2/1', 'ip tcp adjust-mss 1300'), see: mss, before: 1460, after: 1300 },
  unreachables: { line: on('Ethernet2/0', 'no ip unreachables'), see: unreachable, before: 1, after: 0 },
  reassembly: REASSEMBLY.maxReassemblies,
};

const ALL: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  'ip inspect': INSPECT,
  'ip tcp intercept': INTERCEPT,
  'ip nat translation': NAT,
  'ip virtual-reassembly': REASSEMBLY,
  'ip inspect name … smtp': SMTP,
  'ip inspect name': PROTOCOL,
  'protocols of the registry': REGISTERED,
  interface: INTERFACE,
};

test.each([
  { what: 'ip inspect', defaults: inspectDefaults(), more: [] },
  { what: 'ip tcp intercept', defaults: interceptDefaults(), more: ['list'] },
  { what: 'ip nat translation', defaults: natTimeoutDefaults(), more: [] },
  { what: 'ip virtual-reassembly', defaults: virtualReassemblyDefaults(), more: [] },
  { what: 'ip inspect name … smtp', defaults: smtpDefaults(), more: [] },
])('each setting of $what has its case', ({ what, defaults, more }) => {
  expect(Object.keys(ALL[what]!).sort()).toEqual([...Object.keys(defaults), ...more].sort());
});

test('each option of a protocol of the registry has its case', () => {
  const options = FEATURES.flatMap((f) => Object.keys(f.defaults).map((option) => `${f.protocol} ${option}`));
  expect(Object.keys(REGISTERED).sort()).toEqual(options.sort());
  expect(FEATURES.map((f) => f.protocol)).toEqual(REGISTRY.map((p) => p.service));
});

const routerOf = (c: Case, line: string): Router3640 => new Router3640(`${c.with ?? ''}\n${line}`, c.capacity);

describe.each(Object.keys(ALL))('%s', (what) => {
  test.each(Object.entries(ALL[what]!))('%s changes what is seen', (_, c) => {
    expect(c.see(routerOf(c, ''))).toEqual(c.before);
    expect(c.see(routerOf(c, c.line))).toEqual(c.after);
  });

  test.each(Object.entries(ALL[what]!))('%s counts as soon as it is typed, and no longer than it stands', (_, c) => {
    const typed = routerOf(c, '');
    typed.configure(config3640(`${c.with ?? ''}\n${c.line}`));
    expect(c.see(typed)).toEqual(c.after);
    const gone = routerOf(c, c.line);
    gone.configure(config3640(c.with));
    expect(c.see(gone)).toEqual(c.before);
  });
});
