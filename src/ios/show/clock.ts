/** `show clock`. */
import type { RouterConfig } from '../config/model.js';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * `*21:51:35.886 UTC Fri Oct 18 2024`; the star says that no time source vouches for it.
 * @param detail names the time source: none, since the router does not know what keeps the time of its host
 */
export function showClock(config: RouterConfig, now: Date, detail = false): string {
  const [time, rest] = parts(config, now);
  return `*${time}.${String(now.getUTCMilliseconds()).padStart(3, '0')} ${rest}\n${detail ? 'No time source\n' : ''}`;
}

/** As a dump of captured packets has it: `13:35:46.019 UTC Nov 29 2025`. */
export function dumpTime(config: RouterConfig, now: Date): string {
  const [time, rest] = parts(config, now);
  return `${time}.${String(now.getUTCMilliseconds()).padStart(3, '0')} ${rest.replace(/ \w{3}/, '')}`;
}

/** As messages have it: `21:51:35 UTC Fri Oct 18 2024`. */
export const clockTime = (config: RouterConfig, now: Date): string => parts(config, now).join(' ');

/** How far the router's clock is ahead of UTC. */
export function clockZoneMinutes({ clock: { timezone: zone } }: RouterConfig): number {
  return zone === undefined ? 0 : zone.hours * 60 + Math.sign(zone.hours || 1) * zone.minutes;
}

/** The time to the second; time zone and date. */
function parts(config: RouterConfig, now: Date): [string, string] {
  const d = new Date(now.getTime() + clockZoneMinutes(config) * 60_000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  const date = `${DAYS[d.getUTCDay()]!} ${MONTHS[d.getUTCMonth()]!} ${d.getUTCDate()} ${d.getUTCFullYear()}`;
  return [time, `${config.clock.timezone?.name ?? 'UTC'} ${date}`];
}
