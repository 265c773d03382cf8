/** `ip port-map …`: services on other ports than their own (Port to Application Mapping, 12.0(5)T). */
import { SYSTEM_PORT_MAPS } from '../../core/inspect/port-map.js';
import type { ConfigEditor } from '../config/editor.js';
import type { PortMapLine } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { UNINSPECTED } from './inert/uninspected.js';

/** Names that `ip port-map` takes, besides those of the user's own (`user-…`, 12.4). */
const APPLICATIONS: ReadonlySet<string> = new Set([
  ...SYSTEM_PORT_MAPS.map((m) => m.application),
  ...UNINSPECTED,
  'esmtp',
]);

const PORTS = '[{tcp | udp}] {PORT:<1-65535> | from FROM:<1-65535> to LAST:<1-65535>}';
const LIST = '[list {LIST:<1-99> | LIST:<1300-1999>}]';

function read(editor: ConfigEditor, m: Match): PortMapLine | undefined {
  const application = m.word('APPLICATION').toLowerCase();
  if (!APPLICATIONS.has(application) && !application.startsWith('user-')) {
    editor.refuse(`${application} is no application that ip port-map knows`, m.column('APPLICATION'));
    return undefined;
  }
  const made: PortMapLine = { application, port: m.number(m.has('PORT') ? 'PORT' : 'FROM'), line: editor.line };
  if (m.has('tcp') || m.has('udp')) made.protocol = m.has('tcp') ? 'tcp' : 'udp';
  if (m.has('LAST')) made.last = m.number('LAST');
  if (m.has('LIST')) made.list = String(m.number('LIST'));
  if (m.has('DESCRIPTION')) made.description = m.word('DESCRIPTION');
  if (made.last !== undefined && made.last < made.port) {
    editor.refuse('the last port of a range is not under its first', m.column('LAST'));
    return undefined;
  }
  return made;
}

/** What the system has on a port of `m` for all hosts: the same service, another one's name, or nothing. */
function systemDefined({ application, protocol, port, last = port }: PortMapLine): { port: number; name: string }[] {
  const name = application === 'esmtp' ? 'smtp' : application;
  return SYSTEM_PORT_MAPS.filter(
    (s) => port <= s.port && s.port <= last && (protocol ?? s.protocol) === s.protocol && s.application !== name,
  ).map((s) => ({ port: s.port, name: s.application }));
}

const samePorts = (a: PortMapLine, b: PortMapLine): boolean =>
  a.port === b.port && (a.last ?? a.port) === (b.last ?? b.port) && a.list === b.list && a.protocol === b.protocol;

export const PORT_MAP_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    // 12.4 has the protocol, ranges and a description too.
    syntax: `ip port-map APPLICATION:WORD port ${PORTS} ${LIST} [description DESCRIPTION:LINE]`,
    help: {
      'port-map': 'Port to application mapping (PAM) configuration commands',
      APPLICATION: 'Application name',
      port: 'Associate a port number with the application',
      tcp: 'TCP ports',
      udp: 'UDP ports',
      PORT: 'Port number',
      from: 'Range of ports',
      FROM: 'First port number',
      to: 'Range of ports',
      LAST: 'Last port number',
      list: 'Host specific mapping: servers that a standard access list permits',
      LIST: 'Standard access list number',
      description: 'Description of the mapping',
      DESCRIPTION: 'Up to the end of the line',
    },
    set: (editor, m) => {
      const made = read(editor, m);
      if (made === undefined) return;
      // For single hosts even a port of the system may be another service's: that is what `list` is for.
      const [taken] = made.list === undefined ? systemDefined(made) : [];
      if (taken !== undefined) {
        editor.refuse(
          `Command fail: the port ${taken.port} has already been defined for ${taken.name} by the system. ` +
            'No change can be made to the system defined port mappings.',
          m.column(m.has('PORT') ? 'PORT' : 'FROM'),
        );
        return;
      }
      const { portMaps } = editor.config;
      const at = portMaps.findIndex((p) => samePorts(p, made));
      if (at < 0) portMaps.push(made);
      else portMaps[at] = made; // Inferred: the last line about a port counts, as a port has one service
    },
    unset: (editor, m) => {
      const gone = read(editor, m);
      if (gone === undefined) return;
      const { config } = editor;
      config.portMaps = config.portMaps.filter((p) => p.application !== gone.application || !samePorts(p, gone));
    },
  },
];
