/**
 * `fw3640 replay --out`: for each interface a pcapng file of what would leave by it, a verdict for each packet as a line
 * of JSON, and the summary. Written as it comes: however long the captures are, nothing is kept.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isDrop, HOLD, ABSORBED, type Verdict } from '../core/verdict.js';
import { completePartial, checksumOffset, writeIpv4Checksum } from '../core/wire/checksum.js';
import { IPPROTO_TCP, IPPROTO_UDP, IPV4_TTL } from '../core/wire/ipv4.js';
import type { Packet } from '../core/wire/packet.js';
import { DROP_REASONS } from '../ios/drop-reasons.js';
import { formatAddress } from '../ios/ipv4-text.js';
import { CaptureFileError, LINKTYPE_RAW, PcapngFile } from '../io/capture/pcapng-file.js';

/** Bytes of lines that come together before they are written. */
const TOGETHER = 64 * 1024;

/** What is known of a packet as it came. */
export interface PacketFacts {
  /** In the order of time, from 1. */
  packet: number;
  time: string;
  interface: string;
  length: number;
  protocol?: number;
  source?: string;
  destination?: string;
}

/** Facts of a packet whose headers have been read. */
export function factsOf(p: Packet, number: number, timeMs: number, name: string): PacketFacts {
  const end = (address: number, port: number): string =>
    p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP
      ? `${formatAddress(address)}:${port}`
      : formatAddress(address);
  return {
    packet: number,
    time: new Date(timeMs).toISOString(),
    interface: name,
    length: p.end - p.at,
    protocol: p.protocol,
    source: end(p.src, p.srcPort),
    destination: end(p.dst, p.dstPort),
  };
}

export class ReplayOutput {
  readonly #files = new Map<string, PcapngFile>();
  readonly #verdicts: number;
  #lines: string[] = [];
  #lineBytes = 0;

  /**
   * @param folder made where it is not there; files of an earlier run are written anew
   * @param interfaces canonical names of those that packets may leave by
   * @throws CaptureFileError
   */
  constructor(
    private readonly folder: string,
    interfaces: readonly string[],
  ) {
    try {
      mkdirSync(folder, { recursive: true });
      this.#verdicts = openSync(join(folder, 'verdicts.jsonl'), 'w', 0o600);
    } catch (error) {
      throw new CaptureFileError(`--out ${folder}: ${(error as Error).message}`);
    }
    for (const name of interfaces) {
      const file = join(folder, `${name.replaceAll('/', '-')}.pcapng`);
      this.#files.set(name, new PcapngFile(file, [name], LINKTYPE_RAW));
    }
  }

  /**
   * Notes a verdict.
   * @param egress where what passes goes; undefined: to the router itself
   * @param late it was held before
   * @throws CaptureFileError
   */
  verdict(
    facts: PacketFacts | { packet: number; time: string },
    v: Verdict,
    changed: boolean,
    egress?: string,
    late = false,
  ): void {
    const word =
      v === HOLD ? 'held' : v === ABSORBED ? 'passed as part of its datagram' : isDrop(v) ? 'dropped' : 'passed';
    this.line({
      ...facts,
      ...(late && { late }),
      verdict: word,
      ...(isDrop(v) && { reason: DROP_REASONS[v] }),
      ...(word === 'passed' && { changed, egress: egress ?? 'router' }),
    });
  }

  /** @throws CaptureFileError */
  line(value: object): void {
    const line = `${JSON.stringify(value)}\n`;
    this.#lines.push(line);
    this.#lineBytes += line.length;
    if (this.#lineBytes >= TOGETHER) this.#flushLines();
  }

  /**
   * A packet leaves, as Linux would send it: one hop older, its checksums complete.
   * @throws CaptureFileError
   */
  leaves(name: string, timeMs: number, p: Packet): void {
    const bytes = p.bytes.slice(p.at, p.end);
    bytes[IPV4_TTL]!--;
    writeIpv4Checksum(bytes, 0, p.headerLength);
    if (p.checksumPartial) completePartial(bytes, p.headerLength, bytes.length, checksumOffset(p.protocol));
    this.sends(name, timeMs, bytes);
  }

  /** The router sends a packet of its own. @throws CaptureFileError */
  sends(name: string, timeMs: number, bytes: Uint8Array): void {
    this.#files.get(name)?.packet({ interface: 0, timeMs, bytes, length: bytes.length, direction: 'out' });
  }

  /** @throws CaptureFileError */
  close(summary: readonly string[]): void {
    this.#flushLines();
    closeSync(this.#verdicts);
    for (const file of this.#files.values()) file.close();
    this.#guard(() => writeFileSync(join(this.folder, 'summary.txt'), summary.map((l) => `${l}\n`).join('')));
  }

  #flushLines(): void {
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#lineBytes = 0;
    this.#guard(() => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#verdicts, bytes, at);
    });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw new CaptureFileError(`--out ${this.folder}: ${(error as Error).message}`);
    }
  }
}
