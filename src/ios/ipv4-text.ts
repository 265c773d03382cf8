/** IPv4 addresses and masks as IOS writes them. Numbers are int32 in host order. */

/** @returns dotted decimal of an int32 address. */
export const formatAddress = (a: number): string => `${a >>> 24}.${(a >>> 16) & 0xff}.${(a >>> 8) & 0xff}.${a & 0xff}`;

/** @returns the int32 address of `A.B.C.D`, or undefined unless it is four decimal octets of 0..255. */
export function parseAddress(text: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (octets === null) return undefined;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(octets[i]);
    if (octet > 255) return undefined;
    address = (address << 8) | octet;
  }
  return address;
}

/** True for a mask of ones followed by zeros (0.0.0.0 and 255.255.255.255 included). */
export const isNetmask = (mask: number): boolean => (~mask & (~mask + 1)) === 0;

/** @returns the number of ones at the head of a netmask, 0..32. */
export const prefixLength = (mask: number): number => Math.clz32(~mask);

/** @returns the netmask with `length` ones, 0..32. */
export const netmask = (length: number): number => (length === 0 ? 0 : -1 << (32 - length));

/** @returns the mask of the address's class (RFC 791), which IOS takes where none is given. */
export function classfulMask(address: number): number {
  const first = address >>> 24;
  return netmask(first < 128 ? 8 : first < 192 ? 16 : 24);
}
