/** The commands of `fw3640` that end by themselves. */
import { readFileSync } from 'node:fs';
import { EXIT } from './exit.js';
import { checkConfig } from './ios/check.js';
import { ConsoleError, runCommands, runTerminal } from './io/console-client.js';
import { HostSetup } from './io/host-setup.js';
import { HostError } from './io/host-system.js';

/** `fw3640 check`. */
export function check(file: string, strict: boolean): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    fail(`${file}: ${(error as Error).message}`, EXIT.usage);
    return;
  }
  const { report, exitCode } = checkConfig(text, file, strict);
  process.stdout.write(report);
  process.exitCode = exitCode;
}

/** `fw3640 console`: with commands, sends them and prints their output; else brings this terminal. */
export async function openConsole(socket: string, commands: readonly string[]): Promise<void> {
  try {
    if (commands.length === 0) await runTerminal(socket);
    else process.exitCode = await runCommands(socket, commands, (text) => process.stdout.write(text));
  } catch (error) {
    if (!(error instanceof ConsoleError)) throw error;
    fail(error.message, EXIT.runtime);
  }
}

/** `fw3640 cleanup`: removes what a crashed run left. */
export function cleanup(): void {
  try {
    const removed = HostSetup.cleanup();
    for (const what of removed) console.log(`removed ${what}`);
    if (removed.length === 0) console.log('nothing to remove');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    fail(error.message, EXIT.runtime);
  }
}

function fail(message: string, exitCode: number): void {
  console.error(`fw3640: ${message}`);
  process.exitCode = exitCode;
}
