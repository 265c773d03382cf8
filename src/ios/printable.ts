/** Latin-1 text of strangers, made safe to print. */

const hex = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** For a text that stands between quotes: quotes, backslashes and everything that is not printable ASCII escaped. */
export const escape = (text: string): string =>
  text.replace(/[^ -~]|["\\]/g, (c) => (c === '"' || c === '\\' ? `\\${c}` : hex(c)));

/** For one that stands by itself: quotes stay. */
export const visible = (text: string): string => text.replace(/[^ -~]|\\/g, (c) => (c === '\\' ? '\\\\' : hex(c)));
