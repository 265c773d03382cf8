/** `fw3640 console`: brings the user's commands or terminal to the console socket of a running router. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { CommandReply, Hello } from './console-server.js';

/** The socket could not be reached; `message` says what to do. */
export class ConsoleError extends Error {}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', fail);
      resolve(socket);
    });
    const fail = (e: NodeJS.ErrnoException): void => {
      const why =
        e.code === 'EACCES'
          ? 'permission denied: the console is for the user who runs the router'
          : e.code === 'ENOENT' || e.code === 'ECONNREFUSED'
            ? 'no router serves this console; is fw3640 running?'
            : e.message;
      reject(new ConsoleError(`${path}: ${why}`));
    };
    socket.once('error', fail);
  });
}

/** A session that takes commands and answers them, one after the other. */
export class CommandSession {
  private constructor(
    private readonly path: string,
    private readonly socket: Socket,
    private readonly replies: AsyncIterator<string, undefined>,
  ) {}

  /**
   * @param json values instead of text
   * @throws ConsoleError where no router answers
   */
  static async open(path: string, json = false): Promise<CommandSession> {
    const socket = await open(path);
    const hello: Hello = { mode: 'commands', json };
    socket.write(`${JSON.stringify(hello)}\n`);
    const lines = createInterface({ input: socket, crlfDelay: Infinity });
    return new CommandSession(path, socket, lines[Symbol.asyncIterator]());
  }

  /**
   * @param piece takes what a command prints before it is done: the reply has the rest
   * @throws ConsoleError where the router has gone
   */
  async run(command: string, piece: (text: string) => void = () => undefined): Promise<CommandReply> {
    this.socket.write(`${command.replaceAll('\n', ' ')}\n`);
    for (;;) {
      const line = await this.replies.next();
      if (line.done === true) throw new ConsoleError(`${this.path}: the router closed the session`);
      const reply = JSON.parse(line.value) as CommandReply;
      if (reply.more !== true) return reply;
      piece(reply.output);
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * Sends commands in one session and writes their output.
 * @param write where output goes
 * @param json values instead of text
 * @returns 0, or 1 where IOS answered one of them with `%`: later ones are not sent
 * @throws ConsoleError where no router answers
 */
export async function runCommands(
  path: string,
  commands: readonly string[],
  write: (text: string, failed: boolean) => void,
  json = false,
): Promise<number> {
  const session = await CommandSession.open(path, json);
  try {
    for (const command of commands) {
      const { prompt, output, failed } = await session.run(command, (text) => write(text, false));
      // A caret points into the line as it would stand on the screen.
      write(failed ? `${prompt}${command}\n${output}` : output, failed);
      if (failed) return 1;
    }
    return 0;
  } finally {
    session.close();
  }
}

/**
 * Connects the terminal of this process to a session, until the user leaves it.
 * @throws ConsoleError where no router answers
 */
export async function runTerminal(path: string): Promise<void> {
  const { stdin, stdout } = process;
  const socket = await open(path);
  const hello: Hello = {
    mode: 'terminal',
    rows: stdout.isTTY ? stdout.rows : 0,
    columns: stdout.isTTY ? stdout.columns : 80,
  };
  socket.write(`${JSON.stringify(hello)}\n`);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.pipe(socket);
  socket.pipe(stdout);
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.once('error', () => resolve()); // the router went away; close follows
  });
  if (stdin.isTTY) stdin.setRawMode(false);
  stdin.unpipe(socket);
  stdin.pause();
}
