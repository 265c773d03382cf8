/** Data planes that are no processes, for tests of what starts them and speaks with them. */
import type { PlaneProcess } from '../../src/control/data-plane-process.js';
import type { Found } from '../../src/control/takeover.js';
import { noDebug } from '../../src/core/observe/debug.js';
import type { FromDataPlane, Links, Status, ToDataPlane } from '../../src/core/plane.js';
import type { Policy } from '../../src/core/policy.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { BINDINGS, routerConfig } from '../support/router-config.js';

export class FakePlane implements PlaneProcess {
  receive: (message: FromDataPlane) => void = () => undefined;
  closed: (why: string | undefined) => void = () => undefined;
  hello: PlaneProcess['hello'] = { type: 'hello', build: 'b' };
  readonly name;
  readonly sent: ToDataPlane[] = [];
  /** What was done to it, in order. */
  readonly fate: string[] = [];
  said: string[] = [];
  /** It opens its queue as soon as it is told to. */
  ready = true;

  constructor(pid: number) {
    this.name = { pid, started: '1' };
  }
  send(message: ToDataPlane): void {
    this.sent.push(message);
    if (message.type === 'start' && this.ready) this.receive({ type: 'ready' });
  }
  claim(): void {
    this.fate.push('claim');
  }
  disconnect(): void {
    this.fate.push('disconnect');
  }
  stop(): Promise<void> {
    this.fate.push('stop');
    return Promise.resolve();
  }
  kill(): Promise<void> {
    this.fate.push('kill');
    return Promise.resolve();
  }
  complaints(): string[] {
    return this.said;
  }
  /** What it was told, by kind. */
  told<T extends ToDataPlane['type']>(type: T): Extract<ToDataPlane, { type: T }>[] {
    return this.sent.filter((m): m is Extract<ToDataPlane, { type: T }> => m.type === type);
  }
}

export const policyOf = (hostname = 'r', change: Parameters<typeof routerConfig>[0] = () => undefined): Policy =>
  compilePolicy(
    routerConfig((config) => {
      config.hostname = hostname;
      change(config);
    }),
    new Set(BINDINGS.keys()),
  );
export const LINKS: Links = { ingress: new Map([[7, 0]]), mtus: new Map([['Ethernet2/0', 1500]]) };
export const STATUS: Status = { losses: { badVerdicts: 2 }, cpuMs: 40, memory: 1000, leftOut: 3 };
export const DEBUG = { ...noDebug() };

export const atWork = (process: FakePlane, policy: Policy, said: FromDataPlane[] = []): Found => ({
  atWork: { process, policy, status: STATUS, unheard: 5, said },
});
