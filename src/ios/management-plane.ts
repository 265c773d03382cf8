/**
 * What the management process and the control plane say to each other. The management process has every socket that
 * people connect to, and no power of its own: what it wants to know, or wants done, it asks. All is plain data that JSON
 * carries. A question more takes a line in `Questions` and a handler of its name in `control/management.ts`.
 */
import type { Offer } from './exec/help.js';
import type { LiveFrame, SessionDialogue } from './live/frame.js';

/** Who asks: the address of the other end, and the port of ours. */
export interface Peer {
  address: string;
  port: number;
}

/** What somebody listens for. */
export type Service = 'http' | 'https' | 'metrics';

/** A listening socket: the control plane opens it, for ports below 1024 take a privilege. */
export interface Listener {
  service: Service;
  host: string;
  port: number;
}

export const listenerKey = ({ service, host, port }: Listener): string => `${service} ${host}:${port}`;

/** How connections are dealt with; of `ip http …`. */
export interface WebSettings {
  hostname: string;
  /** `ip http max-connections`. */
  maxConnections: number;
  /** `ip http timeout-policy`: seconds without a byte, seconds in all, requests. */
  idle: number;
  life: number;
  requests: number;
  /** For https; absent: there is no certificate. PEM. */
  tls?: { key: string; certificate: string };
}

export interface LoginQuestion extends Peer {
  user: string;
  password: string;
}

/** `ticket` stands for the login in further questions. `busy`: too many try at once. */
export type LoginAnswer = { ticket: string; privilege: number; name: string } | { refused: 'credentials' | 'busy' };

/** What somebody who has logged in wants to be done. */
export interface ByTicket {
  ticket: string;
  /** Privilege level of the URL: never more than that of the login. */
  level: number;
}

/** `failed`: IOS refused the line with a `%`. */
export interface CommandAnswer {
  output: string;
  failed: boolean;
}

/** Why there is no answer: the login is over, the level is not his, the command does more than read, too much is asked at once. */
export type Denial = 'login' | 'level' | 'not-reading' | 'busy';
export type Guarded<T> = T | { denied: Denial };

/** What the management process may ask: a name, what goes with it, and what the answer is. */
export interface Questions {
  /** Whether this address may connect: `ip http access-class`, quiet mode. */
  admit: { ask: Peer & { service: Service }; answer: boolean };
  login: { ask: LoginQuestion; answer: LoginAnswer };
  /** The router as Prometheus reads it: text. */
  metrics: { ask: Record<string, never>; answer: string };
  /** One EXEC command. `reading`: refused where it would do more than print. */
  exec: { ask: ByTicket & { line: string; reading: boolean }; answer: Guarded<CommandAnswer> };
  /** What may follow a line, as `?` tells. */
  help: { ask: ByTicket & { line: string }; answer: Guarded<{ offers: Offer[] }> };
  /** What the live page begins with; level 15. */
  live: { ask: ByTicket; answer: Guarded<LiveFrame> };
  /** The dialogue of a session, by its number as `show` prints it; level 15. */
  dialogue: { ask: ByTicket & { session: string }; answer: Guarded<SessionDialogue> };
  /** Lines of configuration mode; level 15. */
  configure: { ask: ByTicket & { lines: string[] }; answer: Guarded<CommandAnswer> };
}

export type QuestionName = keyof Questions;
export type Ask<Q extends QuestionName> = Questions[Q]['ask'];
export type Answer<Q extends QuestionName> = Questions[Q]['answer'];
export type Handlers = { [Q in QuestionName]: (ask: Ask<Q>) => Answer<Q> | Promise<Answer<Q>> };

/** What the control plane tells unasked, while somebody watches: a name, and what a push of it is. */
export interface Pushes {
  /** A whole frame each time. */
  live: LiveFrame;
}
export type Channel = keyof Pushes;

/** A connection that is open, for `show ip http server connection`. */
export interface OpenConnection {
  local: string;
  remote: string;
  inBytes: number;
  outBytes: number;
}

export type FromManagement =
  /** The first word. */
  | { type: 'ready' }
  | { type: 'ask'; id: number; question: QuestionName; ask: unknown }
  | { type: 'watch'; channel: Channel; on: boolean }
  | { type: 'connections'; open: OpenConnection[] };

export type ToManagement =
  | { type: 'answer'; id: number; answer: unknown }
  | { type: 'fault'; id: number }
  | { type: 'push'; channel: Channel; value: object }
  | { type: 'settings'; settings: WebSettings }
  /** The socket goes with it. */
  | { type: 'listen'; listener: Listener }
  | { type: 'unlisten'; listener: Listener };
