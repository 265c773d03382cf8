/** `show hosts`: how names are found, and the table of `ip host`. Answers of name servers are not kept. */
import type { RouterConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';

const ADDRESS_COLUMN = 54;

export function showHosts({ names, domainLookup }: RouterConfig): string {
  const domain = names.domain === undefined ? 'Default domain is not set' : `Default domain is ${names.domain}`;
  const servers = names.servers.length === 0 ? '255.255.255.255' : names.servers.map(formatAddress).join(', ');
  const lookup = domainLookup
    ? `Name/address lookup uses domain service\nName servers are ${servers}`
    : 'Name/address lookup uses static mappings';
  const rows = names.hosts.map((h) => {
    const head = `${h.name.padEnd(25)} ${String(h.port ?? 'None').padEnd(5)} (perm, OK)  0   IP    `;
    return `${head}${h.addresses.map(formatAddress).join(`\n${' '.repeat(ADDRESS_COLUMN)}`)}\n`;
  });
  return `${domain}
${lookup}

Codes: UN - unknown, EX - expired, OK - OK, ?? - revalidate
       temp - temporary, perm - permanent
       NA - Not Applicable None - Not defined

Host                      Port  Flags      Age Type   Address(es)
${rows.join('')}`;
}
