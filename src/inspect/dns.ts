/**
 * DNS over UDP (RFC 1035 §4.1.1): which query ids of a session still wait for their answer. They live in the protocol
 * words of the session's record: bounded memory, the oldest forgotten first. One answer passes per query id.
 */
import { PROTOCOL_WORDS, type Session } from '../session/session.js';
import { u16 } from '../wire/bytes.js';
import type { Packet } from '../wire/packet.js';

export const DNS_PORT = 53;
/** ms that a session stays after its last answer, for what its hosts may still say about it (ICMP unreachable). */
export const DNS_LINGER_MS = 1000;

const HEADER = 12; // bytes
const RESPONSE = 0x8000;

/** Ids that may wait at a time: a resolver that sends from one port asks several questions at once. */
const CAPACITY = (PROTOCOL_WORDS.count - 1) * 2;
const COUNT = PROTOCOL_WORDS.at;
const IDS = PROTOCOL_WORDS.at + 1; // two a word, oldest first

/** Notes the query in `p`. What is no query is not looked for later; IOS does not forbid it. */
export function noteQuery(s: Session, p: Packet): void {
  if (p.end - p.payload < HEADER || (u16(p.bytes, p.payload + 2) & RESPONSE) !== 0) return;
  const id = u16(p.bytes, p.payload);
  const w = s.words;
  if (indexOf(s, id) >= 0) return; // asked again
  if (w[s.at + COUNT] === CAPACITY) remove(s, 0);
  write(s, w[s.at + COUNT]!++, id);
}

/** True when `p` answers a query that waits, which it then does no longer. */
export function takeAnswer(s: Session, p: Packet): boolean {
  if (p.end - p.payload < HEADER || (u16(p.bytes, p.payload + 2) & RESPONSE) === 0) return false;
  const i = indexOf(s, u16(p.bytes, p.payload));
  if (i < 0) return false;
  remove(s, i);
  return true;
}

/** Queries of the session that wait for their answer. */
export const outstanding = (s: Session): number => s.words[s.at + COUNT]!;

function indexOf(s: Session, id: number): number {
  const count = s.words[s.at + COUNT]!;
  for (let i = 0; i < count; i++) if (read(s, i) === id) return i;
  return -1;
}

function remove(s: Session, at: number): void {
  const last = --s.words[s.at + COUNT]!;
  for (let i = at; i < last; i++) write(s, i, read(s, i + 1));
}

const read = (s: Session, i: number): number => (s.words[s.at + IDS + (i >> 1)]! >>> ((i & 1) << 4)) & 0xffff;

function write(s: Session, i: number, id: number): void {
  const at = s.at + IDS + (i >> 1);
  const shift = (i & 1) << 4;
  s.words[at] = (s.words[at]! & ~(0xffff << shift)) | (id << shift);
}
