/**
 * `telnet HOST [PORT]` out of the router, and what there is to do with connections: Ctrl-^ x leaves one open and comes
 * back to the prompt, `resume` goes on, `disconnect` ends it, `show sessions` and `where` list them.
 */
import type { Match } from '../grammar/match.js';
import { formatAddress } from '../ipv4-text.js';
import { findHost } from '../probe/host.js';
import type { Exec, ExecCommand, Terminal } from './context.js';
import { confirm } from './dialogue.js';
import type { Call, CallFailure } from './dial.js';
import type { Job } from './job.js';
import type { ConsoleRouter } from './router.js';
import { whenLeaving } from './terminal-users.js';

const TELNET = 23;
const MOST_CONNECTIONS = 16; // of one terminal

const WHY: Readonly<Record<CallFailure, string>> = {
  refused: '% Connection refused by remote host',
  'timed-out': '% Connection timed out; remote host not responding',
  unreachable: '% Destination unreachable; gateway or host down',
};

/** Connections of a terminal, by number; the one that was used last. */
interface Connections {
  open: Map<number, Connection>;
  last: Connection | undefined;
}

const terminals = new WeakMap<Terminal, Connections>();

function connectionsOf(terminal: Terminal): Connections {
  const known = terminals.get(terminal);
  if (known !== undefined) return known;
  const made: Connections = { open: new Map(), last: undefined };
  terminals.set(terminal, made);
  whenLeaving(terminal, () => {
    for (const c of [...made.open.values()]) c.end();
  });
  return made;
}

/** One connection, and while its user is at it the job of his terminal. */
class Connection implements Job {
  #call: Call | undefined;
  #print: ((text: string) => void) | undefined;
  #done: ((failed: boolean) => void) | undefined;
  #isOpen = false;
  #giveUp: () => void = () => undefined;
  number = 0;
  address = 0;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly of: Connections,
    readonly host: string,
    private readonly port: number,
  ) {}

  start(print: (text: string) => void, done: (failed: boolean) => void): void {
    this.#print = print;
    this.#done = done;
    this.of.last = this;
    if (this.#call === undefined) {
      const waits = (giveUp: () => void): void => void (this.#giveUp = giveUp);
      findHost(this.router, this.host, print, waits, (address) =>
        address === undefined ? this.#leave(true) : this.#dial(address),
      );
      return;
    }
    print(`[Resuming connection ${this.number} to ${this.host} ... ]\n`);
    this.#call.hold(false);
  }

  #dial(address: number): void {
    this.address = address;
    this.#say(`Trying ${formatAddress(address)}${this.port === TELNET ? '' : `, ${this.port}`} ... `);
    this.#call = this.router.dial(address, this.port, {
      open: () => {
        this.#isOpen = true;
        for (this.number = 1; this.of.open.has(this.number);) this.number++;
        this.of.open.set(this.number, this);
        this.#say('Open\n');
      },
      data: (text) => this.#say(text),
      closed: (why) => {
        this.#forget();
        this.#say(why === 'closed' ? `\n[Connection to ${this.host} closed by foreign host]\n` : `\n${WHY[why]}\n`);
        this.#leave(why !== 'closed');
      },
    });
  }

  key(byte: number): void {
    if (this.#isOpen) this.#call?.send(byte);
  }

  /** Ctrl-^ x. One that is not open yet is given up. */
  suspend(): void {
    if (!this.#isOpen) {
      this.stop();
      return;
    }
    this.#call?.hold(true);
    this.#say('\n');
    this.#leave(false);
  }

  stop(): void {
    this.#giveUp();
    this.end();
    this.#say('\n');
    this.#leave(false);
  }

  end(): void {
    this.#call?.close();
    this.#forget();
  }

  #forget(): void {
    this.of.open.delete(this.number);
    if (this.of.last === this) this.of.last = [...this.of.open.values()].at(-1);
  }

  #say(text: string): void {
    this.#print?.(text);
  }

  #leave(failed: boolean): void {
    const done = this.#done;
    this.#print = this.#done = undefined;
    done?.(failed);
  }
}

function telnet({ router, terminal, print }: Exec, m: Match): void {
  const connections = connectionsOf(terminal);
  if (connections.open.size >= MOST_CONNECTIONS) print('% Too many connections\n');
  else terminal.run(new Connection(router, connections, m.word('HOST'), m.optionalNumber('PORT') ?? TELNET));
}

/** The connection that a command names, the last one used without a number. */
function connectionMeant({ terminal, print }: Exec, m: Match): Connection | undefined {
  const { open, last } = connectionsOf(terminal);
  const number = m.optionalNumber('NUMBER');
  const found = number === undefined ? last : open.get(number);
  if (found === undefined) print(open.size === 0 ? '% No connections open\n' : '% Not an open connection\n');
  return found;
}

function showSessions({ open, last }: Connections): string {
  if (open.size === 0) return '% No connections open\n';
  const rows = [...open.values()].map((c) => {
    const address = formatAddress(c.address);
    return `${c === last ? '*' : ' '}${String(c.number).padStart(3)} ${c.host.padEnd(19)} ${address.padEnd(19)}    0     0 ${c.host}\n`;
  });
  return `Conn Host                Address             Byte  Idle Conn Name\n${rows.join('')}\n`;
}

export const TELNET_COMMANDS: readonly ExecCommand[] = [
  {
    privilege: 1,
    syntax: 'telnet HOST:WORD [PORT:TCP-PORT]',
    help: {
      telnet: 'Open a telnet connection',
      HOST: 'IP address or hostname of a remote system',
      PORT: 'Port number',
    },
    set: telnet,
  },
  {
    privilege: 1,
    syntax: 'resume [NUMBER:<1-16>]',
    help: { resume: 'Resume an active network connection', NUMBER: 'The number of an active network connection' },
    set: (exec, m) => {
      const connection = connectionMeant(exec, m);
      if (connection !== undefined) exec.terminal.run(connection);
    },
  },
  {
    privilege: 1,
    syntax: 'disconnect [NUMBER:<1-16>]',
    help: { disconnect: 'Disconnect an existing network connection' },
    set: (exec, m) => {
      const connection = connectionMeant(exec, m);
      if (connection === undefined) return;
      confirm(exec.terminal, `Closing connection to ${connection.host} [confirm]`, () => {
        connection.end();
        return '';
      });
    },
  },
  ...['show sessions', 'where'].map((syntax): ExecCommand => ({
    privilege: 1,
    syntax,
    help: { 'show sessions': 'Information about Telnet connections', where: 'List active connections' },
    set: ({ terminal, print }) => print(showSessions(connectionsOf(terminal))),
  })),
];
