/** An inspected dialogue goes on amid a line when another data plane takes over, whatever the protocol. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { LeftMemory } from '../support/left-memory.js';
import { Router3640 } from '../support/router-3640.js';
import { carried, Talk } from '../wiring/scene.js';

interface Dialogue {
  protocol: string;
  lines?: string;
  fromOutside: boolean;
  port: number;
  /** Pieces, of the client where true. */
  says: readonly (readonly [boolean, string])[];
}

const RULES = 'ip inspect audit-trail\naccess-list 101 permit tcp any any';
const APPLET = '\r\n\r\n\xca\xfe\xba\xbe\x00\x00\x004';

const DIALOGUES: readonly Dialogue[] = [
  {
    protocol: 'smtp',
    fromOutside: true,
    port: 25,
    says: [
      [false, '220 ma'],
      [false, 'il\r\n'],
      [true, 'EHLO a'],
      [true, '.example\r\nEX'],
      [true, 'PN root\r\n'],
      [false, '250 hello\r\n500 no\r\n'],
      [true, 'MAIL FROM:<a@b.c'],
      [true, '>\r\n'],
    ],
  },
  {
    protocol: 'ftp',
    fromOutside: false,
    port: 21,
    says: [
      [false, '220 ready\r\n'],
      [true, 'USER anna\r\n'],
      [false, '331 pass'],
      [false, 'word\r\n'],
      [true, 'PORT 10,10,10,2,4,1\r\n'],
      [true, 'PASS x\r\n'],
      [false, '230 in\r\n'],
      [true, 'PORT 10,10,10,2,200,'],
      [true, '10\r\nPORT 10,10,10,2,1,1\r\n'],
    ],
  },
  {
    protocol: 'http',
    fromOutside: false,
    port: 80,
    says: [
      [true, 'GET /a HT'],
      [true, 'TP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n'],
      [false, 'HTTP/1.0 200 OK\r\nX: '],
      [false, 'y'],
      [false, APPLET],
    ],
  },
  {
    protocol: 'pop3',
    lines: 'ip inspect name OUT-IN pop3 reset',
    fromOutside: true,
    port: 110,
    says: [
      [false, '+O'],
      [false, 'K hi\r\n'],
      [true, 'CAP'],
      [true, 'A\r\n'],
      [false, '+OK\r\nUSER\r\n.\r\n'],
      [true, 'FOO hun'],
      [true, 'ter2\r\n'],
    ],
  },
];

/** What is seen of a dialogue. @param dies the data plane dies in front of the piece of this number */
function play(d: Dialogue, dies: number) {
  const memory = new LeftMemory().source;
  const extra = `${RULES}\n${d.lines ?? ''}`;
  const make = (now?: number): Router3640 => new Router3640(extra, 64, memory, now);
  const first = make();
  let talk = new Talk(first, d.fromOutside, d.port);
  const seen: unknown[] = [];
  const events: Event[] = [];
  const injected: string[] = [];
  d.says.forEach(([client, text], i) => {
    if (i === dies) {
      events.push(...talk.r.events);
      injected.push(...talk.r.injected.map((b) => Buffer.from(b).toString('hex')));
      const heir = make(talk.r.now);
      expect(heir.engine.takenOver).toEqual({ adopted: talk.r.sessionCount, reset: 0, lost: 0 });
      talk = talk.with(heir);
    }
    talk.says(client, text);
    seen.push([talk.last.verdict, carried(talk.last)]);
  });
  const { r } = talk;
  const expected = r.engine.sessions.expectedFlows(r.now).map((e) => e.dstPort);
  const used = r.engine.sessions.memory.rows().map((row) => [row.name, row.read()]);
  r.engine.sessions.clear();
  const told = [...events, ...r.events].filter((e) => e.type !== 'taken-over');
  const rsts = [...injected, ...r.injected.map((b) => Buffer.from(b).toString('hex'))];
  const left = r.engine.sessions.memory.rows().map((row) => [row.name, row.read()]);
  return { seen, told, rsts, expected, used, left };
}

describe.each(DIALOGUES)('$protocol', (d) => {
  const undisturbed = play(d, -1);

  test('says more than that the session began and ended', () => {
    expect(undisturbed.told.length).toBeGreaterThan(2);
  });

  test.each(d.says.map((_, i) => i))('in front of piece %i', (i) => {
    expect(play(d, i)).toEqual(undisturbed);
  });
});
