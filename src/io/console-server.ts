/**
 * The console's UNIX socket, mode 0600: who may open it is the router's operator. A client says first, in one line of
 * JSON, whether it sends commands (answers come as lines of JSON) or brings a terminal (then bytes go both ways).
 */
import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { carryOut, NO_TERMINAL } from '../ios/exec/one-command.js';
import type { ConsoleSession } from '../ios/exec/session.js';
import { listenPrivately } from './private-socket.js';
import { serveTerminal } from './terminal.js';
import type { OpenTerminal } from './terminal.js';

/** First line of a connection. */
export type Hello = { mode: 'commands'; json?: boolean } | { mode: 'terminal'; rows: number; columns: number };

/** One line of JSON for each command. */
export interface CommandReply {
  /** What stood before the command, for messages that point at it. */
  prompt: string;
  output: string;
  failed: boolean;
  /** More of it follows: the command is not done. */
  more?: true;
}

const MAX_LINE = 4096; // bytes that a client may send without a newline
/** Bytes that a client may leave unread of what comes by itself; then some of it is left out. */
const MOST_UNREAD = 1 << 20;

export class ConsoleServer {
  readonly #terminals = new Set<OpenTerminal>();
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly path: string,
    private readonly server: Server,
  ) {}

  /**
   * Opens the socket. One that a dead process left is replaced.
   * @param makeSession a session for one client; `privilege` 15 for commands, 1 for a terminal
   * @throws Error where another router listens there, or the path cannot be used
   */
  static async listen(path: string, makeSession: (privilege: number) => ConsoleSession): Promise<ConsoleServer> {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) {
      if (await answers(path)) throw new Error(`${path}: another fw3640 serves this console`);
      unlinkSync(path);
    }
    const server = createServer();
    const console = new ConsoleServer(path, server);
    server.on('connection', (socket) => console.#accept(socket, makeSession));
    await listenPrivately(server, path);
    chmodSync(path, 0o600);
    return console;
  }

  /** Writes a log line to every terminal but those that want none (`terminal no monitor`). */
  monitor(line: string): void {
    for (const t of this.#terminals) t.monitor(line);
  }

  /** Closes the socket and every session, and removes the file. */
  close(): void {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket, makeSession: (privilege: number) => ConsoleSession): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy()); // the client has gone
    socket.on('close', () => this.#sockets.delete(socket));
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const newline = head.indexOf('\n');
      if (newline < 0) {
        if (head.length > MAX_LINE) socket.destroy();
        return;
      }
      socket.off('data', onData);
      socket.pause();
      const rest = head.subarray(newline + 1);
      const hello = readHello(head.toString('utf8', 0, newline));
      if (rest.length > 0) socket.unshift(rest);
      if (hello === undefined) socket.destroy();
      else if (hello.mode === 'commands') serveCommands(socket, makeSession(15), hello.json === true);
      else this.#open(socket, makeSession(1), hello);
    };
    socket.on('data', onData);
  }

  #open(socket: Socket, session: ConsoleSession, { rows, columns }: Extract<Hello, { mode: 'terminal' }>): void {
    if (session.settings.length !== 0) session.length = rows;
    session.width = columns;
    const terminal = serveTerminal(socket, session);
    this.#terminals.add(terminal);
    socket.on('close', () => this.#terminals.delete(terminal));
  }
}

/** True where a process accepts connections at `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function readHello(line: string): Hello | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('mode' in value)) return undefined;
  if (value.mode === 'commands') return { mode: 'commands', json: 'json' in value && value.json === true };
  if (value.mode !== 'terminal') return undefined;
  const size = (key: 'rows' | 'columns', least: number): number => {
    const n = (value as Record<string, unknown>)[key];
    return typeof n === 'number' && Number.isInteger(n) && n >= least && n <= 512 ? n : least;
  };
  return { mode: 'terminal', rows: size('rows', 0), columns: size('columns', 80) };
}

/** Answers commands, one a line, until the client closes or the session ends. */
function serveCommands(socket: Socket, session: ConsoleSession, json: boolean): void {
  session.json = json;
  session.length = 0;
  session.loggedIn = true;
  session.hangUp = () => {
    session.close();
    socket.end();
  };
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  const waiting: string[] = []; // behind a command that takes its time
  const answer = (reply: CommandReply): void => {
    socket.write(`${JSON.stringify(reply)}\n`);
    if (session.isClosed()) socket.end();
  };
  const next = (): void => {
    while (!session.isBusy() && !session.isClosed()) {
      const line = waiting.shift();
      if (line === undefined) return;
      const { prompt } = session;
      const reply: CommandReply = { prompt, ...carryOut(session, line) };
      if (!session.isBusy()) {
        answer(reply);
        continue;
      }
      runJob(reply);
    }
  };
  const runJob = (reply: CommandReply): void => {
    const streams = session.isStreaming();
    let lost = false;
    const stream = (output: string): void => {
      if (socket.writableLength > MOST_UNREAD) {
        lost = true;
        return;
      }
      const more = lost ? `% Lines were left out: they were not read\n${output}` : output;
      lost = false;
      answer({ prompt: reply.prompt, output: more, failed: false, more: true });
    };
    session.runJob(streams ? stream : (text) => void (reply.output += text), (failed, output) => {
      reply.output += output;
      reply.failed = reply.failed || failed;
      if (!socket.writable) return; // the client has gone
      // What the command had to read is here, and it has more to do.
      if (session.isBusy()) {
        runJob(reply);
        return;
      }
      answer(reply);
      next();
    });
    if (session.takesKeys()) {
      reply.output += NO_TERMINAL;
      reply.failed = true;
      session.interrupt();
    }
  };
  lines.on('line', (line) => {
    waiting.push(line);
    next();
  });
  lines.on('error', () => socket.destroy());
  lines.on('close', () => socket.end());
  socket.on('close', () => session.close());
}
