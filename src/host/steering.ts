/**
 * Steering as rules for iptables: which queue a packet goes to, by programs in classic BPF for `-m bpf` (Linux 3.9; with
 * iptables-nft and iptables-legacy), made of the same `Steering` that core/shard/steering.ts explains. What no rule
 * takes is for shard 0, also what a program cannot read.
 */
import { ANY_FRAGMENT, type Area, maskOf, type Steering } from '../core/shard/steering.js';

/** A rule without its target, and the shard that it is for. */
export interface SteeringRule {
  match: string;
  shard: number;
}

/** Where a packet comes from, as steering sees it: by which interface, or what the router's own kernel quotes in an error. */
export type Origin = 'outside' | 'inside' | 'quoted-from-outside' | 'quoted-from-inside';

/** xt_bpf of iptables takes so many instructions (XT_BPF_MAX_NUM_INSTR). */
const MOST_INSTRUCTIONS = 64;
/** Of these, what a program needs besides its areas; and for an area, most. */
const AREAS_A_PROGRAM = 8;
/** Areas that steering may have: each eight of them cost a packet a rule for each shard. */
export const MOST_AREAS = 256;

/** @returns rules, in order, for the packets of one origin; what remains is for shard 0 */
export function steeringRules({ shards, areas }: Steering, origin: Origin): SteeringRule[] {
  const rules: SteeringRule[] = [];
  const others = Array.from({ length: shards - 1 }, (_, i) => i + 1);
  const zero = origin === 'outside' || origin === 'quoted-from-outside'; // the other end being outside, too
  for (let i = 0; areas !== undefined && i + AREAS_A_PROGRAM < areas.length; i += AREAS_A_PROGRAM) {
    const some = areas.slice(i, i + AREAS_A_PROGRAM);
    if (some.some((a) => a.outside === zero))
      rules.push({ match: bpf(program(shards, some, origin, { nowhere: true })), shard: 0 });
    if (some.some((a) => a.outside !== zero))
      for (const shard of [...others, 0]) rules.push({ match: bpf(program(shards, some, origin, { shard })), shard });
  }
  const last = areas?.slice(Math.floor((Math.max(areas.length, 1) - 1) / AREAS_A_PROGRAM) * AREAS_A_PROGRAM);
  // An address in no area is not outside.
  const rest = last && [...last, { prefix: 0, length: 0, outside: false }];
  for (const shard of others) rules.push({ match: bpf(program(shards, rest, origin, { shard })), shard });
  return rules;
}

/** One instruction of classic BPF. Jumps are by name until the program is put together. */
interface Instruction {
  code: number;
  k: number;
  /** Names of places; undefined: the next one. */
  then?: string | undefined;
  otherwise?: string | undefined;
  /** Name of this place. */
  label?: string | undefined;
}

// linux/filter.h: class, size and mode, or class, operation and source.
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_WORD_X = 0x40; // [x + k]
const LOAD_BYTE_X = 0x50;
const LOAD_KEPT = 0x60; // M[k]
const HEADER_TO_X = 0xb1; // 4 * ([k] & 15)
const KEEP = 0x02;
const MUL = 0x24;
const AND = 0x54;
const SHIFT_RIGHT = 0x74;
const MOD = 0x94;
const XOR_X = 0xac;
const JUMP = 0x05;
const IF_EQUAL = 0x15;
const IF_SET = 0x45;
const RETURN = 0x06;
const TO_X = 0x07;

const YES = 0xffff;
// Offsets in an IPv4 packet, and behind the header of one that quotes another.
const PROTOCOL = 9;
const FRAGMENT = 6;
const SRC = 12;
const DST = 16;
const QUOTE = 8;
const ICMP = 1;
const ERRORS = [3, 11, 12];
// What is kept.
const HASHED = 0;
const ASKED = 1;

/** What a program says yes to: the shard of what has one end outside; or what has none or both, of these areas. */
type Wanted = { shard: number } | { nowhere: true };

function program(shards: number, areas: readonly Area[] | undefined, origin: Origin, wanted: Wanted): Instruction[] {
  const own = origin === 'quoted-from-outside' || origin === 'quoted-from-inside';
  const fromOutside = origin === 'outside' || origin === 'quoted-from-outside';
  // The field that is hashed, and the one that says where it leads.
  const [hashed, asked] = fromOutside ? [SRC, DST] : [DST, DST];
  const opposite = (field: number): number => (own ? field : field === SRC ? DST : SRC);
  const ends = (load: number, h: number, a: number): Instruction[] => [
    { code: load, k: a },
    { code: KEEP, k: ASKED },
    ...(h === a ? [] : [{ code: load, k: h }]),
  ];
  const quoted = (field: number): number => QUOTE + opposite(field);
  const [h, a] = areas === undefined ? [SRC, DST] : [hashed, asked];
  const out: Instruction[] = [];
  if (!own) {
    out.push(
      { code: LOAD_BYTE, k: PROTOCOL },
      { code: IF_EQUAL, k: ICMP, otherwise: 'plain' },
      { code: LOAD_HALF, k: FRAGMENT },
      { code: IF_SET, k: ANY_FRAGMENT, then: 'plain' },
    );
  }
  out.push({ code: HEADER_TO_X, k: 0 });
  if (!own) {
    out.push({ code: LOAD_BYTE_X, k: 0 });
    ERRORS.forEach((type, i) =>
      out.push({
        code: IF_EQUAL,
        k: type,
        then: 'quote',
        ...(i === ERRORS.length - 1 && { otherwise: 'plain' }),
      }),
    );
  }
  const quote = ends(LOAD_WORD_X, quoted(h), quoted(a));
  quote[0] = { ...quote[0]!, label: 'quote' };
  out.push(...quote);
  if (!own) {
    out.push({ code: JUMP, k: 0, then: 'judge' });
    const plain = ends(LOAD_WORD, h, a);
    plain[0] = { ...plain[0]!, label: 'plain' };
    out.push(...plain);
  }
  out.push({ code: KEEP, k: HASHED, label: 'judge' });
  if (areas !== undefined) {
    out.push({ code: LOAD_KEPT, k: ASKED });
    areas.forEach(({ prefix, length, outside }, i) => {
      const both = outside === fromOutside;
      const hit = 'shard' in wanted ? (both ? 'no' : 'hash') : both ? 'yes' : 'no';
      const last = i === areas.length - 1;
      if (length === 0) {
        out.push({ code: JUMP, k: 0, then: hit });
        return;
      }
      if (length < 32) out.push({ code: AND, k: maskOf(length) });
      out.push({ code: IF_EQUAL, k: prefix, then: hit, ...(last && { otherwise: 'no' }) });
      if (length < 32 && !last) out.push({ code: LOAD_KEPT, k: ASKED });
    });
  }
  if ('shard' in wanted) {
    const both = areas === undefined;
    out.push({ code: LOAD_KEPT, k: HASHED, label: 'hash' });
    if (both) out.push({ code: TO_X, k: 0 }, { code: LOAD_KEPT, k: ASKED }, { code: XOR_X, k: 0 });
    out.push(...xorShifted(16), { code: MUL, k: 0x7feb352d }, ...xorShifted(15));
    out.push({ code: MUL, k: 0x846ca68b }, ...xorShifted(16), { code: MOD, k: shards });
    out.push({ code: IF_EQUAL, k: wanted.shard, then: 'yes', otherwise: 'no' });
  }
  out.push({ code: RETURN, k: YES, label: 'yes' }, { code: RETURN, k: 0, label: 'no' });
  return out;
}

const xorShifted = (by: number): Instruction[] => [
  { code: TO_X, k: 0 },
  { code: SHIFT_RIGHT, k: by },
  { code: XOR_X, k: 0 },
];

/** `-m bpf` with a program in the text form of `iptables --bytecode`. */
function bpf(instructions: readonly Instruction[]): string {
  if (instructions.length > MOST_INSTRUCTIONS) throw new Error(`${instructions.length} instructions of BPF`);
  const at = new Map(instructions.flatMap(({ label }, i) => (label === undefined ? [] : [[label, i] as const])));
  const lines = instructions.map(({ code, k, then, otherwise }, i) => {
    const by = (name: string | undefined): number => (name === undefined ? 0 : at.get(name)! - i - 1);
    return code === JUMP ? `${code} 0 0 ${by(then)}` : `${code} ${by(then)} ${by(otherwise)} ${k >>> 0}`;
  });
  return `-m bpf --bytecode "${[String(lines.length), ...lines].join(',')}"`;
}
