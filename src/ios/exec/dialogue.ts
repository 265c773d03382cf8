/** Questions that a command asks one after the other, as `ping` without a host does. */
import type { Terminal } from './context.js';

/** What an answer came to: nothing is wrong; the question is asked again; or the command ends. */
export type Answered = undefined | { again: string } | { end: string };

export interface Question {
  /** With its default in brackets, and a blank at its end. */
  prompt: string | (() => string);
  take: (answer: string) => Answered;
  /** Asked only if so; absent: always. */
  when?: () => boolean;
}

/** Asks from the first question on; `finish` after the last one. The command's output is what the answers print. */
export function converse(terminal: Terminal, questions: readonly Question[], finish: () => void): void {
  const ask = (i: number): void => {
    const q = questions[i];
    if (q === undefined) {
      finish();
      return;
    }
    if (q.when?.() === false) {
      ask(i + 1);
      return;
    }
    terminal.ask(typeof q.prompt === 'string' ? q.prompt : q.prompt(), false, (typed) => {
      const wrong = q.take(typed.trim());
      if (wrong === undefined) ask(i + 1);
      else if ('again' in wrong) {
        ask(i);
        return wrong.again;
      } else return wrong.end;
      return '';
    });
  };
  ask(0);
}

/** A number of `from`..`to`; Enter leaves it as it is. `base` 16 where it is written in hexadecimal. */
export function askNumber(
  prompt: string,
  [from, to]: readonly [number, number],
  set: (n: number) => void,
  when?: () => boolean,
): Question {
  return {
    prompt: `${prompt}: `,
    take: (answer) => {
      if (answer === '') return undefined;
      const n = /^\d{1,10}$/.test(answer) ? Number(answer) : NaN;
      if (!(n >= from && n <= to)) return { again: `% A decimal number between ${from} and ${to}.\n` };
      set(n);
      return undefined;
    },
    ...(when !== undefined && { when }),
  };
}

/** Yes or no; Enter means no. */
export function askWhether(prompt: string, set: (yes: boolean) => void, when?: () => boolean): Question {
  return {
    prompt: `${prompt}: `,
    take: (answer) => {
      const word = answer.toLowerCase();
      if (!'yes'.startsWith(word) && !'no'.startsWith(word)) return { again: '% Please answer "yes" or "no".\n' };
      set(word !== '' && 'yes'.startsWith(word));
      return undefined;
    },
    ...(when !== undefined && { when }),
  };
}

/** `[confirm]`: Enter or y does it. @param doIt returns what is printed */
export function confirm(terminal: Terminal, prompt: string, doIt: () => string): void {
  terminal.ask(prompt, false, (typed) => (/^(?:y.*)?$/i.test(typed.trim()) ? doIt() : ''));
}

/** `[yes/no]`: asked again until it is one of them. @param answered returns what is printed */
export function askYesNo(terminal: Terminal, prompt: string, answered: (yes: boolean) => string): void {
  terminal.ask(prompt, false, (typed) => {
    const word = typed.trim().toLowerCase();
    if (word !== '' && ('yes'.startsWith(word) || 'no'.startsWith(word))) return answered(word.startsWith('y'));
    askYesNo(terminal, prompt, answered);
    return "% Please answer 'yes' or 'no'.\n";
  });
}
