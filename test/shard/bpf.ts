/** Runs classic BPF as the kernel does (net/core/filter.c), as far as our programs go. */
export function runBpf(text: string, b: Uint8Array): number {
  const [, program = ''] = /--bytecode "([^"]*)"/.exec(text) ?? [];
  const [count, ...lines] = program.split(',');
  const code = lines.map((line) => line.split(' ').map(Number) as [number, number, number, number]);
  if (Number(count) !== code.length) throw new Error('length');
  let [a, x] = [0, 0];
  const kept: number[] = [];
  const load = (at: number, bytes: number): number | undefined => {
    if (at + bytes > b.length) return undefined;
    let v = 0;
    for (let i = 0; i < bytes; i++) v = v * 256 + b[at + i]!;
    return v;
  };
  for (let pc = 0; ; pc++) {
    const [op, yes, no, k] = code[pc]!;
    const sizes: Record<number, [number, number]> = {
      0x20: [k, 4],
      0x28: [k, 2],
      0x30: [k, 1],
      0x40: [x + k, 4],
      0x50: [x + k, 1],
    };
    const access = sizes[op];
    if (access !== undefined) {
      const v = load(...access);
      if (v === undefined) return 0;
      a = v;
      continue;
    }
    switch (op) {
      case 0x60:
        a = kept[k]!;
        break;
      case 0xb1:
        x = (load(k, 1)! & 15) * 4;
        break;
      case 0x02:
        kept[k] = a;
        break;
      case 0x24:
        a = Math.imul(a, k) >>> 0;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x74:
        a >>>= k;
        break;
      case 0x94:
        a %= k;
        break;
      case 0xac:
        a = (a ^ x) >>> 0;
        break;
      case 0x07:
        x = a;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        pc += a === k ? yes : no;
        break;
      case 0x45:
        pc += (a & k) !== 0 ? yes : no;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`code ${op}`);
    }
  }
}
