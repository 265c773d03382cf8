/** Where `copy` takes a file from, and where it puts it: `running-config`, `flash:backup`, `tftp://10.10.10.2/r1`. */
import { decodeType7 } from '../config/password.js';
import type { RouterConfig } from '../config/model.js';

export type Place =
  | { kind: 'running' }
  | { kind: 'startup' }
  /** Undefined: it is asked for. */
  | { kind: 'flash'; name: string | undefined }
  | {
      kind: 'remote';
      scheme: 'tftp' | 'ftp';
      host: string | undefined;
      path: string | undefined;
      user: string | undefined;
      password: string | undefined;
    };

const REMOTE = /^(tftp|ftp):(?:\/\/(?:([^/@:]*)(?::([^/@]*))?@)?([^/@]*)(?:\/(.*))?)?$/i;

/** @returns undefined where the text names no file system of the router */
export function parsePlace(text: string): Place | undefined {
  const [file = '', ...rest] = text.split(/:\/?/);
  const name = rest.join(':');
  switch (/^t?ftp:/i.test(text) ? 'remote' : file.toLowerCase()) {
    case 'running-config':
      return { kind: 'running' };
    case 'startup-config':
      return { kind: 'startup' };
    case 'system':
      return name === 'running-config' ? { kind: 'running' } : undefined;
    case 'nvram':
      return name === 'startup-config' ? { kind: 'startup' } : undefined;
    case 'flash':
      return { kind: 'flash', name: name === '' ? undefined : name };
    case 'remote': {
      const parts = REMOTE.exec(text);
      if (parts === null) return undefined;
      const given = (part: string | undefined): string | undefined => (part === '' ? undefined : part);
      const [, scheme, user, password, host, path] = parts;
      return {
        kind: 'remote',
        scheme: scheme!.toLowerCase() as 'tftp' | 'ftp',
        host: given(host),
        path: given(path),
        user: given(user),
        password,
      };
    }
    default:
      // A name alone is one of flash:, the default file system.
      return text.includes(':') ? undefined : { kind: 'flash', name: text };
  }
}

/** `ip ftp username`, `ip ftp password`; else anonymous, with a password that says who it is. */
export function ftpLogin({ inert, hostname, names }: RouterConfig): { user: string; password: string } {
  const word = (command: string): string | undefined => {
    const line = inert.find((l) => l.block === undefined && l.text.startsWith(`${command} `));
    return line?.text.slice(command.length + 1);
  };
  const [, type, text] = /^(?:([07]) )?(.*)$/.exec(word('ip ftp password') ?? '') ?? [];
  const password = type === '7' ? decodeType7(text ?? '') : text;
  const own = `anonymous@${hostname}${names.domain === undefined ? '' : `.${names.domain}`}`;
  return {
    user: word('ip ftp username') ?? 'anonymous',
    password: password === undefined || password === '' ? own : password,
  };
}
