// man.mjs FOLDER [-]: writes the manual pages there, in mdoc(7). The program's tables come from dist/, with - from standard
// input. Called by scripts/man.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const [folder, from] = process.argv.slice(2);
const table = JSON.parse(
  from === '-'
    ? readFileSync(0, 'utf8')
    : execFileSync(process.execPath, ['dist/main.js', 'table'], { encoding: 'utf8' }),
);

const date = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000).toLocaleDateString('en-US', {
  timeZone: 'UTC',
  month: 'long',
  day: 'numeric',
  year: 'numeric',
});

/** Text of a line of its own: no request, no escape, no macro. */
const plain = (text) => text.replaceAll('\\', '\\e').replace(/^[.']/, '\\&$&');
/** With a capital letter, unless it begins with something that is typed. */
const sentence = (text) => {
  const capital = /^[a-z]+[ ,:;]/.test(text) ? `${text[0].toUpperCase()}${text.slice(1)}` : text;
  return plain(/[.!?]$/.test(capital) ? capital : `${capital}.`);
};
const flag = (name) => `Fl ${name.slice(1).replace(/^-/, '\\-')}`;
/** An argument of a macro: one word, and none that is a macro's name. */
const word = (text) => `"${plain(text)}"`;

function item(o) {
  const value = o.value === undefined ? '' : ` Ar ${word(o.value)}`;
  const names = [o.short, o.long].filter((n) => n !== undefined && n !== null).map(flag);
  const more = [
    o.choices.length > 0 ? `One of ${o.choices.join(', ')}.` : undefined,
    o.preset === undefined ? undefined : `Default: ${plain(o.preset)}.`,
    o.variable === undefined ? undefined : `Environment: ${plain(o.variable)}.`,
    o.needed ? 'Has to be given.' : undefined,
    o.repeats ? 'May be given several times.' : undefined,
  ].filter((line) => line !== undefined);
  return [`.It ${names.join(' , ')}${value}`, sentence(o.description), ...more].join('\n');
}

const list = (options) => (options.length === 0 ? [] : ['.Bl -tag -width Ds', ...options.map(item), '.El']);

/** `--help` of each command is said once. */
const own = (command) => command.options.filter((o) => o.long !== '--help');

function synopsis(command) {
  const needed = own(command).filter((o) => o.needed);
  const rest = own(command).length > needed.length ? ['.Op Ar options'] : [];
  const flags = needed.map((o) => `.${flag(o.long)} Ar ${word(o.value)}${o.repeats ? ' ...' : ''}`);
  const args = command.arguments.map((a) => `.${a.needed ? '' : 'Op '}Ar ${word(a.name)}${a.repeats ? ' ...' : ''}`);
  return ['.Nm', `.Cm ${command.name}`, ...flags, ...rest, ...args].join('\n');
}

function section(command) {
  const args = command.arguments.filter((a) => a.description !== '' || a.choices.length > 0);
  const items = args.map((a) => {
    const choices = a.choices.length > 0 ? [`One of ${a.choices.join(', ')}.`] : [];
    return [
      `.It Ar ${word(a.name)}${a.repeats ? ' ...' : ''}`,
      ...(a.description === '' ? [] : [sentence(a.description)]),
      ...choices,
    ].join('\n');
  });
  const described = items.length === 0 ? [] : ['.Bl -tag -width Ds', ...items, '.El'];
  return [`.Ss ${command.name}`, sentence(command.description), ...list(own(command)), ...described].join('\n');
}

const commands = table.commands.filter((c) => c.name !== 'help');
const general = ['.Ss "Of every command"', ...list(table.program.options)].join('\n');
const text = {
  DATE: date,
  SYNOPSIS: commands.map(synopsis).join('\n'),
  COMMANDS: [...commands.map(section), general].join('\n'),
};

/** Lines of text of at most 80 bytes, as `mandoc -T lint` asks. What is literal stays. */
function wrapped(page) {
  let literal = false;
  return page
    .split('\n')
    .flatMap((line) => {
      if (/^\.(Bd|Ed)\b/.test(line)) literal = line.startsWith('.Bd');
      if (literal || line.startsWith('.') || line.length <= 80) return [line];
      return line.match(/.{1,78}(?: |$)/g).map((part) => part.trimEnd().replace(/^[.']/, '\\&$&'));
    })
    .join('\n');
}

for (const page of ['fw3640.8', 'fw3640.cfg.5']) {
  const source = readFileSync(`docs/man/${page}`, 'utf8').replace(/^\.\\" .*\n/, '');
  writeFileSync(`${folder}/${page}`, wrapped(source.replaceAll(/@([A-Z]+)@/g, (_, name) => text[name])));
}
