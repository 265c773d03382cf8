/**
 * `fw3640 completion bash|zsh`: a shell's completion, written from the table of commands. What an option's value is, its
 * name in angle brackets tells: `<file>`, `<directory>`, `<IOS=LINUX>`, `<IOS=FILE>`, `<interface>`.
 */
import type { CommandRow, CommandTable, OptionRow } from './command-table.js';

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

export const completion = (table: CommandTable, shell: Shell): string => (shell === 'bash' ? bash(table) : zsh(table));

/** What completes a value; undefined: nobody knows what it may be. */
type Kind = 'files' | 'directories' | 'interface' | 'interface_device' | 'interface_file';

const KINDS: Readonly<Record<string, Kind>> = {
  file: 'files',
  path: 'files',
  directory: 'directories',
  interface: 'interface',
  'IOS=LINUX': 'interface_device',
  'IOS=FILE': 'interface_file',
};

const kindOf = (o: OptionRow): Kind | undefined => (o.value === undefined ? undefined : KINDS[o.value]);
const namesOf = (o: OptionRow): string[] => (o.short === undefined ? [o.long] : [o.short, o.long]);
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

// The interfaces are read from the configuration that the line names, or that the service would start with.
const SED = String.raw`sed -n 's/^interface  *\([^ ]*[Ee]thernet[^ ]*\).*/\1/p'`;
const SERVICE_CONFIG = '/etc/fw3640/startup-config';

function bash({ program, commands }: CommandTable): string {
  return `# Completion of fw3640 for bash, as \`fw3640 completion bash\` prints it.

# _fw3640_give WORD...: those that begin with what is typed. Readline replaces only what stands behind the last \`=\`.
# Not by compgen -W, which would carry out a $(command) in the name of an interface.
_fw3640_give() {
  local word kept=
  if [[ $COMP_WORDBREAKS == *=* ]]; then kept=\${cur%"\${cur##*=}"}; fi
  for word; do
    [[ $word != "$cur"* ]] || COMPREPLY+=("\${word#"$kept"}")
  done
}

_fw3640_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "\${1-$cur}")
}

_fw3640_directories() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

# The Ethernet interfaces of the configuration, each with $1 behind its name.
_fw3640_interfaces() {
  local file=${SERVICE_CONFIG} i
  for ((i = 1; i < last; i++)); do
    case \${words[i]} in
      -c | --config) file=\${words[i + 1]} ;;
      --config=*) file=\${words[i]#*=} ;;
    esac
  done
  file=\${file/#\\~\\//$HOME/}
  [[ ! -r $file ]] || ${SED} "$file" | sed "s|\\$|$1|"
}

_fw3640_interface() {
  local names
  mapfile -t names < <(_fw3640_interfaces '')
  _fw3640_give "\${names[@]}"
}

# Ethernet2/0=eth1
_fw3640_interface_device() {
  local names
  if [[ $cur == *=* ]]; then
    mapfile -t names < <(cd /sys/class/net && printf '%s\\n' * | grep -vx lo | sed "s|^|\${cur%%=*}=|")
  else
    mapfile -t names < <(_fw3640_interfaces =)
    compopt -o nospace 2>/dev/null
  fi
  _fw3640_give "\${names[@]}"
}

# Ethernet2/0=outside.pcap
_fw3640_interface_file() {
  if [[ $cur == *=* ]]; then _fw3640_files "\${cur#*=}"; else _fw3640_interface_device; fi
}

_fw3640() {
  local words=() last=-1 cur prev command i
  COMPREPLY=()
  # Readline has cut words at \`=\`.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i > 1)) && [[ \${COMP_WORDS[i]} == = || \${COMP_WORDS[i - 1]} == = ]]; then
      words[last]+=\${COMP_WORDS[i]}
    else
      words[++last]=\${COMP_WORDS[i]}
    fi
  done
  cur=\${words[last]} prev=\${words[last - 1]} command=
  ((last < 2)) || command=\${words[1]}
  if [[ $cur == --*=* ]]; then prev=\${cur%%=*} cur=\${cur#*=}; fi
  case $command in
    '')
      _fw3640_give ${bashWords([...commands.map((c) => c.name), ...program.options.flatMap(namesOf)])}
      ;;
${commands.map(bashCommand).join('')}  esac
}

complete -F _fw3640 fw3640
`;
}

const bashWords = (words: readonly string[]): string =>
  words.map((w) => (/^[\w/.-]+$/.test(w) ? w : quoted(w))).join(' ');

function bashCommand(command: CommandRow): string {
  const valued = command.options.filter((o) => o.value !== undefined);
  const cases = valued.map((o) => `        ${namesOf(o).join(' | ')}) ${bashValue(o)} ;;\n`).join('');
  const words = [...command.arguments.flatMap((a) => a.choices), ...command.options.flatMap(namesOf)];
  return `    ${command.name})
      case $prev in
${cases}        *) _fw3640_give ${bashWords(words)} ;;
      esac
      ;;
`;
}

function bashValue(o: OptionRow): string {
  if (o.choices.length > 0) return `_fw3640_give ${bashWords(o.choices)}`;
  const kind = kindOf(o);
  return kind === undefined ? ':' : `_fw3640_${kind}`;
}

function zsh({ program, commands }: CommandTable): string {
  return `#compdef fw3640
# Completion of fw3640 for zsh, as \`fw3640 completion zsh\` prints it.

# The Ethernet interfaces of the configuration.
_fw3640_interfaces() {
  local file=\${(Q)\${opt_args[--config]:-\${opt_args[-c]:-${SERVICE_CONFIG}}}}
  file=\${file/#\\~\\//$HOME/}
  [[ ! -r $file ]] || ${SED} $file
}

_fw3640_interface() {
  local -a names=(\${(f)"$(_fw3640_interfaces)"})
  compadd -- $names
}

# Ethernet2/0=eth1
_fw3640_interface_device() {
  local -a names
  if compset -P '*='; then
    names=(/sys/class/net/*(N:t))
    compadd -- \${names:#lo}
  else
    names=(\${(f)"$(_fw3640_interfaces)"})
    compadd -q -S = -- $names
  fi
}

# Ethernet2/0=outside.pcap
_fw3640_interface_file() {
  if compset -P '*='; then _files; else _fw3640_interface_device; fi
}

_fw3640() {
  local curcontext=$curcontext state line
  local -A opt_args
  _arguments -C ${program.options.map(zshOption).join(' ')} ': :->command' '*:: :->words' && return
  case $state in
    command)
      local -a commands=(
${commands.map((c) => `        ${quoted(`${c.name}:${c.description}`)}\n`).join('')}      )
      _describe command commands
      ;;
    words)
      case $words[1] in
${commands.map(zshCommand).join('')}      esac
      ;;
  esac
}

if [[ $funcstack[1] == _fw3640 ]]; then _fw3640 "$@"; else compdef _fw3640 fw3640; fi
`;
}

function zshCommand(command: CommandRow): string {
  const specs = [...command.options.map(zshOption), ...command.arguments.map(zshArgument)];
  return `        ${command.name})
          _arguments ${specs.join(' \\\n            ')}
          ;;
`;
}

const bracketed = (text: string): string => text.replaceAll(/[\\[\]:]/g, String.raw`\$&`);

function zshOption(o: OptionRow): string {
  const names = namesOf(o);
  const others = o.repeats ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  const value = o.value === undefined ? '' : `:${bracketed(o.value)}:${zshValue(o)}`;
  const behind = quoted(`[${bracketed(o.description)}]${value}`);
  const spelled = names.map((n) => (o.value !== undefined && n.startsWith('--') ? `${n}=` : n));
  const braced = spelled.length > 1 ? `{${spelled.join(',')}}` : spelled[0]!;
  return `${others === '' ? '' : quoted(others)}${braced}${behind}`;
}

function zshArgument(a: CommandRow['arguments'][number]): string {
  const choices = a.choices.length > 0 ? `(${a.choices.join(' ')})` : ' ';
  return quoted(`${a.repeats ? '*' : ''}:${bracketed(a.name)}:${choices}`);
}

function zshValue(o: OptionRow): string {
  if (o.choices.length > 0) return `(${o.choices.join(' ')})`;
  const kind = kindOf(o);
  if (kind === 'files') return '_files';
  if (kind === 'directories') return '_files -/';
  return kind === undefined ? ' ' : `_fw3640_${kind}`;
}
