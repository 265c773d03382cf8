/** The commands of IMAP and its extensions (RFC 9051, 3501, and as named), with the state that allows them. */
import { WordTable } from './mailbox.js';

/** What awaits the tagged reply, and what its OK does. Behind all but LOGIN nothing may come before the reply. */
export const Sync = {
  none: 0,
  login: 1,
  authenticate: 2,
  starttls: 3,
  compress: 4,
  unauthenticate: 5,
  idle: 6,
  literal: 7,
} as const;
export type Sync = (typeof Sync)[keyof typeof Sync];

export interface ImapCommand {
  readonly name: string;
  readonly when: 'any' | 'not-authenticated' | 'authenticated';
  readonly sync: Sync;
  /** An argument is illegal. */
  readonly bare: boolean;
}

type Row = [string, ImapCommand];

const rows = (when: ImapCommand['when'], bare: boolean, names: string): Row[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { name, when, bare, sync: Sync.none }]);

const row = (name: string, when: ImapCommand['when'], bare: boolean, sync: Sync): Row => [
  name,
  { name, when, bare, sync },
];

export const IMAP_COMMANDS = new WordTable<ImapCommand>(
  Object.fromEntries([
    ...rows('any', true, 'CAPABILITY NOOP LOGOUT'),
    ...rows('any', false, 'ID LANGUAGE COMPARATOR'), // RFC 2971, 5255
    row('STARTTLS', 'not-authenticated', true, Sync.starttls),
    row('AUTHENTICATE', 'not-authenticated', false, Sync.authenticate), // RFC 4959: initial response
    row('LOGIN', 'not-authenticated', false, Sync.login),
    ...rows(
      'authenticated',
      false,
      'SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB STATUS APPEND',
    ),
    ...rows('authenticated', false, 'SEARCH FETCH STORE COPY MOVE ENABLE UID'), // MOVE: RFC 6851, ENABLE: 5161
    ...rows('authenticated', true, 'NAMESPACE CHECK CLOSE UNSELECT EXPUNGE'), // RFC 2342, 3691
    row('IDLE', 'authenticated', true, Sync.idle), // RFC 2177
    row('COMPRESS', 'authenticated', false, Sync.compress), // RFC 4978
    row('UNAUTHENTICATE', 'authenticated', true, Sync.unauthenticate), // RFC 8437
    ...rows('authenticated', false, 'SETACL DELETEACL GETACL LISTRIGHTS MYRIGHTS'), // RFC 4314
    ...rows('authenticated', false, 'GETQUOTA GETQUOTAROOT SETQUOTA'), // RFC 9208
    ...rows('authenticated', false, 'GETMETADATA SETMETADATA GETANNOTATION SETANNOTATION'), // RFC 5464 and its drafts
    ...rows('authenticated', false, 'SORT THREAD ESEARCH'), // RFC 5256, 7377
    ...rows('authenticated', false, 'NOTIFY CONVERT CONVERSIONS CANCELUPDATE REPLACE'), // RFC 5465, 5259, 5267, 8508
    ...rows('authenticated', false, 'GENURLAUTH RESETKEY URLFETCH RLIST RLSUB GETJMAPACCESS'), // RFC 4467, 2193, 9698
  ]),
);

/** What may follow UID (RFC 9051 §6.4.9; EXPUNGE: RFC 4315). */
export const UID_COMMANDS = new WordTable<true>(
  Object.fromEntries(
    'FETCH STORE COPY MOVE SEARCH SORT THREAD EXPUNGE REPLACE'.split(' ').map((name) => [name, true as const]),
  ),
);
