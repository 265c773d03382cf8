/**
 * The scripts and styles of the live page. What the page's script imports, and nothing else, can be asked for: each module
 * is read once, and names of packages in it become paths of ours, for a browser knows no packages. The paths have a hash
 * in them: whoever has a file keeps it, and another version of fw3640 has other paths.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface Asset {
  type: string;
  body: Buffer;
  /** The same, compressed. */
  gzip: Buffer;
}

/** dist/, or src/ in tests. */
const ROOT = new URL('../../', import.meta.url);
const SCRIPT = 'management/page/app.js';
const STYLES = { 'management/page/live.css': 'text/css', 'management/page/icon.svg': 'image/svg+xml' } as const;
const PLOT_STYLE = 'uplot.css';
/** `from './x.js'`, `import './x.js'`, minified too. */
const IMPORT = /(\bfrom\s*|\bimport\s*)(["'])([@\w./-]+)\2/g;

export class PageAssets {
  /** In front of the name of each file, with a `/` at its end. */
  readonly prefix: string;
  readonly #files = new Map<string, Asset>();

  /** Reads them all. @throws Error where one is missing: then the page was not built */
  constructor(root: URL = ROOT) {
    const modules = new Map<string, { url: URL; text: string }>();
    const follow = (url: URL): void => {
      const name = nameOf(url, root);
      if (modules.has(name)) return;
      const text = readFileSync(url, 'utf8').replace(/^\/\/# sourceMappingURL.*$/m, '');
      modules.set(name, { url, text });
      for (const [, , , target] of text.matchAll(IMPORT)) follow(resolved(target!, url));
    };
    follow(new URL(SCRIPT, root));
    const styles = new Map<string, { type: string; text: string }>();
    for (const [name, type] of Object.entries(STYLES))
      styles.set(name, { type, text: readFileSync(new URL(name, root), 'utf8') });
    const plot = dirname(createRequire(import.meta.url).resolve('uplot'));
    styles.set(PLOT_STYLE, { type: 'text/css', text: readFileSync(`${plot}/uPlot.min.css`, 'utf8') });

    const hash = createHash('sha256');
    for (const [name, { text }] of [...modules, ...styles]) hash.update(`${name}\n${text}\n`);
    this.prefix = `/live/assets/${hash.digest('hex').slice(0, 16)}/`;
    for (const [name, { url, text }] of modules)
      this.#add(
        name,
        'text/javascript',
        text.replace(IMPORT, (_all, head: string, quote: string, target: string) => {
          return `${head}${quote}${this.prefix}${nameOf(resolved(target, url), root)}${quote}`;
        }),
      );
    for (const [name, { type, text }] of styles) this.#add(name, type, text);
  }

  #add(name: string, type: string, text: string): void {
    const body = Buffer.from(text);
    this.#files.set(this.prefix + name, { type: `${type}; charset=utf-8`, body, gzip: gzipSync(body) });
  }

  /** @param path of the URL. Undefined: there is no such file, or it is of another version */
  find(path: string): Asset | undefined {
    return this.#files.get(path);
  }

  /** Paths of all of them. */
  get paths(): string[] {
    return [...this.#files.keys()];
  }
}

const resolved = (target: string, from: URL): URL =>
  target.startsWith('.') ? new URL(target, from) : new URL(import.meta.resolve(target));

/** Ours by their place; those of packages by package and file, e.g. `preact/preact.mjs`. */
function nameOf(url: URL, root: URL): string {
  if (url.href.startsWith(root.href)) return url.href.slice(root.href.length);
  const path = fileURLToPath(url);
  const [, name, file] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?:.*\/)?([^/]+)$/.exec(path) ?? [];
  if (name === undefined || file === undefined) throw new Error(`no package has ${path}`);
  return `packages/${name}/${file}`;
}
