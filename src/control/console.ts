/** The router as its console knows it: views to print, actions to carry out. */
import { unsupported } from '../ios/config/unsupported.js';
import type { RouterConfig } from '../ios/config/model.js';
import type { OpenConnection } from '../ios/management-plane.js';
import type { ConsoleRouter, LogView, NameService, RouterActions } from '../ios/exec/router.js';
import { HostError } from '../host/host-system.js';
import { dial } from '../io/dialer.js';
import { Files } from '../io/files.js';
import { nameService } from '../io/resolver.js';
import { noDebug } from '../core/observe/debug.js';
import { sameConfig } from '../ios/config/fork.js';
import { runningConfig } from '../ios/config/running-config.js';
import { openMessages, type StartupFile } from './startup-file.js';
import type { System } from '../host/system.js';
import { prometheusText } from '../ios/metrics/prometheus.js';
import { metricsOf } from './metrics.js';
import type { RouterMemory } from '../ios/trace/dry-run.js';
import type { TracedPacket } from '../ios/trace/probe.js';
import type { Transcripts } from '../ios/transcript/dialogue.js';
import type { Router } from './router.js';
import type { Prober } from '../core/probe/probe.js';
import { CollectedViews } from '../core/state/view.js';
import type { RouterSnapshot, ViewName } from '../core/state/snapshot.js';
import type { DebugFlags } from '../core/observe/debug.js';

export class RouterConsole implements ConsoleRouter {
  snapshot: RouterSnapshot;
  readonly log: LogView;
  readonly prober: Prober;
  readonly transcripts: Transcripts;
  readonly names: NameService = nameService;
  readonly actions: RouterActions;
  readonly files: Files;
  readonly dial = dial;
  web = { connections: (): readonly OpenConnection[] => [] };

  /** The configuration that the startup file holds too; undefined: it was erased, or another one was copied there. */
  #settled: RouterConfig | undefined;

  constructor(
    private readonly router: Router,
    readonly system: System,
    readonly startup: StartupFile,
    flash: string,
  ) {
    this.files = new Files(flash);
    this.#settled = router.config;
    this.snapshot = new CollectedViews(router.mapped);
    this.log = router.log;
    this.prober = router.prober;
    this.transcripts = router.transcripts;
    this.actions = this.#makeActions();
  }

  get debug(): DebugFlags {
    return this.router.debug;
  }

  async fetch(names: readonly ViewName[]): Promise<void> {
    this.snapshot = await this.router.views(names);
  }

  async metrics(): Promise<string> {
    return prometheusText(await metricsOf(this.router, this.system));
  }

  memory(packet: TracedPacket): RouterMemory | 'unreadable' {
    return this.router.memory(packet);
  }

  config(): RouterConfig {
    return this.router.config;
  }

  startupConfig(): string | undefined {
    return this.startup.text;
  }

  isModified(): boolean {
    return this.#settled === undefined || !sameConfig(this.config(), this.#settled);
  }

  /**
   * Reads the startup file and puts it in force; sessions stay.
   * @returns undefined, or why not, which is in the log: then the configuration is as it was
   */
  async loadStartup(): Promise<string | undefined> {
    const refused = await this.#loadStartup().catch((error: unknown) => (error as Error).message);
    if (refused === undefined) return undefined;
    const text = `${this.startup.path}: ${refused}; the configuration stays as it is`;
    this.actions.log(3, 'SYS-3-CONFIG', text);
    return refused;
  }

  async #loadStartup(): Promise<string | undefined> {
    const { actions, router, startup } = this;
    const { config, errors, text } = await startup.read();
    const faults = errors.filter((e) => e.severity === 'error');
    for (const e of faults)
      actions.log(3, 'SYS-3-CONFIG', `${e.file}:${e.line}:${e.column}: % ${e.reason}: ${e.text.trim()}`);
    if (faults.length > 0) return `${faults.length} errors`;
    // The host is put right too, which takes its time, so only where it has to be.
    const refused = actions.apply(config, !(await router.hostHolds()));
    if (refused !== undefined) return refused;
    startup.text = text;
    this.#settled = this.config();
    for (const message of openMessages(startup.path, config)) router.write(message);
    return undefined;
  }

  #makeActions(): RouterActions {
    const { router, system } = this;
    return {
      apply: (config, thorough = false) => {
        const faults = unsupported(config);
        if (faults.length > 0) return faults.map((f) => f.reason).join('; ');
        const refusal = router.refusal(config);
        if (refusal !== undefined) return `${refusal} (start fw3640 with --shards 1)`;
        try {
          router.configure(config, thorough);
          return undefined;
        } catch (error) {
          if (error instanceof HostError) return error.message;
          throw error;
        }
      },
      writeStartup: (text) => {
        try {
          this.startup.write(text);
          this.#settled = text === runningConfig(this.config()) ? this.config() : undefined;
          return undefined;
        } catch (error) {
          return (error as Error).message;
        }
      },
      eraseStartup: (done) => {
        this.startup.erase().then(
          (kept) => {
            this.#settled = undefined;
            done({ kept });
          },
          (error: unknown) => done({ fault: (error as Error).message }),
        );
      },
      reload: (done) => {
        void this.loadStartup().then((refused) => {
          if (refused === undefined) this.#startAnew();
          done(refused);
        });
      },
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        timer.unref();
        return () => clearTimeout(timer);
      },
      setDebug: (flags) => router.setDebug(flags),
      clear: (clearing) => router.clear(clearing),
      capture: (change) => router.capture(change),
      verdicts: (from) => Promise.resolve(router.verdicts(from)),
      clearArp: () => system.clearArp(),
      clearLogging: () => router.log.clear(),
      clearInterfaceCounters: (name) => system.clearCounters(name),
      log: (severity, mnemonic, text) => router.write({ severity, mnemonic: `%${mnemonic}`, text, fields: {} }),
    };
  }

  /** All state of the running router goes, as it would with its memory. Packets wait meanwhile: they meet it empty. */
  #startAnew(): void {
    const { router, system } = this;
    router.clear({ what: 'everything' });
    router.setDebug(noDebug());
    router.log.clear();
    router.transcripts.clear();
    router.recent.clear();
    system.restart();
  }
}
