/**
 * The sockets that the management process accepts calls on. They are opened here, since ports below 1024 take a
 * privilege, and handed over at once: no byte of a caller is read here. One that cannot be opened is tried again.
 */
import { createServer, type Server } from 'node:net';
import { type Listener, listenerKey } from '../ios/management-plane.js';

const RETRY_MS = 5000;

export interface ListenerOptions {
  /** Takes the socket over, then resolves. */
  handOver: (listener: Listener, socket: Server) => Promise<unknown>;
  /** This one is not to be listened on any longer. */
  takeBack: (listener: Listener) => void;
  /** It cannot be opened, for a reason that was not said before. */
  refused: (listener: Listener, why: string) => void;
  /** One that was refused has been opened after all. */
  opened: (listener: Listener) => void;
}

interface Wanted {
  listener: Listener;
  /** Why it could not be opened last. */
  refused: string | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class Listeners {
  readonly #wanted = new Map<string, Wanted>();

  constructor(private readonly options: ListenerOptions) {}

  /** Has these listened on, and no others. */
  want(listeners: readonly Listener[]): void {
    const keys = new Set(listeners.map(listenerKey));
    for (const [key, { listener, timer }] of this.#wanted) {
      if (keys.has(key)) continue;
      clearTimeout(timer);
      this.#wanted.delete(key);
      this.options.takeBack(listener);
    }
    for (const listener of listeners) {
      if (this.#wanted.has(listenerKey(listener))) continue;
      const wanted: Wanted = { listener, refused: undefined, timer: undefined };
      this.#wanted.set(listenerKey(listener), wanted);
      this.#open(wanted);
    }
  }

  /** Tries those again that were refused: an address may be there now. */
  retry(): void {
    for (const wanted of this.#wanted.values()) {
      if (wanted.refused === undefined || wanted.timer === undefined) continue;
      clearTimeout(wanted.timer);
      wanted.timer = undefined;
      this.#open(wanted);
    }
  }

  /** Forgets all of them; the process that has them is gone. */
  close(): void {
    for (const { timer } of this.#wanted.values()) clearTimeout(timer);
    this.#wanted.clear();
  }

  #open(wanted: Wanted): void {
    const { host, port } = wanted.listener;
    const isWanted = (): boolean => this.#wanted.get(listenerKey(wanted.listener)) === wanted;
    const socket = createServer();
    // Between the moment it listens and the moment it is handed over.
    socket.on('connection', (caller) => caller.destroy());
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!isWanted()) return;
      const why = error.code ?? error.message;
      if (wanted.refused !== why) this.options.refused(wanted.listener, why);
      wanted.refused = why;
      wanted.timer = setTimeout(() => {
        wanted.timer = undefined;
        this.#open(wanted);
      }, RETRY_MS).unref();
    });
    socket.listen({ host, port }, () => {
      if (!isWanted()) {
        socket.close();
        return;
      }
      if (wanted.refused !== undefined) this.options.opened(wanted.listener);
      wanted.refused = undefined;
      void this.options.handOver(wanted.listener, socket).finally(() => socket.close());
    });
  }
}
