/** What a server must not be made to execute. */
import { COMMANDS } from '../../../src/core/inspect/smtp/grammar.js';

/** Verbs that a rule passes. @param allow those that the administrator allows by name */
export function legalWords(protocol: 'smtp' | 'esmtp', allow: readonly string[] = []): string[] {
  const rules = protocol === 'esmtp' ? ['smtp', 'esmtp'] : ['smtp'];
  return Object.entries(COMMANDS)
    .filter(([word, command]) => rules.includes(command.rule) || (protocol === 'esmtp' && allow.includes(word)))
    .map(([word]) => word);
}

/**
 * A verb that the rule does not pass, as a careless server would find it: behind blanks, up to what is no letter. The
 * start of a legal verb, with x behind it or cut short by CR LF, is no verb of any server.
 */
export function isForbidden(command: string, words: readonly string[]): boolean {
  const verb = /^[A-Za-z0-9-]*/.exec(command.replaceAll('\0', '').trimStart())![0].toUpperCase();
  if (verb === '' || words.includes(verb)) return false;
  const start = /^(.*?)X*$/.exec(verb)![1]!;
  return !words.some((word) => word.startsWith(start));
}
