import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineEditor } from '../../src/io/line-editor.js';

/** A terminal of one line that knows characters, backspace and carriage return, and nothing else. */
class Screen {
  cells: string[] = [];
  at = 0;
  written = '';
  readonly write = (text: string): void => {
    this.written += text;
    for (const c of text) {
      if (c === '\b') this.at = Math.max(0, this.at - 1);
      else if (c === '\r') this.at = 0;
      else if (c === '\n') [this.cells, this.at] = [[], 0];
      else this.cells[this.at++] = c;
    }
  };
  get text(): string {
    return this.cells.join('').trimEnd();
  }
}

function edit(): { screen: Screen; editor: LineEditor; lines: string[] } {
  const screen = new Screen();
  const lines: string[] = [];
  const history: string[] = [];
  const editor: LineEditor = new LineEditor(
    screen.write,
    (line) => {
      lines.push(line);
      if (line.trim() !== '') history.push(line);
      editor.redraw();
    },
    () => history,
  );
  editor.prompt = 'r1#';
  editor.redraw();
  return { screen, editor, lines };
}

const KEYS = [
  ...'ab c.é'.split(''),
  ...'\x01\x02\x04\x05\x06\b\x0b\x0c\x0e\x10\x12\x14\x15\x17\x18\x7f\r\n'.split(''),
  ...['A', 'B', 'C', 'D', 'H', 'F', '3~', '1~', '4~', '200~', '1;5C'].map((s) => `\x1b[${s}`),
  ...['\x1bOA', '\x1bOD', '\x1bb', '\x1bf', '\x1bd', '\x1bz'],
];

test('whatever is typed, the screen shows prompt, line and cursor, and gets no escape sequence', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...KEYS), fc.constantFrom('a', 'b', ' ')), { maxLength: 80 }),
      (keys) => {
        const { screen, editor } = edit();
        for (const key of keys) {
          editor.feed(Buffer.from(key));
          expect(screen.text).toBe(`r1#${editor.line}`.trimEnd());
          expect(screen.at).toBe(3 + editor.beforeCursor.length);
        }
        expect(screen.written).not.toContain('\x1b');
      },
    ),
    { numRuns: 500 },
  );
});

test('bytes may be cut anywhere', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...KEYS), { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (keys, size) => {
      const whole = edit();
      const cut = edit();
      const bytes = Buffer.from(keys.join(''));
      whole.editor.feed(bytes);
      for (let at = 0; at < bytes.length; at += size) cut.editor.feed(bytes.subarray(at, at + size));
      expect(cut.lines).toEqual(whole.lines);
      expect(cut.screen.written).toBe(whole.screen.written);
    }),
  );
});

test.each([
  { name: 'a letter is echoed, and no more', keys: 'x', shown: 'x' },
  { name: 'backspace', keys: 'ab\b', shown: 'ab\b \b' },
  { name: 'a letter inside the line', keys: 'ac\x02b', shown: 'ac\bbc\b' },
  { name: 'Enter', keys: 'a\r', shown: 'a\nr1#' },
  { name: 'CR LF is one Enter', keys: 'a\r\n', shown: 'a\nr1#' },
  { name: 'LF alone', keys: 'a\n', shown: 'a\nr1#' },
  { name: 'the line before', keys: 'ab\rc\x10', shown: 'ab\nr1#c\b \bab' },
])('the screen gets: $name', ({ keys, shown }) => {
  const { screen, editor } = edit();
  screen.written = '';
  editor.feed(Buffer.from(keys));
  expect(screen.written).toBe(shown);
});

test('a secret is not shown, and nothing is called back in its place', () => {
  const { screen, editor, lines } = edit();
  editor.secret = true;
  screen.written = '';
  editor.feed(Buffer.from('n0t\x01x\x7fthis\r'));
  editor.feed(Buffer.from('\x10'));
  expect([screen.written, lines]).toEqual(['\nr1#', ['thisn0t']]);
});
