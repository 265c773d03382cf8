/**
 * What is right by the manual and still goes wrong on a busy network: said by `fw3640 check`, each with what to set.
 * No warnings: a configuration that was meant so is not at fault.
 */
import { inspectDefaults, smtpDefaults } from './config/defaults.js';
import type { InspectedProtocol, LineConfig, RouterConfig } from './config/model.js';

export interface Advice {
  /** Of the file, from 1; 0 where no line stands for it. */
  line: number;
  /** One or two sentences. */
  text: string;
}

/** In the order of what it is about. */
export function advice(config: RouterConfig): Advice[] {
  return [...thresholds(config), ...mail(config), ...translatedFtp(config), ...terminalLines(config)];
}

/** Protocols of the rules that are applied to an interface, with the name of their rule. */
function applied(config: RouterConfig): { rule: string; protocol: InspectedProtocol }[] {
  const names = new Set(config.interfaces.flatMap((i) => [i.inspectIn, i.inspectOut]));
  return [...config.inspectionRules.values()]
    .filter((r) => names.has(r.name))
    .flatMap((r) => r.protocols.map((protocol) => ({ rule: r.name, protocol })));
}

/** Half-open sessions to one host that a flood of 200 SYNs a second leaves no room among. */
const FLOODED_HOST = 1000;

function thresholds(config: RouterConfig): Advice[] {
  const { oneMinuteHigh, maxIncompleteHigh, hostMaxIncomplete, hostBlockMinutes } = config.inspect;
  const defaults = inspectDefaults();
  const inspected = applied(config).map((a) => a.protocol.protocol);
  const said: string[] = [];
  if (
    inspected.length > 0 &&
    (oneMinuteHigh <= defaults.oneMinuteHigh || maxIncompleteHigh <= defaults.maxIncompleteHigh)
  )
    said.push(
      `ip inspect one-minute high ${oneMinuteHigh}, max-incomplete high ${maxIncompleteHigh}: numbers of 1998. Over ` +
        'them each new session ends a half-open one, so that a server with more than 500 new sessions a minute loses ' +
        'good ones. For a busy server: ip inspect one-minute high 60000, one-minute low 50000, max-incomplete high ' +
        '20000, max-incomplete low 15000',
    );
  if (inspected.some((p) => p !== 'udp' && p !== 'icmp') && hostMaxIncomplete < FLOODED_HOST)
    said.push(
      `ip inspect tcp max-incomplete host ${hostMaxIncomplete}: 200 SYNs a second with forged sources keep so many ` +
        `half-open for good, and ${hostBlockMinutes > 0 ? 'the server is blocked for everybody' : 'every client is shut out'}. ` +
        'Set ip inspect tcp max-incomplete host 10000, or let ip tcp intercept answer for the server',
    );
  return said.map((text) => ({ line: 0, text }));
}

function mail(config: RouterConfig): Advice[] {
  const said = new Map<string, number>();
  for (const { rule, protocol: p } of applied(config)) {
    if (p.smtp === undefined) continue;
    const name = `ip inspect name ${rule} ${p.protocol}`;
    const say = (text: string): unknown => said.set(text, p.line ?? 0);
    if (p.smtp.maxData === smtpDefaults().maxData)
      say(
        `${name}: max-data is ${p.smtp.maxData} bytes of a session, which in base64 is an attachment of about 15 MB. ` +
          'For bigger ones: max-data 50000000',
      );
    if (p.protocol === 'smtp')
      say(
        `${name}: EHLO is masked, so that no mail is encrypted on its way (STARTTLS). esmtp is the rule that knows it`,
      );
    else if (!p.smtp.allow.includes('STARTTLS'))
      say(
        `${name}: STARTTLS is masked, so that mail goes in clear. allow STARTTLS passes it, and looks at nothing behind it`,
      );
    else say(`${name}: allow STARTTLS: what comes behind STARTTLS is encrypted and not inspected`);
  }
  return [...said].map(([text, line]) => ({ line, text }));
}

/** A 3640 translates the addresses in FTP by NAT alone; here the inspector does it, and there is none without a rule. */
function translatedFtp(config: RouterConfig): Advice[] {
  const { staticEntries, dynamic } = config.nat;
  const first = staticEntries[0] ?? dynamic[0];
  if (first === undefined || applied(config).some((a) => a.protocol.protocol === 'ftp')) return [];
  const text =
    'ip nat: the addresses in FTP commands and replies are translated only where ip inspect name NAME ftp looks into ' +
    'the connection, and no interface has such a rule: inside addresses would go out, and data connections fail';
  return [{ line: first.line ?? 0, text }];
}

function terminalLines(config: RouterConfig): Advice[] {
  const { blockFor, quietModeList } = config.login;
  const said: Advice[] = [];
  if (blockFor !== undefined && quietModeList === undefined)
    said.push({
      line: config.login.line ?? 0,
      text:
        `login block-for: whoever reaches the terminal lines shuts everybody out for ${blockFor.seconds} s with ` +
        `${blockFor.attempts} wrong passwords. login quiet-mode access-class names who may log in all the same`,
    });
  for (const l of config.lines) {
    const name = `line ${l.kind} ${l.first}${l.first === l.last ? '' : ` ${l.last}`}`;
    const say = (key: keyof NonNullable<LineConfig['lines']>, text: string): unknown =>
      said.push({ line: l.lines?.[key] ?? 0, text: `${name}: ${text}` });
    if (l.kind === 'vty' && l.transportInput?.includes('telnet') === false && l.transportInput.length > 0)
      say(
        'transportInput',
        `takes no telnet, and there is no ${l.transportInput.join(', ')} here: nobody gets in by --vty`,
      );
    if (l.kind === 'con' && !l.exec) say('exec', 'no exec: the console socket of root is open all the same');
    if (l.sessionLimit !== undefined) say('sessionLimit', 'session-limit: there are no outgoing sessions to limit');
  }
  return said;
}
