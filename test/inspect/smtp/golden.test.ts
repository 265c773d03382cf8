/** The golden dialogues of test/golden/smtp, with segments as written and cut into pieces of every size. */
import { expect, test } from 'vitest';
import { COMMANDS, EXTENSIONS } from '../../../src/core/inspect/smtp/grammar.js';
import { differs } from './cutting.js';
import { readDialogues, type DialogueFile, type Step } from './dialogue-file.js';
import { Session } from './session.js';

const dialogues = readDialogues();

test.each(dialogues)('dialogue $name', (dialogue) => {
  const session = new Session(dialogue.protocol, dialogue.options);
  for (const step of dialogue.steps) {
    const reported = session.reported.length;
    const out = session.send(step.fromClient, step.sent);
    const want = { line: step.line, out: step.action === 'reset' ? '' : step.forwarded, kinds: step.kinds };
    expect({ line: step.line, out, kinds: session.kinds.slice(reported) }).toEqual(want);
    expect([step.line, session.action(step.fromClient)]).toEqual([step.line, step.action]);
  }
});

test.each(dialogues)('dialogue $name in pieces of every size', (dialogue) => {
  const longest = Math.max(...dialogue.steps.map((step) => step.sent.length));
  for (let size = 1; size < longest; size++) {
    const session = new Session(dialogue.protocol, dialogue.options);
    for (const step of dialogue.steps) {
      const reported = session.reported.length;
      const out = session.send(step.fromClient, step.sent, size);
      const where = `pieces of ${size}, line ${step.line}`;
      expect([where, session.action(step.fromClient)]).toEqual([where, step.action]);
      if (step.action !== 'reset') {
        const difference = differs(step.sent, step.forwarded, out, {
          fromClient: step.fromClient,
          words: words(dialogue, step),
        });
        expect([where, difference]).toEqual([where, undefined]);
      }
      expect([where, session.kinds.slice(reported)]).toEqual([where, step.kinds]);
    }
  }
});

/** Verbs, or keywords, that the rule passes. */
function words(dialogue: DialogueFile, step: Step): string[] {
  const { allow } = dialogue.options;
  const passed: readonly (readonly [string, boolean])[] = step.fromClient
    ? Object.entries(COMMANDS).map(([word, c]) => [word, c.rule === 'smtp' || c.rule === dialogue.protocol])
    : Object.entries(EXTENSIONS).map(([word, e]) => [word, e.examined]);
  return [...passed.filter(([, passes]) => passes).map(([word]) => word), ...allow];
}
