/**
 * Commands of IOS 12.x that filter or translate and that we cannot carry out. Ignoring them would let pass what the
 * author of the configuration meant to stop, so each is an error that says why.
 */
import type { ConfigEditor } from '../config/editor.js';
import type { Command } from '../grammar/command.js';

const REFUSED = 'Not supported: refused';

const refused = ([syntax, reason]: readonly [string, string]): Command<ConfigEditor> => {
  const words = syntax.split(' ').filter((w) => w !== '...');
  const path = words.map((w) => w.split(':')[0]!);
  return {
    syntax: syntax.replace(' ...', ' [REST:LINE]'),
    help: { [path.join(' ')]: REFUSED, [path[0]!]: REFUSED, REST: REFUSED },
    set: (editor) => editor.refuse(reason),
  };
};

const STATIC = 'ip nat inside source static';
const ZONES = 'the zone-based firewall (12.4(6)T) is not supported: use ip inspect';

export const UNSUPPORTED_GLOBAL_COMMANDS = (
  [
    ['zone security ...', ZONES],
    ['zone-pair security ...', ZONES],
    ['class-map type ...', ZONES],
    ['policy-map type ...', ZONES],
    ['parameter-map type ...', ZONES],
    ['appfw ...', 'application firewall policies are not supported'],
    ['ip inspect name NAME:WORD appfw ...', 'application firewall policies are not supported'],
    ['ip inspect name NAME:WORD http urlfilter ...', 'URL filtering is not supported'],
    ['ip inspect name NAME:WORD parameter ...', 'inspection parameters are not supported'],
    ['ip inspect name NAME:WORD user-defined ...', 'user-defined protocols are not supported'],
    ['ip urlfilter ...', 'URL filtering is not supported'],
    ['ip nat outside source ...', 'translation of outside addresses is not supported'],
    ['ip nat inside destination ...', 'translation of destinations is not supported'],
    [`${STATIC} LOCAL:ADDRESS GLOBAL:ADDRESS route-map ...`, 'translation by route map is not supported'],
    [
      `${STATIC} LOCAL:ADDRESS interface ...`,
      'translation of a whole host to an interface is not supported: give ports',
    ],
    [`${STATIC} esp ...`, 'translation of IPsec is not supported'],
    ['username NAME:WORD nopassword ...', 'users without a password are not supported'],
    ['ip nat inside source route-map ...', 'translation by route map is not supported'],
    ['ip nat stateful ...', 'stateful translation is not supported'],
    ['access-list NUMBER:<100-199> dynamic ...', 'dynamic access list entries (lock-and-key) are not supported'],
    ['access-list NUMBER:<2000-2699> dynamic ...', 'dynamic access list entries (lock-and-key) are not supported'],
    ['object-group ...', 'object groups are not supported'],
  ] as const
).map(refused);

export const UNSUPPORTED_INTERFACE_COMMANDS = (
  [
    ['zone-member security ...', ZONES],
    ['ip nat enable', 'the NAT virtual interface is not supported: use ip nat inside and ip nat outside'],
  ] as const
).map(refused);
