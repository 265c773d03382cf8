/**
 * A TFTP client (RFC 1350), mode octet: one block at a time, each repeated until it is answered. A server may answer
 * from any port, and from the first answer on only that port counts.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { FileError, inWords, MOST_BYTES } from './file-error.js';

const PORT = 69;
const BLOCK = 512; // bytes; a shorter block is the last one
const RRQ = 1;
const WRQ = 2;
const DATA = 3;
const ACK = 4;
const ERROR = 5;
const UNKNOWN_TRANSFER = 5; // code of an error
/** What IOS says to a server's error code. */
const REFUSALS = ['Undefined error', 'No such file or directory', 'Permission denied', 'No space left on device'];
const TIMEOUT_MS = 2000;
const TRIES = 5;
/** IOS prints a mark for ten blocks. */
const BLOCKS_A_MARK = 10;

export interface TftpOptions {
  host: string;
  path: string;
  /** `!` for ten blocks, `.` for a silence. */
  progress: (mark: string) => void;
  signal: AbortSignal;
  port?: number;
  timeoutMs?: number;
}

/** @throws FileError, as rejection */
export async function tftpGet(options: TftpOptions): Promise<Buffer> {
  const blocks: Buffer[] = [];
  let length = 0;
  await transfer(options, request(RRQ, options.path), (opcode, number, data) => {
    if (opcode !== DATA) return undefined;
    const wanted = (blocks.length + 1) & 0xffff;
    // A block that came twice is acknowledged again: our first acknowledgement was lost.
    if (number !== wanted)
      return number === (blocks.length & 0xffff) ? { packet: ack(number), repeats: true } : undefined;
    blocks.push(Buffer.from(data));
    length += data.length;
    if (length > MOST_BYTES) throw new FileError('File too large');
    return { packet: ack(number), done: data.length < BLOCK };
  });
  return Buffer.concat(blocks);
}

/** @throws FileError, as rejection */
export async function tftpPut(options: TftpOptions, bytes: Uint8Array): Promise<void> {
  const last = Math.floor(bytes.length / BLOCK) + 1;
  let sent = 0;
  await transfer(options, request(WRQ, options.path), (opcode, number) => {
    // An acknowledgement that came twice is not answered twice, or every block would go twice from there on.
    if (opcode !== ACK || number !== (sent & 0xffff)) return undefined;
    if (sent === last) return { done: true };
    sent++;
    const head = Buffer.from([0, DATA, (sent >> 8) & 0xff, sent & 0xff]);
    return { packet: Buffer.concat([head, bytes.subarray((sent - 1) * BLOCK, sent * BLOCK)]) };
  });
}

/** What to do after a packet of the server. `repeats`: it brought nothing new. */
interface Answer {
  packet?: Buffer;
  done?: boolean;
  repeats?: boolean;
}

/** @param answer undefined: the packet does not count */
function transfer(
  { host, progress, signal, port = PORT, timeoutMs = TIMEOUT_MS }: TftpOptions,
  first: Buffer,
  answer: (opcode: number, number: number, data: Buffer) => Answer | undefined,
): Promise<void> {
  const socket = createSocket('udp4');
  let peer: number | undefined; // the server's port, once it has answered
  let packet = first;
  let blocks = 0;
  let tries = 0;
  let timer: NodeJS.Timeout | undefined;
  return new Promise<void>((resolve, reject) => {
    const end = (fault?: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.close();
      if (fault === undefined) resolve();
      else reject(inWords(fault));
    };
    const abort = (): void => end(new FileError('Interrupted'));
    const send = (): void => {
      clearTimeout(timer);
      timer = setTimeout(silence, timeoutMs);
      socket.send(packet, peer ?? port, host);
    };
    const silence = (): void => {
      if (++tries === TRIES) {
        end(new FileError('Timed out'));
        return;
      }
      progress('.');
      send();
    };
    const receive = (bytes: Buffer, from: RemoteInfo): void => {
      if (from.address !== host || bytes.length < 4) return;
      if (peer !== undefined && from.port !== peer) {
        socket.send(Buffer.from([0, ERROR, 0, UNKNOWN_TRANSFER, 0]), from.port, host);
        return;
      }
      const opcode = bytes.readUInt16BE(0);
      const number = bytes.readUInt16BE(2);
      if (opcode === ERROR) {
        end(new FileError(REFUSALS[number] ?? REFUSALS[0]));
        return;
      }
      const next = answer(opcode, number, bytes.subarray(4));
      if (next === undefined) return;
      peer = from.port;
      tries = 0;
      if (next.repeats !== true && ++blocks % BLOCKS_A_MARK === 0) progress('!');
      if (next.packet !== undefined) packet = next.packet;
      if (next.done !== true) send();
      else {
        progress('!');
        // Should the last acknowledgement be lost, the server gives up by itself: it has nothing left to send.
        if (next.packet === undefined) end();
        else socket.send(next.packet, peer, host, () => end());
      }
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort);
    socket.on('error', end);
    socket.on('message', (bytes, from) => {
      try {
        receive(bytes, from);
      } catch (error) {
        end(error);
      }
    });
    socket.bind(0, send);
  });
}

const ack = (number: number): Buffer => Buffer.from([0, ACK, number >> 8, number & 0xff]);

const request = (opcode: number, path: string): Buffer =>
  Buffer.concat([Buffer.from([0, opcode]), Buffer.from(`${path}\0octet\0`, 'latin1')]);
