/** Message data against a twin that looks at the whole mail at once, both ways from each dot. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineStartScan } from '../../../src/core/inspect/smtp/line-start-scan.js';
import { DataEvent, MessageData } from '../../../src/core/inspect/smtp/message-data.js';
import { bytes, text } from './session.js';
import { mailData } from './dialogue-grammar.js';

const scan = new LineStartScan();

interface Outcome {
  out: string;
  /** Offset behind the end of data, or -1. */
  end: number;
  forms: number;
  beyondRepair: boolean;
}

/** @param header what goes before, so that the header section is over and the quick scan runs */
function take(data: string, lengths: readonly number[], header = '\r\n'): Outcome {
  const mail = new MessageData(true, scan);
  mail.begin();
  mail.take(bytes(header), 0, header.length);
  const outcome: Outcome = { out: '', end: -1, forms: 0, beyondRepair: false };
  for (let at = 0, n = 0; at < data.length; n++) {
    const part = data.slice(at, at + lengths[n % lengths.length]!);
    const b = bytes(part);
    let i = 0;
    while (i < b.length) {
      i = mail.take(b, i, b.length);
      if (mail.event === DataEvent.neutralised) outcome.forms++;
      if (mail.event === DataEvent.beyondRepair) return { ...outcome, beyondRepair: true };
      if (mail.event === DataEvent.end) return { ...outcome, out: outcome.out + text(b), end: at + i };
    }
    outcome.out += text(b);
    at += part.length;
  }
  return outcome;
}

/** The same, slowly. The data stands behind a line end. */
function twin(data: string): Outcome {
  const out = Array.from(data);
  let forms = 0;
  for (let i = 0; i < out.length; i++) {
    if (out[i] !== '.') continue;
    let before = i - 1;
    while (before >= 0 && out[before] === '\0') before--;
    const nulBefore = before < i - 1;
    const atStart = before < 0 || out[before] === '\n' || out[before] === '\r';
    if (!atStart) continue;
    const strict =
      !nulBefore && (before < 0 || (out[before] === '\n' && (before === 0 ? '' : out[before - 1]) === '\r'));
    const next = out[i + 1];
    if (!strict) out[i] = 'x';
    else if (next === '\r' && out[i + 2] === '\n') return { out: out.join(''), end: i + 3, forms, beyondRepair: false };
    // A CR that is the last byte may yet be of the good end.
    else if (next === '\n' || next === '\0' || (next === '\r' && i + 2 < out.length)) out[i + 1] = 'x';
    else continue;
    forms++;
  }
  return { out: out.join(''), end: -1, forms, beyondRepair: false };
}

test('message data goes through as a slow reader of the whole mail would have it, at any cutting', () => {
  fc.assert(
    fc.property(
      mailData.map((d) => d + '\r\n.\r\nNOOP'),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (data, lengths) => {
        const want = twin(data);
        const got = take(data, lengths);
        if (got.beyondRepair) {
          expect(want.out.startsWith(got.out.slice(0, -1) + 'x')).toBe(true);
          expect(got.out.endsWith('\r\n.\r') || got.out === '.\r').toBe(true);
          return;
        }
        expect(got.out.slice(0, want.end)).toBe(want.out.slice(0, want.end));
        expect(got.end).toBe(want.end);
        expect(got.forms).toBe(want.forms);
      },
    ),
    { numRuns: 2000 },
  );
});

test('in long stretches the quick scan finds what a slow one finds, wherever the bytes lie in memory', () => {
  const stretch = fc
    .array(fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 255 }) }, fc.constantFrom(0, 9, 10, 13, 46)), {
      minLength: 40,
      maxLength: 200,
    })
    .map((a) => Uint8Array.from(a));
  fc.assert(
    fc.property(stretch, fc.nat({ max: 9 }), fc.nat({ max: 9 }), (data, offset, at) => {
      const memory = new Uint8Array(data.length + offset + 20).fill(46);
      const b = memory.subarray(offset, offset + data.length + 9);
      b.set(data);
      const end = data.length;
      let want = end;
      for (let i = end - 1; i > at; i--) if (b[i] === 46 && [0, 10, 13].includes(b[i - 1]!)) want = i;
      expect(scan.dotBehindBreak(b, at, end)).toBe(want);
    }),
    { numRuns: 1000 },
  );
});

test('in long stretches no form and no end is missed at any alignment', () => {
  for (let before = 0; before < 80; before++) {
    for (const form of ['\n.', '\r.', '\n.\r\n', '\r\n.\n', '\0\n.\n', '\n\0\0.\0\n', '\r\n.\0']) {
      const data = 'a'.repeat(before) + form + 'b'.repeat(66);
      const got = take('text' + data, [1000]);
      expect([before, form, got.forms]).toEqual([before, form, 1]);
    }
    const good = `${'a'.repeat(before)}\r\n.\r\n`;
    expect(take('text' + good + 'NOOP\r\n'.repeat(9), [1000]).end).toBe(4 + good.length);
  }
});

test('the end of data is found when it is split at any of its places, and no byte of it is held back', () => {
  const data = 'body\r\n.\r\n';
  for (let at = 4; at <= data.length; at++) {
    expect(take(data, [at, 100])).toEqual({ out: data, end: data.length, forms: 0, beyondRepair: false });
  }
});

describe('CR LF . CR, not known until the next byte', () => {
  test('with the next byte in hand the CR is overwritten', () => {
    expect(take('a\r\n.\rMAIL', [100]).out).toBe('a\r\n.xMAIL');
    expect(take('a\r\n.\r\r\nMAIL', [100]).out).toBe('a\r\n.x\r\nMAIL'); // Postfix drops CRs before the LF
  });
  test('where the CR went out with its segment, only a reset is left', () => {
    expect(take('a\r\n.\rMAIL', [5]).beyondRepair).toBe(true);
    expect(take('a\r\n.\r\nMAIL', [5]).end).toBe(6);
  });
});

test('the size of a mail does not count its end, cut or not', () => {
  for (const lengths of [[100], [1], [7, 1], [8, 1]]) {
    const mail = new MessageData(true, scan);
    mail.begin();
    const data = '12345\r\n.\r\n';
    const sizes: number[] = [];
    for (let at = 0, n = 0; at < data.length; n++) {
      const b = bytes(data.slice(at, at + lengths[n % lengths.length]!));
      mail.take(b, 0, b.length);
      sizes.push(mail.size);
      at += b.length;
    }
    expect(Math.max(...sizes)).toBe(7);
    expect(sizes.at(-1)).toBe(7);
  }
});
