// Sniffs and injects Ethernet frames on a device of the namespace it is started in.
//   frames.mjs DEVICE [BPF-FILTER]
// stdout: {"ready":true}, then {"frame":BASE64} for each frame the filter takes; stdin: BASE64 of a frame to send, one
// a line. Ends with its standard input.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { createInterface } from 'node:readline';
import cap from 'cap';

const [device, filter = ''] = process.argv.slice(2);
const RING = 32 * 1024 * 1024;
const buffer = Buffer.alloc(65_535); // the snap length of `cap`
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const capture = new cap.Cap();
const link = capture.open(device, filter, RING, buffer);
if (link !== 'ETHERNET') throw new Error(`${device} is no Ethernet but ${link}`);
capture.on('packet', (length) => print({ frame: buffer.subarray(0, length).toString('base64') }));
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const frame = Buffer.from(line, 'base64');
    capture.send(frame, frame.length);
  })
  .on('close', () => {
    capture.close();
    process.exit();
  });
print({ ready: true });
