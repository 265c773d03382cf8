/**
 * Reads an input as a conversation through one SMTP inspector, and throws where a rule of the contract is broken:
 * nothing outside of the segment is written, `modified` tells the truth, CR LF and lengths stay, monitor-only alters and
 * resets nothing, findings are of bounded size, a reset is for good, and a server executes no command that the rule
 * does not pass.
 *
 *   input    = options chunk*
 *   options  = bits: 1 esmtp, 2 monitor-only, 4 allow STARTTLS and BDAT, 8 mask-ehlo off, 16 debug, 32 and up: habits
 *   chunk    = length bytes, of the client; with bit 7 of the length, of the server; length 0: the server answers
 */
import { StreamAction } from '../../src/core/inspect/inspector.js';
import { newSmtpCounters } from '../../src/core/inspect/smtp/finding.js';
import { smtpDefaults } from '../../src/ios/config/defaults.js';
import { ChangingHands } from '../inspect/smtp/changing-hands.js';
import { legalWords, isForbidden } from '../inspect/smtp/forbidden.js';
import { HABITS, ModelServer } from '../inspect/smtp/model-servers.js';
import type { SmtpHost } from '../../src/core/inspect/smtp/step.js';
import { smtpLine } from '../../src/ios/debug/smtp.js';

const FROM_SERVER = 0x80;
const MARGIN = 8;
const LONGEST_FINDING = 3000;
/** One object a combination, as one line of a configuration: the automata are compiled once for it. */
const OPTIONS = Array.from({ length: 16 }, (_, bits) => ({
  ...smtpDefaults(),
  maxData: 400,
  monitorOnly: (bits & 2) !== 0,
  allow: (bits & 4) !== 0 ? ['STARTTLS', 'BDAT'] : [],
  maskEhlo: (bits & 8) === 0,
}));

const latin1 = (b: Uint8Array): string => Buffer.from(b).toString('latin1');

export function fuzzInspector(input: Uint8Array): void {
  const bits = input[0] ?? 0;
  const options = OPTIONS[bits & 15]!;
  const protocol = (bits & 1) !== 0 ? 'esmtp' : 'smtp';
  const host: SmtpHost = {
    debug: (bits & 16) !== 0,
    trace: (step) => check(smtpLine(step).length < 200, 'a long debug line'),
    report: (finding, _fromInitiator, offset) => {
      check(JSON.stringify(finding).length < LONGEST_FINDING, 'a long finding');
      check(offset >= -2 && offset <= input.length * 40, `a finding at ${offset}`);
    },
  };
  const inspector = new ChangingHands(protocol, options, host, newSmtpCounters());
  const chunking = options.allow.length > 0;
  const server = new ModelServer(HABITS[(bits >> 5) % HABITS.length]!, { chunking, strictChunks: chunking });
  /** As long as the replies are those of the model, it and the inspector agree on what is awaited. */
  let inStep = true;
  let toServer = '';
  const standing = new Map<boolean, StreamAction>();

  const send = (fromClient: boolean, segment: Uint8Array): void => {
    const before = standing.get(fromClient) ?? StreamAction.pass;
    if (before === StreamAction.opaque) {
      if (fromClient) toServer += latin1(segment);
      return;
    }
    const b = new Uint8Array(segment.length + 2 * MARGIN).fill(0x2e);
    b.set(segment, MARGIN);
    const end = MARGIN + segment.length;
    const action = fromClient ? inspector.fromInitiator(b, MARGIN, end) : inspector.fromResponder(b, MARGIN, end);
    const after = b.slice(MARGIN, end);
    check(latin1(b.subarray(0, MARGIN)) + latin1(b.subarray(end)) === '.'.repeat(2 * MARGIN), 'wrote outside');
    const changed = after.some((c, i) => c !== segment[i]);
    check(action === StreamAction.reset || changed === inspector.modified, '`modified` is wrong');
    check(!options.monitorOnly || (!changed && action !== StreamAction.reset), 'monitor-only altered or reset');
    for (let i = 0; i + 1 < segment.length; i++) {
      const isBreak = segment[i] === 13 && segment[i + 1] === 10;
      check(!isBreak || action === StreamAction.reset || (after[i] === 13 && after[i + 1] === 10), 'CR LF altered');
    }
    if (standing.size > 0 && [...standing.values()].includes(StreamAction.reset))
      check(action === StreamAction.reset, 'passed something behind a reset');
    standing.set(fromClient, action);
    if (fromClient && action !== StreamAction.reset) toServer += latin1(after);
  };
  const answer = (): void => {
    const replies = server.receive(toServer);
    toServer = '';
    if (replies !== '') send(false, Uint8Array.from(Buffer.from(replies, 'latin1')));
  };

  send(false, Uint8Array.from(Buffer.from('220 ready\r\n')));
  for (let at = 1; at < input.length;) {
    const head = input[at++]!;
    const length = head & ~FROM_SERVER;
    const segment = input.slice(at, at + length);
    at += length;
    if (length === 0) {
      if (inStep) answer();
    } else if ((head & FROM_SERVER) !== 0) {
      inStep = false;
      send(false, segment);
    } else send(true, segment);
  }
  if (!inStep || options.monitorOnly) return;
  answer();
  const words = legalWords(protocol, options.allow);
  const forbidden = server.executed.find((c) => isForbidden(c, words) && !isStart(c, words));
  check(forbidden === undefined, `the server executed ${JSON.stringify(forbidden)}`);
}

/** Letters that had gone out as the start of a legal verb when CR LF came: no server knows a command by them. */
const isStart = (command: string, words: readonly string[]): boolean =>
  words.some((word) => word.startsWith(command.toUpperCase()));

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
