/**
 * The kinds of argument that commands take: how they are read and how `?` shows them. FRAGMENTS are pieces of syntax
 * that several commands share.
 */
import { isNetmask, parseAddress } from '../ipv4-text.js';
import { INTERFACE_TYPES, canonicalInterface } from '../interface-name.js';
import {
  CODE_POINTS,
  ICMP_MESSAGES,
  IP_PROTOCOLS,
  MONTH_NAMES,
  PRECEDENCES,
  SEVERITIES,
  TCP_PORTS,
  TYPES_OF_SERVICE,
  UDP_PORTS,
} from '../number-names.js';
import type { Named } from '../number-names.js';
import type { ArgumentType, Expression } from './expression.js';

/** A number in decimal, `from`..`to`. */
export const numberType = (from: number, to: number): ArgumentType => ({
  display: `<${from}-${to}>`,
  help: 'Number',
  read(tokens, i) {
    const { text } = tokens[i]!;
    if (!/^\d{1,10}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= from && value <= to ? { value, used: 1 } : undefined;
  },
});

const wordType = (display: string, help: string): ArgumentType => ({
  display,
  help,
  read: (tokens, i) => ({ value: tokens[i]!.text, used: 1 }),
});

const addressType = (help: string, fits: (address: number) => boolean = () => true): ArgumentType => ({
  display: 'A.B.C.D',
  help,
  read(tokens, i) {
    const value = parseAddress(tokens[i]!.text);
    return value !== undefined && fits(value) ? { value, used: 1 } : undefined;
  },
});

/** A number of 0..`max`, or one of the names. */
const namedOrNumber =
  (table: readonly Named[], max: number, help: string) =>
  (capture: string): Expression => ({
    kind: 'choice',
    of: [
      { kind: 'argument', capture, type: { ...numberType(0, max), help } },
      ...table.map((n) => ({ kind: 'word' as const, word: n.name, capture, value: n.value, help: n.help })),
    ],
  });

const interfaceType: ArgumentType = {
  display: 'INTERFACE',
  help: 'Interface',
  offers: INTERFACE_TYPES.map((t) => ({ text: t.name, help: t.help })),
  read(tokens, i) {
    const one = canonicalInterface(tokens[i]!.text);
    if (one !== undefined) return { value: one, used: 1 };
    const number = tokens[i + 1]?.text;
    const two = number === undefined || !/^\d/.test(number) ? undefined : canonicalInterface(tokens[i]!.text + number);
    return two === undefined ? undefined : { value: two, used: 2 };
  },
};

export const ARGUMENT_TYPES: Readonly<Record<string, ArgumentType | ((capture: string) => Expression)>> = {
  WORD: wordType('WORD', 'Name'),
  LINE: {
    display: 'LINE',
    help: 'Text to the end of the line',
    read: (tokens, i, line) => ({ value: line.slice(tokens[i]!.at).trimEnd(), used: Infinity }),
  },
  /** 12.3; `version 2` is a line of `router rip`. */
  RELEASE: {
    display: 'WORD',
    help: 'Release',
    read: (tokens, i) => (/^\d+\.\d/.test(tokens[i]!.text) ? { value: tokens[i]!.text, used: 1 } : undefined),
  },
  ADDRESS: addressType('IP address'),
  // Inferred: IOS takes any contiguous mask and calls others bad.
  MASK: addressType('IP subnet mask', isNetmask),
  WILDCARD: addressType('Wildcard bits'),
  INTERFACE: interfaceType,
  PREFIX: {
    display: '/nn',
    help: 'Prefix length of the translation',
    read(tokens, i) {
      const length = /^\/(\d{1,2})$/.exec(tokens[i]!.text)?.[1];
      return length === undefined || Number(length) > 32 ? undefined : { value: Number(length), used: 1 };
    },
  },
  /** A list name: IOS keeps digits for numbered lists. */
  NAME: {
    display: 'WORD',
    help: 'Name',
    read: (tokens, i) => (/^[A-Za-z]/.test(tokens[i]!.text) ? { value: tokens[i]!.text, used: 1 } : undefined),
  },
  /** Hours from UTC. */
  OFFSET: {
    display: '<-23 - 23>',
    help: 'Hours',
    read(tokens, i) {
      const { text } = tokens[i]!;
      return /^[-+]?\d{1,2}$/.test(text) && Math.abs(Number(text)) <= 23 ? { value: Number(text), used: 1 } : undefined;
    },
  },
  /** Minutes of the day. */
  TIME: {
    display: 'hh:mm',
    help: 'Time of the day',
    read(tokens, i) {
      const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(tokens[i]!.text) ?? [];
      if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
      return { value: Number(hours) * 60 + Number(minutes), used: 1 };
    },
  },
  /** Minutes, or hours and minutes; up to the 24 days that `reload in` takes. */
  DELAY: {
    display: 'Delay',
    help: 'Delay (mmm or hhh:mm)',
    read(tokens, i) {
      const [, hours = '0', minutes] = /^(?:(\d{1,3}):)?(\d{1,5})$/.exec(tokens[i]!.text) ?? [];
      const value = Number(hours) * 60 + Number(minutes);
      return minutes !== undefined && value > 0 && value <= 24 * 24 * 60 ? { value, used: 1 } : undefined;
    },
  },
  /** The rest of the line, unless it begins as a date does. */
  REASON: {
    display: 'LINE',
    help: 'Reason',
    read(tokens, i, line) {
      const { text, at } = tokens[i]!;
      const isDate =
        /^\d/.test(text) || (text.length >= 3 && MONTH_NAMES.some((m) => m.startsWith(text.toLowerCase())));
      return isDate ? undefined : { value: line.slice(at).trimEnd(), used: Infinity };
    },
  },
  /** A file, with its file system or without: `flash:x`, `tftp://10.10.10.2/x`, `backup.cfg`. */
  FILE: {
    display: 'WORD',
    help: 'File name',
    read(tokens, i) {
      const { text } = tokens[i]!;
      return /^[a-z]+:./i.test(text) || /^[A-Za-z0-9]+[._-][A-Za-z0-9._-]*$/.test(text)
        ? { value: text, used: 1 }
        : undefined;
    },
  },
  HEX: {
    display: 'Hex-value',
    help: 'Hexadecimal number',
    read(tokens, i) {
      const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(tokens[i]!.text);
      return digits === null ? undefined : { value: parseInt(digits[1]!, 16), used: 1 };
    },
  },
  'TCP-PORT': namedOrNumber(TCP_PORTS, 65535, 'Port number'),
  'UDP-PORT': namedOrNumber(UDP_PORTS, 65535, 'Port number'),
  PROTOCOL: namedOrNumber(IP_PROTOCOLS, 255, 'An IP protocol number'),
  PRECEDENCE: namedOrNumber(PRECEDENCES, 7, 'Precedence value'),
  TOS: namedOrNumber(TYPES_OF_SERVICE, 15, 'Type of service value'),
  DSCP: namedOrNumber(CODE_POINTS, 63, 'Differentiated services codepoint value'),
  SEVERITY: namedOrNumber(SEVERITIES, 7, 'Logging severity level'),
  'ICMP-MESSAGE': (capture) => ({
    kind: 'choice',
    of: ICMP_MESSAGES.map((m) => ({
      kind: 'word' as const,
      word: m.name,
      capture,
      value: m.name,
      help: `${m.name.replaceAll('-', ' ')} messages`,
    })),
  }),
};

/** `@` stands for the capture: `SRC:$endpoint` gives SRC-any, SRC-host, SRC and SRC-wildcard. */
export const FRAGMENTS: Readonly<Record<string, string>> = {
  $endpoint: '{@-any:{any} | host @-host:ADDRESS | @:ADDRESS @-wildcard:WILDCARD | object-group @-group:WORD}',
  '$tcp-flags': '{@:{ack | fin | psh | rst | syn | urg | match-all | match-any} [@-list:LINE]}',
  '$standard-endpoint': '{@-any:{any} | host @-host:ADDRESS | @:ADDRESS @-wildcard:WILDCARD | @-host:ADDRESS}',
  '$tcp-port': '{@-op:{eq | neq | lt | gt} @-port:TCP-PORT | @-op:{range} @-port:TCP-PORT @-end:TCP-PORT}',
  '$udp-port': '{@-op:{eq | neq | lt | gt} @-port:UDP-PORT | @-op:{range} @-port:UDP-PORT @-end:UDP-PORT}',
};
