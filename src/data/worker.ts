/** A process of the data plane: born of the control plane, told what to do by it, and gone with it. */
import { tuneCompiler } from '../io/compiler.js';
import { QueueError } from '../io/queue/queue-error.js';
import type { FromDataPlane, ToDataPlane } from '../core/plane.js';
import { DataPlane } from './data-plane.js';

// Signals are for the control plane, which says what to do. On SIGUSR1 Node would open its debugger to everybody.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => undefined);

let plane: DataPlane | undefined;

/** Without the control plane nobody could change or see anything: nothing passes then. */
function end(): void {
  plane?.stop();
  process.exit();
}

const send = (message: FromDataPlane): void => {
  if (process.connected) process.send!(message);
};

process.on('disconnect', end);
process.on('message', (message: ToDataPlane) => {
  if (message.type === 'stop') end();
  else if (message.type !== 'start') plane?.receive(message);
  else {
    tuneCompiler();
    try {
      plane = new DataPlane(message, send);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      process.send!({ type: 'refused', reason: error.message } satisfies FromDataPlane, () => process.exit());
      return;
    }
    send({ type: 'ready' });
  }
});
