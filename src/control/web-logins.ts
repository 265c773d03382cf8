/**
 * Who logs in to the web page: `ip http authentication {enable | local}`. The management process never sees a password
 * of the configuration: it brings what was typed, and gets a ticket for it. Failures are answered as late as those of a
 * terminal line, and count with them (`login delay`, `login block-for`).
 */
import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { verifyPassword } from '../ios/config/password.js';
import type { Password, RouterConfig, User } from '../ios/config/model.js';
import { loginWatch } from '../ios/exec/login-watch.js';
import type { ConsoleRouter } from '../ios/exec/router.js';
import type { LoginAnswer, LoginQuestion } from '../ios/management-plane.js';

const DELAY_SECONDS = 1; // after a wrong password, unless `login delay` says more
/** Logins that are remembered; with more the one that was used longest ago is forgotten. */
const MOST_TICKETS = 256;
/** ms after its last use, and in all. */
const IDLE_MS = 10 * 60_000;
const LIFE_MS = 12 * 3_600_000;
/** Logins that wait, of one address and of all. */
const MOST_WAITING = 4;
const MOST_WAITING_OF_ALL = 64;
/** As long as a real hash takes. */
const NO_PASSWORD: Password = { type: 5, text: '$1$none$0000000000000000000000' };

export interface Login {
  readonly privilege: number;
  readonly name: string;
  /** Address (text) it came from. */
  readonly from: string;
}

interface Ticket extends Login {
  readonly ticket: string;
  /** Its password was right by this configuration. */
  readonly config: RouterConfig;
  readonly since: number;
  used: number;
}

export class WebLogins {
  /** By a keyed hash of what was typed and from where, oldest use first. */
  readonly #known = new Map<string, Ticket>();
  readonly #byTicket = new Map<string, Ticket>();
  readonly #key = randomBytes(32);
  /** Of each address that logs in at this moment: how many wait, and the last of them. */
  readonly #queues = new Map<string, { waiting: number; last: Promise<unknown> }>();
  #waiting = 0;

  /** @param delayMs replaced in tests */
  constructor(
    private readonly router: ConsoleRouter,
    private readonly delayMs?: number,
    private readonly now = (): number => performance.now(),
  ) {}

  /** The login that a ticket stands for; undefined: it is over. */
  of(ticket: string): Login | undefined {
    const found = this.#byTicket.get(ticket);
    return found !== undefined && this.#isValid(found) ? found : undefined;
  }

  /** Looks at name and password, one after the other for each address. */
  async login(asked: LoginQuestion): Promise<LoginAnswer> {
    const known = this.#known.get(this.#hash(asked));
    if (known !== undefined && this.#isValid(known)) return this.#use(known);
    const { address } = asked;
    const queue = this.#queues.get(address) ?? { waiting: 0, last: Promise.resolve() };
    if (queue.waiting >= MOST_WAITING || this.#waiting >= MOST_WAITING_OF_ALL) return { refused: 'busy' };
    this.#queues.set(address, queue);
    queue.waiting++;
    this.#waiting++;
    const answer = queue.last.then(() => this.#check(asked));
    queue.last = answer.catch(() => undefined);
    try {
      return await answer;
    } finally {
      this.#waiting--;
      if (--queue.waiting === 0) this.#queues.delete(address);
    }
  }

  async #check(asked: LoginQuestion): Promise<LoginAnswer> {
    const { router } = this;
    const { user: name, password, address, port } = asked;
    const config = router.config();
    const watch = loginWatch(router);
    if (watch.blocks(address)) return { refused: 'credentials' };
    // One that waited behind another with the same password.
    const known = this.#known.get(this.#hash(asked));
    if (known !== undefined && this.#isValid(known)) return this.#use(known);
    const { stored, privilege } = credentials(config, name);
    // A name that is not there takes as long as one that is.
    const isRight = verifyPassword(stored ?? NO_PASSWORD, password) && stored !== undefined;
    const delay = this.delayMs ?? (config.login.delay ?? DELAY_SECONDS) * 1000;
    const caller = { name, location: address, port };
    if (!isRight) {
      watch.noteFailure(caller);
      await wait(delay);
      return { refused: 'credentials' };
    }
    // A right one waits too where another was wrong just now: who hangs up instead of waiting learns nothing.
    const waitMs = delay - watch.sinceFailureMs;
    if (waitMs > 0) await wait(waitMs);
    watch.noteSuccess(caller);
    return this.#admit(asked, config, privilege);
  }

  #admit(asked: LoginQuestion, config: RouterConfig, privilege: number): LoginAnswer {
    const now = this.now();
    const ticket: Ticket = {
      ticket: randomBytes(16).toString('base64url'),
      privilege,
      name: asked.user,
      from: asked.address,
      config,
      since: now,
      used: now,
    };
    const hash = this.#hash(asked);
    this.#forget(hash);
    this.#known.set(hash, ticket);
    this.#byTicket.set(ticket.ticket, ticket);
    for (const [oldest] of this.#known) {
      if (this.#known.size <= MOST_TICKETS) break;
      this.#forget(oldest);
    }
    return this.#use(ticket);
  }

  #use(login: Ticket): LoginAnswer {
    const { ticket, privilege, name } = login;
    login.used = this.now();
    return { ticket, privilege, name };
  }

  #forget(hash: string): void {
    const old = this.#known.get(hash);
    this.#known.delete(hash);
    if (old !== undefined) this.#byTicket.delete(old.ticket);
  }

  /** A changed configuration may have changed a password: it is looked at again. */
  #isValid(t: Ticket): boolean {
    const now = this.now();
    return t.config === this.router.config() && now - t.used < IDLE_MS && now - t.since < LIFE_MS;
  }

  #hash({ user, password, address }: LoginQuestion): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([user, password, address]))
      .digest('base64');
  }
}

/** The password that counts, and what it opens. Undefined: nobody gets in. */
function credentials(config: RouterConfig, name: string): { stored: Password | undefined; privilege: number } {
  const { authentication } = config.http;
  if (authentication === 'enable') return { stored: config.enable.secret ?? config.enable.password, privilege: 15 };
  if (authentication !== 'local') return { stored: undefined, privilege: 1 };
  const user: User | undefined = config.users.find((u) => u.name === name);
  return { stored: user?.secret ?? user?.password, privilege: user?.privilege === 15 ? 15 : 1 };
}
