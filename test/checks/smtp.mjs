// An SMTP client that sends exactly the bytes it is told to, one write a segment, and collects the replies.
import { connect } from 'node:net';
import { until } from './wait.mjs';

export class SmtpClient {
  /** Whole replies so far: their last lines, `250 2.1.0 Ok`. */
  replies = [];
  closed = undefined;
  #socket;
  #rest = '';

  /** Connects and waits for the greeting. */
  static async open(host, port = 25) {
    const client = new SmtpClient();
    client.#socket = connect({ host, port, noDelay: true });
    client.#socket.on('data', (bytes) => client.#take(bytes.toString('latin1')));
    client.#socket.on('error', (error) => (client.closed = error.code ?? error.message));
    client.#socket.on('close', () => (client.closed ??= 'closed'));
    await client.reply();
    return client;
  }

  /** Writes bytes and waits for none. */
  write(text) {
    this.#socket.write(text, 'latin1');
  }

  /** Waits for the next reply that nobody has taken. */
  async reply() {
    const wanted = () => this.replies.shift() ?? (this.closed === undefined ? undefined : `closed: ${this.closed}`);
    return until('a reply of the mail server', wanted);
  }

  /** A command and its reply. */
  say(line) {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** Sends a whole mail in a session that has said HELO. @param content header, empty line, body; CR LF; dots stuffed */
  async mail(from, to, content) {
    for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA']) {
      const reply = await this.say(line);
      if (!/^[23]/.test(reply)) throw new Error(`${line}: ${reply}`);
    }
    this.write(content);
    return this.say('\r\n.');
  }

  async quit() {
    const reply = await this.say('QUIT');
    this.#socket.destroy();
    return reply;
  }

  #take(text) {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop();
    for (const line of lines) if (/^\d{3}( |$)/.test(line)) this.replies.push(line);
  }
}
