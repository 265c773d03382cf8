/** Messages as bytes on a stream: four bytes of length, big-endian, and the message. */

const HEAD = 4; // bytes
/** No message of ours is longer. A policy of ten thousand entries has about 2 MB. */
export const MOST_BYTES = 64 << 20;

/** What came is no stream of messages. */
export class NotAMessage extends Error {}

/** A message with its length in front. */
export function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.set(body, HEAD);
  return bytes;
}

/** Finds the messages in a stream, however it is cut. */
export class FrameReader {
  #chunks: Buffer[] = [];
  /** Bytes in the chunks, and those that have to be there to go on. */
  #length = 0;
  #needed = HEAD;

  /**
   * Takes bytes.
   * @param each called with each message that is whole; its bytes are its own
   * @throws NotAMessage where a length is more than any of ours
   */
  take(chunk: Buffer, each: (body: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length);
    this.#needed = HEAD;
    while (bytes.length >= HEAD) {
      const body = bytes.readUInt32BE(0);
      if (body > MOST_BYTES) throw new NotAMessage(`a message of ${body} bytes`);
      this.#needed = HEAD + body;
      if (bytes.length < this.#needed) break;
      each(bytes.subarray(HEAD, this.#needed));
      bytes = bytes.subarray(this.#needed);
      this.#needed = HEAD;
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#length = bytes.length;
  }
}
