/**
 * What systemd is told of the router (sd_notify(3)): that it has started, reloads, stops, and that it still does its work.
 * Without a service manager nothing is said.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const LIBRARY = fileURLToPath(new URL('../../native/build/libfwq.so', import.meta.url));
/** It is told this often within the time after which systemd takes us for dead. */
const WORDS_A_PERIOD = 4;

type Send = (path: string, text: string) => number;

export class ServiceManager {
  readonly #path: string | undefined;
  readonly #periodMs: number;
  readonly #send: Send;
  #timer: NodeJS.Timeout | undefined;

  /** @param env of this process, as systemd has made it; @param send for tests */
  constructor(env: NodeJS.ProcessEnv = process.env, send: Send = sendNatively) {
    this.#path = env['NOTIFY_SOCKET'];
    const mine = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
    this.#periodMs = mine ? Number(env['WATCHDOG_USEC'] ?? 0) / 1000 : 0;
    this.#send = send;
  }

  /**
   * It forwards, and its console answers.
   * @param isWell asked now and then: whether the watchdog may be told so
   */
  started(isWell: () => boolean): void {
    this.#say('READY=1');
    if (this.#path === undefined || !(this.#periodMs > 0) || this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      if (isWell()) this.#say('WATCHDOG=1');
    }, this.#periodMs / WORDS_A_PERIOD);
    this.#timer.unref();
  }

  /** The file is read again. `started` follows. */
  reloading(): void {
    this.#say(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  reloaded(): void {
    this.#say('READY=1');
  }

  stopping(): void {
    clearInterval(this.#timer);
    this.#say('STOPPING=1');
  }

  #say(text: string): void {
    if (this.#path !== undefined) this.#send(this.#path, text);
  }
}

function sendNatively(path: string, text: string): number {
  const ffi = createRequire(import.meta.url)('ffi-napi') as {
    Library(path: string, functions: Record<string, [string, string[]]>): unknown;
  };
  const { notify_send } = ffi.Library(LIBRARY, { notify_send: ['int', ['string', 'string']] }) as { notify_send: Send };
  return notify_send(path, text);
}
