/** `fw3640 top`: the running router in this terminal, every two seconds, over its console socket. */
import { ConsoleError, runCommands } from '../io/console-client.js';
import { readSample, SORTS, TOP_COMMANDS, topFrame, type TopSample, type TopView } from '../ios/top/frame.js';
import { EXIT } from './exit.js';

const EVERY_MS = 2000;
const OTHER_SCREEN = '\x1b[?1049h\x1b[?25l';
const BACK = '\x1b[?25h\x1b[?1049l';
const NO_LIMIT: TopView = { rows: 1000, columns: 500, sort: 'rate', offset: 0, paused: false };

async function sample(socket: string): Promise<TopSample> {
  const answers: string[] = [];
  const code = await runCommands(socket, TOP_COMMANDS, (text) => void answers.push(text), true);
  if (code !== 0) throw new ConsoleError(`the router refuses: ${answers.at(-1) ?? ''}`);
  return readSample(answers, performance.now());
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @param once two samples a second apart, one frame as plain text, and no more */
export async function top(socket: string, once: boolean): Promise<void> {
  const fault = await (once ? printOnce(socket) : live(socket)).catch((error: unknown) => error as Error);
  if (fault === undefined) return;
  if (!(fault instanceof ConsoleError)) throw fault;
  console.error(`fw3640: ${fault.message}`);
  process.exitCode = EXIT.runtime;
}

async function printOnce(socket: string): Promise<undefined> {
  const before = await sample(socket);
  await wait(1000);
  const lines = topFrame(await sample(socket), before, NO_LIMIT);
  process.stdout.write(`${lines.slice(0, -1).join('\n')}\n`); // the last one has the keys
  return undefined;
}

async function live(socket: string): Promise<undefined> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) throw new ConsoleError('top needs a terminal; --once prints one frame');
  let before: TopSample | undefined;
  let now = await sample(socket); // before anything of the screen is changed
  const view = { ...NO_LIMIT };
  let end: (fault?: Error) => void = () => undefined;
  const ended = new Promise<Error | undefined>((resolve) => (end = resolve));
  const draw = (): void => {
    view.rows = stdout.rows;
    view.columns = stdout.columns;
    const lines = topFrame(now, before, view);
    stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
  };
  const key = (typed: Buffer): void => {
    const text = typed.toString('latin1');
    if (text === 'q' || text === '\x03') end();
    else if (text === 'p') view.paused = !view.paused;
    else if (text === 's') view.sort = SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]!;
    else if (text === '\x1b[B') view.offset = Math.min(view.offset + 1, now.sessions.length);
    else if (text === '\x1b[A') view.offset = Math.max(0, view.offset - 1);
    draw();
  };
  const restore = (): void => {
    stdin.off('data', key);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.off('resize', draw);
    stdout.write(BACK);
  };
  const stop = (): void => end();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  stdin.setRawMode(true);
  stdin.on('data', key);
  stdout.on('resize', draw);
  stdout.write(OTHER_SCREEN);
  draw();
  let asking = false;
  const timer = setInterval(() => {
    if (view.paused || asking) return;
    asking = true;
    sample(socket)
      .then((next) => {
        before = now;
        now = next;
        draw();
      })
      .catch((error: unknown) => end(error as Error))
      .finally(() => (asking = false));
  }, EVERY_MS);
  try {
    const fault = await ended;
    if (fault !== undefined) throw fault;
    return undefined;
  } finally {
    clearInterval(timer);
    restore();
  }
}
