/** `show clock`. */
import type { RouterConfig } from '../config/model.js';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * `*21:51:35.886 UTC Fri Oct 18 2024`; the star says that no time source vouches for it.
 * @param detail names the time source: none, since the router does not know what keeps the time of its host
 */
export function showClock(config: RouterConfig, now: Date, detail = false): string {
  const zone = config.clock.timezone;
  const offset = zone === undefined ? 0 : zone.hours * 60 + Math.sign(zone.hours || 1) * zone.minutes;
  const d = new Date(now.getTime() + offset * 60_000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}.${String(d.getUTCMilliseconds()).padStart(3, '0')}`;
  const date = `${DAYS[d.getUTCDay()]!} ${MONTHS[d.getUTCMonth()]!} ${d.getUTCDate()} ${d.getUTCFullYear()}`;
  return `*${time} ${zone?.name ?? 'UTC'} ${date}\n${detail ? 'No time source\n' : ''}`;
}
