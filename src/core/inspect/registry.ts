/**
 * The protocols that are inspected by nothing but an inspector of their own: a line for each. (FTP, HTTP and SMTP ask
 * more of their session, and are joined to it in session/streams.ts.) What a protocol takes: ARCHITECTURE.md.
 */
import type { Finding, RegisteredProtocol } from './inspector.js';
import { IMAP } from './mailbox/imap.js';
import { POP3 } from './mailbox/pop3.js';

export const REGISTRY = [POP3, IMAP] as const;

export type RegisteredService = (typeof REGISTRY)[number]['service'];

/** Any finding of a registered protocol. */
export type RegisteredFinding = Parameters<Parameters<(typeof REGISTRY)[number]['make']>[1]['report']>[0];

/** The registered protocol of this name. */
export const registered = (service: string): RegisteredProtocol<string, Finding> | undefined =>
  REGISTRY.find((p) => p.service === service);
