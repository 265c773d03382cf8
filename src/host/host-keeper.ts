/**
 * Keeps the host as the configuration says while the router runs: hears of changes, says what became of links, has put
 * right what somebody has changed, and announces addresses by ARP. Packets go on meanwhile.
 */
import { HostError } from './host-system.js';
import type { HostLook } from './host-setup.js';

/** Changes come in bursts: it looks when they have paused for this long. */
const SETTLE_MS = 100;
/** iptables-legacy tells nobody of its rules: it looks now and then without being told. */
const LOOK_ANYWAY_MS = 30_000;
/** Repairs in a minute. Somebody else who sets the same things again and again must not keep the router busy. */
const MOST_REPAIRS = 10;
const MINUTE_MS = 60_000;
/** Announcements at a time, and the pause between two of them: 4,096 inside global addresses must not be one burst. */
const ANNOUNCED_AT_ONCE = 64;
const ANNOUNCE_PAUSE_MS = 20;
/** RFC 5227 §2.3 has two announcements, two seconds apart. */
const ANNOUNCE_AGAIN_MS = 2000;

/** What the keeper needs of the router. */
export interface KeptHost {
  look(): Promise<HostLook>;
  /** Makes the host anew as the configuration says. @throws HostError */
  repair(): void;
  /** Goes by the MTUs that links have now. @returns the devices where they have changed */
  takeMtus(look: HostLook): string[];
  /** IOS name → Linux interface. */
  readonly bindings: ReadonlyMap<string, string>;
  isShutdown(name: string): boolean;
  addressesOf(device: string): number[];
  /** @returns how many were announced, or the name of the errno */
  announce(ifindex: number, addresses: readonly number[]): number | string;
  say(severity: number, facility: string, text: string, mnemonic: string): void;
}

type State = 'up' | 'down' | 'shutdown' | 'gone';

export class HostKeeper {
  readonly #states = new Map<string, State>();
  #timer: NodeJS.Timeout | undefined;
  readonly #slow: NodeJS.Timeout;
  #looking = false;
  #again = false;
  #stopped = false;
  #repairs: number[] = [];
  #saidBusy = false;
  #refusal = '';

  constructor(private readonly host: KeptHost) {
    this.#slow = setInterval(() => this.changed(), LOOK_ANYWAY_MS);
    this.#slow.unref();
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#review();
    }, SETTLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#slow);
    clearTimeout(this.#timer);
  }

  async #review(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      const look = await this.host.look();
      if (!this.#stopped) this.#act(look);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#refused(error.message);
    } finally {
      this.#looking = false;
      if (this.#again) this.changed();
      this.#again = false;
    }
  }

  #act(look: HostLook): void {
    this.#noteLinks(look);
    for (const device of this.host.takeMtus(look)) {
      const mtu = look.links.get(device)?.mtu ?? 0;
      this.host.say(6, '%HOST', `'${device}' takes packets of ${mtu} bytes now`, 'MTU');
    }
    const { differences } = look;
    if (differences.length === 0) {
      this.#refusal = '';
      return;
    }
    const gone = [...look.links].find(([, link]) => link === undefined);
    if (gone !== undefined) return; // it was said; the rules stand, and it will be told of when it is back
    if (!this.#mayRepair()) return;
    try {
      this.host.repair();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#refused(error.message);
      return;
    }
    this.host.say(4, '%HOST', `set right what was changed on this host: ${summary(differences)}`, 'REPAIRED');
    this.#announceAll(look);
    this.changed(); // it holds now, or it has not been possible
  }

  #mayRepair(): boolean {
    const now = performance.now();
    this.#repairs = this.#repairs.filter((at) => now - at < MINUTE_MS);
    if (this.#repairs.length < MOST_REPAIRS) {
      this.#repairs.push(now);
      this.#saidBusy = false;
      return true;
    }
    if (!this.#saidBusy) {
      const text = `somebody changes this host again and again: ${MOST_REPAIRS} repairs in a minute, no more before it is over`;
      this.host.say(4, '%HOST', text, 'CONTESTED');
    }
    this.#saidBusy = true;
    return false;
  }

  /** Says it once, until something else is the matter. */
  #refused(message: string): void {
    if (message !== this.#refusal) this.host.say(3, '%HOST', `this host is not as configured: ${message}`, 'REFUSED');
    this.#refusal = message;
  }

  /** As IOS says it; the first time only of links that are down. */
  #noteLinks(look: HostLook): void {
    const { host } = this;
    for (const [name, device] of host.bindings) {
      const link = look.links.get(device);
      const state: State =
        link === undefined
          ? 'gone'
          : host.isShutdown(name)
            ? 'shutdown'
            : link.state === 'up' && link.carrier
              ? 'up'
              : 'down';
      const before = this.#states.get(name);
      this.#states.set(name, state);
      if (before === state) continue;
      if (before !== undefined || state === 'down' || state === 'gone') this.#sayLink(name, device, state, before);
      if (state === 'up' && link !== undefined) this.#announce(link.index, host.addressesOf(device));
    }
  }

  #sayLink(name: string, device: string, state: State, before: State | undefined): void {
    const { host } = this;
    const word = state === 'up' ? 'up' : 'down';
    if (state === 'shutdown')
      host.say(5, '%LINK', `Interface ${name}, changed state to administratively down`, 'CHANGED');
    else if (!(before === 'gone' && state === 'down') && !(before === 'down' && state === 'gone'))
      host.say(3, '%LINK', `Interface ${name}, changed state to ${word}`, 'UPDOWN');
    if (state === 'gone')
      host.say(4, '%HOST', `there is no interface '${device}' any more: ${name} waits for it`, 'GONE');
    if ((state === 'up') !== (before === 'up' || before === undefined))
      host.say(5, '%LINEPROTO', `Line protocol on Interface ${name}, changed state to ${word}`, 'UPDOWN');
  }

  #announceAll(look: HostLook): void {
    for (const [device, link] of look.links) {
      if (link !== undefined) this.#announce(link.index, this.host.addressesOf(device));
    }
  }

  #announce(ifindex: number, addresses: readonly number[]): void {
    const rounds = [...addresses, ...addresses];
    const send = (from: number): void => {
      if (this.#stopped || from >= rounds.length) return;
      const to = Math.min(from + ANNOUNCED_AT_ONCE, from < addresses.length ? addresses.length : rounds.length);
      const sent = this.host.announce(ifindex, rounds.slice(from, to));
      if (typeof sent === 'string') return; // the link went away again, or it is no Ethernet
      setTimeout(() => send(to), to === addresses.length ? ANNOUNCE_AGAIN_MS : ANNOUNCE_PAUSE_MS).unref();
    };
    send(0);
  }
}

/** The first few, and how many more. */
function summary(differences: readonly string[]): string {
  const most = 5;
  const more = differences.length - most;
  return differences.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
