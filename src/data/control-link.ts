/**
 * The data plane's end of the connection to the control plane. It listens on a socket in the run directory; there may be
 * nobody, or another control plane than before. Events are kept until they were heard, so that a control plane that died
 * with some of them in hand loses none; how many there are is the event outbox's to limit. Of the rest, what nobody takes
 * is left out: the next status tells more than the last.
 */
import { createServer, type Server } from 'node:net';
import type { FromDataPlane, ToDataPlane } from '../core/plane.js';
import { encode, MessageLink } from '../io/message-link.js';
import { listenPrivately } from '../io/private-socket.js';

type Events = Extract<FromDataPlane, { type: 'events' }>;

export interface ControlHandlers {
  /** The first word on each connection. */
  hello: () => FromDataPlane;
  receive: (message: ToDataPlane) => void;
  /** The control plane has gone. */
  lost: () => void;
}

export class ControlLink {
  #current: MessageLink<ToDataPlane, FromDataPlane> | undefined;
  /** Events as they were sent, the oldest first, and the number of the last one of each. */
  readonly #unheard: { number: number; bytes: Buffer }[] = [];

  private constructor(
    private readonly server: Server,
    private readonly handlers: ControlHandlers,
  ) {}

  /**
   * Opens the socket.
   * @param at a path, for a socket that is its owner's alone; or a descriptor of one that whoever started us has bound
   * @throws Error where it cannot be used
   */
  static async listen(
    at: string | { fd: number },
    handlers: ControlHandlers,
    listen: (server: Server, at: string | { fd: number }) => Promise<unknown> = listenPrivately,
  ): Promise<ControlLink> {
    const server = createServer();
    const link = new ControlLink(server, handlers);
    server.on('connection', (socket) => {
      const end: MessageLink<ToDataPlane, FromDataPlane> = new MessageLink(
        socket,
        (message) => link.#receive(end, message),
        () => link.#closed(end),
      );
      end.send(handlers.hello());
    });
    await listen(server, at);
    return link;
  }

  get isConnected(): boolean {
    return this.#current !== undefined;
  }

  send(message: FromDataPlane): void {
    this.#current?.send(message);
  }

  /** Sends a message that need not come: the next one of its kind makes it superfluous, or the loss is counted. */
  sendIfRoom(message: FromDataPlane): boolean {
    if (this.#current?.hasRoom !== true) return false;
    this.#current.send(message);
    return true;
  }

  /** Sends events, and keeps them until they were heard. */
  sendEvents(events: Events): void {
    const bytes = encode(events);
    this.#unheard.push({ number: events.number, bytes });
    this.#current?.sendBytes(bytes);
  }

  /** The events up to this number have been written. */
  heard(number: number): void {
    let heard = 0;
    while (heard < this.#unheard.length && this.#unheard[heard]!.number <= number) heard++;
    this.#unheard.splice(0, heard);
  }

  /** Sends again what was not heard. */
  sendUnheard(): void {
    for (const { bytes } of this.#unheard) this.#current?.sendBytes(bytes);
  }

  /** Has `then` called when the control plane has taken what was sent. */
  whenEmpty(then: () => void): void {
    if (this.#current === undefined) setImmediate(then);
    else this.#current.whenEmpty(then);
  }

  /** Says a last word, then closes. @param then called when that is done */
  end(then: () => void): void {
    this.server.close();
    if (this.#current === undefined) then();
    else this.#current.end(then);
  }

  /** Who speaks last is the control plane: only one has the lock, so the one before has died or is about to. */
  #receive(end: MessageLink<ToDataPlane, FromDataPlane>, message: ToDataPlane): void {
    if (this.#current !== end) {
      const before = this.#current;
      this.#current = end;
      before?.close();
    }
    this.handlers.receive(message);
  }

  #closed(end: MessageLink<ToDataPlane, FromDataPlane>): void {
    if (this.#current !== end) return;
    this.#current = undefined;
    this.handlers.lost();
  }
}
