/**
 * The life of a process of the data plane: it listens for a control plane, begins as it is told, passes on what it is
 * told, and ends when it shall. Without a control plane it goes on as it was told last, and waits for another.
 */
import type { At, FromDataPlane, Start, ToDataPlane } from '../core/plane.js';
import { QueueError } from '../io/queue/queue-error.js';
import type { ControlHandlers, ControlLink } from './control-link.js';
import type { DataPlane, ToControlPlane } from './data-plane.js';

/** A control plane that has started us and died at once tells us nothing. */
const PATIENCE_MS = 30_000;
/** How long a last word may take. */
const END_MS = 500;

/** What the process has of the system. */
export interface ProcessEdge {
  /** Opens the socket that whoever started us has bound. */
  listen(handlers: ControlHandlers): Promise<ToControlPlane & Pick<ControlLink, 'isConnected' | 'end'>>;
  /** @throws QueueError */
  makePlane(start: Start, control: ToControlPlane): Pick<DataPlane, 'receive' | 'abandon' | 'stop'>;
  onSignal(signal: NodeJS.Signals, then: () => void): void;
  /** Whoever started us may connect now. */
  sayListening(): void;
  exit(): void;
}

/** @param build of this program @returns when it listens */
export async function serve(build: string, edge: ProcessEdge): Promise<void> {
  let plane: ReturnType<ProcessEdge['makePlane']> | undefined;
  let at: At | undefined;

  // On SIGUSR1 Node would open its debugger to everybody.
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) edge.onSignal(signal, () => undefined);
  const control = await edge.listen({
    hello: () => ({ type: 'hello', build, ...(at !== undefined && { at }) }),
    receive,
    lost: () => (plane === undefined ? end() : plane.abandon()),
  });
  // Signals are for the control plane, which says what to do: while there is one.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    edge.onSignal(signal, () => {
      if (!control.isConnected) end();
    });
  edge.sayListening();
  setTimeout(() => {
    if (plane === undefined && !control.isConnected) end();
  }, PATIENCE_MS).unref();

  /** Nothing passes then. */
  function end(lastWord?: FromDataPlane): void {
    plane?.stop();
    if (lastWord !== undefined) control.send(lastWord);
    setTimeout(() => edge.exit(), END_MS);
    control.end(() => edge.exit());
  }

  function receive(message: ToDataPlane): void {
    if (message.type === 'stop') end();
    else if (message.type !== 'start') plane?.receive(message);
    else if (plane === undefined) start(message);
  }

  function start(message: Start): void {
    try {
      plane = edge.makePlane(message, control);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      end({ type: 'refused', reason: error.message });
      return;
    }
    const { queue, capacity, shards } = message;
    at = { queue, capacity, shards };
    control.send({ type: 'ready' });
  }
}
