// Keeps an SMTP session with the mail server open, and says NOOP in it for each line of standard input.
//   hold.mjs
import process from 'node:process';
import { createInterface } from 'node:readline';
import { SmtpClient } from './smtp.mjs';

const client = await SmtpClient.open('172.22.1.110');
const sayAndPrint = async (line) => process.stdout.write(`${await client.say(line)}\n`);
await sayAndPrint('HELO client.outside.test');
const input = createInterface({ input: process.stdin });
input.on('line', () => void sayAndPrint('NOOP'));
input.on('close', () => process.exit());
