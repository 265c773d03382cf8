/** Reads the golden dialogues of test/golden/smtp; their README.md describes the form. */
import { readdirSync, readFileSync } from 'node:fs';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import type { SmtpOptions } from '../../../src/core/policy.js';

export interface Step {
  line: number;
  fromClient: boolean;
  sent: string;
  action: 'pass' | 'reset' | 'opaque';
  forwarded: string;
  kinds: string[];
}

export interface DialogueFile {
  name: string;
  protocol: 'smtp' | 'esmtp';
  options: SmtpOptions;
  steps: Step[];
}

const FOLDER = new URL('../../golden/smtp/', import.meta.url);
const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const STEP = new RegExp(
  `^(out>in|in>out)\\s+(${STRING})\\s+(pass|reset|opaque)(?:\\s+(${STRING}))?((?:\\s+[a-z-]+)*)$`,
);

export function readDialogues(): DialogueFile[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.trace'))
    .map((file) => parse(file, readFileSync(new URL(file, FOLDER), 'utf8')));
}

function parse(name: string, source: string): DialogueFile {
  const dialogue: DialogueFile = { name, protocol: 'smtp', options: smtpDefaults(), steps: [] };
  source.split('\n').forEach((row, i) => {
    const line = row.trim();
    if (line === '' || line.startsWith('#')) return;
    if (line.startsWith('rule ')) {
      Object.assign(dialogue, parseRule(line));
      return;
    }
    const match = STEP.exec(line);
    if (match === null) throw new Error(`${name}:${i + 1}: not a step: ${line}`);
    const [, direction, sent, action, forwarded, kinds] = match;
    dialogue.steps.push({
      line: i + 1,
      fromClient: direction === 'out>in',
      sent: JSON.parse(sent!) as string,
      action: action as Step['action'],
      forwarded: JSON.parse(forwarded ?? sent!) as string,
      kinds: kinds!.trim() === '' ? [] : kinds!.trim().split(/\s+/),
    });
  });
  return dialogue;
}

function parseRule(line: string): Pick<DialogueFile, 'protocol' | 'options'> {
  const [, protocol, ...words] = line.split(/\s+/);
  const options = smtpDefaults();
  const after = (keyword: string): string | undefined =>
    words.includes(keyword) ? words[words.indexOf(keyword) + 1] : undefined;
  options.maxData = Number(after('max-data') ?? options.maxData);
  options.allow = after('allow')?.split(',') ?? [];
  options.monitorOnly = words.includes('monitor-only');
  options.maskEhlo = after('mask-ehlo') !== 'off';
  return { protocol: protocol as DialogueFile['protocol'], options };
}
