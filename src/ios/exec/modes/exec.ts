/** EXEC: a line is a command, perhaps with a filter for its output. */
import { aliasesOf, expandAlias } from '../../config/aliases.js';
import type { Alias } from '../../config/model.js';
import { ambiguous, INCOMPLETE } from '../../config/parse.js';
import type { Handler } from '../../grammar/command.js';
import { matchLine } from '../../grammar/match.js';
import type { Exec, Terminal } from '../context.js';
import { compilePattern, FILTER_GRAMMAR, filterOutput, splitFilter } from '../filter.js';
import { caret, completeLine, helpText } from '../help.js';
import { missingInterfaceAt } from '../own-interface.js';
import type { ConsoleRouter } from '../router.js';
import { execVocabulary, filterVocabulary, jsonOf, readsOf } from '../vocabulary.js';
import type { Job } from '../job.js';
import { answered, refusal, reply } from './mode.js';
import type { ConsoleMode, Reply } from './mode.js';

const SHOW = /^\s*(?:sh|sho|show|more|wr\w*\s+t\w*)\s/i; // commands whose output can be filtered

/** What a command reads comes from another process: it is carried out once that is here. */
function fetchJob(fetched: Promise<void>, carryOut: () => Reply): Job {
  let giveUp = (): void => undefined;
  return {
    start: (_, done) => {
      let waits = true;
      giveUp = () => {
        if (waits) done(false);
        waits = false;
      };
      void fetched.then(() => {
        if (!waits) return;
        waits = false;
        const { failed, output } = carryOut();
        done(failed, output);
      });
    },
    stop: () => giveUp(),
  };
}

export class ExecMode implements ConsoleMode {
  readonly kind = 'commands';
  readonly secret = false;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly terminal: Terminal,
    readonly history: string[],
  ) {}

  get prompt(): string {
    return `${this.router.config().hostname}${this.terminal.privilege === 15 ? '#' : '>'}`;
  }

  execute(line: string): Reply {
    return this.run(line, this.prompt.length, true);
  }

  /**
   * @param typed the line, which may begin with an alias
   * @param behind columns of the screen that stand before it: the prompt, and `do ` in configuration
   * @param mayBeHost a word that is no command is taken for the name of a host, as at the EXEC prompt
   */
  run(typed: string, behind: number, mayBeHost: boolean): Reply {
    const { router, terminal } = this;
    const { line, grown } = expandAlias(this.#aliases, typed);
    // What an alias stands for is not on the screen: a fault in it is shown at the alias.
    const caretBehind = (column: number): string => caret(behind + Math.max(1, column - grown));
    const split = splitFilter(line, SHOW.test(line));
    const result = matchLine(execVocabulary(terminal.privilege).grammar, split.command);
    if (result.kind === 'invalid') {
      const [first, ...rest] = line.trim().split(/\s+/);
      if (mayBeHost && rest.length === 0) return refusal(this.#unknownWord(first ?? ''));
      return refusal(caretBehind(result.column));
    }
    if (result.kind === 'ambiguous') return refusal(`% ${ambiguous(line)}\n`);
    if (result.kind === 'incomplete') return refusal(`% ${INCOMPLETE}\n\n`);
    const missing = missingInterfaceAt(split.command, result.match, router.config());
    if (missing !== undefined) return refusal(caretBehind(missing));
    const json = terminal.json === true ? jsonOf(result.action) : undefined;
    if (terminal.json === true && json === undefined) return refusal(`% There is no JSON of "${line.trim()}"\n`);
    if (json !== undefined && split.filter !== undefined) return refusal('% JSON cannot be filtered by lines\n');
    let filtered = answered;
    if (split.filter !== undefined) {
      const filter = matchLine(FILTER_GRAMMAR, split.filter);
      if (filter.kind === 'invalid') return refusal(caretBehind(split.filterAt + filter.column));
      if (filter.kind !== 'match') return refusal(`% ${INCOMPLETE}\n\n`);
      const pattern = compilePattern(filter.match.word('PATTERN'));
      if (pattern === undefined) return refusal('% Failed to compile regular expression\n');
      filtered = (output) => reply(filterOutput(output, filter.match.word('FILTER'), pattern));
    }
    const carryOut = (): Reply => {
      if (json !== undefined) return reply(`${JSON.stringify(json(router, result.match))}\n`);
      let output = '';
      const exec: Exec = { router, terminal, print: (text) => void (output += text) };
      (result.action as Handler<Exec>)(exec, result.match);
      return filtered(output);
    };
    const reads = readsOf(result.action);
    if (reads.length === 0 || router.fetch === undefined) return carryOut();
    terminal.run(fetchJob(router.fetch(reads), carryOut));
    return reply('');
  }

  help(typed: string): string {
    const aliases = this.#aliases;
    const line = /^\S+\s/.test(typed) ? expandAlias(aliases, typed).line : typed;
    if (SHOW.test(line)) {
      const { filter } = splitFilter(line, true);
      if (filter !== undefined) return helpText([filterVocabulary()], filter.trimStart());
    }
    return helpText([execVocabulary(this.terminal.privilege)], line, {
      pipes: SHOW.test(`${line} `),
      heading: 'Exec commands:',
      aliases,
    });
  }

  complete(line: string): string {
    return completeLine([execVocabulary(this.terminal.privilege)], line);
  }

  get #aliases(): Alias[] {
    return aliasesOf(this.router.config(), 'exec');
  }

  /** IOS takes an unknown word for the name of a host to connect to. */
  #unknownWord(word: string): string {
    const lookup = this.router.config().domainLookup ? '...domain server (255.255.255.255)' : '';
    return `Translating "${word}"${lookup}\n% Unknown command or computer name, or unable to find computer address\n`;
  }
}
