/** The login of a terminal line: a password, or a name and a password, three times at most. */
import type { Password, User } from '../../config/model.js';
import { verifyPassword } from '../../config/password.js';
import { loginWatch } from '../login-watch.js';
import type { ConsoleRouter } from '../router.js';
import { answered, PlainMode } from './mode.js';
import type { Reply } from './mode.js';

const ATTEMPTS = 3;
const NO_PASSWORD: Password = { type: 5, text: '$1$none$......................' };

/** The session that is logged in to. */
export interface LoginSession {
  readonly location: string;
  name: string;
  failedLogins: number;
  /** Login succeeded; `privilege` of the user, absent: that of the line. Returns what is printed. */
  logIn(privilege?: number): string;
  close(): void;
}

/** Where one may log in without a name, or with one. */
export type Credentials = { kind: 'password'; password: Password } | { kind: 'users'; users: readonly User[] };

export class LoginMode extends PlainMode {
  readonly kind = 'answer';
  #name: string | undefined;
  #attempts = 0;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly session: LoginSession,
    private readonly credentials: Credentials,
  ) {
    super();
  }

  get secret(): boolean {
    return this.credentials.kind === 'password' || this.#name !== undefined;
  }

  get prompt(): string {
    return this.secret ? 'Password: ' : 'Username: ';
  }

  execute(line: string): Reply {
    if (!this.secret) {
      this.#name = line.trim();
      return answered('');
    }
    const name = this.#name;
    this.#name = undefined;
    return answered(this.#check(name ?? '', line));
  }

  #check(name: string, typed: string): string {
    const { credentials, session } = this;
    const watch = loginWatch(this.router);
    // Quiet mode has begun while this caller was asked for his password: the right one does not help him either.
    if (watch.blocks(session.location)) {
      session.close();
      return '';
    }
    const user = credentials.kind === 'users' ? credentials.users.find((u) => u.name === name) : undefined;
    const stored = credentials.kind === 'users' ? (user?.secret ?? user?.password) : credentials.password;
    // A name that is not there takes as long as one that is.
    if (verifyPassword(stored ?? NO_PASSWORD, typed) && stored !== undefined) {
      session.name = name;
      watch.noteSuccess(session);
      return session.logIn(user?.privilege);
    }
    session.failedLogins++;
    watch.noteFailure({ name, location: session.location });
    const isLast = ++this.#attempts === ATTEMPTS;
    if (isLast) session.close();
    if (credentials.kind === 'users') return '% Login invalid\n\n';
    return isLast ? '% Bad passwords\n' : '';
  }
}
