/** Kernel TCP endpoints in hosts of the lab: what is written is a segment of its own, what arrives is kept to the byte. */
import type { Host, Lab } from './lab.js';
import { Agent } from './process.js';
import { until } from './until.js';

interface SocketMessage {
  id: number;
  open?: string;
  data?: string;
  end?: true;
  closed?: string;
}

type Command = { write: string } | { end: true } | { reset: true };

/** One end of a connection. */
export class Connection {
  /** `address:port` of the other end as this end sees it; empty until the connection is open. */
  peer = '';
  /** The other end has sent its FIN. */
  ended = false;
  /** Undefined while open; else why it closed: '' in order, ECONNRESET, ECONNREFUSED, EHOSTUNREACH … */
  closed: string | undefined;
  /** Called after bytes have come. */
  onData: (() => void) | undefined;
  #bytes = Buffer.alloc(0);

  constructor(private readonly tell: (command: Command) => void) {}

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** All bytes received, as latin1: one character a byte. */
  get text(): string {
    return this.#bytes.toString('latin1');
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    this.tell({ write: bytes.toString('base64') });
  }

  /** Sends FIN. */
  end(): void {
    this.tell({ end: true });
  }

  /** Sends RST. */
  reset(): void {
    this.tell({ reset: true });
  }

  /** Waits until the text received matches. @returns the match */
  receive(pattern: RegExp, patienceMs?: number): Promise<RegExpExecArray> {
    const state = () => (this.closed === undefined ? '' : ` (closed: ${this.closed})`);
    return until(
      () => `${String(pattern)} in ${JSON.stringify(this.text)}${state()}`,
      () => pattern.exec(this.text) ?? undefined,
      patienceMs,
    );
  }

  /** Waits for the close. @returns its reason */
  async gone(patienceMs?: number): Promise<string> {
    await until('the connection to close', () => this.closed !== undefined, patienceMs);
    return this.closed ?? '';
  }

  /** An agent's word about this connection. */
  take(message: SocketMessage): void {
    if (message.open !== undefined) this.peer = message.open;
    if (message.end === true) this.ended = true;
    if (message.closed !== undefined) this.closed = message.closed;
    if (message.data === undefined) return;
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(message.data, 'base64')]);
    this.onData?.();
  }
}

/** A server that keeps every byte and answers what it is told to. */
export class TcpServer {
  /** In order of opening. */
  readonly connections: Connection[] = [];
  #agent!: Agent<SocketMessage>;

  /** @param onOpen called with each new connection */
  static async listen(lab: Lab, host: Host, port: number, onOpen?: (c: Connection) => void): Promise<TcpServer> {
    const server = new TcpServer();
    server.#agent = await Agent.start<SocketMessage>(lab, host, ['sockets.mjs', 'listen', String(port)], (m) => {
      let connection = server.connections[m.id - 1];
      if (connection === undefined) {
        connection = new Connection((command) => server.#agent.send(JSON.stringify({ id: m.id, ...command })));
        server.connections.push(connection);
        connection.take(m);
        onOpen?.(connection);
      } else connection.take(m);
    });
    return server;
  }

  /** Waits for the n-th connection, from 1. */
  connection(n: number): Promise<Connection> {
    return until(`connection ${n} at the server`, () => this.connections[n - 1]);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

/** Starts to connect. `peer` tells when it is open, `closed` why it never will be. */
export async function connectTcp(lab: Lab, host: Host, to: string, port: number, from?: string): Promise<Connection> {
  const connection = new Connection((c) => agent.send(JSON.stringify({ id: 1, ...c })));
  const command = ['sockets.mjs', 'connect', to, String(port), ...(from === undefined ? [] : [from])];
  const agent = await Agent.start<SocketMessage>(lab, host, command, (m) => connection.take(m));
  return connection;
}

/** Connects and waits until the connection is open. */
export async function openTcp(lab: Lab, host: Host, to: string, port: number, from?: string): Promise<Connection> {
  const connection = await connectTcp(lab, host, to, port, from);
  await until(
    () => `a connection to ${to}:${port} (closed: ${connection.closed ?? 'no'})`,
    () => connection.peer !== '',
  );
  return connection;
}
