/** Commands of somebody who has no terminal: questions take their defaults, and the end of a command is waited for. */
import { aliasesOf, expandAlias } from '../config/aliases.js';
import { matchLine } from '../grammar/match.js';
import { splitFilter } from './filter.js';
import type { Reply } from './modes/mode.js';
import type { ConsoleRouter } from './router.js';
import type { ConsoleSession } from './session.js';
import { execVocabulary, onlyPrints } from './vocabulary.js';

export const NO_TERMINAL = '% There is no terminal for this command\n';

/**
 * Carries out one line. Nobody is there to answer: a question takes its default. A password has none, nor has one that
 * is asked again. The command may have left a job.
 */
export function carryOut(session: ConsoleSession, line: string): Reply {
  let { output, failed } = session.execute(line);
  const asked = new Set<string>();
  while (session.asking) {
    const { prompt: question, secret } = session;
    if (asked.has(question)) {
      session.dropQuestion();
      return { output, failed: true };
    }
    asked.add(question);
    const answer = session.execute('');
    output += `${question}\n${answer.output}`;
    failed = failed || secret || answer.failed;
  }
  return { output, failed };
}

/**
 * Carries out one line, and waits for the end of what takes its time.
 * @param most characters that are kept of what it prints
 */
export function finish(session: ConsoleSession, line: string, most: number): Promise<Reply> {
  const reply = carryOut(session, line);
  const cut = (): Reply =>
    reply.output.length <= most
      ? reply
      : { ...reply, output: `${reply.output.slice(0, most)}\n% The rest is left out\n` };
  if (!session.isBusy()) return Promise.resolve(cut());
  return new Promise((resolve) => {
    // What a command has to read is a job; once it is here, it may have another one.
    const runJobs = (): void => {
      session.runJob(
        (text) => {
          if (reply.output.length <= most) reply.output += text;
        },
        (failed, output) => {
          reply.output += output;
          reply.failed = reply.failed || failed;
          if (session.isBusy()) runJobs();
          else resolve(cut());
        },
      );
      if (!session.takesKeys() && !session.isStreaming()) return;
      reply.output += NO_TERMINAL;
      reply.failed = true;
      session.interrupt();
    };
    runJobs();
  });
}

/** Whether a line does nothing but print. So does one that is no command. */
export function isReading(router: ConsoleRouter, privilege: number, typed: string): boolean {
  const { line } = expandAlias(aliasesOf(router.config(), 'exec'), typed);
  const whole = matchLine(execVocabulary(privilege).grammar, line);
  const filtered = matchLine(execVocabulary(privilege).grammar, splitFilter(line, true).command);
  return [whole, filtered].every((result) => result.kind !== 'match' || onlyPrints(result.action));
}
