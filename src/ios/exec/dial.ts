/** An outgoing terminal connection, as `telnet` needs it. The edges provide it. */
export type CallFailure = 'refused' | 'timed-out' | 'unreachable';

export interface CallEvents {
  open(): void;
  /** What the other end says, and the keys that it does not echo itself. Lines end with LF. */
  data(text: string): void;
  /** Once, at the end. `closed`: it was open. */
  closed(why: CallFailure | 'closed'): void;
}

export interface Call {
  /** A byte that was typed. */
  send(key: number): void;
  /** While it is held nothing is read. */
  hold(held: boolean): void;
  /** Ends it; no event follows. */
  close(): void;
}

/** @param address int32 */
export type Dial = (address: number, port: number, events: CallEvents) => Call;
