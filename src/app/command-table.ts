/**
 * The program's commands and options as plain data, read from commander's own tables. Shell completion, the manual page
 * and the test of the documents are made of it, so that none of them can say something else than the program.
 */
import type { Argument, Command, Option } from 'commander';

export interface OptionRow {
  /** `-c`, where there is one. */
  short: string | undefined;
  /** `--config` */
  long: string;
  /** What stands in angle brackets behind it: `file`, `IOS=LINUX`; undefined for a switch. */
  value: string | undefined;
  choices: readonly string[];
  description: string;
  /** As a reader would type it; undefined where there is none to tell of. */
  preset: string | undefined;
  /** Environment variable that is read where the option is not given. */
  variable: string | undefined;
  /** The command is refused without it. */
  needed: boolean;
  /** It may be given several times. */
  repeats: boolean;
}

export interface ArgumentRow {
  name: string;
  description: string;
  choices: readonly string[];
  needed: boolean;
  repeats: boolean;
}

export interface CommandRow {
  name: string;
  description: string;
  arguments: readonly ArgumentRow[];
  options: readonly OptionRow[];
}

/** The program itself (as a row without arguments), and each command that its help shows. */
export interface CommandTable {
  program: CommandRow;
  commands: readonly CommandRow[];
}

export function tableOf(program: Command): CommandTable {
  const commands = program.createHelp().visibleCommands(program);
  return { program: rowOf(program), commands: commands.map(rowOf) };
}

function rowOf(command: Command): CommandRow {
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentRow),
    options: command.createHelp().visibleOptions(command).map(optionRow),
  };
}

const argumentRow = (a: Argument): ArgumentRow => ({
  name: a.name(),
  description: a.description,
  choices: a.argChoices ?? [],
  needed: a.required,
  repeats: a.variadic,
});

const optionRow = (o: Option): OptionRow => ({
  short: o.short,
  long: o.long ?? o.flags,
  value: /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(o.flags)?.[1],
  choices: o.argChoices ?? [],
  description: o.description,
  preset: presetOf(o.defaultValue),
  variable: o.envVar,
  needed: o.mandatory,
  // commander hands a collected option its list to begin with.
  repeats: o.variadic || Array.isArray(o.defaultValue),
});

const presetOf = (value: unknown): string | undefined =>
  typeof value === 'number' || typeof value === 'string' ? String(value) : undefined;
