/**
 * Loads native/build/libfwq.so and calls it. `Library` of ffi-napi marshals the arguments anew for each call, which
 * cost 15–30 µs; the four calls that take only the handle go straight to `ffi_call` with arguments that were
 * marshalled once: 0.3 µs (Node 20). That entry is in the package's lib/bindings, which its main module does not export.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { layoutDifference } from './layout.js';

/** The same place from src/io/queue and from dist/io/queue. */
const LIBRARY = fileURLToPath(new URL('../../../native/build/libfwq.so', import.meta.url));

/** What we use of ffi-napi. Native pointers are Buffers there. */
interface Ffi {
  Library(path: string, functions: Record<string, [string, string[]]>): Record<string, (...args: unknown[]) => number>;
  DynamicLibrary: new (path: string) => { get(symbol: string): Buffer };
  CIF(result: string, args: string[]): Buffer;
}
interface Bindings {
  ffi_call: (cif: Buffer, fn: Buffer, result: Buffer, args: Buffer) => void;
}
/** ffi-napi adds this to every Buffer. */
interface PointerBuffer extends Buffer {
  writePointer(pointer: Buffer, offset: number): void;
}

/** An open queue, seen from the native side. Each call returns 0 or a count, or -errno. */
export interface NativeQueue {
  exchange(): number;
  flush(): number;
  takeWakeFd(): number;
  close(): number;
}

/** Numbers for `fwq_open`, see native/fwq.h. */
export interface NativeOptions {
  slots: number;
  queue: number;
  maxLength: number;
}

/**
 * Opens a queue over `memory`, which must stay referenced until the queue is closed.
 * @returns the queue, or -errno of `fwq_open`
 * @throws Error when the library is missing or was built from another fwq.h
 */
export function openNative(memory: Buffer, options: NativeOptions): NativeQueue | number {
  const require = createRequire(import.meta.url);
  const ffi = require('ffi-napi') as Ffi;
  const { ffi_call: ffiCall } = require('ffi-napi/lib/bindings') as Bindings;
  const { slots, queue, maxLength } = options;

  const setup = loadSetup(ffi);
  const layout = new Int32Array(16);
  setup.fwq_layout!(slots, Buffer.from(layout.buffer));
  const difference = layoutDifference(slots, layout);
  if (difference !== undefined)
    throw new Error(`${LIBRARY} is out of date (${difference} differs): run make -C native`);

  const handle = Buffer.alloc(8);
  const err = setup.fwq_open!(memory, memory.length, slots, queue, maxLength, handle);
  if (err < 0) return err;

  const args = Buffer.alloc(8) as PointerBuffer;
  args.writePointer(handle, 0);
  const result = Buffer.alloc(8);
  const status = new Int32Array(result.buffer, result.byteOffset, 1);
  const cif = ffi.CIF('int', ['pointer']);
  const symbols = new ffi.DynamicLibrary(LIBRARY);
  const bind = (name: string) => {
    const fn = symbols.get(name);
    return (): number => {
      ffiCall(cif, fn, result, args);
      return status[0]!;
    };
  };
  const native = {
    exchange: bind('fwq_exchange'),
    flush: bind('fwq_flush'),
    takeWakeFd: bind('fwq_take_wake_fd'),
    close: bind('fwq_close'),
    // C has the addresses of these: they must live as long as the functions do.
    keep: [memory, handle],
  };
  return native;
}

function loadSetup(ffi: Ffi): Record<string, (...args: unknown[]) => number> {
  try {
    return ffi.Library(LIBRARY, {
      fwq_layout: ['int', ['int32', 'pointer']],
      fwq_open: ['int', ['pointer', 'uint64', 'int32', 'int32', 'int32', 'pointer']],
    });
  } catch (error) {
    throw new Error(`cannot load ${LIBRARY}: run make -C native`, { cause: error });
  }
}
