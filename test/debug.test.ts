/** The lines of `debug`: as Cisco's samples have them, where they come, and that nothing but the output changes. */
import { describe, expect, test } from 'vitest';
import { withoutPassword } from '../src/core/inspect/ftp/secrets.js';
import { type DebugFlag, noDebug } from '../src/core/observe/debug.js';
import * as lines from '../src/ios/debug/inspect.js';
import { packetLines } from '../src/ios/debug/packet.js';
import { messagesOf } from '../src/ios/messages.js';
import { DROP, HOLD, PASS } from '../src/core/verdict.js';
import { put16 } from '../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../src/core/wire/checksum.js';
import { Packet } from '../src/core/wire/packet.js';
import { ControlConnection, INSIDE, OUTSIDE } from './inspect/ftp/control-connection.js';
import { icmpPacket, ip, ipv4Packet, tcpPacket, type TcpFields, udpPacket } from './support/packets.js';
import { config3640, Router3640 } from './support/router-3640.js';

const CLIENT = '172.22.1.10';
const MAIL = '172.22.1.110';
const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';

const said = (r: Router3640): string[] =>
  r.events.flatMap((e) => (e.type === 'debug' ? messagesOf(e).map((m) => m.text) : []));

/** A router of which `flags` are on. */
function debugging(flags: readonly DebugFlag[], extra = ''): Router3640 {
  const r = new Router3640(extra);
  for (const flag of flags) r.engine.debug[flag] = true;
  return r;
}

/** A decoded segment, as a stage has it. */
function segment(fields: Partial<Packet>): Packet {
  const p = Object.assign(new Packet(), { protocol: 6, payload: 40, end: 40 }, fields);
  return p;
}

describe("Cisco's samples", () => {
  const sis = 0x25a3604;
  const data = segment({
    token: 0x2541e38,
    src: ip('30.0.0.1'),
    srcPort: 46409,
    dst: ip('40.0.0.1'),
    dstPort: 21,
    flags: 0x18,
    seq: 4200176262 | 0,
    ack: 4223720160 | 0,
    end: 62,
  });
  const datagram = 'IP: s=30.0.0.1 (Ethernet0), d=40.0.0.1 (Ethernet1), len 76';

  test.each([
    [
      'a segment of the initiator',
      lines.tcpLine(sis, data, true),
      'CBAC sis 25A3604 pak 2541E38 TCP P ack 4223720160 seq 4200176262(22) (30.0.0.1:46409) => (40.0.0.1:21)',
    ],
    [
      'a segment of the responder',
      lines.tcpLine(
        sis,
        segment({ token: 0x2544374, src: ip('10.1.0.1'), srcPort: 21, dst: ip('10.0.0.1'), dstPort: 46409, flags: 0x18, seq: 4223720032 | 0, ack: 4200176247 | 0, end: 70 }), // prettier-ignore
        false,
      ),
      'CBAC sis 25A3604 pak 2544374 TCP P ack 4200176247 seq 4223720032(30) (10.0.0.1:46409) <= (10.1.0.1:21)',
    ],
    ['its inspection', lines.streamResultLine(sis, 'ftp', PASS), 'CBAC sis 25A3604 ftp L7 inspect result: PASS packet'],
    [
      'its search',
      lines.lookupLines(data, 'tcp', datagram, { sis, state: 'SIS_OPEN' }).join('\n'),
      [
        'CBAC Pak 2541E38 Find session for (30.0.0.1:46409) (40.0.0.1:21) tcp',
        'P ack 4223720160 seq 4200176262(22)',
        'CBAC Pak 2541E38 Addr:port pairs to match: (30.0.0.1:46409) (40.0.0.1:21)',
        'CBAC sis 25A3604 SIS_OPEN',
        'CBAC Pak 2541E38 IP: s=30.0.0.1 (Ethernet0), d=40.0.0.1 (Ethernet1), len 76, proto=6',
      ].join('\n'),
    ],
    [
      'its state before',
      lines.segmentStateLine(sis, data, 'SIS_OPEN/ESTAB'),
      'CBAC sis 25A3604 pak 2541E38 SIS_OPEN/ESTAB TCP seq 4200176262(22) Flags: ACK 4223720160 PSH',
    ],
    [
      'its state behind',
      lines.newStateLine(sis, data, {
        state: 'SIS_OPEN/ESTAB',
        initiator: { isn: 4200176160, rcvNxt: 4223720160, sndNxt: 4200176284, rcvWnd: 8760 },
        responder: { isn: 4223719771, rcvNxt: 4200176262, sndNxt: 4223720160, rcvWnd: 8760 },
      }),
      'CBAC sis 25A3604 pak 2541E38 --> SIS_OPEN/ESTAB iisn 4200176160 i_rcvnxt 4223720160 i_sndnxt 4200176284 ' +
        'i_rcvwnd 8760 risn 4223719771 r_rcvnxt 4200176262 r_sndnxt 4223720160 r_rcvwnd 8760',
    ],
    [
      'its result',
      lines.packetResultLine(sis, data, 'ftp', PASS),
      'CBAC sis 25A3604 L4 inspect result: PASS packet 2541E38 (30.0.0.1:46409) (40.0.0.1:21) bytes 22 ftp',
    ],
    [
      'an expected connection',
      [
        lines.preGeneratedObjectLine(0x25a3574, true),
        ...lines.preGeneratedLines({ id: 0x25a3574, src: ip('10.1.0.1'), dst: ip('30.0.0.1'), dstPort: 46406 }),
        lines.preGeneratedObjectLine(0x25a3574, false),
      ].join('\n'),
      [
        'CBAC OBJ_CREATE: create pre-gen sis 25A3574',
        'CBAC Src 10.1.0.1 Port [1:65535]',
        'CBAC Dst 30.0.0.1 Port [46406:46406]',
        'CBAC Pre-gen sis 25A3574 created: 10.1.0.1[1:65535] 30.0.0.1[46406:46406]',
        'CBAC OBJ_DELETE: delete pre-gen sis 25A3574',
      ].join('\n'),
    ],
    [
      'a session',
      [
        lines.objectLine(0x25c1cc4, true),
        lines.endpointsLine(
          0x25c1cc4,
          { initiator: ip('10.1.0.1'), initiatorPort: 20, responder: ip('30.0.0.1'), responderPort: 46406 },
          { initiator: ip('40.0.0.1'), initiatorPort: 20, responder: ip('30.0.0.1'), responderPort: 46406 },
        ),
        lines.objectLine(0x25c1cc4, false),
      ].join('\n'),
      [
        'CBAC OBJ_CREATE: create sis 25C1CC4',
        'CBAC sis 25C1CC4 initiator_addr (10.1.0.1:20) responder_addr (30.0.0.1:46406) ' +
          'initiator_alt_addr (40.0.0.1:20) responder_alt_addr (30.0.0.1:46406)',
        'CBAC OBJ_DELETE: delete sis 25C1CC4',
      ].join('\n'),
    ],
    [
      'timers',
      [
        ...lines.preGeneratedTimerStartLines(0x25a3574, 30_000),
        lines.timerInitLine(0x25c1cc4),
        lines.preGeneratedTimerStopLine(0x25a3574),
        lines.timerStartLine(0x25c1cc4, 30_000),
        lines.timerStartLine(0x25c1cc4, 3_600_000),
        lines.timerStopLine(0x25c1cc4),
      ].join('\n'),
      [
        'CBAC Timer Init Leaf: Pre-gen sis 25A3574',
        'CBAC Timer Start: Pre-gen sis 25A3574 Timer: 25A35D8 Time: 30000 milisecs',
        'CBAC Timer Init Leaf: sis 25C1CC4',
        'CBAC Timer Stop: Pre-gen sis 25A3574 Timer: 25A35D8',
        'CBAC Timer Start: sis 25C1CC4 Timer: 25C1D5C Time: 30000 milisecs',
        'CBAC Timer Start: sis 25C1CC4 Timer: 25C1D5C Time: 3600000 milisecs',
        'CBAC Timer Stop: sis 25C1CC4 Timer: 25C1D5C',
      ].join('\n'),
    ],
    [
      'debug ip packet detail',
      packetLines(
        segment({ srcPort: 63491, dstPort: 23, seq: 3524010629 | 0, window: 4128, flags: 2 }),
        'IP: s=172.31.2.2 (Serial1), d=172.31.201.1 (Serial0), len 44',
        'forward',
        true,
      ).join('\n'),
      'IP: s=172.31.2.2 (Serial1), d=172.31.201.1 (Serial0), len 44, forward\n' +
        '    TCP src=63491, dst=23, seq=3524010629, ack=0, win=4128 SYN',
    ],
    [
      'debug ip packet detail, of the answer',
      packetLines(
        segment({ srcPort: 23, dstPort: 63491, seq: 363064486, ack: 3524010630 | 0, window: 4128, flags: 0x12 }),
        'IP: s=172.31.201.1 (Serial0), d=172.31.2.2 (Serial1), len 44',
        'forward',
        true,
      )[1]!,
      '    TCP src=23, dst=63491, seq=363064486, ack=3524010630, win=4128 ACK SYN',
    ],
    [
      'debug ip packet detail, of another protocol',
      packetLines(segment({ protocol: 88, payload: 0 }), 'IP: s=1.1.1.1 (Serial0), d=224.0.0.10, len 60', 'rcvd 2', true).join('\n'), // prettier-ignore
      'IP: s=1.1.1.1 (Serial0), d=224.0.0.10, len 60, rcvd 2, proto=88',
    ],
  ])('%s', (_, line, want) => expect(line).toBe(want));
});

/** A TCP connection from the host inside to a server outside, with one byte that does not fit, and its end. */
function connection(r: Router3640, port = 443): void {
  const client = (flags: string, more: Partial<TcpFields> = {}): void =>
    void r.fromInside(
      tcpPacket({ src: HOST, srcPort: 4000, dst: CLIENT, dstPort: port, flags, window: 8760, ...more }),
    );
  const server = (flags: string, more: Partial<TcpFields> = {}): void =>
    void r.fromOutside(
      tcpPacket({ src: CLIENT, srcPort: port, dst: HOST_GLOBAL, dstPort: 4000, flags, window: 4128, ...more }),
    );
  client('S', { seq: 99 });
  server('SA', { seq: 499, ack: 100 });
  client('A', { seq: 100, ack: 500 });
  client('PA', { seq: 100, ack: 500, payload: 'x' });
  server('A', { seq: 900_000, ack: 101 });
  client('FA', { seq: 101, ack: 500 });
  server('FA', { seq: 500, ack: 102 });
  client('A', { seq: 102, ack: 501 });
  r.wait(6000);
}

describe('debug ip inspect', () => {
  test('timers: start with the session, at the changes of its state, and end with it', () => {
    const r = debugging(['timers']);
    connection(r);
    expect(said(r)).toEqual([
      'CBAC Timer Init Leaf: sis 63000000',
      'CBAC Timer Start: sis 63000000 Timer: 63000098 Time: 30000 milisecs',
      'CBAC Timer Start: sis 63000000 Timer: 63000098 Time: 3600000 milisecs',
      'CBAC Timer Start: sis 63000000 Timer: 63000098 Time: 5000 milisecs',
      'CBAC Timer Stop: sis 63000000 Timer: 63000098',
    ]);
  });

  test('events: both ends of a session, before NAT and behind', () => {
    const r = debugging(['events']);
    connection(r);
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4001, dst: MAIL, dstPort: 25, flags: 'S' }));
    r.fromInside(icmpPacket(HOST, CLIENT, 8, 0, [0, 7, 0, 1]));
    expect(said(r)).toEqual([
      'CBAC sis 63000000 initiator_addr (10.10.10.5:4000) responder_addr (172.22.1.10:443) initiator_alt_addr (172.22.1.111:4000) responder_alt_addr (172.22.1.10:443)',
      'CBAC sis 63000000 initiator_addr (172.22.1.10:4001) responder_addr (10.10.10.2:25) initiator_alt_addr (172.22.1.10:4001) responder_alt_addr (172.22.1.110:25)',
      'CBAC sis 63000170 initiator_addr (10.10.10.5:8) responder_addr (172.22.1.10:0) initiator_alt_addr (172.22.1.111:8) responder_alt_addr (172.22.1.10:0)',
    ]);
  });

  test('tcp with detailed: the search, the state before, the result, the state behind', () => {
    const r = debugging(['tcp', 'detailed']);
    connection(r);
    const lookup = (segment: string, state: string | undefined, fromClient = true): string[] => {
      const [from, to] = fromClient ? [HOST, CLIENT] : [CLIENT, HOST];
      const [out, into] = fromClient ? ['Ethernet2/1', 'Ethernet2/0'] : ['Ethernet2/0', 'Ethernet2/1'];
      const pairs = fromClient ? `(${HOST}:4000) (${CLIENT}:443)` : `(${CLIENT}:443) (${HOST}:4000)`;
      const length = 40 + Number(/\((\d+)\)$/.exec(segment)![1]);
      return [
        `CBAC Pak 0 Find session for ${pairs} tcp`,
        segment,
        `CBAC Pak 0 Addr:port pairs to match: ${pairs}`,
        ...(state === undefined ? [] : [`CBAC sis 63000000 ${state}`]),
        `CBAC Pak 0 IP: s=${from} (${out}), d=${to} (${into}), len ${length}, proto=6`,
      ];
    };
    const text = said(r);
    expect(text.slice(0, 7)).toEqual([
      ...lookup('S seq 99(0)', undefined),
      'CBAC sis 63000000 pak 0 TCP S seq 99(0) (10.10.10.5:4000) => (172.22.1.10:443)',
      'CBAC sis 63000000 pak 0 SIS_OPENING/SYNSENT TCP seq 99(0) Flags: SYN',
      'CBAC sis 63000000 L4 inspect result: PASS packet 0 (10.10.10.5:4000) (172.22.1.10:443) bytes 0 tcp',
    ]);
    const byte = text.indexOf('P ack 500 seq 100(1)') - 1;
    expect(text.slice(byte, byte + 9)).toEqual([
      ...lookup('P ack 500 seq 100(1)', 'SIS_OPEN'),
      'CBAC sis 63000000 pak 0 TCP P ack 500 seq 100(1) (10.10.10.5:4000) => (172.22.1.10:443)',
      'CBAC sis 63000000 pak 0 SIS_OPEN/ESTAB TCP seq 100(1) Flags: ACK 500 PSH',
      'CBAC sis 63000000 L4 inspect result: PASS packet 0 (10.10.10.5:4000) (172.22.1.10:443) bytes 1 tcp',
      'CBAC sis 63000000 pak 0 --> SIS_OPEN/ESTAB iisn 99 i_rcvnxt 500 i_sndnxt 101 i_rcvwnd 8760 risn 499 r_rcvnxt 100 r_sndnxt 500 r_rcvwnd 4128',
    ]);
    expect(text).toContain(
      'CBAC sis 63000000 L4 inspect result: DROP packet 0 (172.22.1.10:443) (10.10.10.5:4000) bytes 0 ErrStr = Invalid Seq# tcp',
    );
    expect(text.filter((l) => l.includes('-->')).map((l) => /SIS_\w+\/\w+/.exec(l)![0])).toEqual([
      'SIS_OPENING/SYNRCVD',
      'SIS_OPEN/ESTAB',
      'SIS_OPEN/ESTAB',
      'SIS_CLOSING/CLOSEWAIT',
      'SIS_CLOSING/CLOSED',
      'SIS_CLOSING/CLOSED',
    ]);
  });

  test.each([
    ['udp', udpPacket(HOST, 5000, CLIENT, 123, 'abc'), '(10.10.10.5:5000) (172.22.1.10:123)', 'bytes 3'],
    ['icmp', icmpPacket(HOST, CLIENT, 8, 0, [0, 7, 0, 1]), '(10.10.10.5:8) (172.22.1.10:0)', 'bytes 0'],
  ] as const)('%s with detailed', (flag, packet, pairs, bytes) => {
    const r = debugging([flag, 'detailed']);
    r.fromInside(packet);
    r.events.length = 0;
    r.fromInside(packet);
    const text = said(r);
    expect(text[0]).toBe(`CBAC Pak 0 Find session for ${pairs} ${flag}`);
    expect(text.at(-1)).toMatch(/^CBAC sis 63000000 L4 inspect result: (PASS|DROP) packet 0 /);
    expect(text.at(-1)).toContain(`${pairs} ${bytes}`);
  });

  test('detailed by itself says nothing, and with one protocol nothing of another', () => {
    for (const flags of [['detailed'], ['detailed', 'udp', 'icmp']] as const) {
      const r = debugging(flags);
      connection(r);
      expect(said(r)).toEqual([]);
    }
  });

  test('tcp says what the inspector made of a segment that has data', () => {
    const r = debugging(['tcp']);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).open();
    r.events.length = 0;
    c.say('NOOP');
    c.segment(false, 'PA', { seq: c.server.sndNxt + 10, payload: 'later' }); // waits for what is missing
    c.segment(true, 'A');
    expect(said(r)).toEqual([
      'CBAC sis 63000000 pak 0 TCP P ack 50012 seq 1001(6) (10.10.10.5:40000) => (172.22.1.10:21)',
      'CBAC sis 63000000 ftp L7 inspect result: PASS packet',
      'CBAC sis 63000000 pak 0 TCP P ack 1007 seq 50022(5) (10.10.10.5:40000) <= (172.22.1.10:21)',
      'CBAC sis 63000000 ftp L7 inspect result: HOLD packet',
      'CBAC sis 63000000 pak 0 TCP . ack 50012 seq 1007(0) (10.10.10.5:40000) => (172.22.1.10:21)',
    ]);
  });

  test('ftp: the dialogue without its password, and where data connections go', () => {
    const r = debugging(['ftp']);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    c.say('PORT 10,10,10,5,19,137');
    c.reply('200 ok');
    r.engine.debug.detailed = true;
    c.say('PASV');
    c.reply('227 Entering Passive Mode (172,22,1,10,19,138)');
    c.say('EPRT |1|10.10.10.5|5003|');
    expect(said(r)).toEqual([
      'CBAC FTP sis 63000000 FTP-Server: 220 ready~~',
      'CBAC FTP sis 63000000 FTP-Client: USER anna~~',
      'CBAC FTP sis 63000000 FTP-Server: 331 Please specify the password.~~',
      'CBAC FTP sis 63000000 FTP-Client: PASS *****~~',
      'CBAC FTP sis 63000000 FTP-Server: 230 Login successful.~~',
      'CBAC FTP sis 63000000 FTP-Client: PORT 10,10,10,5,19,137~~',
      'CBAC FTP sis 63000000 Handle PORT command 10.10.10.5:5001',
      'CBAC FTP sis 63000000 FTP-Server: 200 ok~~',
      'CBAC FTP sis 63000000 FTP-Client: PASV~~',
      'CBAC FTP sis 63000000 FTP-Server: 227 Entering Passive Mode (172,22,1,10,19,138)~~',
      'CBAC FTP sis 63000000 Handle PASV reply 172.22.1.10:5002 announced as 172.22.1.10:5002',
      'CBAC FTP sis 63000000 FTP-Client: EPRT |1|10.10.10.5|5003|~~',
      'CBAC FTP sis 63000000 Handle EPRT command 10.10.10.5:5003 announced as 172.22.1.111:5003',
    ]);
  });

  test.each([
    'PASS secret\r\n',
    'pass  secret\n',
    '\xff\xf4PASS secret\r\n',
    'PASS a\rsecret\r\n',
    'Acct secret',
    'ADAT secret\r\n',
  ])('ftp: %j is not told', (line) => {
    expect(withoutPassword(line)).not.toContain('secret');
  });

  test('what a host sends does not reach the terminal raw', () => {
    expect(lines.ftpDialogueLine(1, false, '220 \x1b[2J\x9b\r\n')).toBe('CBAC FTP sis 1 FTP-Server: 220 ~[2J~~~');
    expect(lines.httpLine(1, 'GET /\x1b]0;x\x07')).toBe('CBAC HTTP sis 1 GET /~]0;x~');
  });

  test('an expected data connection: created, timed, deleted when it comes', () => {
    const r = debugging([]);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    for (const flag of ['events', 'objectCreation', 'objectDeletion', 'timers'] as const) r.engine.debug[flag] = true;
    c.say('PORT 10,10,10,5,19,137');
    c.say('PORT 10,10,10,5,19,138');
    const expected = (port: number): string[] => [
      'CBAC OBJ_CREATE: create pre-gen sis 62000000',
      'CBAC Src 172.22.1.10 Port [1:65535]',
      `CBAC Dst 10.10.10.5 Port [${port}:${port}]`,
      `CBAC Pre-gen sis 62000000 created: 172.22.1.10[1:65535] 10.10.10.5[${port}:${port}]`,
      'CBAC Timer Init Leaf: Pre-gen sis 62000000',
      'CBAC Timer Start: Pre-gen sis 62000000 Timer: 62000064 Time: 30000 milisecs',
    ];
    const gone = [
      'CBAC OBJ_DELETE: delete pre-gen sis 62000000',
      'CBAC Timer Stop: Pre-gen sis 62000000 Timer: 62000064',
    ];
    expect(said(r)).toEqual([...expected(5001), ...gone, ...expected(5002)]);
    r.events.length = 0;
    c.data(false, 20, 5002);
    expect(said(r)).toEqual([
      'CBAC OBJ_CREATE: create sis 63000170',
      'CBAC sis 63000170 initiator_addr (172.22.1.10:20) responder_addr (10.10.10.5:5002) initiator_alt_addr (172.22.1.10:20) responder_alt_addr (172.22.1.111:5002)',
      'CBAC Timer Init Leaf: sis 63000170',
      'CBAC Timer Start: sis 63000170 Timer: 63000208 Time: 30000 milisecs',
      ...gone,
    ]);
  });

  test('http: requests, applets, and with detailed what the java-list says', () => {
    const r = debugging(
      ['http', 'detailed'],
      'access-list 7 permit 172.22.1.99\nip inspect name IN-OUT http java-list 7',
    );
    r.fromInside(tcpPacket({ src: HOST, srcPort: 4000, dst: CLIENT, dstPort: 80, flags: 'S', seq: 99 }));
    r.fromOutside(
      tcpPacket({ src: CLIENT, srcPort: 80, dst: HOST_GLOBAL, dstPort: 4000, flags: 'SA', seq: 499, ack: 100 }),
    );
    const get = 'GET /A.class HTTP/1.1\r\n\r\n';
    r.fromInside(
      tcpPacket({ src: HOST, srcPort: 4000, dst: CLIENT, dstPort: 80, flags: 'PA', seq: 100, ack: 500, payload: get }),
    );
    const applet = 'HTTP/1.1 200 OK\r\n\r\n\xca\xfe\xba\xbe';
    r.fromOutside(
      tcpPacket({ src: CLIENT, srcPort: 80, dst: HOST_GLOBAL, dstPort: 4000, flags: 'PA', seq: 500, ack: 100 + get.length, payload: applet }), // prettier-ignore
    );
    expect(said(r)).toEqual([
      'CBAC HTTP sis 63000000 hostile site, java-list 7',
      'CBAC HTTP sis 63000000 GET /A.class HTTP/1.1',
      'CBAC HTTP sis 63000000 Java applet, connection reset',
    ]);
  });

  test('a connection that no rule inspects is no session: nothing is said', () => {
    const flags = ['tcp', 'detailed', 'timers', 'events', 'objectCreation', 'objectDeletion'] as const;
    const r = debugging(flags, `access-list 101 permit tcp any host ${MAIL} eq www`);
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: 80, flags: 'S', seq: 1 }));
    r.fromInside(
      tcpPacket({ src: '10.10.10.2', srcPort: 80, dst: CLIENT, dstPort: 4000, flags: 'SA', seq: 5, ack: 2 }),
    );
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: 80, flags: 'A', seq: 2, ack: 6 }));
    r.wait(90_000_000);
    expect(r.sessionCount).toBe(0);
    expect(said(r)).toEqual([]);
  });

  test('whatever is on, the packets fare the same', () => {
    const fates = (flags: readonly DebugFlag[]): unknown[] => {
      const r = debugging(flags);
      connection(r);
      const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
      c.say('PORT 10,10,10,5,19,137');
      const o = c.data(false, 20, 5001);
      return [o.verdict, o.bytes, r.sessionCount, r.engine.drops, r.events.filter((e) => e.type !== 'debug')];
    };
    const all = Object.entries(noDebug()).flatMap(([flag, v]) => (v === false ? [flag as DebugFlag] : []));
    expect(all).toHaveLength(13);
    expect(fates(all)).toEqual(fates([]));
  });
});

describe('debug ip packet', () => {
  const syn = (dstPort: number, src = CLIENT): Uint8Array =>
    tcpPacket({ src, srcPort: 4000, dst: MAIL, dstPort, flags: 'S', seq: 7, window: 4128 });
  const IP = 'IP: s=172.22.1.10 (Ethernet2/0), d=10.10.10.2 (Ethernet2/1), len';
  const watching = (list: string | undefined, detail = false, extra = ''): Router3640 => {
    const r = debugging(['packet'], extra);
    r.engine.debug.packetScope = { list, detail };
    return r;
  };

  test.each<[string, Uint8Array, string[]]>([
    ['TCP', syn(25), [`${IP} 40, forward`, '    TCP src=4000, dst=25, seq=7, ack=0, win=4128 SYN']],
    ['UDP', udpPacket(CLIENT, 53, MAIL, 5000, 'x'), [`${IP} 29, forward`, '    UDP src=53, dst=5000']],
    ['ICMP', icmpPacket(CLIENT, MAIL, 13, 0, [0, 7, 0, 1]), [`${IP} 28, forward`, '    ICMP type=13, code=0']],
    ['another protocol', ipv4Packet(CLIENT, MAIL, 88, new Uint8Array(20)), [`${IP} 40, forward, proto=88`]],
    [
      'a segment without a whole header',
      ipv4Packet(CLIENT, MAIL, 6, new Uint8Array(12)),
      ['IP: s=172.22.1.10 (Ethernet2/0), d=172.22.1.110 (Ethernet2/0), len 32, Invalid Header length'],
    ],
  ])('detail of %s', (_, packet, want) => {
    const open = 'access-list 101 permit ip any any\nno ip inspect name OUT-IN';
    const r = watching(undefined, true, open);
    r.fromOutside(packet);
    expect(said(r)).toEqual(want);
    r.engine.debug.packetScope = { list: undefined, detail: false };
    r.events.length = 0;
    r.fromOutside(packet);
    expect(said(r)).toEqual([want[0]!.replace(', proto=88', '')]);
  });

  test('detail of fragments', () => {
    const whole = udpPacket(HOST, 5000, CLIENT, 123, 'x'.repeat(16));
    const first = whole.slice(0, 36);
    put16(first, 2, 36);
    put16(first, 6, 0x2000);
    const second = Uint8Array.from([...whole.slice(0, 20), ...whole.slice(36)]);
    put16(second, 2, 28);
    put16(second, 6, 2);
    const r = watching(undefined, true);
    for (const fragment of [first, second]) {
      writeIpv4Checksum(fragment, 0, 20);
      r.fromInside(fragment);
    }
    // The last one is the whole datagram by then, behind NAT as any packet.
    expect(said(r)).toEqual([
      'IP: s=10.10.10.5 (Ethernet2/1), d=172.22.1.10 (Ethernet2/0), len 36, held',
      '    IP Fragment, Ident = 4660, fragment offset = 0',
      '    UDP src=5000, dst=123',
      'IP: s=172.22.1.111 (Ethernet2/1), d=172.22.1.10 (Ethernet2/0), len 44, forward',
      '    UDP src=5000, dst=123',
    ]);
  });

  test('a packet whose header cannot be read is not shown with the addresses of another', () => {
    const r = watching(undefined);
    const broken = syn(25);
    broken[10] = broken[10]! ^ 1; // checksum
    expect(r.fromOutside(broken).verdict).toBe(DROP.badChecksum);
    expect(said(r)).toEqual([]);
  });

  const LISTS = ['access-list 150 permit tcp any any eq smtp log', 'access-list 7 permit 172.22.1.77'].join('\n');

  test.each([
    ['150', [25], [`${IP} 40, forward`]],
    ['150', [80], []],
    ['7', [25], []],
    ['199', [25], [`${IP} 40, forward`]], // not defined
  ] as const)('with list %s of port %j', (list, ports, want) => {
    const r = watching(list, false, LISTS);
    for (const port of ports) r.fromOutside(syn(port));
    expect(said(r)).toEqual(want);
  });

  test('a packet that is denied is shown as it came, in front of routing', () => {
    const r = watching('160', false, 'access-list 160 permit tcp any host 172.22.1.110');
    r.fromOutside(syn(80));
    r.fromOutside(syn(25));
    expect(said(r)).toEqual(['IP: s=172.22.1.10 (Ethernet2/0), d=172.22.1.110, len 40, access denied']);
  });

  test('the filter counts nothing and logs nothing', () => {
    const r = watching('150', true, LISTS);
    const count = (): number => r.engine.accessLists.get('150')!.matches[0]!;
    r.fromOutside(syn(25));
    expect([said(r).length, count()]).toEqual([2, 0]);
    expect(r.events.map((e) => e.type)).toEqual(['debug']);
    // The same list at work does both.
    r.engine.accessLists.get('101')!.clearMatches();
    r.fromOutside(syn(25, '172.22.1.12'));
    expect(Math.max(...r.engine.accessLists.get('101')!.matches)).toBe(1);
    expect(count()).toBe(0);
  });

  test('a list that is changed, taken away or defined anew filters the next packet', () => {
    const r = watching('150', false, LISTS);
    const reload = (extra: string): void => r.configure(config3640(extra));
    const shown = (): number => {
      r.events.length = 0;
      r.fromOutside(syn(25));
      return said(r).length;
    };
    expect(shown()).toBe(1);
    reload('access-list 150 deny ip any any');
    expect(shown()).toBe(0);
    reload('');
    expect(shown()).toBe(1);
    reload('access-list 150 permit udp any any');
    expect(shown()).toBe(0);
    expect(r.engine.accessLists.get('150')!.matches[0]).toBe(0);
  });
});

test('what is told is plain data: it goes to another process and prints the same there', () => {
  const all = Object.entries(noDebug()).flatMap(([flag, v]) => (v === false ? [flag as DebugFlag] : []));
  const r = debugging(all);
  connection(r);
  const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
  c.say('PORT 10,10,10,5,19,137');
  c.data(false, 20, 5001);
  const facilities = new Set(r.events.flatMap((e) => (e.type === 'debug' ? [e.facility] : [])));
  expect(facilities.size).toBeGreaterThanOrEqual(8);
  const printed = said(r);
  expect(r.events.splice(0, r.events.length, ...structuredClone(r.events)).length).toBeGreaterThan(50);
  expect(said(r)).toEqual(printed);
  expect(JSON.stringify(r.events)).not.toContain('secret');
});

test('held segments are released as before when the debugging of tcp is on', () => {
  const r = debugging(['tcp', 'detailed']);
  const c = new ControlConnection(r, INSIDE, OUTSIDE).open();
  const { sndNxt } = c.server;
  expect(c.segment(false, 'PA', { seq: sndNxt + 5, payload: 'two\r\n' }).verdict).toBe(HOLD);
  expect(c.segment(false, 'PA', { seq: sndNxt, payload: '220-x' }).verdict).toBe(PASS);
  expect(r.released.map((one) => one.verdict)).toEqual([PASS]);
});
