/**
 * The certificate of `ip http secure-server`: made once, signed by itself, kept beside the startup-config for its owner
 * alone. It is made by openssl, since Node makes keys but no certificates.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { formatAddress } from '../ios/ipv4-text.js';
import type { RouterConfig } from '../ios/config/model.js';
import { writeWhole } from '../io/whole-file.js';

const DAYS = 3650;
const PATIENCE_MS = 30_000;

export interface KeyAndCertificate {
  /** PEM. */
  key: string;
  certificate: string;
}

/**
 * Reads the file, or makes it where there is none. One that is there and is no certificate is left alone.
 * @throws Error that says why there is none
 */
export async function certificateOf(file: string, config: RouterConfig): Promise<KeyAndCertificate> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) return parse(text, file);
  const made = parse(await make(config), file);
  writeWhole(file, `${made.key}${made.certificate}`, 0o600);
  return made;
}

async function make({ hostname, interfaces }: RouterConfig): Promise<string> {
  const name = hostname.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 64);
  const addresses = interfaces.flatMap((i) => i.addresses.map((a) => `IP:${formatAddress(a.address)}`));
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-sha256', '-nodes'];
  args.push(
    '-days',
    String(DAYS),
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=${['DNS:' + name, ...addresses].join()}`,
  );
  args.push('-keyout', '-', '-out', '-');
  try {
    const { stdout } = await promisify(execFile)('openssl', args, { timeout: PATIENCE_MS });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw new Error('the program openssl is not there (package openssl)', { cause: error });
    throw new Error(`openssl: ${stderr?.trim().split('\n').at(-1) ?? (error as Error).message}`, { cause: error });
  }
}

/** @throws Error where it is no key with its certificate */
function parse(text: string, file: string): KeyAndCertificate {
  const key = /-----BEGIN (?:EC )?PRIVATE KEY-----[^-]+-----END (?:EC )?PRIVATE KEY-----\n/.exec(text)?.[0];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
  try {
    if (key !== undefined && certificate !== undefined) {
      new X509Certificate(certificate);
      return { key, certificate };
    }
  } catch {
    // said below
  }
  throw new Error(`${file} is no key with its certificate: remove it, and another one is made`);
}
