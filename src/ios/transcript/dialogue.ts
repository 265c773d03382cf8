/**
 * Transcripts of inspected dialogues (`ip inspect transcript N`, an extension of fw3640), as they are shown: plain values
 * that JSON can carry. Who shows them needs no other file.
 *
 * - A `Dialogue` is one session: its ends, when it began and ended, its lines. `number` names it for good; `session`, as
 *   `show ip inspect sessions` prints it, is used again by later sessions.
 * - A `DialogueLine` is a command, a reply, or what happened there. All texts are printable ASCII: whatever else a
 *   stranger sends is escaped (`\x0d`). They are his words all the same: escape them again for HTML.
 * - Credentials and message data are not in them. What is left out stands between `<` and `>` in `left`.
 * - `Transcripts.onChange` calls for each line; who listens gathers calls, for there may be thousands a second.
 *
 * Whoever shows them asks for privilege 15.
 */

/**
 * `command`: a line of the client. `reply`: a line of the server. `message`: message data, or other octets that were
 * counted. `finding`: what the inspection said. `opaque`: from here on nothing can be read (TLS). `left-out`: lines that
 * are missing here.
 */
export type LineKind = 'command' | 'reply' | 'message' | 'finding' | 'opaque' | 'left-out';

export interface DialogueLine {
  /** ms since 1970. */
  at: number;
  kind: LineKind;
  /** Who sent it, or of whom a finding is; absent where it is nobody's. */
  from?: 'client' | 'server';
  /** As it came, as far as it may be told: `AUTH PLAIN`. Of a finding: what is wrong. */
  text: string;
  /** What is left out behind `text`: `<credentials>`, `<message, 512 bytes>`, `… 20 bytes more`. */
  left?: string;
  /** What went on in the place of `text`, where it is another text: `xxxx`. */
  became?: string;
  /** Of a finding: nothing was done, the line was masked, the session was reset. Under monitor-only: would have been. */
  action?: 'noted' | 'masked' | 'reset';
}

export interface DialogueHead {
  /** Counted from 1, and never used again. */
  number: number;
  /** Eight digits, as `show ip inspect sessions` prints it. */
  session: string;
  /** `smtp` or `esmtp`: no other protocol is written down so far. */
  service: string;
  /** `address:port`. */
  client: string;
  server: string;
  /** ms since 1970. */
  began: number;
  /** False: its beginning was not seen. */
  whole: boolean;
  /** Absent: it goes on. */
  ended?: number;
  /** Why it ended. */
  reason?: string;
  /** How many lines are kept, were masked, and are findings. */
  lines: number;
  masked: number;
  findings: number;
}

export interface Dialogue extends Omit<DialogueHead, 'lines'> {
  lines: readonly DialogueLine[];
}

/** What has changed: a line has come, or (absent) the dialogue has begun or ended. */
export interface DialogueChange {
  head: DialogueHead;
  line?: DialogueLine;
}

export interface Transcripts {
  /** The dialogues that are kept, the one that began first first. */
  list(): DialogueHead[];
  /** The latest dialogue of a session; undefined: none is kept. */
  of(session: string): Dialogue | undefined;
  /** By its own number. */
  byNumber(number: number): Dialogue | undefined;
  /** Tells of every change. @returns what ends it */
  onChange(listener: (change: DialogueChange) => void): () => void;
}
