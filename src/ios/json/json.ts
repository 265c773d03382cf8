/** Values of JSON as the shows give them. */
import { formatAddress } from '../ipv4-text.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Whole milliseconds of seconds; null where there is no time. */
export const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms) / 1000);

/** Null where there is none. */
export const address = (a: number | undefined): string | null => (a === undefined ? null : formatAddress(a));
