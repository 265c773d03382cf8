/**
 * A process of the data plane: started by a control plane, told what to do by it, and not gone with it. Without one it
 * goes on as it was told last, and waits for another.
 *   worker.js FOLDER SHARD BUILD
 */
import { writeSync } from 'node:fs';
import type { At, FromDataPlane, Start, ToDataPlane } from '../core/plane.js';
import { ShardFiles } from '../host/shard-files.js';
import { tuneCompiler } from '../io/compiler.js';
import { QueueError } from '../io/queue/queue-error.js';
import { ControlLink } from './control-link.js';
import { DataPlane } from './data-plane.js';

const STANDARD_OUTPUT = 1;
/** The socket that whoever started us has bound: its folder is not ours to write. */
const SOCKET = 3;
/** A control plane that has started us and died at once tells us nothing. */
const PATIENCE_MS = 30_000;
/** How long a last word may take. */
const END_MS = 500;

const [folder = '', shard = '0', build = ''] = process.argv.slice(2);
const files = new ShardFiles(folder, Number(shard));
let plane: DataPlane | undefined;
let at: At | undefined;

// On SIGUSR1 Node would open its debugger to everybody.
for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);

const control = await ControlLink.listen(
  { fd: SOCKET },
  {
    hello: () => ({ type: 'hello', build, ...(at !== undefined && { at }) }),
    receive,
    lost: () => (plane === undefined ? end() : plane.abandon()),
  },
);
// Signals are for the control plane, which says what to do: while there is one.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (!control.isConnected) end();
  });
// Whoever started us may connect now.
writeSync(STANDARD_OUTPUT, '\n');
setTimeout(() => {
  if (plane === undefined && !control.isConnected) end();
}, PATIENCE_MS).unref();

/** Nothing passes then. */
function end(lastWord?: FromDataPlane): void {
  plane?.stop();
  if (lastWord !== undefined) control.send(lastWord);
  setTimeout(() => leave(), END_MS);
  control.end(leave);
}

function leave(): never {
  process.exit();
}

function receive(message: ToDataPlane): void {
  if (message.type === 'stop') end();
  else if (message.type !== 'start') plane?.receive(message);
  else if (plane === undefined) start(message);
}

function start(message: Start): void {
  tuneCompiler();
  try {
    plane = new DataPlane(message, control, files);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    end({ type: 'refused', reason: error.message });
    return;
  }
  const { queue, capacity, shards } = message;
  at = { queue, capacity, shards };
  control.send({ type: 'ready' });
}
