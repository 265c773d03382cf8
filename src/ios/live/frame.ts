/**
 * What the live page is told: plain JSON, and no more of it than the limits here say. Texts are as `show` and the log
 * print them. Times are ms of the day's clock (Date.now()) where they are called `at`, else ms.
 */

import type { Dialogue } from '../transcript/dialogue.js';

/** Limits of a frame. Of what is more the number is told. */
export const MOST = {
  sessions: 500,
  statics: 64,
  lists: 32,
  /** Of all lists together. */
  entries: 500,
  masked: 100,
  log: 200,
  verbs: 16,
  /** Characters of a line that somebody else has written. */
  text: 512,
} as const;

/** What is configured. Another revision: it has changed. */
export interface LivePicture {
  revision: number;
  hostname: string;
  /** Version of fw3640. */
  release: string;
  interfaces: PictureInterface[];
  /** `ip nat inside source static`. */
  statics: { inside: string; outside: string }[];
  staticsMore: number;
  /** `ip nat inside source list`, as configured. */
  dynamic: string[];
  lists: PictureList[];
  listsMore: number;
  thresholds: PictureThresholds;
  /** Dialogues that `ip inspect transcript` keeps; 0: it is off. */
  transcripts: number;
}

export interface PictureInterface {
  /** Canonical IOS name. */
  name: string;
  description: string;
  /** `172.22.1.16/24`, the primary one first. */
  addresses: string[];
  side: 'inside' | 'outside' | 'neither';
  shutdown: boolean;
  accessIn: string;
  accessOut: string;
  /** What each rule inspects, e.g. `OUT-IN: smtp`. Empty: no rule. */
  inspectIn: string;
  inspectOut: string;
}

export interface PictureList {
  name: string;
  kind: 'standard' | 'extended';
  /** Where it is applied, e.g. `Ethernet2/0 in`. */
  applied: string[];
  /** Text as `show access-lists` prints it, with its sequence number. */
  entries: string[];
  entriesMore: number;
}

/** `ip inspect max-incomplete`, `one-minute`, `tcp max-incomplete host`. */
export interface PictureThresholds {
  halfOpen: { low: number; high: number };
  oneMinute: { low: number; high: number };
  host: number;
}

/** Packets and bytes a second that came in and went out by an interface. */
export interface LineTraffic {
  name: string;
  up: boolean;
  packetsIn: number;
  bytesIn: number;
  packetsOut: number;
  bytesOut: number;
}

export interface LiveSession {
  /** As `show ip inspect sessions` prints it. */
  id: string;
  service: string;
  state: string;
  initiator: string;
  responder: string;
  /** The responder as the router knows it, inside local; empty where that is the same. */
  local: string;
  sent: number;
  received: number;
  ageMs: number;
  idleMs: number;
}

/** Something counted: since the start, and a second. */
export interface LiveCount {
  what: string;
  total: number;
  perSecond: number;
}

/** A line of a client or server that inspection has overwritten. */
export interface MaskedLine {
  /** Counts on by one. */
  number: number;
  at: number;
  session: string;
  client: string;
  server: string;
  /** `client`: a command; `server`: an offer in an EHLO reply. */
  from: 'client' | 'server';
  before: string;
  after: string;
  why: string;
}

export interface LiveLogLine {
  /** Counts on by one. */
  number: number;
  at: number;
  severity: number;
  /** `%FW-4-SMTP_INVALID_COMMAND`; empty for debug lines. */
  mnemonic: string;
  text: string;
}

/** What curves are drawn of. */
export const SERIES = [
  'bytesIn',
  'bytesOut',
  'mails',
  'masked',
  'drops',
  'halfOpen',
  'sessions',
  'waiting',
  'lost',
  'cpu',
] as const;
export type Series = (typeof SERIES)[number];

/** The curves as columns, oldest first; all of the same length. */
export interface LiveHistory {
  at: number[];
  values: Record<Series, number[]>;
}

export interface LiveFrame {
  at: number;
  uptimeMs: number;
  /** The data plane answers, and judges packets. */
  well: boolean;
  /** Left out where the reader has this revision. */
  picture?: LivePicture;
  revision: number;
  traffic: LineTraffic[];
  /** In the last minute, as far as it was looked at; and since the start. */
  mails: { minute: number; total: number };
  masked: { minute: number; total: number; verbs: { verb: string; count: number }[] };
  drops: LiveCount[];
  /** Sessions there are, and how many began in the last minute. */
  counts: { established: number; halfOpen: number; terminating: number; oneMinute: number };
  /** Packets that wait in the kernel's queue, and lost between kernel and engine: since the start, and a second. */
  queue: { waiting: number; lost: number; lostPerSecond: number };
  /** Per cent of one processor that the data plane takes. Bytes of both planes. */
  load: { cpu: number; memory: number };
  /** The one that was heard of last first. Left out where the reader has them as they are. */
  sessions?: LiveSession[];
  sessionsMore: number;
  /** Matches of each entry of each list of the picture. */
  hits: number[][];
  /** Oldest first; those that the reader does not have yet. */
  maskedLines: MaskedLine[];
  log: LiveLogLine[];
}

/** What is kept of a session's dialogue. */
export interface SessionDialogue {
  session: string;
  /** Dialogues that `ip inspect transcript` keeps; 0: it is off. */
  kept: number;
  /** Absent: none of this session is kept. */
  dialogue?: Dialogue;
}
