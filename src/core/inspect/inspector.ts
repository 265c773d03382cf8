/**
 * The contract of an application inspector. One inspector object lives with each TCP session whose rule names its
 * protocol. `stream/` hands it the bytes of each direction exactly once, in order, cut anywhere; it may overwrite
 * bytes in place and never changes a length. Pure: time comes in as `now`, findings go out through `InspectorHost`.
 */
import type { StateIo } from '../memory/state-io.js';
import type { Transcriber } from './transcript.js';

export const StreamAction = {
  /** Forward the bytes as they now stand. */
  pass: 0,
  /** Forward nothing of this call; reset the connection on both sides. */
  reset: 1,
  /** From now on the direction is opaque: track it, do not call again (STARTTLS after 220). */
  opaque: 2,
  /** Forward nothing of this call, and forget it: the sender repeats the bytes, perhaps cut elsewhere. */
  refuse: 3,
} as const;
export type StreamAction = (typeof StreamAction)[keyof typeof StreamAction];

export interface StreamInspector {
  /**
   * Inspects the next in-order bytes b[at..end) from the initiator (client).
   * Overwrites in place what must not pass; sets `modified` when it did. Never throws on any input.
   */
  fromInitiator(b: Uint8Array, at: number, end: number, now: number): StreamAction;
  /**
   * The same for the responder (server).
   * @param unacknowledged how many bytes, of those that were handed over by `fromInitiator`, the segment that brings
   *   these does not acknowledge: what the responder says here it says without having read them
   */
  fromResponder(b: Uint8Array, at: number, end: number, now: number, unacknowledged: number): StreamAction;
  /** True when the last call changed at least one byte. */
  modified: boolean;
}

/** An inspector of a session of ours: its state can leave it. */
export interface SavedInspector extends StreamInspector {
  /**
   * Saves or loads all there is of the session, between any two calls: one inspector serves one session after the other,
   * and another process may go on where this one ends.
   */
  sync(io: StateIo): void;
}

/** What an inspector tells its surroundings; the session adds addresses, session id and sequence number. */
/** `Step`: what `debug` of the protocol tells. */
export interface InspectorHost<Finding, Step = never> {
  /** `offset`: stream position in that direction, bytes from the first data byte, int32, of the first byte concerned. */
  report(finding: Finding, fromInitiator: boolean, offset: number): void;
  /** Debug output wanted now? Checked before anything is built, so that debugging that is off costs one read. */
  readonly debug: boolean;
  /** Something for `debug ip inspect …`. */
  trace(step: Step): void;
  /** Who writes the dialogue down; undefined: nobody. Asked before anything is built. */
  readonly transcript?: Transcriber | undefined;
}

/** What the line of a rule says about an inspector, beyond what all have: plain values, by name. */
export type InspectorOptions = Readonly<Record<string, boolean | number | string>>;

/** What an inspector found wrong: plain data. `ios/features` words it. */
export interface Finding {
  readonly kind: string;
  readonly fromInitiator: boolean;
}

/** Who hears of findings. The session adds its addresses, and leaves out what `alert off` leaves out. */
export interface FindingHost<F extends Finding> {
  report(finding: F): void;
}

/** A protocol of one TCP connection that is inspected: all that the core wants to know of it (inspect/registry.ts). */
export interface RegisteredProtocol<Service extends string, F extends Finding> {
  /** As `ip inspect name` and `ip port-map` call it. */
  readonly service: Service;
  /** System-defined TCP port. */
  readonly port: number;
  /** Makes the inspector of one session. */
  make(options: InspectorOptions, host: FindingHost<F>): SavedInspector;
}
