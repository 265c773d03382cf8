/**
 * SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012): a keyed hash whose values nobody can tell without the key, even
 * who has seen many of them. Here for messages of four words. 64-bit words are pairs of int32, low and high.
 */
export class SipHash {
  /** The hash of the last message. */
  low = 0;
  high = 0;
  readonly #v = new Int32Array(8);

  /** @param key four words, little endian as in the paper */
  constructor(private readonly key: Int32Array) {}

  /** Hashes the 16 bytes of four words, each in little endian order. The outcome is in `low` and `high`. */
  hash(a: number, b: number, c: number, d: number): void {
    const { key } = this;
    const v = this.#v;
    const [k0, k1, k2, k3] = [key[0]!, key[1]!, key[2]!, key[3]!];
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;
    this.#compress(a, b);
    this.#compress(c, d);
    this.#compress(0, 16 << 24); // the length of the message, in the last byte
    v[4] ^= 0xff;
    for (let i = 0; i < 4; i++) round(v);
    this.low = v[0] ^ v[2] ^ v[4] ^ v[6];
    this.high = v[1] ^ v[3] ^ v[5] ^ v[7];
  }

  #compress(low: number, high: number): void {
    const v = this.#v;
    v[6]! ^= low;
    v[7]! ^= high;
    round(v);
    round(v);
    v[0]! ^= low;
    v[1]! ^= high;
  }
}

/** One SipRound over v0 … v3, which are v[0..7]. */
function round(v: Int32Array): void {
  add(v, 0, 2);
  rotateXor(v, 2, 13, 0);
  swap(v, 0);
  add(v, 4, 6);
  rotateXor(v, 6, 16, 4);
  add(v, 0, 6);
  rotateXor(v, 6, 21, 0);
  add(v, 4, 2);
  rotateXor(v, 2, 17, 4);
  swap(v, 4);
}

/** v[to] += v[from], 64 bits. */
function add(v: Int32Array, to: number, from: number): void {
  const low = (v[to]! >>> 0) + (v[from]! >>> 0);
  v[to] = low;
  v[to + 1] = v[to + 1]! + v[from + 1]! + (low > 0xffffffff ? 1 : 0);
}

/** v[at] = (v[at] <<< bits) ^ v[other]; bits below 32. */
function rotateXor(v: Int32Array, at: number, bits: number, other: number): void {
  const low = v[at]!;
  const high = v[at + 1]!;
  v[at] = ((low << bits) | (high >>> (32 - bits))) ^ v[other]!;
  v[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ v[other + 1]!;
}

/** v[at] <<<= 32. */
function swap(v: Int32Array, at: number): void {
  const low = v[at]!;
  v[at] = v[at + 1]!;
  v[at + 1] = low;
}
