/** A console command that runs on, driven by the test: what it sent, what comes of it, what is on the screen. */
import { readFileSync } from 'node:fs';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { NO_TRAFFIC } from '../../../src/ios/show/interfaces.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import type { Probe, ProbeOutcome } from '../../../src/core/probe/probe.js';
import type { InterfaceSnapshot } from '../../../src/core/state/snapshot.js';
import { fakeRouter, type FakeRouter } from './fake-router.js';

const LIVE: Omit<InterfaceSnapshot, 'name'> = { ...NO_TRAFFIC, lineUp: true, kbits: 10_000 };

/** The router of 3640.cfg, both Ethernets up. @param lines more configuration */
export function routerUp(lines = ''): FakeRouter {
  const router = fakeRouter(readFileSync('config/3640.cfg', 'utf8').replace(/\nend\n/, `\n${lines}\nend\n`));
  router.system.interfaces = () => ['Ethernet2/0', 'Ethernet2/1'].map((name) => ({ ...LIVE, name }));
  return router;
}

export const REPLY = (ms = 3): ProbeOutcome => ({ kind: 'reply', ms });
export const TIMEOUT: ProbeOutcome = { kind: 'timeout' };
export const icmpError = (type: number, code: number, from: string, ms = 3, mtu = 0): ProbeOutcome => ({
  kind: 'error',
  type,
  code,
  from: parseAddress(from)!,
  mtu,
  ms,
});

export class RunningCommand {
  screen = '';
  /** Whether the command was refused; undefined: it runs. */
  failed: boolean | undefined;
  /** Every probe, in order. */
  readonly sent: Probe[] = [];

  /** Types the lines, the last of which leaves a command running. */
  constructor(
    readonly router: FakeRouter,
    lines: readonly string[],
    readonly session = new ConsoleSession(router, 'console', 15),
  ) {
    for (const line of lines) {
      // Of the commands themselves only what they print; of questions the answers too.
      if (session.asking) this.screen += `${session.prompt}${line}\n`;
      this.screen += session.execute(line).output;
    }
    session.runJob(
      (text) => (this.screen += text),
      (failed) => (this.failed = failed),
    );
  }

  /** What comes of the probe that waits, one after the other. */
  outcomes(...outcomes: readonly ProbeOutcome[]): this {
    for (const outcome of outcomes) {
      const one = this.router.probes.shift();
      if (one === undefined) throw new Error(`no probe waits; the screen is:\n${this.screen}`);
      this.sent.push(one.probe);
      one.done(outcome);
    }
    return this;
  }
}
