/** `service timestamps {debug|log}`: what stands before a message, e.g. `*Oct 18 21:51:35.886: `. */
import type { Timestamps } from './config/model.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The time stamp with its colon and blank; empty for `no service timestamps`.
 * The leading `*` says that no time source vouches for the clock: we speak no NTP.
 * @param uptimeMs ms since the start, for `uptime`
 */
export function formatTimestamp(t: Timestamps, date: Date, uptimeMs: number): string {
  switch (t.kind) {
    case 'none':
      return '';
    case 'uptime':
      return `${formatUptime(uptimeMs)}: `;
    case 'datetime':
      return `*${formatDate(date, t.msec, t.localtime, t.year)}${t.showTimezone ? ` ${zone(t.localtime)}` : ''}: `;
  }
}

/** `Oct 18 21:51:35.886`; the day is padded with a blank. UTC unless `localtime`. */
export function formatDate(date: Date, msec: boolean, localtime: boolean, year: boolean): string {
  const d = localtime ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date;
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = String(d.getUTCDate()).padStart(2, ' ');
  const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  return (
    `${MONTHS[d.getUTCMonth()]!} ${day}${year ? ` ${d.getUTCFullYear()}` : ''} ${time}` +
    (msec ? `.${String(d.getUTCMilliseconds()).padStart(3, '0')}` : '')
  );
}

const zone = (localtime: boolean): string => (localtime ? 'local' : 'UTC');

/** `00:10:02` under a day, `1d02h` under a week, `1w2d` beyond. */
export function formatUptime(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const days = Math.floor(s / 86_400);
  if (days === 0) return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return days < 7 ? `${days}d${two(Math.floor(s / 3600) % 24)}h` : `${Math.floor(days / 7)}w${days % 7}d`;
}
