/**
 * The control plane's end of the management plane: it has the process that speaks with people run as long as there is
 * something to listen on, opens its sockets, and answers its questions. What comes from there is looked at as what comes
 * from people: it is their bytes.
 */
import type { Server } from 'node:net';
import { chooseManagementUser, type DataPlaneUser, starterHere } from '../host/data-plane-user.js';
import type { RouterConfig } from '../ios/config/model.js';
import { mayConnect } from '../ios/exec/access-class.js';
import { offersFor } from '../ios/exec/help.js';
import { loginWatch } from '../ios/exec/login-watch.js';
import { finish, isReading } from '../ios/exec/one-command.js';
import type { ConsoleRouter } from '../ios/exec/router.js';
import { ConsoleSession } from '../ios/exec/session.js';
import { execVocabulary } from '../ios/exec/vocabulary.js';
import { formatAddress, parseAddress } from '../ios/ipv4-text.js';
import type { LiveFrame } from '../ios/live/frame.js';
import {
  type Answer,
  type Ask,
  type ByTicket,
  type Channel,
  type FromManagement,
  type Guarded,
  type Handlers,
  type Listener,
  type OpenConnection,
  type Pushes,
  type QuestionName,
  type WebSettings,
} from '../ios/management-plane.js';
import type { KeyAndCertificate } from './certificate.js';
import { Listeners } from './listeners.js';
import { MANAGEMENT_FILES, ManagementProcess, type ManagementEvents } from './management-process.js';
import { type Login, WebLogins } from './web-logins.js';

/** Questions that are being answered; one more has no answer. */
const MOST_ASKED = 64;
/** Commands that are carried out at the same time. */
const MOST_COMMANDS = 8;
const LONGEST_LINE = 1024; // characters
const MOST_LINES = 500;
/** Characters of an answer. */
const MOST_OUTPUT = 2_000_000;

export interface ManagementOptions {
  view: ConsoleRouter;
  say: (severity: number, facility: string, text: string, mnemonic: string) => void;
  /** A frame for the live page. */
  live: () => Promise<LiveFrame>;
  /** Listens too, whatever the configuration says: of the command line. */
  always?: readonly Listener[];
  /** That of the https server. */
  certificate?: (config: RouterConfig) => Promise<KeyAndCertificate>;
  /** Replaced in tests. */
  user?: DataPlaneUser;
  makeProcess?: (user: DataPlaneUser, events: ManagementEvents) => ManagementProcess;
}

export class Management {
  /** Connections that were open when the process told of them last. */
  open: readonly OpenConnection[] = [];
  readonly #process: ManagementProcess;
  readonly #listeners: Listeners;
  /** It takes sockets. */
  #isReady = false;
  readonly #handlers: Handlers;
  readonly #watched = new Set<Channel>();
  #asked = 0;
  #tls: KeyAndCertificate | undefined;
  /** It is being read or made. */
  #tlsComes = false;
  #settings = '';
  #saidWhoItIs = false;
  readonly #user: DataPlaneUser;

  constructor(private readonly options: ManagementOptions) {
    const { view, say } = options;
    this.#user = options.user ?? chooseManagementUser(starterHere(), MANAGEMENT_FILES);
    const make = options.makeProcess ?? ((user, events) => new ManagementProcess(user, events));
    this.#process = make(this.#user, {
      started: () => this.#started(),
      receive: (message) => this.#receive(message),
      ended: (why) => {
        this.#isReady = false;
        this.#listeners.close();
        this.#watched.clear();
        this.open = [];
        say(4, '%FW3640', `the management process ended (${why}): it is started again`, 'MANAGEMENT');
      },
      complaint: (line) => say(3, '%FW3640', `management process: ${line}`, 'MANAGEMENT'),
    });
    this.#listeners = new Listeners({
      handOver: (listener, socket: Server) => this.#process.send({ type: 'listen', listener }, socket),
      takeBack: (listener) => void this.#process.send({ type: 'unlisten', listener }),
      refused: ({ service, host, port }, why) =>
        say(
          3,
          '%FW3640',
          `${service} cannot listen on ${host} port ${port}: ${explain(why)}; it is tried again`,
          'LISTEN',
        ),
      opened: ({ service, host, port }) => say(5, '%FW3640', `${service} listens on ${host} port ${port}`, 'LISTEN'),
    });
    this.#handlers = handlersOf(view, undefined, options.live);
  }

  /** Process id; undefined: it does not run. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Has listened on what the configuration in force asks for. To be called whenever it has changed. */
  configure(): void {
    const config = this.options.view.config();
    const listeners = [...(this.options.always ?? []), ...webListeners(config)];
    if (listeners.length > 0) this.#process.run();
    if (config.http.secureServer === true) this.#fetchCertificate(config);
    if (!this.#isReady) return;
    this.#tellSettings();
    this.#listeners.want(listeners.filter((l) => l.service !== 'https' || this.#tls !== undefined));
    this.#listeners.retry();
  }

  #fetchCertificate(config: RouterConfig): void {
    const { certificate, say } = this.options;
    if (certificate === undefined || this.#tls !== undefined || this.#tlsComes) return;
    this.#tlsComes = true;
    certificate(config).then(
      (tls) => {
        this.#tlsComes = false;
        this.#tls = tls;
        this.configure();
      },
      (error: unknown) => {
        this.#tlsComes = false;
        say(3, '%FW3640', `https is not served: ${(error as Error).message}`, 'LISTEN');
      },
    );
  }

  /** Whether anybody watches this: what is pushed by it then is not made in vain. */
  isWatched(channel: Channel): boolean {
    return this.#watched.has(channel) && this.#process.hasRoom;
  }

  /** Tells those who watch. Left out where the process does not take it: the next one tells more. */
  push<C extends Channel>(channel: C, value: Pushes[C]): void {
    if (this.isWatched(channel)) void this.#process.send({ type: 'push', channel, value });
  }

  stop(): void {
    this.#listeners.close();
    this.#process.stop();
  }

  #started(): void {
    const { note } = this.#user;
    if (note !== undefined && !this.#saidWhoItIs) this.options.say(4, '%FW3640', note, 'MANAGEMENT');
    this.#saidWhoItIs = true;
    this.#settings = '';
    this.#isReady = true;
    this.configure();
  }

  #tellSettings(): void {
    const settings = webSettings(this.options.view.config(), this.#tls);
    const text = JSON.stringify(settings);
    if (text === this.#settings) return;
    this.#settings = text;
    void this.#process.send({ type: 'settings', settings });
  }

  #receive(message: FromManagement): void {
    switch (message.type) {
      case 'ask':
        void this.#answer(message);
        break;
      case 'watch':
        if (message.on) this.#watched.add(message.channel);
        else this.#watched.delete(message.channel);
        break;
      case 'connections':
        this.open = message.open.slice(0, MOST_ASKED);
    }
  }

  async #answer({ id, question, ask }: Extract<FromManagement, { type: 'ask' }>): Promise<void> {
    const refuse = (): void => void this.#process.send({ type: 'fault', id });
    if (this.#asked >= MOST_ASKED || !Object.hasOwn(this.#handlers, question)) {
      refuse();
      return;
    }
    this.#asked++;
    try {
      const answer = await answerOf(this.#handlers, question, ask);
      void this.#process.send({ type: 'answer', id, answer });
    } catch (error) {
      this.options.say(3, '%FW3640', `management process: ${question}: ${(error as Error).message}`, 'MANAGEMENT');
      refuse();
    } finally {
      this.#asked--;
    }
  }
}

async function answerOf<Q extends QuestionName>(handlers: Handlers, question: Q, ask: unknown): Promise<Answer<Q>> {
  return await handlers[question](ask as Ask<Q>);
}

/** What each question is answered with. */
export function handlersOf(
  view: ConsoleRouter,
  logins = new WebLogins(view),
  live: () => Promise<LiveFrame> = () => Promise.reject(new Error('nobody samples')),
): Handlers {
  let commands = 0;
  /** Has something done for who has logged in, at most so much at a time. */
  const forLogin = async <T>(
    ask: ByTicket,
    level: number,
    work: (login: Login) => Promise<Guarded<T>>,
  ): Promise<Guarded<T>> => {
    const login = logins.of(ask.ticket);
    if (login === undefined) return { denied: 'login' };
    if (level > login.privilege) return { denied: 'level' };
    if (commands >= MOST_COMMANDS) return { denied: 'busy' };
    commands++;
    try {
      return await work(login);
    } finally {
      commands--;
    }
  };
  const sessionOf = ({ from, name }: Login, level: number): ConsoleSession => {
    const session = new ConsoleSession(view, { web: parseAddress(from) ?? 0, name }, level === 15 ? 15 : 1);
    session.loggedIn = true;
    session.length = 0;
    return session;
  };
  return {
    // Metrics are for whoever reaches their port.
    admit: ({ address, service }) => service === 'metrics' || admits(view, address),
    login: (ask) => logins.login(ask),
    metrics: () => view.metrics?.() ?? Promise.reject(new Error('there are none')),
    exec: (ask) =>
      forLogin(ask, ask.level, async (login) => {
        checkLine(ask.line);
        const privilege = ask.level === 15 ? 15 : 1;
        if (ask.reading && !isReading(view, privilege, ask.line)) return { denied: 'not-reading' };
        const session = sessionOf(login, privilege);
        const answer = await finish(session, ask.line, MOST_OUTPUT);
        session.close();
        return answer;
      }),
    help: (ask) =>
      forLogin(ask, ask.level, () => {
        checkLine(ask.line);
        const offers = offersFor([execVocabulary(ask.level === 15 ? 15 : 1)], ask.line);
        return Promise.resolve({ offers });
      }),
    live: (ask) => forLogin(ask, 15, live),
    dialogue: (ask) =>
      forLogin(ask, 15, () => {
        const { session } = ask;
        if (typeof session !== 'string' || !/^[0-9A-F]{8}$/.test(session)) throw new Error('no session');
        const dialogue = view.transcripts.of(session);
        const kept = view.config().inspect.transcripts;
        return Promise.resolve({ session, kept, ...(dialogue !== undefined && { dialogue }) });
      }),
    configure: (ask) =>
      forLogin(ask, 15, async (login) => {
        if (ask.lines.length > MOST_LINES) throw new Error('too many lines');
        const session = sessionOf(login, 15);
        session.configure();
        let output = '';
        let failed = false;
        for (const line of ask.lines) {
          checkLine(line);
          const { prompt } = session;
          const answer = await finish(session, line, MOST_OUTPUT);
          output += `${prompt}${line}\n${answer.output}`;
          failed = failed || answer.failed;
          if (session.isClosed()) break;
        }
        session.endConfiguration();
        session.close();
        return { output, failed };
      }),
  };
}

/** Whether a caller may speak: the access class permits him, and quiet mode does not keep logins from him out. */
function admits(view: ConsoleRouter, address: string): boolean {
  const from = parseAddress(address);
  const { http, accessLists } = view.config();
  if (from === undefined || loginWatch(view).blocks(address)) return false;
  return http.accessClass === undefined || mayConnect(accessLists.get(http.accessClass), from);
}

/** @throws Error where it is none: nobody could have typed it */
function checkLine(line: unknown): void {
  if (typeof line !== 'string' || line.length > LONGEST_LINE) throw new Error('no line');
  for (let i = 0; i < line.length; i++) if (line.charCodeAt(i) < 0x20) throw new Error('no line');
}

/** On the addresses of the router's interfaces, not on what else the Linux box has. */
export function webListeners({ http, interfaces }: RouterConfig): Listener[] {
  const hosts = interfaces.filter((i) => !i.shutdown).flatMap((i) => i.addresses.map((a) => formatAddress(a.address)));
  const on = (service: Listener['service'], port: number): Listener[] => hosts.map((host) => ({ service, host, port }));
  return [
    ...(http.server === true ? on('http', http.port) : []),
    ...(http.secureServer === true ? on('https', http.securePort) : []),
  ];
}

const webSettings = ({ hostname, http }: RouterConfig, tls: KeyAndCertificate | undefined): WebSettings => ({
  hostname,
  maxConnections: http.maxConnections,
  ...http.timeouts,
  ...(tls !== undefined && { tls }),
});

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has that port',
  EADDRNOTAVAIL: 'the address is not there',
  EACCES: 'ports below 1024 take CAP_NET_BIND_SERVICE',
};
const explain = (code: string): string => REASONS[code] ?? code;
