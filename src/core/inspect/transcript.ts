/**
 * What a transcript tells of a dialogue, as the inspector saw it: plain data, copied out of packets. Inspectors leave out
 * what nobody may read there before it gets here: credentials and message data. Texts are Latin-1 as sent.
 */

/** `data`: bytes that are message data, or may be. `reply`: words of a server that may repeat one or the other. */
export type Hidden = 'credentials' | 'data' | 'reply';

/** A line, as far as it may be told. */
export interface TranscriptLine {
  readonly what: 'line';
  readonly fromInitiator: boolean;
  /** Without line end. */
  readonly text: string;
  /** Bytes of the line behind `text`. Of credentials not even their length is told: 0. */
  readonly more: number;
  /** What they are; absent: more than is kept of a line. */
  readonly hidden?: Hidden;
  /** What went on in the place of `text`; absent: all went on as it came. */
  readonly became?: string;
  /** Its end has not come. */
  readonly cut?: true;
}

/** What an inspector tells. */
export type DialogueEntry =
  | TranscriptLine
  /** Octets that are no lines. `whole` false: the end of a message has not come. Chunks are told as they are announced. */
  | {
      readonly what: 'data';
      readonly of: 'message' | 'chunk' | 'blob';
      readonly fromInitiator: boolean;
      readonly bytes: number;
      readonly whole: boolean;
    }
  /** So many octets of what was announced have not come. */
  | { readonly what: 'missing'; readonly bytes: number }
  /** Nothing can be read from here on. */
  | { readonly what: 'opaque' };

/** Who writes a dialogue down. */
export interface Transcriber {
  transcribe(entry: DialogueEntry): void;
}
