/** Numbers and times as the page prints them: the same on the server and in every browser. */

/** 1234567 → 1,234,567. */
export const grouped = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');

/** At most three digits before a letter: 999, 1.2k, 34k, 5.6M. */
export function short(n: number): string {
  if (n < 1000) return n > 0 && n < 10 && !Number.isInteger(n) ? n.toFixed(1) : String(Math.round(n));
  for (const [unit, size] of [
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9],
  ] as const) {
    const value = n / size;
    if (value < 999.5 || unit === 'G') return `${value < 9.95 ? value.toFixed(1) : String(Math.round(value))}${unit}`;
  }
  return '';
}

/** Bytes a second as bits: 1.2 Mbit/s. */
export function bitRate(bytesPerSecond: number): string {
  const text = short(bytesPerSecond * 8);
  const [, digits, letter] = /^([\d.]+)(\D?)$/.exec(text) ?? ['', text, ''];
  return `${digits} ${letter}bit/s`;
}

/** Bytes in powers of 1024: 12 MiB. */
export function bytes(n: number): string {
  let value = n;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1000 || unit === 'GiB')
      return `${value < 10 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1024;
  }
  return '';
}

const two = (n: number): string => String(n).padStart(2, '0');

/** The time of the day, UTC. */
export function clock(at: number): string {
  const t = new Date(at);
  return `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
}

/** 7 s, 3 min 20 s, 2 h 5 min, 4 d 3 h. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

export const plural = (n: number, what: string, many = `${what}s`): string => `${grouped(n)} ${n === 1 ? what : many}`;

/** 172.22.1.16/24 → 172.22.1.0/24. */
export function networkOf(address: string): string {
  const [, host, length] = /^([\d.]+)\/(\d+)$/.exec(address) ?? [];
  if (host === undefined || length === undefined) return address;
  const value = host.split('.').reduce((all, octet) => (all << 8) | Number(octet), 0);
  const network = Number(length) === 0 ? 0 : value & (-1 << (32 - Number(length)));
  return `${[24, 16, 8, 0].map((shift) => (network >>> shift) & 255).join('.')}/${length}`;
}

/** Cut, where it is too long for its place. */
export const fit = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);
