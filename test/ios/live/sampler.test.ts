import { describe, expect, test } from 'vitest';
import { RouterState } from '../../../src/core/state/router-state.js';
import type { LiveFrame } from '../../../src/ios/live/frame.js';
import { addPoint, emptyHistory } from '../../../src/ios/live/history.js';
import { RecentLines } from '../../../src/ios/live/recent-lines.js';
import { type LineTotals, LiveSampler } from '../../../src/ios/live/sampler.js';
import { messagesOf } from '../../../src/ios/messages.js';
import { tcpPacket, type TcpFields } from '../../support/packets.js';
import { Router3640 } from '../../support/router-3640.js';

const CLIENT = '172.22.1.10';
const DAY = 1_700_000_000_000;

/** A router, and somebody who looks at it. */
class Watched {
  readonly router: Router3640;
  readonly recent = new RecentLines();
  readonly sampler = new LiveSampler('1.2.3', this.recent);
  line: LineTotals = { name: 'Ethernet2/0', up: true, packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 };
  cpuMs = 0;
  #noted = 0;

  constructor(extra = '') {
    this.router = new Router3640(extra);
  }

  get at(): number {
    return DAY + this.router.now;
  }

  frame(sessions = true): LiveFrame {
    const { router } = this;
    for (const e of router.events.slice(this.#noted)) for (const m of messagesOf(e)) this.recent.note(m, this.at);
    this.#noted = router.events.length;
    return this.sampler.sample({
      at: this.at,
      uptimeMs: router.now,
      well: true,
      config: router.config,
      mapped: new Set(['Ethernet2/0', 'Ethernet2/1']),
      snapshot: new RouterState(router.engine, () => router.now),
      sessions,
      lines: [{ ...this.line }],
      load: { cpuMs: this.cpuMs, memory: 1 },
    });
  }

  client(flags: string, more: Partial<TcpFields> = {}): void {
    this.router.fromOutside(
      tcpPacket({ src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 25, flags, ...more }),
    );
  }
  server(flags: string, more: Partial<TcpFields> = {}): void {
    this.router.fromInside(tcpPacket({ src: '10.10.10.2', srcPort: 25, dst: CLIENT, dstPort: 4000, flags, ...more }));
  }

  expn(): void {
    this.client('S', { seq: 99 });
    this.server('SA', { seq: 499, ack: 100 });
    this.client('A', { seq: 100, ack: 500 });
    this.server('PA', { seq: 500, ack: 100, payload: '220 hi\r\n' });
    this.client('PA', { seq: 100, ack: 508, payload: 'EXPN root\r\n' });
  }
}

describe('what is configured', () => {
  test('is the network of 3640.cfg, in its words', () => {
    const { picture } = new Watched().frame();
    expect(picture).toEqual({
      revision: 1,
      hostname: '3640-123',
      release: '1.2.3',
      interfaces: [
        {
          name: 'Ethernet2/0',
          description: '',
          addresses: ['172.22.1.16/24'],
          side: 'outside',
          shutdown: false,
          accessIn: '101',
          accessOut: '',
          inspectIn: 'OUT-IN: smtp',
          inspectOut: '',
        },
        {
          name: 'Ethernet2/1',
          description: '',
          addresses: ['10.10.10.1/24'],
          side: 'inside',
          shutdown: false,
          accessIn: '',
          accessOut: '',
          inspectIn: 'IN-OUT: tcp udp ftp http icmp',
          inspectOut: '',
        },
      ],
      statics: [
        { inside: '10.10.10.2', outside: '172.22.1.110' },
        { inside: '10.10.10.5', outside: '172.22.1.111' },
      ],
      staticsMore: 0,
      dynamic: [],
      lists: [
        {
          name: '101',
          kind: 'extended',
          applied: ['Ethernet2/0 in'],
          entries: ['10 permit tcp any host 172.22.1.110 eq smtp'],
          entriesMore: 0,
        },
      ],
      listsMore: 0,
      thresholds: { halfOpen: { low: 400, high: 500 }, oneMinute: { low: 400, high: 500 }, host: 50 },
      transcripts: 0,
    });
  });

  test('has another revision where the configuration is another one, and only there', () => {
    const w = new Watched();
    expect([w.frame().revision, w.frame().revision]).toEqual([1, 1]);
    w.router.configure({ ...w.router.config, hostname: 'other' });
    expect(w.frame()).toMatchObject({ revision: 2, picture: { hostname: 'other' } });
  });

  test('of a list of a thousand entries has the first five hundred, and how many more', () => {
    const lines = Array.from(
      { length: 1000 },
      (_, i) => `access-list 150 permit ip host 10.1.${i >> 8}.${i & 255} any`,
    );
    const w = new Watched(lines.join('\n'));
    const frame = w.frame();
    expect(frame.picture!.lists.map((l) => [l.name, l.entries.length, l.entriesMore])).toEqual([
      ['101', 1, 0],
      ['150', 499, 501],
    ]);
    expect(frame.hits.map((h) => h.length <= 499)).toEqual([true, true]);
  });
});

describe('rates', () => {
  test('are those between two samples', () => {
    const w = new Watched();
    expect(w.frame().traffic).toMatchObject([{ bytesIn: 0, packetsIn: 0 }]);
    w.router.wait(2000);
    w.line = { ...w.line, bytesIn: 3000, packetsIn: 4, bytesOut: 100, packetsOut: 2, up: false };
    expect(w.frame().traffic).toEqual([
      { name: 'Ethernet2/0', up: false, bytesIn: 1500, packetsIn: 2, bytesOut: 50, packetsOut: 1 },
    ]);
  });

  test('are none after a pause, in which nobody looked, nor where a counter was cleared', () => {
    const w = new Watched();
    w.line = { ...w.line, bytesIn: 9000 };
    w.frame();
    w.router.wait(60_000);
    w.line = { ...w.line, bytesIn: 900_000 };
    expect(w.frame().traffic[0]!.bytesIn).toBe(0);
    w.router.wait(1000);
    w.line = { ...w.line, bytesIn: 5 };
    expect(w.frame().traffic[0]!.bytesIn).toBe(0);
  });

  test('of the processor are those of some seconds, since it is told once a second', () => {
    const w = new Watched();
    const seen: number[] = [];
    for (let i = 0; i < 12; i++) {
      seen.push(Math.round(w.frame().load.cpu));
      w.router.wait(500);
      if (i % 2 === 1) w.cpuMs += 300;
    }
    expect(seen.slice(-3).every((cpu) => cpu >= 25 && cpu <= 35)).toBe(true);
  });

  test('of drops go with the words of show, and the total', () => {
    const w = new Watched();
    w.frame();
    w.router.wait(1000);
    for (let i = 0; i < 3; i++) w.client('S', { dstPort: 80 });
    expect(w.frame().drops).toEqual([{ what: 'Access list', total: 3, perSecond: 3 }]);
    expect(w.frame().hits).toEqual([[0]]);
  });
});

describe('lines', () => {
  test('a masked command is there as sent and as it went on, with its session', () => {
    const w = new Watched();
    w.expn();
    const frame = w.frame();
    expect(frame.maskedLines).toEqual([
      {
        number: 1,
        at: w.at,
        session: frame.sessions![0]!.id,
        client: '172.22.1.10:4000',
        server: '172.22.1.110:25',
        from: 'client',
        before: 'EXPN root',
        after: 'xxxxxxxxx',
        why: expect.any(String) as string,
      },
    ]);
    expect(frame.masked).toMatchObject({ minute: 1, total: 1 });
    expect(frame.log).toMatchObject([{ number: 1, severity: 4, mnemonic: '%FW-4-SMTP_INVALID_COMMAND' }]);
    w.router.wait(61_000);
    expect(w.frame().masked).toMatchObject({ minute: 0, total: 1 });
  });

  test('what is only noted is no masked line, and no more than the last hundred are kept', () => {
    const recent = new RecentLines();
    const message = (action: string, before: string) => ({
      severity: 4,
      mnemonic: '%FW-4-X',
      text: before,
      fields: { before, after: 'x', action },
    });
    recent.note(message('noted', 'no'), DAY);
    for (let i = 0; i < 1000; i++) recent.note(message('masked', `line ${i}`), DAY + i);
    expect(recent.masked.map((l) => l.before)).toEqual(Array.from({ length: 100 }, (_, i) => `line ${900 + i}`));
    expect(recent.masked.at(-1)!.number).toBe(1000);
    expect(recent.log.length).toBe(200);
    expect(recent.maskedTotal).toBe(1000);
  });

  test('debug lines are not for everybody who looks, and a long line is cut', () => {
    const recent = new RecentLines();
    recent.note({ severity: 7, mnemonic: '', text: 'debug', fields: {} }, DAY);
    recent.note({ severity: 6, mnemonic: '%A-6-B', text: 'y'.repeat(9000), fields: {} }, DAY);
    expect(recent.log.map((l) => l.text.length)).toEqual([512]);
  });
});

test('sessions are told as show has them, and are those of before where they were not asked for', () => {
  const w = new Watched();
  w.expn();
  const first = w.frame();
  expect(first.sessions).toMatchObject([
    {
      service: 'smtp',
      state: 'SIS_OPEN',
      initiator: '172.22.1.10:4000',
      responder: '172.22.1.110:25',
      local: '10.10.10.2',
      sent: 11,
      received: 8,
    },
  ]);
  expect(w.frame(false).sessions).toBe(first.sessions);
  expect(first.counts).toEqual({ established: 1, halfOpen: 0, terminating: 0, oneMinute: 1 });
});

test('the curves keep so many minutes, all as long as each other', () => {
  const w = new Watched();
  const history = emptyHistory();
  for (let i = 0; i < 400; i++) {
    addPoint(history, w.frame(false), 300_000);
    w.router.wait(1000);
  }
  expect(history.at.length).toBe(300);
  expect(new Set(Object.values(history.values).map((column) => column.length))).toEqual(new Set([300]));
});
