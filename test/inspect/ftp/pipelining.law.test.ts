/**
 * Law: whatever a client sends at once, and however the server's replies are cut into segments, the client of a
 * translated server never reads the inside address in a 227 or 229, and each endpoint it reads is let in.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DROP, PASS, Router3640 } from '../../support/router-3640.js';
import { ControlConnection, INSIDE, OUTSIDE, textOf } from './control-connection.js';

const CONFIG = ['ip inspect name OUT-IN ftp', 'access-list 101 permit tcp any host 172.22.1.111 eq ftp'].join('\n');

/** A command, and the replies to it. `port` is announced by the last one. */
interface Exchange {
  command: string;
  replies: string[];
  port?: number;
}

const plain: fc.Arbitrary<Exchange> = fc.constantFrom(
  { command: 'SIZE f', replies: ['550 no'] },
  { command: 'NOOP', replies: ['200 ok'] },
  { command: 'STAT', replies: ['211-status\r\n227 is a number\r\n211 end'] },
  { command: 'RETR f', replies: ['150 here', '226 done'] },
  { command: 'ABOR', replies: ['226 nothing to abort'] },
  { command: 'PASV', replies: ['425 no'] },
  { command: 'EPSV', replies: ['500 what?'] },
  { command: 'EPSV ALL', replies: ['200 ok'] },
  { command: 'AUTH TLS', replies: ['504 no'] },
  { command: '', replies: ['500 what?'] },
  { command: '', replies: [] },
);
const passive: fc.Arbitrary<Exchange> = fc
  .tuple(
    fc.integer({ min: 1024, max: 65_535 }),
    fc.constantFrom('227 ok (E)', '227-ok\r\n E\r\n227 E', '227-E\r\n227 end', '229'),
  )
  .map(([port, form]) => ({
    command: form === '229' ? 'EPSV' : 'PASV',
    replies: [form === '229' ? `229 ok (|||${port}|)` : form.replaceAll('E', `10,10,10,5,${port >>> 8},${port & 255}`)],
    port,
  }));

const dialogue = fc.array(fc.oneof(plain, passive), { minLength: 1, maxLength: 12 });
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 });

test('no inside address is read, and each endpoint that is read is let in', () => {
  fc.assert(
    fc.property(dialogue, cuts, (exchanges, lengths) => {
      const c = new ControlConnection(new Router3640(CONFIG), OUTSIDE, INSIDE).login();
      c.say(exchanges.map((e) => e.command).join('\r\n'));
      const all = exchanges.flatMap((e) => e.replies.map((r) => `${r}\r\n`)).join('');
      const start = c.server.sndNxt;
      let at = 0;
      let read = '';
      let tried = 0;
      for (const length of [...lengths, all.length, all.length]) {
        if (at >= all.length) break;
        const payload = all.slice(at, at + length);
        const o = c.segment(false, 'PA', { seq: start + at, payload });
        // What is refused comes again, with more behind it.
        if (o.verdict !== PASS) continue;
        const before = read;
        read += textOf(o);
        at += payload.length;
        for (const port of announcedIn(before, read)) {
          expect(c.data(true, 41_000 + tried++, port).verdict).toBe(PASS);
          expect(c.data(true, 41_000 + tried++, port).verdict).toBe(DROP.acl);
        }
      }
      expect(at).toBe(all.length);
      expect(read).toBe(all.replaceAll('10,10,10,5', '172,22,1,111'));
    }),
    { numRuns: 150 },
  );
});

/** Ports of the replies that have ended since the client had read `before`, of the four that were announced last. */
function announcedIn(before: string, read: string): number[] {
  const replies = (text: string): number[] =>
    [...text.slice(0, text.lastIndexOf('\n') + 1).matchAll(/172,22,1,111,(\d+),(\d+)|\(\|\|\|(\d+)\|\)/g)].map((m) =>
      m[3] === undefined ? Number(m[1]) * 256 + Number(m[2]) : Number(m[3]),
    );
  const old = new Set(replies(before));
  // Who is announced again is the latest again.
  const latest = [...new Set(replies(read).reverse())].slice(0, 4).reverse();
  return latest.filter((port) => !old.has(port));
}
