/** The work behind `copy`, once all is asked: reads one file, writes another, and prints what IOS prints meanwhile. */
import { routingTable } from '../compile/policy.js';
import { type ParsedConfig, parseInSteps, percent } from '../config/parse.js';
import { runningConfig } from '../config/running-config.js';
import { formatAddress } from '../ipv4-text.js';
import { findHost } from '../probe/host.js';
import type { Terminal } from './context.js';
import type { RemoteFile } from './files.js';
import type { Job } from './job.js';
import { by } from './reload.js';
import type { ConsoleRouter } from './router.js';

/** A file with nothing left to ask. */
export type File =
  | { kind: 'running' }
  | { kind: 'startup' }
  | { kind: 'flash'; name: string }
  /** Not a file yet: it can only be copied from. */
  | { kind: 'bytes'; name: string; bytes: Uint8Array }
  | { kind: 'remote'; file: Omit<RemoteFile, 'address'>; host: string };

const MOST_SHOWN = 20; // lines with an error

export class CopyJob implements Job {
  #print!: (text: string) => void;
  readonly #stop = new AbortController();
  #giveUp: () => void = () => undefined;
  #startedMs = 0;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly terminal: Terminal,
    private readonly from: File,
    private readonly to: File,
  ) {}

  start(print: (text: string) => void, done: (failed: boolean) => void): void {
    this.#print = print;
    this.#copy().then(
      (fault) => {
        if (fault !== undefined && fault !== '') print(fault);
        done(fault !== undefined);
      },
      (error: unknown) => {
        print(`\n%Error: ${(error as Error).message}\n`);
        done(true);
      },
    );
  }

  stop(): void {
    this.#giveUp();
    this.#stop.abort();
  }

  /** @returns undefined, or what is printed of why not; empty where it is printed already */
  async #copy(): Promise<string | undefined> {
    const { from, to } = this;
    const remote = from.kind === 'remote' ? from : to.kind === 'remote' ? to : undefined;
    const address = remote === undefined ? 0 : await this.#address(remote.host);
    if (address === undefined) return '';
    this.#startedMs = this.router.system.uptimeMs();
    let bytes: Uint8Array;
    try {
      bytes = await this.#read(from, address);
    } catch (error) {
      return `%Error opening ${nameOf(from, address)} (${(error as Error).message})\n`;
    }
    try {
      const fault = await this.#write(to, address, bytes);
      if (fault !== undefined) return fault;
    } catch (error) {
      return `%Error opening ${nameOf(to, address)} (${(error as Error).message})\n`;
    }
    this.#print(this.#summary(bytes.length));
    return undefined;
  }

  #address(host: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const waits = (giveUp: () => void): void => {
        this.#giveUp = () => {
          giveUp();
          this.#print('\n');
          resolve(undefined);
        };
      };
      findHost(this.router, host, this.#print, waits, resolve);
    });
  }

  async #read(from: File, address: number): Promise<Uint8Array> {
    const { router } = this;
    switch (from.kind) {
      case 'running':
        return Buffer.from(runningConfig(router.config()));
      case 'startup': {
        const text = router.startupConfig();
        if (text === undefined) throw new Error('No such file or directory');
        return Buffer.from(text);
      }
      case 'bytes':
        return from.bytes;
      case 'flash':
        return router.files.flash.read(from.name);
      case 'remote': {
        const { path } = from.file;
        const config = router.config();
        const out = config.interfaces[routingTable(config, router.snapshot.mapped).lookup(address)]?.name;
        const via = out === undefined ? '' : ` (via ${out})`;
        this.#print(`Accessing ${nameOf(from, address)}...\n`);
        let begun = false;
        const bytes = await router.files.fetch(
          { ...from.file, address },
          (mark) => {
            if (!begun) this.#print(`Loading ${path} from ${formatAddress(address)}${via}: `);
            begun = true;
            this.#print(mark);
          },
          this.#stop.signal,
        );
        // Inferred: with ftp IOS names the size of its buffer too.
        this.#print(`\n[OK - ${bytes.length}${from.file.scheme === 'ftp' ? '/4096' : ''} bytes]\n\n`);
        return bytes;
      }
    }
  }

  async #write(to: File, address: number, bytes: Uint8Array): Promise<string | undefined> {
    const { router } = this;
    switch (to.kind) {
      case 'running':
        return this.#merge(Buffer.from(bytes).toString(), address);
      case 'startup':
        return this.#writeStartup(Buffer.from(bytes).toString(), address);
      case 'bytes':
        throw new Error('Permission denied');
      case 'flash':
        await router.files.flash.write(to.name, bytes);
        return undefined;
      case 'remote':
        if (to.file.scheme === 'ftp') this.#print(`Writing ${to.file.path} `);
        await this.#send({ ...to.file, address }, bytes);
        this.#print('\n');
        return undefined;
    }
  }

  async #send(to: RemoteFile, bytes: Uint8Array): Promise<void> {
    let begun = false;
    const progress = (mark: string): void => {
      this.#print(begun || mark === '.' ? mark : `!${mark}`);
      begun ||= mark !== '.';
    };
    try {
      await this.router.files.send(to, bytes, progress, this.#stop.signal);
    } catch (error) {
      this.#print('\n');
      throw error;
    }
  }

  /** Lines are typed on top of what is in force. Unlike IOS, one with an error in it keeps all of them out. */
  async #merge(text: string, address: number): Promise<string | undefined> {
    const { router } = this;
    for (;;) {
      const base = router.config();
      const { config, errors } = await this.#parse(text, address, { base });
      const faults = errors.filter((e) => e.severity === 'error');
      if (faults.length > 0) {
        for (const e of faults.slice(0, MOST_SHOWN))
          this.#print(`${e.text}\n${' '.repeat(e.column - 1)}^\n${percent(e.reason)}\n`);
        return `% ${faults.length} errors: the configuration stays as it is\n`;
      }
      // Somebody else has changed it while the lines were read: once more, on top of that.
      if (router.config() !== base) continue;
      const refused = router.actions.apply(config);
      if (refused !== undefined) return `${percent(refused)}\n`;
      const source = nameOf(this.from, address);
      router.actions.log(5, 'SYS-5-CONFIG_I', `Configured from ${source} by ${by(this.terminal)}`);
      return undefined;
    }
  }

  /** A text that the next start would refuse is not written: the router would stay down. */
  async #writeStartup(text: string, address: number): Promise<string | undefined> {
    const { errors } = await this.#parse(text, address, { whole: true });
    const [fault] = errors.filter((e) => e.severity === 'error');
    if (fault !== undefined)
      return `% Line ${fault.line}: ${fault.reason.replace(/^% ?/, '')} The startup configuration stays as it is\n`;
    const refused = this.router.actions.writeStartup(text);
    if (refused !== undefined) return `% ${refused}\n`;
    this.#print('[OK]\n');
    return undefined;
  }

  /** A few lines at a time: packets go on in between. */
  #parse(text: string, address: number, options: Parameters<typeof parseInSteps>[2]): Promise<ParsedConfig> {
    const steps = parseInSteps(text, nameOf(this.from, address), options);
    return new Promise((resolve) => {
      const next = (): void => {
        const step = steps.next();
        if (step.done === true) resolve(step.value);
        else this.router.actions.after(0, next);
      };
      next();
    });
  }

  #summary(length: number): string {
    const ms = Math.max(1, Math.round(this.router.system.uptimeMs() - this.#startedMs));
    return `${length} bytes copied in ${(ms / 1000).toFixed(3)} secs (${Math.floor((length * 1000) / ms)} bytes/sec)\n`;
  }
}

/** As IOS names a file in messages; never with a password. */
function nameOf(file: File, address: number): string {
  switch (file.kind) {
    case 'running':
      return 'system:/running-config';
    case 'startup':
      return 'nvram:/startup-config';
    case 'bytes':
      return file.name;
    case 'flash':
      return `flash:${file.name}`;
    case 'remote':
      return `${file.file.scheme}://${formatAddress(address)}/${file.file.path}`;
  }
}
