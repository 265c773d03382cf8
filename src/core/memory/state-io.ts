/**
 * How the state of what a session has is saved and loaded: each class has one method `sync` that names its fields once,
 * for both ways. What is loaded may be garbled (a file that another process left): a value that cannot be is replaced by
 * one that can, and `sound` becomes false.
 *
 *   sync(io: StateIo): void { this.#length = io.below(this.#length, MOST); this.#cr = io.flag(this.#cr); }
 */
export interface StateIo {
  /** False: something that was loaded cannot be, or is too much to be saved. */
  sound: boolean;
  readonly loading: boolean;
  /** int32. */
  int(v: number): number;
  /** 0 to limit - 1. */
  below(v: number, limit: number): number;
  flag(v: boolean): boolean;
  double(v: number): number;
  /** The first `length` bytes of `b`. */
  bytes(b: Uint8Array, length: number): void;
  /** Latin-1, at most `most` characters. */
  text(v: string, most: number): string;
}

/** Bytes that can be saved of one session, most. */
export const MOST_STATE = 16_384;

/** Gathers what is to be saved, from the front of `bytes`. */
export class StateWriter implements StateIo {
  sound = true;
  readonly loading = false;
  readonly bytesOut = new Uint8Array(MOST_STATE);
  /** Bytes so far. */
  length = 0;
  readonly #view = new DataView(this.bytesOut.buffer);

  begin(): void {
    this.length = 0;
    this.sound = true;
  }

  int(v: number): number {
    if (this.#hasRoom(4)) {
      this.#view.setInt32(this.length, v, true);
      this.length += 4;
    }
    return v;
  }

  below(v: number, limit: number): number {
    if (v < 0 || v >= limit) this.sound = false;
    return this.int(v);
  }

  flag(v: boolean): boolean {
    this.int(v ? 1 : 0);
    return v;
  }

  double(v: number): number {
    if (this.#hasRoom(8)) {
      this.#view.setFloat64(this.length, v, true);
      this.length += 8;
    }
    return v;
  }

  bytes(b: Uint8Array, length: number): void {
    if (!this.#hasRoom(length)) return;
    for (let i = 0; i < length; i++) this.bytesOut[this.length + i] = b[i]!;
    this.length += length;
  }

  text(v: string, most: number): string {
    const length = Math.min(v.length, most);
    this.int(length);
    if (!this.#hasRoom(length)) return v;
    for (let i = 0; i < length; i++) this.bytesOut[this.length + i] = v.charCodeAt(i);
    this.length += length;
    return v;
  }

  #hasRoom(count: number): boolean {
    if (this.length + count <= MOST_STATE) return true;
    this.sound = false;
    return false;
  }
}

/** Gives back what a `StateWriter` has gathered. */
export class StateReader implements StateIo {
  sound = true;
  readonly loading = true;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  /** From bytes[at..end) on. */
  begin(bytes: Uint8Array, at: number, end: number): void {
    if (bytes.buffer !== this.#bytes.buffer || bytes.byteOffset !== this.#bytes.byteOffset) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#at = at;
    this.#end = end;
    this.sound = true;
  }

  /** All has been read, and it was sound. */
  get complete(): boolean {
    return this.sound && this.#at === this.#end;
  }

  int(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getInt32(at, true);
  }

  below(_v: number, limit: number): number {
    const v = this.int();
    if (v >= 0 && v < limit) return v;
    this.sound = false;
    return 0;
  }

  flag(): boolean {
    return this.int() !== 0;
  }

  double(): number {
    const at = this.#take(8);
    const v = at < 0 ? 0 : this.#view.getFloat64(at, true);
    if (v >= 0 && v <= Number.MAX_SAFE_INTEGER) return v;
    this.sound = false;
    return 0;
  }

  bytes(b: Uint8Array, length: number): void {
    const at = length <= b.length ? this.#take(length) : -1;
    if (at < 0) this.sound = false;
    else for (let i = 0; i < length; i++) b[i] = this.#bytes[at + i]!;
  }

  text(_v: string, most: number): string {
    const length = this.below(0, most + 1);
    const at = this.#take(length);
    if (at < 0) return '';
    let text = '';
    for (let i = at; i < at + length; i++) text += String.fromCharCode(this.#bytes[i]!);
    return text;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) {
      this.sound = false;
      return -1;
    }
    this.#at = at + count;
    return at;
  }
}
