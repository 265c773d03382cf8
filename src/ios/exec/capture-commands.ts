/** `monitor capture …` and `show monitor capture …`: Embedded Packet Capture of IOS 12.4(20)T. */
import {
  type BufferSettings,
  type CaptureChange,
  type CaptureDirection,
  ETHERNET_HEADER,
  LEAST_MAX_SIZE,
  MOST_BUFFERS,
  MOST_MAX_SIZE,
  MOST_POINTS,
  MOST_SIZE_KB,
  type PointSettings,
} from '../../core/capture/capture.js';
import { pcapFile } from '../../core/capture/pcap-file.js';
import { frameOf, hardwareAddresses } from '../capture/frame.js';
import { verdictLines } from '../capture/verdict-lines.js';
import type { Match } from '../grammar/match.js';
import {
  noBuffer,
  noPoint,
  showCaptureDump,
  showCaptureParameters,
  showCapturePoints,
} from '../show/monitor-capture.js';
import type { Exec, ExecCommand } from './context.js';
import { CopyJob } from './copy-job.js';
import { fileOf } from './copy-commands.js';
import { parsePlace } from './copy-place.js';

const HELP = {
  monitor: 'Monitoring different system events',
  'monitor capture': 'Capture packets',
  'show monitor': 'Monitoring different system events',
  'capture buffer': 'Control Capture Buffers',
  'capture point': 'Control Capture Points',
  BUFFER: 'Name of the Capture Buffer',
  POINT: 'Name of the Capture Point',
  circular: 'Circular Buffer',
  'BUFFER clear': 'Clear contents of capture buffer',
  export: 'Export in Pcap format',
  URL: 'Location to dump buffer: flash:NAME, tftp://HOST/NAME, ftp://USER:PASSWORD@HOST/NAME',
  'BUFFER filter': 'Configure filters',
  'filter access-list': 'Access list for the filter',
  LIST: 'Access list name or number',
  'BUFFER limit': 'Limit the packets dumped to the buffer',
  'allow-nth-pak': 'Allow every nth packet through',
  'limit duration': 'Duration of capture in seconds',
  'packet-count': 'Number of packets to capture',
  'packets-per-sec': 'Packets per second to be allowed',
  linear: 'Linear Buffer(Default)',
  'max-size': 'Maximum size of element in the buffer (in bytes)',
  'BUFFER size': 'Packet Dump buffer size (in Kbytes)',
  SIZE: 'Buffer size in Kbytes : 512K or less (default is 256K)',
  MAX: 'Maximum size of element in bytes (default is 68)',
  associate: 'Associate capture point with capture buffer',
  disassociate: 'Dis-associate capture point from capture buffer',
  'point ip': 'IPv4',
  'point start': 'Enable Capture Point',
  'point stop': 'Disable Capture Point',
  cef: 'IPv4 CEF',
  'process-switched': 'Process switched packets',
  both: 'capture ingress and egress',
  in: 'capture on ingress',
  out: 'capture on egress',
  'from-us': 'capture packets that the router sends itself',
  all: 'All',
  dump: 'Hex Dump of captured Packets',
  parameters: 'Parameters of capture buffer',
  verdicts: 'What becomes of packets, for fw3640 capture',
  FROM: 'Number of the first one; 0 for those to come',
};

const READS = ['captures'] as const;
type Change = (m: Match, exec: Exec) => CaptureChange | string;

/** A command that changes something, or prints why not. */
const command = (syntax: string, set: Change, unset?: Change, unsetSyntax?: string): ExecCommand => {
  const handler = (of: Change) => (exec: Exec, m: Match) => {
    const change = of(m, exec);
    if (typeof change === 'string') exec.print(change);
    else exec.router.actions.capture(change);
  };
  return {
    privilege: 15,
    syntax,
    help: HELP,
    reads: READS,
    set: handler(set),
    ...(unset !== undefined && { unset: handler(unset) }),
    ...(unsetSyntax !== undefined && { unsetSyntax }),
  };
};

const hasBuffer = ({ router }: Exec, name: string): boolean =>
  router.snapshot.captures().buffers.some((b) => b.name === name);
const pointOf = ({ router }: Exec, name: string) => router.snapshot.captures().points.find((p) => p.name === name);

/** Makes the buffer where there is none. */
function setBuffer(m: Match, exec: Exec): CaptureChange | string {
  const name = m.word('BUFFER');
  // Ours: IOS has as many as its memory holds.
  if (!hasBuffer(exec, name) && exec.router.snapshot.captures().buffers.length >= MOST_BUFFERS)
    return `% No more than ${MOST_BUFFERS} capture buffers\n`;
  const kind = m.optionalWord('KIND');
  const [sizeKb, maxSize] = [m.optionalNumber('SIZE'), m.optionalNumber('MAX')];
  const settings = {
    ...(kind !== undefined && { circular: kind === 'circular' }),
    ...(sizeKb !== undefined && { sizeKb }),
    ...(maxSize !== undefined && { maxSize }),
  };
  return { change: 'buffer', name, settings };
}

/** Changes a buffer that is there. Inferred: filter and limits make none. */
const setOf =
  (settings: (m: Match) => Partial<BufferSettings>): Change =>
  (m, exec) => {
    const name = m.word('BUFFER');
    return hasBuffer(exec, name) ? { change: 'buffer', name, settings: settings(m) } : noBuffer(name);
  };

function makePoint(settings: (m: Match) => PointSettings): Change {
  return (m, exec) => {
    const name = m.word('POINT');
    // Inferred: both refusals, in words of the others.
    if (pointOf(exec, name) !== undefined) return `Capture point ${name} already exists\n`;
    if (exec.router.snapshot.captures().points.length >= MOST_POINTS)
      return `% No more than ${MOST_POINTS} capture points\n`;
    return { change: 'point', name, settings: settings(m) };
  };
}

const removePoint: Change = (m, exec) => {
  const name = m.word('POINT');
  return pointOf(exec, name) === undefined ? noPoint(name) : { change: 'no-point', name };
};

function associate(m: Match, exec: Exec): CaptureChange | string {
  const [name, buffer] = [m.word('POINT'), m.word('BUFFER')];
  const point = pointOf(exec, name);
  if (point === undefined) return noPoint(name);
  if (!hasBuffer(exec, buffer)) return noBuffer(buffer);
  // Inferred.
  if (point.active) return `Capture point ${name} is active\n`;
  return { change: 'associate', name, buffer };
}

/** `start` and `stop` of one point, or of all. */
const turn =
  (change: 'start' | 'stop'): Change =>
  (m, exec) => {
    if (m.has('ALL')) return { change, name: undefined };
    const name = m.word('POINT');
    const point = pointOf(exec, name);
    if (point === undefined) return noPoint(name);
    // Inferred: a point without a buffer has nowhere to put packets.
    if (change === 'start' && point.buffer === undefined)
      return `Capture point ${name} is not associated with a capture buffer\n`;
    return { change, name };
  };

/** Writes the buffer to a file. Inferred: what is printed meanwhile, as `copy` does. */
function exportBuffer({ router, terminal, print }: Exec, m: Match): void {
  const name = m.word('BUFFER');
  const buffer = router.snapshot.captures().buffers.find((b) => b.name === name);
  if (buffer === undefined) {
    print(noBuffer(name));
    return;
  }
  const place = parsePlace(m.word('URL'));
  const to = place?.kind === 'flash' || place?.kind === 'remote' ? fileOf(router, place) : undefined;
  if (
    to === undefined ||
    (to.kind === 'flash' ? to.name : to.kind === 'remote' ? to.file.path && to.host : '') === ''
  ) {
    print('%Error parsing filename (No such device)\n');
    return;
  }
  const addresses = hardwareAddresses(router.system.interfaces());
  const records = router.snapshot.captured(name).map((p) => ({
    timeMs: p.timeMs,
    bytes: frameOf(p, addresses),
    length: p.length + ETHERNET_HEADER,
  }));
  const bytes = pcapFile(records, buffer.settings.maxSize);
  terminal.run(new CopyJob(router, terminal, { kind: 'bytes', name: `capture buffer ${name}`, bytes }, to));
}

const LIMITS: readonly (readonly [words: string, setting: keyof BufferSettings])[] = [
  ['allow-nth-pak', 'nth'],
  ['duration', 'duration'],
  ['packet-count', 'packets'],
  ['packets-per-sec', 'packetsPerSecond'],
];

const limitCommands = LIMITS.map(([words, setting]) =>
  command(
    `monitor capture buffer BUFFER:WORD limit ${words} N:<1-2147483647>`,
    setOf((m) => ({ [setting]: m.number('N') })),
    setOf(() => ({ [setting]: 0 })),
    `monitor capture buffer BUFFER:WORD limit ${words} [N:<1-2147483647>]`,
  ),
);

const POINT = 'monitor capture point';

export const CAPTURE_COMMANDS: readonly ExecCommand[] = [
  command(
    `monitor capture buffer BUFFER:WORD [KIND:{circular | linear}] [size SIZE:<1-${MOST_SIZE_KB}>] ` +
      // Inferred: the least; what is shorter shows no header whole.
      `[max-size MAX:<${LEAST_MAX_SIZE}-${MOST_MAX_SIZE}>]`,
    setBuffer,
    (m, exec) => {
      const name = m.word('BUFFER');
      return hasBuffer(exec, name) ? { change: 'no-buffer', name } : noBuffer(name);
    },
    'monitor capture buffer BUFFER:WORD',
  ),
  command('monitor capture buffer BUFFER:WORD clear', (m, exec) => {
    const name = m.word('BUFFER');
    return hasBuffer(exec, name) ? { change: 'clear', name } : noBuffer(name);
  }),
  command(
    'monitor capture buffer BUFFER:WORD filter access-list LIST:WORD',
    setOf((m) => ({ list: m.word('LIST') })),
    setOf(() => ({ list: undefined })),
    'monitor capture buffer BUFFER:WORD filter access-list [LIST:WORD]',
  ),
  ...limitCommands,
  {
    privilege: 15,
    syntax: 'monitor capture buffer BUFFER:WORD export URL:FILE',
    help: HELP,
    reads: ['captures', 'captured'],
    set: exportBuffer,
  },
  command(
    `${POINT} ip cef POINT:WORD {INTERFACE:INTERFACE | ALL:{all}} DIRECTION:{both | in | out}`,
    makePoint((m) => ({
      path: 'cef',
      interface: m.optionalWord('INTERFACE'),
      direction: m.word('DIRECTION') as CaptureDirection,
    })),
    removePoint,
    `${POINT} ip cef POINT:WORD [{INTERFACE:INTERFACE | ALL:{all}} [DIRECTION:{both | in | out}]]`,
  ),
  command(
    `${POINT} ip process-switched POINT:WORD DIRECTION:{both | from-us | in | out}`,
    makePoint((m) => ({
      path: 'process',
      interface: undefined,
      direction: m.word('DIRECTION') as CaptureDirection,
    })),
    removePoint,
    `${POINT} ip process-switched POINT:WORD [DIRECTION:{both | from-us | in | out}]`,
  ),
  command(`${POINT} associate POINT:WORD BUFFER:WORD`, associate),
  command(`${POINT} disassociate POINT:WORD`, (m, exec) => {
    const name = m.word('POINT');
    return pointOf(exec, name) === undefined ? noPoint(name) : { change: 'disassociate', name };
  }),
  command(`${POINT} start {ALL:{all} | POINT:WORD}`, turn('start')),
  command(`${POINT} stop {ALL:{all} | POINT:WORD}`, turn('stop')),
  {
    // Ours: `fw3640 capture` asks it by the console's socket, for one JSON object a line.
    privilege: 15,
    syntax: 'monitor capture verdicts FROM:<0-4294967295>',
    help: HELP,
    set: ({ router, terminal }, m) =>
      terminal.run({
        start: (print, done) =>
          void router.actions.verdicts(m.number('FROM')).then((batch) => {
            print(verdictLines(batch));
            done(false);
          }),
        stop: () => undefined,
      }),
  },
  {
    privilege: 15,
    syntax: 'show monitor capture buffer {ALL:{all} | BUFFER:WORD} parameters',
    help: HELP,
    reads: READS,
    set: ({ router, print }, m) => print(showCaptureParameters(router.snapshot.captures(), m.optionalWord('BUFFER'))),
  },
  {
    privilege: 15,
    syntax: 'show monitor capture buffer {ALL:{all} | BUFFER:WORD} dump',
    help: HELP,
    reads: ['captures', 'captured'],
    set: ({ router, print }, m) => {
      const { snapshot } = router;
      const name = m.optionalWord('BUFFER');
      const { buffers } = snapshot.captures();
      const meant = buffers.filter((b) => name === undefined || b.name === name);
      if (name !== undefined && meant.length === 0) {
        print(noBuffer(name));
        return;
      }
      const packets = meant.flatMap((b) => snapshot.captured(b.name));
      print(showCaptureDump(router.config(), packets, hardwareAddresses(router.system.interfaces())));
    },
  },
  {
    privilege: 15,
    syntax: 'show monitor capture point {ALL:{all} | POINT:WORD}',
    help: HELP,
    reads: READS,
    set: ({ router, print }, m) => print(showCapturePoints(router.snapshot.captures(), m.optionalWord('POINT'))),
  },
];
