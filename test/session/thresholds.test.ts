import { describe, expect, test } from 'vitest';
import { messageOf } from '../../src/ios/messages.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, tcpPacket, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

/** A SYN from outside to the mail server, from client number `n`. */
const syn = (n: number): Uint8Array =>
  tcpPacket({ src: `172.22.1.${n}`, srcPort: 1024 + n, dst: '172.22.1.110', dstPort: 25, flags: 'S', seq: 1000 });

/** The mail server's answer to client `n`, and the client's last ACK. */
function establish(r: Router3640, n: number): void {
  const client = `172.22.1.${n}`;
  const port = 1024 + n;
  r.fromInside(
    tcpPacket({ src: '10.10.10.2', srcPort: 25, dst: client, dstPort: port, flags: 'SA', seq: 1, ack: 1001 }),
  );
  r.fromOutside(
    tcpPacket({ src: client, srcPort: port, dst: '172.22.1.110', dstPort: 25, flags: 'A', seq: 1001, ack: 2 }),
  );
}

const said = (r: Router3640): string[] => r.events.map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);
const initiators = (r: Router3640): string[] => {
  const all: string[] = [];
  r.engine.sessions.table.forEach((s) => all.push(dotted(s.initiator)));
  return all.sort();
};

describe('ip inspect max-incomplete', () => {
  const LIMITS = 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3';
  const router = (): Router3640 => new Router3640(LIMITS);

  test('above high, each new session costs the oldest half-open one, which is reset', () => {
    const r = router();
    for (let n = 1; n <= 6; n++) r.fromOutside(syn(n));
    expect(said(r)).toEqual([]);
    expect(r.fromOutside(syn(7)).verdict).toBe(PASS);
    expect(said(r)).toEqual(['%FW-4-ALERT_ON: getting aggressive, count (6/5) current 1-min rate: 6']);
    expect(initiators(r)).toEqual(['2', '3', '4', '5', '6', '7'].map((n) => `172.22.1.${n}`));
    // The server has not answered, so there is nobody but the client to reset.
    expect(r.injected.map((b) => dotted(i32(b, 16)))).toEqual(['172.22.1.1']);
  });

  test('it calms down when both numbers are below low', () => {
    const r = router();
    for (let n = 1; n <= 7; n++) r.fromOutside(syn(n));
    for (let n = 2; n <= 5; n++) establish(r, n);
    r.wait(1000);
    expect(said(r).at(-1)).toBe('%FW-4-ALERT_OFF: calming down, count (2/3) current 1-min rate: 7');
    r.fromOutside(syn(8));
    expect(r.sessionCount).toBe(7);
  });

  test('an established session is never the victim', () => {
    const r = router();
    r.fromOutside(syn(1));
    establish(r, 1);
    for (let n = 2; n <= 40; n++) r.fromOutside(syn(n));
    expect(initiators(r)).toContain('172.22.1.1');
    expect(r.sessionCount).toBe(7);
  });

  test('UDP without an answer counts, with an answer it does not', () => {
    const r = router();
    for (let n = 1; n <= 7; n++) r.fromInside(udpPacket('10.10.10.2', 1000 + n, '172.22.1.10', 5000, 'q'));
    expect(said(r).length).toBe(1);
    const calm = router();
    for (let n = 1; n <= 7; n++) {
      calm.fromInside(udpPacket('10.10.10.2', 1000 + n, '172.22.1.10', 5000, 'q'));
      calm.fromOutside(udpPacket('172.22.1.10', 5000, '172.22.1.110', 1000 + n, 'a'));
    }
    expect(said(calm)).toEqual([]);
  });
});

describe('the marks of max-incomplete, to the one', () => {
  const LIMITS = 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3';

  test('time that passes between two sessions does not swallow the alert', () => {
    const r = new Router3640(LIMITS);
    for (let n = 1; n <= 6; n++) r.fromOutside(syn(n));
    r.wait(1000);
    expect(said(r)).toEqual([]);
    r.fromOutside(syn(7));
    expect(said(r).length).toBe(1);
  });

  test('at low it is still aggressive, for the number of half-open sessions', () => {
    const r = new Router3640(LIMITS);
    for (let n = 1; n <= 7; n++) r.fromOutside(syn(n));
    for (let n = 2; n <= 4; n++) establish(r, n);
    r.wait(1000);
    r.fromOutside(syn(8));
    expect(r.engine.sessions.thresholds.resets['max-incomplete'].total).toBe(2);
    expect(said(r).length).toBe(1);
  });

  test('one session that is reset is told of, too', () => {
    const r = new Router3640(LIMITS);
    for (let n = 1; n <= 7; n++) r.fromOutside(syn(n));
    r.wait(6000);
    expect(said(r).at(-1)).toMatch(/SESSIONS_RESET: 1 half-open/);
  });
});

describe('ip inspect one-minute', () => {
  test('the rate turns aggressive on at high + 1, and off when the minute has passed', () => {
    const r = new Router3640('ip inspect one-minute high 5\nip inspect one-minute low 3');
    for (let n = 1; n <= 6; n++) {
      r.fromOutside(syn(n));
      establish(r, n);
    }
    r.fromOutside(syn(7));
    expect(said(r)).toEqual(['%FW-4-ALERT_ON: getting aggressive, count (0/500) current 1-min rate: 6']);
    r.wait(61_000);
    expect(said(r).at(-1)).toBe('%FW-4-ALERT_OFF: calming down, count (0/400) current 1-min rate: 0');
  });
});

describe('ip inspect tcp max-incomplete host', () => {
  test('block-time 0: the oldest half-open session to the host makes room, and the alert comes once', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 3 block-time 0');
    for (let n = 1; n <= 5; n++) expect(r.fromOutside(syn(n)).verdict).toBe(PASS);
    expect(initiators(r)).toEqual(['172.22.1.3', '172.22.1.4', '172.22.1.5']);
    expect(said(r)).toEqual([
      '%FW-4-HOST_TCP_ALERT_ON: Max tcp half-open connections (3) exceeded for host 172.22.1.110.',
    ]);
  });

  test('block-time 2: all half-open sessions to the host go, new ones are refused for two minutes', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 3 block-time 2');
    r.fromOutside(syn(9));
    establish(r, 9);
    for (let n = 1; n <= 3; n++) r.fromOutside(syn(n));
    expect(r.fromOutside(syn(4)).verdict).toBe(DROP.sessionLimit);
    expect(initiators(r)).toEqual(['172.22.1.9']);
    r.wait(119_000);
    expect(r.fromOutside(syn(5)).verdict).toBe(DROP.sessionLimit);
    r.wait(2000);
    expect(r.fromOutside(syn(6)).verdict).toBe(PASS);
    expect(said(r).slice(1)).toEqual([
      '%FW-4-BLOCK_HOST: Blocking new TCP connections to host 172.22.1.110 for 2 minutes (half-open count 3 exceeded)',
      '%FW-4-SESSIONS_RESET: 3 half-open sessions reset in 1 second: their host is blocked (ip inspect tcp max-incomplete host)',
      '%FW-4-UNBLOCK_HOST: New TCP connections to host 172.22.1.110 no longer blocked',
    ]);
  });
});

test('a flood of SYNs costs no more than its records: no stream, no memory held', () => {
  const r = new Router3640('', 64);
  for (let n = 1; n <= 50; n++) r.fromOutside(syn(n));
  expect(r.engine.sessions.memory.ringBytes + r.engine.sessions.memory.heldBytes).toBe(0);
  r.wait(31_000);
  expect(r.sessionCount).toBe(0);
});

describe('a host with too many half-open connections', () => {
  const alerts = (r: Router3640): number => r.events.filter((e) => e.type === 'host-alert').length;

  test('is told of again only after it was well below the limit', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 4 block-time 0');
    for (let n = 1; n <= 6; n++) r.fromOutside(syn(n));
    expect(alerts(r)).toBe(1);
    establish(r, 6); // one below the limit
    for (let n = 7; n <= 9; n++) r.fromOutside(syn(n));
    expect(alerts(r)).toBe(1);
    for (const n of [9, 8]) establish(r, n); // two below
    for (let n = 10; n <= 13; n++) r.fromOutside(syn(n));
    expect(alerts(r)).toBe(2);
  });

  test('is told of at a limit of one', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 1 block-time 0');
    for (let n = 1; n <= 2; n++) r.fromOutside(syn(n));
    expect(alerts(r)).toBe(1);
  });

  test('UDP neither counts for it nor is refused', () => {
    const r = new Router3640(
      'access-list 101 permit ip any any\nip inspect name OUT-IN udp\nip inspect tcp max-incomplete host 3 block-time 2',
    );
    const query = (n: number): number =>
      r.fromOutside(udpPacket(`172.22.1.${n}`, 4000, '172.22.1.110', 5000, 'q')).verdict;
    for (let n = 1; n <= 5; n++) query(n);
    expect(r.fromOutside(syn(6)).verdict).toBe(PASS);
    for (let n = 7; n <= 9; n++) r.fromOutside(syn(n));
    expect(r.fromOutside(syn(10)).verdict).toBe(DROP.sessionLimit);
    expect([query(11), r.sessionCount]).toEqual([PASS, 6]);
  });

  test('is blocked to the millisecond, and freed once', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 3 block-time 2');
    for (let n = 1; n <= 4; n++) r.fromOutside(syn(n));
    r.now += 119_999;
    expect(r.fromOutside(syn(5)).verdict).toBe(DROP.sessionLimit);
    r.now += 1;
    expect(r.fromOutside(syn(5)).verdict).toBe(PASS);
    // What came between the end of the block and the look at it counts on.
    r.wait(0);
    for (let n = 6; n <= 7; n++) r.fromOutside(syn(n));
    for (let s = 0; s < 5; s++) r.wait(1000);
    expect(r.fromOutside(syn(8)).verdict).toBe(DROP.sessionLimit);
    expect(r.events.filter((e) => e.type === 'host-unblocked').length).toBe(1);
  });
});

describe('sessions that are reset to make room are counted by their threshold, and said', () => {
  const resets = (r: Router3640): Record<string, number> =>
    Object.fromEntries(
      Object.entries(r.engine.sessions.thresholds.resets).flatMap(([cause, { total }]) =>
        total > 0 ? [[cause, total]] : [],
      ),
    );
  const texts = (r: Router3640): string[] => said(r).filter((t) => t.includes('SESSIONS_RESET'));

  test.each([
    {
      cause: 'max-incomplete',
      lines: 'ip inspect max-incomplete high 5\nip inspect max-incomplete low 3',
      text: '4 half-open sessions reset in 1 second: too many at a time (ip inspect max-incomplete)',
    },
    {
      cause: 'one-minute',
      lines: 'ip inspect one-minute high 5\nip inspect one-minute low 3',
      text: '4 half-open sessions reset in 1 second: too many new ones in a minute (ip inspect one-minute)',
    },
    {
      cause: 'max-incomplete-host',
      lines: 'ip inspect tcp max-incomplete host 6 block-time 0',
      text: '4 half-open sessions reset in 1 second: too many to one host (ip inspect tcp max-incomplete host)',
    },
    {
      cause: 'host-blocked',
      lines: 'ip inspect tcp max-incomplete host 4 block-time 2',
      text: '4 half-open sessions reset in 1 second: their host is blocked (ip inspect tcp max-incomplete host)',
    },
  ])('$cause', ({ cause, lines, text }) => {
    const r = new Router3640(lines);
    for (let n = 1; n <= 10; n++) r.fromOutside(syn(n));
    expect(resets(r)).toEqual({ [cause]: 4 });
    expect(texts(r)).toEqual([]);
    r.wait(6000);
    expect(texts(r)).toEqual([`%FW-4-SESSIONS_RESET: ${text}`]);
  });

  test('once a minute while it goes on', () => {
    const r = new Router3640('ip inspect max-incomplete high 5\nip inspect max-incomplete low 3');
    for (let s = 0; s < 150; s++) {
      r.fromOutside(syn(s));
      r.wait(1000);
    }
    const counts = texts(r).map((t) => /: (\d+) .* in (\d+) seconds/.exec(t)!.slice(1).map(Number));
    expect(counts).toHaveLength(2);
    for (const [sessions, seconds] of counts) expect([sessions! > 55, seconds! > 58]).toEqual([true, true]);
  });
});
