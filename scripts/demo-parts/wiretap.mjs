// Prints what crosses a wire on a TCP port, as text, one line of the dialogue a line: the truth about what a server
// was sent, whoever claims otherwise.
//   wiretap.mjs DEVICE PORT
import { Buffer } from 'node:buffer';
import process from 'node:process';
import cap from 'cap';

const [device, port] = process.argv.slice(2);
const RING = 8 * 1024 * 1024;
const ETHERNET_LEN = 14;
const frame = Buffer.alloc(65_535);
const print = (text) => process.stdout.write(`${text}\n`);
const dotted = (at) => frame.subarray(at, at + 4).join('.');

const capture = new cap.Cap();
capture.open(device, `tcp port ${port}`, RING, frame);
capture.on('packet', () => {
  const ip = ETHERNET_LEN;
  const end = ip + frame.readUInt16BE(ip + 2);
  const tcp = ip + (frame[ip] & 0x0f) * 4;
  const payload = frame.subarray(tcp + (frame[tcp + 12] >> 4) * 4, end).toString('latin1');
  const toServer = frame.readUInt16BE(tcp + 2) === Number(port);
  const ends = [dotted(ip + 12), dotted(ip + 16)];
  const between = toServer ? ends.join(' --> ') : ends.reverse().join(' <-- ');
  for (const line of payload.split(/(?<=\r\n)/)) {
    if (line !== '') print(`${between}  ${line.replace('\r\n', '')}`);
  }
});
// Without this, libpcap is still at work while Node takes itself down, which aborts.
process.on('SIGTERM', () => {
  capture.close();
  process.exit();
});
print(`listening on ${device}`);
