/** Overwriting in place: a lower-case x for each byte (the ASA writes X), never CR LF, never a length. */
export const MASK = 0x78;

/** Overwrites b[from..to). @returns true when a byte changed: not all were x before */
export function maskInPlace(b: Uint8Array, from: number, to: number): boolean {
  let changed = false;
  for (let i = from; i < to; i++) {
    if (b[i] !== MASK) changed = true;
    b[i] = MASK;
  }
  return changed;
}

/** Text of b[from..to) as Latin-1, for a finding. */
export function latin1(b: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(b[i]!);
  return text;
}
