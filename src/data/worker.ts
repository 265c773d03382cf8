/**
 * A process of the data plane: started by a control plane, told what to do by it, and not gone with it.
 *   worker.js FOLDER SHARD BUILD
 */
import { writeSync } from 'node:fs';
import { ShardFiles } from '../host/shard-files.js';
import { tuneCompiler } from '../io/compiler.js';
import { ControlLink } from './control-link.js';
import { DataPlane } from './data-plane.js';
import { serve } from './serve.js';

const STANDARD_OUTPUT = 1;
/** The socket that whoever started us has bound: its folder is not ours to write. */
const SOCKET = 3;

const [folder = '', shard = '0', build = ''] = process.argv.slice(2);
const files = new ShardFiles(folder, Number(shard));

await serve(build, {
  listen: (handlers) => ControlLink.listen({ fd: SOCKET }, handlers),
  makePlane: (start, control) => {
    tuneCompiler();
    return new DataPlane(start, control, files);
  },
  onSignal: (signal, then) => process.on(signal, then),
  sayListening: () => writeSync(STANDARD_OUTPUT, '\n'),
  exit: () => process.exit(),
});
