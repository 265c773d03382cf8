/**
 * Whatever the inspector lets through, a server finds no command in it that was not judged: neither one that knows
 * literals which do not wait, nor one that takes them for the end of a line; and one that takes a lone LF for one.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamAction } from '../../src/core/inspect/inspector.js';
import { ImapInspector } from '../../src/core/inspect/mailbox/imap.js';
import { IMAP_COMMANDS } from '../../src/core/inspect/mailbox/imap-commands.js';
import { latin1 } from '../support/packets.js';

interface Manners {
  literalPlus: boolean;
  bareLf: boolean;
  /** One by one: what the server says to what it can refuse. */
  refusals: readonly boolean[];
}

/** A server that reads as simply as can be, and remembers the verbs it has found. */
class SimpleServer {
  readonly verbs: string[] = [];
  #text = '';
  #literal = 0;
  #reading: 'command' | 'response' | 'idle' = 'command';
  #tag = '';
  #asked = 0;

  constructor(private readonly manners: Manners) {}

  greeting(): string {
    return `* PREAUTH [CAPABILITY IMAP4rev1${this.manners.literalPlus ? ' LITERAL+' : ''}] hi\r\n`;
  }

  /** @returns what it answers */
  take(bytes: string): string {
    this.#text += bytes;
    let answer = '';
    for (;;) {
      const skipped = Math.min(this.#literal, this.#text.length);
      this.#literal -= skipped;
      this.#text = this.#text.slice(skipped);
      const end = this.#text.search(this.manners.bareLf ? /\r?\n/ : /\r\n/);
      if (this.#literal > 0 || end < 0) return answer;
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(this.#text.indexOf('\n', end) + 1);
      answer += this.#line(line);
    }
  }

  #refuses(): boolean {
    const { refusals } = this.manners;
    return refusals[this.#asked++ % refusals.length]!;
  }

  #line(line: string): string {
    if (this.#reading === 'response') return this.#done(`${this.#tag} NO\r\n`);
    if (this.#reading === 'idle')
      return line.toUpperCase() === 'DONE' ? this.#done(`${this.#tag} OK\r\n`) : this.#judge(line);
    if (this.#tag === '') this.#judge(line);
    const literal = /\{(\d+)(\+?)\}$/.exec(line);
    if (literal !== null && (literal[2] === '' || this.manners.literalPlus)) {
      if (literal[2] === '' && this.#refuses()) return this.#done(`${this.#tag} NO\r\n`);
      this.#literal = Number(literal[1]);
      return literal[2] === '' ? '+ go on\r\n' : '';
    }
    const verb = this.verbs.at(-1);
    if (verb === 'IDLE' || verb === 'AUTHENTICATE') {
      if (this.#refuses()) return this.#done(`${this.#tag} NO\r\n`);
      this.#reading = verb === 'IDLE' ? 'idle' : 'response';
      return '+ \r\n';
    }
    return this.#done(`${this.#tag} OK\r\n`);
  }

  #judge(line: string): string {
    const [tag = '', verb = ''] = line.split(/[ \t]/);
    this.#tag = tag;
    this.verbs.push(verb.toUpperCase());
    return '';
  }

  #done(reply: string): string {
    this.#reading = 'command';
    this.#tag = '';
    return reply;
  }
}

const WORDS = ['a ', 'b ', 'NOOP', 'EVIL ', 'ID ', '(', ')', '"', '\\', '"x"', ' ', '\t', '{', '}', '+', '{5}', '{9+}', '{0}', '{0+}', '{12}', '\r\n', '\r\n', '\r\n', '\n', '\r', '\0', 'c EVIL\r\n', 'UID FETCH 1 X', 'AUTHENTICATE PLAIN', 'UNAUTHENTICATE\r\n', ' YWJj', '*', 'IDLE\r\n', 'DONE\r\n', 'LOGOUT\r\n', 'APPEND x ', '~', '[', ']', '12345']; // prettier-ignore
const WHOLE = ['a NOOP\r\n', 'b ID ("x" {5}\r\n', 'x EVI', 'LL)\r\n', 'c ID {9+}\r\n', 'd EVIL x\r\n', 'e IDLE\r\n', 'DONE\r\n', 'f UNAUTHENTICATE\r\n', 'g AUTHENTICATE PLAIN\r\n', 'YWJj\r\n', '*\r\n']; // prettier-ignore

test('what a server takes for commands is what was judged', () => {
  const piece = fc.oneof(
    fc.constantFrom(...WHOLE),
    fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 8 }).map((w) => w.join('')),
  );
  const manners = fc.record({
    literalPlus: fc.boolean(),
    bareLf: fc.boolean(),
    refusals: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  });
  let commands = 0;
  fc.assert(
    fc.property(manners, fc.array(piece, { minLength: 1, maxLength: 12 }), (m, pieces) => {
      const inspector = new ImapInspector({ secureLogin: false }, { report: () => undefined });
      const server = new SimpleServer(m);
      const say = (text: string) => inspector.fromResponder(latin1(text), 0, text.length, 0, 0);
      say(server.greeting());
      for (const text of pieces) {
        if (inspector.fromInitiator(latin1(text), 0, text.length) !== StreamAction.pass) break;
        if (say(server.take(text)) !== StreamAction.pass) break;
      }
      commands += server.verbs.length;
      for (const verb of server.verbs)
        if (!verb.startsWith('X')) expect(IMAP_COMMANDS.find(latin1(verb), verb.length), verb).toBeDefined();
    }),
    { numRuns: 5000 },
  );
  expect(commands).toBeGreaterThan(1000);
});
