/** Lengths of time as IOS prints them. Milliseconds in. */

const two = (n: number): string => String(n).padStart(2, '0');

/** `hh:mm:ss`; hours run on past a day. */
export function hoursMinutesSeconds(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** As `show` gives an age: `00:10:02`, from a day on `1d02h`, from a week on `3w4d`, from a year on `1y2w`. */
export function age(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  if (hours < 24) return hoursMinutesSeconds(ms);
  const days = Math.floor(hours / 24);
  if (days < 7) return `${days}d${two(hours % 24)}h`;
  const weeks = Math.floor(days / 7);
  if (days < 365) return `${weeks}w${days % 7}d`;
  return `${Math.floor(days / 365)}y${Math.floor((days % 365) / 7)}w`;
}

/** As `show version` gives the uptime: `2 weeks, 1 day, 4 hours, 10 minutes`. */
export function uptimeWords(ms: number): string {
  let minutes = Math.floor(ms / 60_000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ['year', 525_600],
    ['week', 10_080],
    ['day', 1440],
    ['hour', 60],
  ] as const) {
    const n = Math.floor(minutes / size);
    minutes %= size;
    if (n > 0) parts.push(`${n} ${unit}${n === 1 ? '' : 's'}`);
  }
  parts.push(`${minutes} minute${minutes === 1 ? '' : 's'}`);
  return parts.join(', ');
}
