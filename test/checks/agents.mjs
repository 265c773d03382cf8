// The outside end of what is done inside: the machines behind the firewall dial out to this port (so that the control
// connection itself is an inspected session of IN-OUT), say who they are, and do what they are asked.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';
import { until, within } from './wait.mjs';

export const CONTROL_PORT = 7000;
/** Whoever misses several of these dials anew. */
export const HEARTBEAT_MS = 1000;

export class Agents {
  #byName = new Map();
  #server;

  static async listen() {
    const agents = new Agents();
    agents.#server = createServer((socket) => agents.#attend(socket));
    await new Promise((resolve, reject) => agents.#server.on('error', reject).listen(CONTROL_PORT, resolve));
    return agents;
  }

  /** Waits for a machine to dial in. @returns Agent */
  named(name) {
    return until(`${name} to dial out to port ${CONTROL_PORT}`, () => this.#byName.get(name));
  }

  #attend(socket) {
    const agent = new Agent(socket);
    const beat = setInterval(() => socket.write('{}\n'), HEARTBEAT_MS);
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined); // of the socket: it closes
    lines.on('line', (line) => {
      const message = JSON.parse(line);
      if (message.name !== undefined) {
        agent.peer = socket.remoteAddress.replace('::ffff:', '');
        this.#byName.set(message.name, agent);
      } else agent.take(message);
    });
    socket.on('close', () => {
      clearInterval(beat);
      for (const [name, other] of this.#byName) if (other === agent) this.#byName.delete(name);
      agent.lost();
    });
  }
}

class Agent {
  /** Its address as this side sees it: the inside global one, if NAT works. */
  peer = '';
  #socket;
  #waiting = new Map();
  #calls = 0;

  constructor(socket) {
    this.#socket = socket;
  }

  /** Has the machine do something. @returns what it answers */
  ask(operation, parameters = {}) {
    const id = ++this.#calls;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.write(`${JSON.stringify({ id, operation, ...parameters })}\n`);
    return within(`${operation} ${JSON.stringify(parameters)}`, answer, 2 * 60_000);
  }

  take({ id, answer, error }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) call?.reject(new Error(error));
    else call?.resolve(answer);
  }

  lost() {
    for (const { reject } of this.#waiting.values()) reject(new Error('the control connection ended'));
  }
}
