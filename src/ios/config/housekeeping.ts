/**
 * Which unknown lines may be left out under `--lenient`: those that cannot be about what is filtered, translated,
 * inspected, routed, or who may log in. A slip of the pen counts as the word that was meant: `acess-list` is refused.
 */

/** Words that begin a line, or stand second in one, of what protects. */
const PROTECTED = `
  access-list access-group access-class acl interface ip address nat inspect route router routing line username user
  enable password secret login aaa zone zone-pair class-map policy-map parameter-map control-plane
  object-group crypto permit deny evaluate dynamic reflect verify intercept virtual-reassembly port-map urlfilter
  shutdown firewall filter options mac vlan route-map prefix-list time-range privilege transport vrf tcp udp icmp
  hostname banner logging end exit
`
  .trim()
  .split(/\s+/);

/** Letters that were added, left out or changed between two words, up to three. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** Short words are nearly everything: they have to be the word itself, or begin it. */
function isNear(word: string, known: string): boolean {
  if (known.startsWith(word) || word.startsWith(`${known}-`)) return true;
  return known.length > 4 && distance(word, known) <= 2;
}

/** @param block an unknown line and what is indented under it */
export function isHousekeeping(block: readonly string[]): boolean {
  return block.every((line, i) => {
    const words = line.trim().toLowerCase().split(/\s+/);
    const telling = words.filter((w) => w !== 'no' && w !== 'default').slice(0, i === 0 ? 3 : 1);
    return (
      telling.every((w, n) => (n > 0 && /^[\d.:/]+$/.test(w)) || !PROTECTED.some((known) => isNear(w, known))) &&
      !words.some((w) => w === 'permit' || w === 'deny')
    );
  });
}
