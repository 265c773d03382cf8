/**
 * DNS over UDP (RFC 1035 §4.1.1): which query ids of a session still wait for their answer. They live in the protocol
 * words of the session's record: bounded memory, the oldest forgotten first. One answer passes per query id. Of queries
 * that are forgotten only the number is known: as many answers pass whatever their id, since they open nothing and the
 * resolver looks at the id itself.
 */
import { PROTOCOL_WORDS, type Session } from './session.js';
import { u16 } from '../wire/bytes.js';
import type { Packet } from '../wire/packet.js';

export const DNS_PORT = 53;
/** ms that a session stays after its last answer, for what its hosts may still say about it (ICMP unreachable). */
export const DNS_LINGER_MS = 1000;

export const DNS_HEADER = 12; // bytes
/** Bit of the second word of 16 bits. */
export const RESPONSE = 0x8000;

/** Ids that are remembered at a time: a resolver that sends from one port asks several questions at once. */
const CAPACITY = (PROTOCOL_WORDS.count - 1) * 2;
const COUNTS = PROTOCOL_WORDS.at; // remembered | forgotten << 8
const IDS = PROTOCOL_WORDS.at + 1; // two a word, oldest first
const FORGOTTEN_ONE = 1 << 8;
/** Where the number of forgotten queries stops, up and down: from there on it is not known. */
const MOST_FORGOTTEN = 0xffff;

/** Notes the query in `p`. What is no query is not looked for later; IOS does not forbid it. */
export function noteQuery(s: Session, p: Packet): void {
  if (p.end - p.payload < DNS_HEADER || (u16(p.bytes, p.payload + 2) & RESPONSE) !== 0) return;
  const id = u16(p.bytes, p.payload);
  const w = s.words;
  if (indexOf(s, id) >= 0) return; // asked again
  if (remembered(s) === CAPACITY) {
    remove(s, 0);
    if (forgotten(s) < MOST_FORGOTTEN) w[s.at + COUNTS]! += FORGOTTEN_ONE;
  }
  write(s, remembered(s), id);
  w[s.at + COUNTS]!++;
}

/** True when `p` answers a query that waits, which it then does no longer. */
export function takeAnswer(s: Session, p: Packet): boolean {
  if (p.end - p.payload < DNS_HEADER || (u16(p.bytes, p.payload + 2) & RESPONSE) === 0) return false;
  const i = indexOf(s, u16(p.bytes, p.payload));
  if (i >= 0) remove(s, i);
  else if (forgotten(s) === 0) return false;
  else if (forgotten(s) < MOST_FORGOTTEN) s.words[s.at + COUNTS]! -= FORGOTTEN_ONE;
  return true;
}

/** The id of a query that waits for its answer; undefined: none is known. */
export const waitingId = (s: Session): number | undefined => (remembered(s) > 0 ? read(s, 0) : undefined);

/** Queries of the session that wait for their answer. */
export const outstanding = (s: Session): number => remembered(s) + forgotten(s);

const remembered = (s: Session): number => s.words[s.at + COUNTS]! & 0xff;
const forgotten = (s: Session): number => s.words[s.at + COUNTS]! >>> 8;

function indexOf(s: Session, id: number): number {
  const count = remembered(s);
  for (let i = 0; i < count; i++) if (read(s, i) === id) return i;
  return -1;
}

function remove(s: Session, at: number): void {
  s.words[s.at + COUNTS]!--;
  const last = remembered(s);
  for (let i = at; i < last; i++) write(s, i, read(s, i + 1));
}

const read = (s: Session, i: number): number => (s.words[s.at + IDS + (i >> 1)]! >>> ((i & 1) << 4)) & 0xffff;

function write(s: Session, i: number, id: number): void {
  const at = s.at + IDS + (i >> 1);
  const shift = (i & 1) << 4;
  s.words[at] = (s.words[at]! & ~(0xffff << shift)) | (id << shift);
}
