/** Transcripts of inspected dialogues, an extension of fw3640. They are for privilege 15. */
import { showChange, showDialogue, showTranscripts, transcriptsAsJson } from '../show/transcripts.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import type { DialogueChange } from '../transcript/dialogue.js';
import type { Exec, ExecCommand } from './context.js';
import type { Job } from './job.js';
import type { ConsoleRouter } from './router.js';

const HELP = {
  'inspect transcript': 'Transcripts of inspected dialogues (fw3640 extension)',
  'SESSION transcript': 'Transcript of the session (fw3640 extension)',
  SESSION: 'Address of the session, as show ip inspect sessions prints it',
  follow: 'Print lines as they come, until the escape sequence',
  json: 'For programs: an object a line',
};

const OFF = '% No transcripts are kept: ip inspect transcript\n';

/** Prints what happens, until it is stopped. */
class FollowJob implements Job {
  readonly streams = true;
  #end: () => void = () => undefined;
  #done: (failed: boolean) => void = () => undefined;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly session: string | undefined,
    private readonly json: boolean,
  ) {}

  start(print: (text: string) => void, done: (failed: boolean) => void): void {
    this.#done = done;
    this.#end = this.router.transcripts.onChange((change) => {
      if (this.session === undefined || change.head.session === this.session) print(this.#text(change));
    });
  }

  stop(): void {
    this.#end();
    this.#done(false);
  }

  #text(change: DialogueChange): string {
    return this.json ? `${JSON.stringify(change)}\n` : showChange(change);
  }
}

/** @returns why there is nothing to be shown */
const isOff = ({ router, print }: Exec): boolean => {
  const off = router.config().inspect.transcripts === 0;
  if (off) print(OFF);
  return off;
};

export const TRANSCRIPT_COMMANDS: readonly ExecCommand[] = [
  {
    privilege: 15,
    syntax: 'show ip inspect sessions SESSION:HEX transcript [json]',
    help: HELP,
    set: (exec, m) => {
      if (isOff(exec)) return;
      const session = formatSessionId(m.number('SESSION'));
      const dialogue = exec.router.transcripts.of(session);
      if (dialogue === undefined) exec.print(`%No transcript of session: ${session}\n`);
      else exec.print(m.has('json') ? `${JSON.stringify(dialogue)}\n` : showDialogue(dialogue));
    },
  },
  {
    privilege: 15,
    syntax: 'show ip inspect transcript [json]',
    help: HELP,
    set: (exec, m) => {
      if (isOff(exec)) return;
      const { transcripts } = exec.router;
      exec.print(m.has('json') ? transcriptsAsJson(transcripts) : showTranscripts(transcripts));
    },
  },
  {
    privilege: 15,
    syntax: 'show ip inspect transcript follow [session SESSION:HEX] [json]',
    help: { ...HELP, session: 'One session only' },
    set: (exec, m) => {
      if (isOff(exec)) return;
      const session = m.optionalNumber('SESSION');
      exec.terminal.run(
        new FollowJob(exec.router, session === undefined ? undefined : formatSessionId(session), m.has('json')),
      );
    },
  },
];
