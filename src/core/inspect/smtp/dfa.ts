/**
 * Words into transitions. The verb automaton carries the router's own state numbers, which `debug ip inspect smtp`
 * prints: the trie of the fifteen verbs and two line ends, breadth first, characters in descending order, from 3 on.
 */
import { COMMANDS, EMPTY_LINE, END_OF_DATA } from './grammar.js';

/** State before the first character, and after one that no word has here. */
export const START = 1;
export const OTHER = 2;

/** Classes of bytes: letters without case, digits, and the few others that words are made of. 0: none of them. */
const WORD_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.\r\n';
export const CLASSES = WORD_CHARACTERS.length + 1;
export const CLASS_OF = new Uint8Array(256);
for (let c = 0; c < WORD_CHARACTERS.length; c++) {
  CLASS_OF[WORD_CHARACTERS.charCodeAt(c)] = c + 1;
  CLASS_OF[WORD_CHARACTERS.toLowerCase().charCodeAt(c)] = c + 1;
}

/** A set of words as an automaton over bytes. */
export interface WordDfa {
  /** next[state * CLASSES + CLASS_OF[byte]]; OTHER is final. */
  readonly next: Int16Array;
  /** Id of the word that ends in a state; 0: none. */
  readonly accept: Uint8Array;
  /** 1: no longer word begins with the one that ends here. */
  readonly leaf: Uint8Array;
  readonly states: number;
}

interface Node {
  children: Map<string, Node>;
  id: number;
  state: number;
}

/** Words with their ids (1 to 255). */
export type Words = readonly (readonly [word: string, id: number])[];

/**
 * @param words numbered first and breadth first
 * @param more  added behind: their states do not move the numbers of `words`
 */
export function wordDfa(words: Words, more: Words = []): WordDfa {
  const root: Node = { children: new Map(), id: 0, state: START };
  let states = OTHER + 1;
  for (const group of [words, more]) {
    for (const [word, id] of group) insert(root, word, id);
    states = numberBreadthFirst(root, states);
  }
  const next = new Int16Array(states * CLASSES).fill(OTHER);
  const accept = new Uint8Array(states);
  const leaf = new Uint8Array(states);
  for (const node of breadthFirst(root)) {
    accept[node.state] = node.id;
    leaf[node.state] = node.children.size === 0 ? 1 : 0;
    for (const [character, child] of node.children) {
      next[node.state * CLASSES + CLASS_OF[character.charCodeAt(0)]!] = child.state;
    }
  }
  return { next, accept, leaf, states };
}

/** For each state, 1 if a word of `ids` can still follow or ends here. The start does, OTHER does not. */
export function leadsTo(dfa: WordDfa, ids: ReadonlySet<number>): Uint8Array {
  const leads = new Uint8Array(dfa.states);
  const visit = (state: number): boolean => {
    let found = ids.has(dfa.accept[state]!);
    for (let c = 0; c < CLASSES; c++) {
      const child = dfa.next[state * CLASSES + c]!;
      if (child !== OTHER && visit(child)) found = true;
    }
    leads[state] = found ? 1 : 0;
    return found;
  };
  visit(START);
  leads[START] = 1;
  return leads;
}

/** For each state, the set of word ids (bits 1 << id, ids under 31) that can still follow or end here. */
export function idsAhead(dfa: WordDfa): Int32Array {
  const ahead = new Int32Array(dfa.states);
  const visit = (state: number): number => {
    let ids = dfa.accept[state] === 0 ? 0 : 1 << dfa.accept[state]!;
    for (let c = 0; c < CLASSES; c++) {
      const child = dfa.next[state * CLASSES + c]!;
      if (child !== OTHER) ids |= visit(child);
    }
    return (ahead[state] = ids);
  };
  visit(START);
  return ahead;
}

/** The words of the router's verb table, with their match ids. */
export const ROUTER_WORDS: Words = [
  ...Object.entries(COMMANDS)
    .filter(([, command]) => command.rule !== 'allow')
    .map(([word, command]) => [word, command.id] as const),
  ['.\r\n', END_OF_DATA],
  ['\r\n', EMPTY_LINE],
];

function insert(root: Node, word: string, id: number): void {
  let node = root;
  for (const character of word) {
    let child = node.children.get(character);
    if (child === undefined) node.children.set(character, (child = { children: new Map(), id: 0, state: 0 }));
    node = child;
  }
  if (node.id === 0) node.id = id;
}

function* breadthFirst(root: Node): Generator<Node> {
  const queue = [root];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    yield node;
    const descending = [...node.children.entries()].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [, child] of descending) queue.push(child);
  }
}

function numberBreadthFirst(root: Node, first: number): number {
  let state = first;
  for (const node of breadthFirst(root)) if (node.state === 0) node.state = state++;
  return state;
}

/** States of the parameter automaton; the same numbers in the trace. */
export const PARAM_START = 1;
export const PARAM_ORDINARY = 2;
export const PARAM_END = 3;
export const PARAM_SPECIAL = 4;
export const PARAM_BLANK = 7;
/** Match id of the end of a line: of a command, of a reply; and of a positive final reply line. */
export const PARAM_END_ID = 6;
export const REPLY_END_ID = 13;
export const REPLY_POSITIVE_ID = 10;
/** States printed for a reply line. Inferred: 2 while the line is not complete, as for parameters. */
export const REPLY_PARTIAL = 2;
export const REPLY_OTHER = 3;
export const REPLY_POSITIVE = 18;

/** What stands in state 4. Inferred: the trace shows one such character, not which. Control characters and the pipe. */
const isSpecial = (byte: number): boolean => byte < 0x20 || byte === 0x7f || byte === 0x7c;
const PARAM_CLASSES = 5;
const ORDINARY_BYTE = 0;
const BLANK_BYTE = 1;
const CR_BYTE = 2;
const LF_BYTE = 3;
const SPECIAL_BYTE = 4;
const PARAM_CLASS_OF = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x20 || byte === 0x09
    ? BLANK_BYTE
    : byte === 0x0d
      ? CR_BYTE
      : byte === 0x0a
        ? LF_BYTE
        : isSpecial(byte)
          ? SPECIAL_BYTE
          : ORDINARY_BYTE,
);
/** A CR is ordinary until its LF comes: kept apart, and printed as 2. */
const PARAM_CR = 8;
export const PARAM_STATES = PARAM_CR + 1;
const PARAM_NEXT = new Uint8Array((PARAM_CR + 1) * PARAM_CLASSES).fill(PARAM_ORDINARY);
for (let state = 0; state <= PARAM_CR; state++) {
  PARAM_NEXT[state * PARAM_CLASSES + CR_BYTE] = PARAM_CR;
  PARAM_NEXT[state * PARAM_CLASSES + SPECIAL_BYTE] = PARAM_SPECIAL;
}
PARAM_NEXT[PARAM_START * PARAM_CLASSES + BLANK_BYTE] = PARAM_BLANK;
PARAM_NEXT[PARAM_BLANK * PARAM_CLASSES + BLANK_BYTE] = PARAM_BLANK;
PARAM_NEXT[PARAM_CR * PARAM_CLASSES + LF_BYTE] = PARAM_END;

export const nextParamState = (state: number, byte: number): number =>
  PARAM_NEXT[state * PARAM_CLASSES + PARAM_CLASS_OF[byte]!]!;

/** By byte, 1: it leaves PARAM_ORDINARY as it is. */
export const STAYS_ORDINARY = PARAM_CLASS_OF.map((kind) => +(kind === ORDINARY_BYTE || kind === BLANK_BYTE));

/** The number the router prints for a parameter state. */
export const printedParamState = (state: number): number => (state === PARAM_CR ? PARAM_ORDINARY : state);
