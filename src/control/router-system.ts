/** What the control plane's router has of the system. Tests have another one. */
import { chooseUser, type DataPlaneUser, starterHere } from '../host/data-plane-user.js';
import { lockPath } from '../host/host-journal.js';
import { HostKeeper, type KeptHost } from '../host/host-keeper.js';
import { HostSetup } from '../host/host-setup.js';
import { HostLock, HostWatch } from '../host/host-watch.js';
import { ShardFiles } from '../host/shard-files.js';
import { buildName } from '../io/build.js';
import { machineNow } from '../io/machine-clock.js';
import { copyState } from '../io/state-files.js';
import { PROGRAM_FILES } from './data-plane-process.js';
import { linux as processes, type Processes } from './supervisor.js';

/** What it has of the host. */
export type RouterHost = Pick<
  HostSetup,
  'isInherited' | 'takeOver' | 'apply' | 'change' | 'undo' | 'look' | 'takeMtus' | 'holds' | 'addressesOf' | 'link'
>;

export interface RouterSystem {
  /** The right to be the router here. @throws HostError where another process has it */
  takeLock(): { release(): void };
  /** @throws HostError if the journal of an earlier run cannot be read */
  openHost(): RouterHost;
  /** Tells of changes to the host. @throws HostError */
  watchHost(changed: () => void): { close(): void };
  keepHost(host: KeptHost): Pick<HostKeeper, 'changed' | 'stop'>;
  /** Who a data plane is to be. */
  chooseUser(): DataPlaneUser;
  buildName(): string;
  filesOf(shard: number): ShardFiles;
  processes: Processes;
  copyState: typeof copyState;
  /** Clock of the data planes, ms. */
  now(): number;
}

export const linux: RouterSystem = {
  takeLock: () => HostLock.take(lockPath()),
  openHost: () => new HostSetup(),
  watchHost: (changed) => new HostWatch(changed),
  keepHost: (host) => new HostKeeper(host),
  chooseUser: () => chooseUser(starterHere(), PROGRAM_FILES),
  buildName,
  filesOf: (shard) => new ShardFiles(undefined, shard),
  processes,
  copyState,
  now: machineNow,
};
