/**
 * Commands of IOS 12.x that a Linux box has no use for. They are kept in the running-config and reported as accepted
 * without effect. One line each; `...` stands for anything to the end of the line. A row must be known to IOS in the
 * mode whose table it is in: whatever is in no table is an error. A row never wins over a command that acts.
 */
import type { ConfigEditor } from '../../config/editor.js';
import { withoutEffect } from '../../grammar/command.js';
import type { Command } from '../../grammar/command.js';

export const rows = (text: string): string[] =>
  text
    .split('\n')
    .map((r) => r.trim())
    .filter((r) => r !== '');

const toSyntax = (row: string): string => row.replace(' ...', ' [REST:LINE]');

/** The same words as under `access-list`, where the two meet in `?`. */
const HELP = { REST: 'Accepted without effect' };

/** @param weakens what the router would have filtered or protected more; undefined: nothing */
export const inert = (row: string, weakens?: string): Command<ConfigEditor> => ({
  syntax: toSyntax(row),
  help: HELP,
  set: withoutEffect((editor, m) => editor.keepInert(m.text, weakens)),
  unset: withoutEffect((editor, m) => editor.dropInert(m.text)),
});

/** Header of a block, what the prompt says in it, the first words of its lines, and what is weaker for it. */
export type BlockRow = readonly [header: string, prompt: string, words?: string, weakens?: string];

/**
 * A line that opens a block; all that stands in it is without effect too. Its words tell its lines in a file whose
 * indentation was lost, and on the console; indented lines need not be among them.
 */
export const block = ([header, prompt, words = '', weakens]: BlockRow): Command<ConfigEditor> => ({
  syntax: toSyntax(header),
  help: HELP,
  set: withoutEffect((editor, m) => {
    editor.keepInert(m.text, weakens);
    editor.enterInert(m.text, prompt, words.split(' '));
  }),
  unset: withoutEffect((editor, m) => editor.dropBlock(m.text)),
});
