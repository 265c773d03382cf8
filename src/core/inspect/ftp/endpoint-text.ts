/**
 * Where a data connection is to go, as FTP writes it: PORT and 227 (RFC 959 §4.1.2, §5.3), EPRT and 229 (RFC 2428).
 * Only IPv4: EPRT of another family names nothing that we could open.
 */

/** `start` and `end`: the part of the line that says it, which stands for another when the address is translated. */
export interface EndpointText {
  address: number; // int32; 0 where the text has none (229)
  port: number;
  start: number;
  end: number;
}

const SIX_NUMBERS = /(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})/;
const EPRT = /([!-~])1\1(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\1(\d{1,5})\1/;
const PASSIVE_PORT = /\(([!-~])\1\1(\d{1,5})\1\)/;

/** The six numbers of `PORT h1,h2,h3,h4,p1,p2`, or of the first such list in a 227. Undefined: there is none. */
export function parseSixNumbers(line: string, from: number): EndpointText | undefined {
  const m = SIX_NUMBERS.exec(line.slice(from));
  if (m === null) return undefined;
  const [a, b, c, d, high, low] = m.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (Math.max(a, b, c, d, high, low) > 255) return undefined;
  const start = from + m.index;
  return { address: (a << 24) | (b << 16) | (c << 8) | d, port: high * 256 + low, start, end: start + m[0].length };
}

/** The argument of `EPRT |1|a.b.c.d|port|`, from column `from` on. */
export function parseEprt(line: string, from: number): EndpointText | undefined {
  const m = EPRT.exec(line.slice(from));
  if (m?.index !== 0) return undefined;
  const [a, b, c, d, port] = m.slice(2, 7).map(Number) as [number, number, number, number, number];
  if (Math.max(a, b, c, d) > 255 || port > 65_535) return undefined;
  return { address: (a << 24) | (b << 16) | (c << 8) | d, port, start: from, end: from + m[0].length };
}

/** The port of `229 Entering Extended Passive Mode (|||port|)`, from column `from` on. */
export function parsePassivePort(line: string, from = 0): EndpointText | undefined {
  const m = PASSIVE_PORT.exec(line.slice(from));
  if (m === null) return undefined;
  const port = Number(m[2]);
  if (port > 65_535) return undefined;
  const start = from + m.index + m[0].indexOf(m[2]!, 3);
  return { address: 0, port, start, end: start + m[2]!.length };
}

/** Four numbers with commas: some client may find an address there, though we have not. */
const NUMBERS = /\d\s*,\s*\d+\s*,\s*\d+\s*,\s*\d/;
export const mayNameAddress = (text: string): boolean => NUMBERS.test(text);

const octets = (address: number): number[] => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);

export const formatSixNumbers = (address: number, port: number): string =>
  [...octets(address), port >>> 8, port & 255].join(',');

export const formatEprt = (address: number, port: number): string => `|1|${octets(address).join('.')}|${port}|`;
