// A wiretap on a NIC: what really arrived there, whatever a program says it got. tcpdump captures, since it is on every
// machine; this reads its pcap stream.
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';

const FILE_HEADER_LEN = 24;
const RECORD_HEADER_LEN = 16;
const ETHERNET_LEN = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

export class Tap {
  /** IPv4 packets so far: { from, to, protocol, fromPort, toPort, payload as latin1, length of the packet }. */
  packets = [];
  #tcpdump;
  #unread = Buffer.alloc(0);
  #headerRead = false;

  /** Starts tcpdump and waits until it listens. @param filter of pcap */
  static async start(device, filter) {
    const tap = new Tap();
    const args = ['-i', device, '-nU', '--immediate-mode', '-B', '16384', '-s', '0', '-w', '-', filter];
    tap.#tcpdump = spawn('tcpdump', args);
    tap.#tcpdump.stdout.on('data', (bytes) => tap.#take(bytes));
    let said = '';
    await new Promise((resolve, reject) => {
      tap.#tcpdump.on('error', reject);
      tap.#tcpdump.on('exit', () => reject(new Error(`tcpdump: ${said}`)));
      tap.#tcpdump.stderr.on('data', (text) => {
        said += text;
        if (said.includes('listening on')) resolve();
      });
    });
    return tap;
  }

  stop() {
    this.#tcpdump.kill('SIGTERM');
  }

  #take(bytes) {
    let unread = Buffer.concat([this.#unread, bytes]);
    if (!this.#headerRead && unread.length >= FILE_HEADER_LEN) {
      unread = unread.subarray(FILE_HEADER_LEN);
      this.#headerRead = true;
    }
    while (this.#headerRead && unread.length >= RECORD_HEADER_LEN) {
      const end = RECORD_HEADER_LEN + unread.readUInt32LE(8);
      if (unread.length < end) break;
      const packet = parse(unread.subarray(RECORD_HEADER_LEN, end));
      if (packet !== undefined) this.packets.push(packet);
      unread = unread.subarray(end);
    }
    this.#unread = unread;
  }
}

function parse(frame) {
  if (frame.length < ETHERNET_LEN + 20 || frame.readUInt16BE(12) !== ETHERTYPE_IPV4) return undefined;
  const length = frame.readUInt16BE(ETHERNET_LEN + 2);
  // A super-packet beyond 64 KB has no length of its own in the header.
  const ip = length === 0 ? frame.subarray(ETHERNET_LEN) : frame.subarray(ETHERNET_LEN, ETHERNET_LEN + length);
  const l4 = (ip[0] & 0x0f) * 4;
  const first = (ip.readUInt16BE(6) & 0x1fff) === 0;
  const protocol = PROTOCOL[ip[9]] ?? String(ip[9]);
  const packet = {
    from: ip.subarray(12, 16).join('.'),
    to: ip.subarray(16, 20).join('.'),
    protocol,
    length: ip.length,
    fromPort: 0,
    toPort: 0,
    payload: ip.toString('latin1', l4),
  };
  if (first && (protocol === 'tcp' || protocol === 'udp')) {
    packet.fromPort = ip.readUInt16BE(l4);
    packet.toPort = ip.readUInt16BE(l4 + 2);
    packet.payload = ip.toString('latin1', l4 + (protocol === 'udp' ? 8 : (ip[l4 + 12] >> 4) * 4));
  }
  return packet;
}
