/** The router as its console knows it: views to print, actions to carry out. */
import { unsupported } from '../ios/config/unsupported.js';
import type { RouterConfig } from '../ios/config/model.js';
import type { ConsoleRouter, LogView, NameService, RouterActions } from '../ios/exec/router.js';
import { HostError } from '../host/host-system.js';
import { nameService } from '../io/resolver.js';
import { writeWhole } from '../io/whole-file.js';
import type { System } from '../host/system.js';
import type { Router } from './router.js';
import type { Prober } from '../core/probe/probe.js';
import type { RouterSnapshot } from '../core/state/snapshot.js';
import type { DebugFlags } from '../core/observe/debug.js';

export class RouterConsole implements ConsoleRouter {
  readonly snapshot: RouterSnapshot;
  readonly debug: DebugFlags;
  readonly log: LogView;
  readonly prober: Prober;
  readonly names: NameService = nameService;
  readonly actions: RouterActions;

  /**
   * @param file    the configuration file, which is also what `write memory` writes
   * @param startup its text
   */
  constructor(
    private readonly router: Router,
    readonly system: System,
    private readonly file: string,
    private startup: string,
  ) {
    this.snapshot = router.state;
    this.debug = router.engine.debug;
    this.log = router.log;
    this.prober = router.prober;
    this.actions = this.#makeActions();
  }

  config(): RouterConfig {
    return this.router.engine.config;
  }

  startupConfig(): string | undefined {
    return this.startup;
  }

  /** The file was read again: it is what a restart would start with. */
  noteStartup(text: string): void {
    this.startup = text;
  }

  #makeActions(): RouterActions {
    const { router, system } = this;
    const { sessions } = router.engine;
    return {
      apply: (config, thorough = false) => {
        const faults = unsupported(config);
        if (faults.length > 0) return faults.map((f) => f.reason).join('; ');
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
          writeWhole(this.file, text);
          this.startup = text;
          return undefined;
        } catch (error) {
          return (error as Error).message;
        }
      },
      clearSessions: (id) => {
        const ended = sessions.clear(id);
        router.flush();
        return ended;
      },
      clearTranslations: (which) => void router.engine.nat.translations.clear(which),
      clearAclCounters: (list) => {
        for (const acl of router.engine.accessLists.values()) {
          if (list === undefined || acl.name === list) acl.clearMatches();
        }
      },
      clearInspectStatistics: () => sessions.clearStatistics(router.now()),
      clearLogging: () => router.log.clear(),
      clearInterfaceCounters: (name) => system.clearCounters(name),
      log: (severity, mnemonic, text) => router.write({ severity, mnemonic: `%${mnemonic}`, text, fields: {} }),
    };
  }
}
