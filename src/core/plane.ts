/**
 * What control plane and data plane say to each other. Plain data: each message is cloned from one process into the
 * other. They arrive in the order in which they were sent, so a view that is asked for after `clear` shows its effect.
 */
import type { Event } from './events.js';
import type { TapBatch, TapSettings } from './capture/tap.js';
import type { TranslationChoice } from './nat/translations.js';
import type { DebugFlags } from './observe/debug.js';
import type { PolicyChanges } from './policy-changes.js';
import type { ItemsPiece, PolicyPiece } from './policy-pieces.js';
import type { ViewName } from './state/snapshot.js';
import type { ViewPiece } from './state/view.js';

/** The interfaces of the host that the policy's are bound to. */
export interface Links {
  /** Index of an interface in the policy by ifindex of Linux. */
  ingress: ReadonlyMap<number, number>;
  /** What each takes, bytes, by canonical name. */
  mtus: ReadonlyMap<string, number>;
}

/** What a data plane begins its work with. */
export interface Start {
  type: 'start';
  changes: PolicyChanges;
  links: Links;
  debug: DebugFlags;
  /** Number of the NFQUEUE. */
  queue: number;
  /** Most sessions, of all shards. */
  capacity: number;
  /** How many shards there are. */
  shards: number;
}

/** What a data plane cannot change while it is at work. */
export type At = Pick<Start, 'queue' | 'capacity' | 'shards'>;

/** A probe of the router's own that waits for its answer. */
export interface ProbeKey {
  kind: 'echo' | 'udp';
  /** As in ProbeAnswer. */
  first: number;
  second: number;
  source: number;
  destination: number;
}

/** What `clear` ends or sets to nothing. */
export type Clearing =
  | { what: 'sessions'; id: number | undefined }
  | { what: 'translations'; which: TranslationChoice | undefined }
  | { what: 'acl-counters'; list: string | undefined }
  | { what: 'nat-statistics' }
  | { what: 'inspect-statistics' }
  /** All state there is: `reload`. */
  | { what: 'everything' };

export type ToDataPlane =
  | Start
  /** New items of long lists, for the policy that follows. */
  | { type: 'policy-items'; piece: ItemsPiece }
  | { type: 'policy'; changes: PolicyChanges; links: Links }
  | { type: 'links'; links: Links }
  | { type: 'debug'; flags: DebugFlags }
  | { type: 'clear'; clearing: Clearing }
  /** What capture points look for from now on. */
  | { type: 'tap'; settings: TapSettings }
  /** Asks for views; `id` comes back with the pieces. */
  | { type: 'view'; id: number; names: readonly ViewName[] }
  /** Sends a probe and waits for its answer. */
  | { type: 'probe'; key: ProbeKey; packets: readonly Uint8Array[] }
  | { type: 'forget-probe'; key: ProbeKey }
  /** The events up to this number have been written. */
  | { type: 'heard'; events: number }
  /** Another control plane takes over: it wants to hear what was not heard, and which policy is in force. */
  | { type: 'resume' }
  /** Asks whether it still does its work. */
  | { type: 'ping'; number: number }
  | { type: 'stop' };

/** What the data plane tells once a second, and when it begins. */
export interface Status {
  /** Counts of packets that have not reached the engine, and others of the queue, by name. */
  losses: Readonly<Record<string, number>>;
  /** Processor time of its process since it began, ms. */
  cpuMs: number;
  /** Bytes that its process has in memory. */
  memory: number;
  /** Messages left out, as too many, since it began. */
  leftOut: number;
}

export type FromDataPlane =
  /** The first word on each connection. `at`: what it was started with; undefined: it waits for `start`. */
  | { type: 'hello'; build: string; at?: At }
  /** The queue is open, and packets are judged. */
  | { type: 'ready' }
  /** It cannot begin, for a reason that the operator can do something about; then it ends. */
  | { type: 'refused'; reason: string }
  /** The answer to `resume`. `unheard`: events that nobody has written so far; they follow. */
  | { type: 'resumed'; unheard: number; status: Status }
  /** The policy in force, behind `resumed`. `last`: it is whole, and this piece the last of it. */
  | { type: 'policy'; pieces: readonly PolicyPiece[]; last: boolean }
  /** The answer to `ping`. `packets`: judged since it began. */
  | { type: 'pong'; number: number; packets: number }
  /** `number`: of the last one, counted from 1. */
  | { type: 'events'; events: readonly Event[]; number: number }
  | { type: 'status'; status: Status }
  /** What capture points have seen in a batch of packets. */
  | { type: 'captured'; batch: TapBatch }
  /** `last`: the view is whole, and this piece the last of it. */
  | { type: 'view'; id: number; pieces: readonly ViewPiece[]; last: boolean }
  /** What came back of a probe, `ms` after it was sent. */
  | { type: 'answer'; key: ProbeKey; from: number; icmpType: number; code: number; mtu: number; ms: number };
