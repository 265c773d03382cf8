/** What every capture format is read into. */
export interface CapturedPacket {
  /** ms since 1970; fractions down to what the file has. */
  timeMs: number;
  /** From the IPv4 header on. Its own memory. */
  bytes: Uint8Array;
  /** The capture did not keep all bytes. */
  truncated: boolean;
}

/** The file is no capture, or of a kind that we do not read. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(`${file}: ${reason}`);
  }
}

/** A reader that is fed the bytes of a file as they come. */
export interface FormatReader {
  /** Why the file cannot be read on; undefined: it can. */
  readonly fault: string | undefined;
  /** Takes the next bytes. @returns the IPv4 packets that are complete by now and stand before a fault, in file order */
  take(chunk: Buffer): CapturedPacket[];
  /** Called at the end of the file. @returns what is wrong with that end; undefined: nothing */
  end(): string | undefined;
}

/** No record of a capture is longer: tcpdump's largest snapshot length is 256 KB. */
export const MOST_RECORD_BYTES = 1 << 20;
