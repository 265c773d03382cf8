/**
 * The edge to native/hostwatch.c: word of changes to links, addresses, routes and rules; announcements by ARP; the lock
 * of a running router. Decides nothing.
 */
import { createRequire } from 'node:module';
import { ftruncateSync, mkdirSync, readFileSync, writeSync } from 'node:fs';
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import { dirname } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { fileURLToPath } from 'node:url';
import { HostError } from './host-system.js';

const LIBRARY = fileURLToPath(new URL('../../native/build/libfwq.so', import.meta.url));

interface Native {
  hostwatch_open(handle: Buffer): number;
  hostwatch_close(handle: Buffer): number;
  hostwatch_announce(ifindex: number, addresses: Buffer, count: number): number;
  hostwatch_lock(path: string): number;
  hostwatch_unlock(path: string, fd: number): number;
}
/** What ffi-napi and ref-napi add to Buffers that are pointers. */
interface PointerBuffer extends Buffer {
  readPointer(offset: number, length: number): Buffer;
}

let loaded: Native | undefined;

function native(): Native {
  const ffi = createRequire(import.meta.url)('ffi-napi') as {
    Library(path: string, functions: Record<string, [string, string[]]>): unknown;
  };
  loaded ??= ffi.Library(LIBRARY, {
    hostwatch_open: ['int', ['pointer']],
    hostwatch_close: ['int', ['pointer']],
    hostwatch_announce: ['int', ['int32', 'pointer', 'int32']],
    hostwatch_lock: ['int', ['string']],
    hostwatch_unlock: ['int', ['string', 'int32']],
  }) as Native;
  return loaded;
}

const nameOf = (errno: number): string => getSystemErrorName(errno);

/** Tells of changes to the host, until it is closed. */
export class HostWatch {
  readonly #handle: Buffer;
  readonly #pipe: Socket;

  /**
   * @param changed something about links, addresses, routes or rules is not as it was; called soon after, not at once
   * @throws HostError
   */
  constructor(changed: () => void) {
    const handle = Buffer.alloc(8) as PointerBuffer;
    const fd = native().hostwatch_open(handle);
    if (fd < 0) throw new HostError(`cannot watch links, routes and rules: ${nameOf(fd)}`);
    this.#handle = handle.readPointer(0, 0);
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: Buffer.alloc(64),
        callback: () => {
          changed();
          return true;
        },
      },
    };
    this.#pipe = new Socket(options);
    this.#pipe.unref();
  }

  close(): void {
    native().hostwatch_close(this.#handle);
    this.#pipe.destroy();
  }
}

/**
 * Announces addresses by ARP on one Ethernet interface (RFC 5227 §3).
 * @param addresses int32, host order
 * @returns how many went out, or the name of the errno
 */
export function announce(ifindex: number, addresses: readonly number[]): number | string {
  const list = Buffer.from(Int32Array.from(addresses).buffer);
  const sent = native().hostwatch_announce(ifindex, list, addresses.length);
  return sent < 0 ? nameOf(sent) : sent;
}

/** The right to be the router of a network namespace: one process has it, until it ends. */
export class HostLock {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {}

  /**
   * @param path a file beside the journal
   * @throws HostError where another process has it, or the file cannot be made
   */
  static take(path: string): HostLock {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    } catch (error) {
      throw new HostError(`${dirname(path)}: ${(error as Error).message} (run fw3640 as root)`);
    }
    const fd = native().hostwatch_lock(path);
    if (fd >= 0) {
      ftruncateSync(fd);
      writeSync(fd, String(process.pid), 0);
      return new HostLock(path, fd);
    }
    if (nameOf(fd) !== 'EAGAIN') throw new HostError(`${path}: ${nameOf(fd)}`);
    const owner = ownerOf(path);
    throw new HostError(`fw3640 is running here already as process ${owner} (stop it first: kill ${owner})`);
  }

  release(): void {
    native().hostwatch_unlock(this.path, this.fd);
  }
}

/** Who has the lock wrote its number there; it may be about to. */
function ownerOf(path: string): string {
  try {
    return readFileSync(path, 'utf8') || '?';
  } catch {
    return '?';
  }
}
