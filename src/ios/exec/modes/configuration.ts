/** `configure terminal` and the modes below it: each line is put in force at once. */
import { configAliases, expandAlias } from '../../config/aliases.js';
import { configGrammar } from '../../commands/index.js';
import { ConfigEditor, GLOBAL_MODE } from '../../config/editor.js';
import type { Complaint, Mode } from '../../config/editor.js';
import { forkConfig, sameConfig } from '../../config/fork.js';
import { applyLine, INVALID_INPUT, percent } from '../../config/parse.js';
import { joinLines } from '../../config/terminal-lines.js';
import { caret, completeLine, helpText } from '../help.js';
import type { Vocabulary } from '../help.js';
import type { ConsoleRouter } from '../router.js';
import { blockWords, configHeading, configWords } from '../vocabulary.js';
import { BannerMode } from './banner.js';
import type { ExecMode } from './exec.js';
import { refusal, reply } from './mode.js';
import type { ConsoleMode, ModeStack, Reply } from './mode.js';

/** `do` and the blanks around it. */
const DO = /^\s*do\s+/i;

export class ConfigurationMode implements ConsoleMode {
  readonly kind = 'commands';
  readonly secret = false;
  #mode: Mode = GLOBAL_MODE;

  /**
   * @param exec carries out what stands behind `do`
   * @param end leaves configuration
   */
  constructor(
    private readonly router: ConsoleRouter,
    private readonly modes: ModeStack,
    private readonly exec: ExecMode,
    private readonly end: () => Reply,
    readonly history: string[],
  ) {}

  get prompt(): string {
    return `${this.router.config().hostname}(config${this.#mode.prompt})#`;
  }

  execute(typed: string): Reply {
    const { line, grown } = expandAlias(configAliases(this.router.config(), this.#mode.name), typed);
    const trimmed = line.trim();
    const mode = this.#mode;
    const inner = /^do\s+(.*)$/i.exec(trimmed)?.[1];
    if (inner !== undefined)
      return this.exec.run(inner, this.prompt.length + line.length - inner.length - grown, false);
    if (/^end$/i.test(trimmed)) return this.end();
    if (mode.name === 'global' && /^exi?t?$/i.test(trimmed)) return this.end();
    const editor = new ConfigEditor(forkConfig(this.router.config()));
    editor.mode = mode;
    const complaints = applyLine(editor, line);
    if (complaints.some((c) => c.severity === 'error')) {
      // An inert block has no words of its own: whatever global mode does not know belongs to it.
      if (mode.name !== 'inert' || complaints[0]?.reason !== INVALID_INPUT)
        return refusal(this.#complain(complaints, grown));
      editor.keepInert(trimmed);
    }
    if (editor.textReader !== undefined) {
      this.modes.enter(new BannerMode(this.modes, editor, () => this.#apply(editor, '')));
      return reply(`Enter TEXT message.  End with the character '${trimmed.split(/\s+/)[2]?.slice(0, 1) ?? ''}'.\n`);
    }
    return this.#apply(
      editor,
      this.#complain(
        complaints.filter((c) => c.severity === 'warning'),
        grown,
      ),
    );
  }

  help(line: string): string {
    const command = line.replace(DO, '');
    if (command !== line) return this.exec.help(command);
    const aliases = configAliases(this.router.config(), this.#mode.name);
    const expanded = /^\S+\s/.test(line) ? expandAlias(aliases, line).line : line;
    return helpText(this.#vocabularies(), expanded, { heading: configHeading(this.#mode), aliases });
  }

  complete(line: string): string {
    const command = line.replace(DO, '');
    if (command === line) return completeLine(this.#vocabularies(), line);
    return line.slice(0, line.length - command.length) + this.exec.complete(command);
  }

  /** Puts the edited configuration in force, where it differs. */
  #apply(editor: ConfigEditor, warnings: string): Reply {
    const { config } = editor;
    config.lines = editor.mode.name === 'line' ? config.lines : joinLines(config.lines);
    const fault = sameConfig(config, this.router.config()) ? undefined : this.router.actions.apply(config);
    if (fault !== undefined) return refusal(`${percent(fault)}\n`);
    this.#mode = editor.mode;
    return reply(editor.notes.map((n) => `${n}\n`).join('') + warnings);
  }

  #complain(complaints: readonly Complaint[], grown: number): string {
    return complaints
      .map((c) =>
        c.reason === INVALID_INPUT
          ? caret(this.prompt.length + Math.max(1, c.column - grown))
          : `${percent(c.reason)}\n`,
      )
      .join('');
  }

  #vocabularies(): Vocabulary[] {
    const { name, words } = this.#mode;
    const own = merge(merge(configGrammar(name), blockWords(words)), configWords());
    return this.#mode.name === 'global' ? [own] : [own, configGrammar('global')];
  }
}

/** Two vocabularies as one. */
function merge(a: Vocabulary, b: Vocabulary): Vocabulary {
  return {
    grammar: { kind: 'choice', of: [a.grammar, b.grammar] },
    help: { find: (path) => a.help.find(path) ?? b.help.find(path) },
  };
}
