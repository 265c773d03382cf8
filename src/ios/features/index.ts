/** The protocols of core/inspect/registry.ts as a person meets them: a line for each. */
import type { Feature } from './feature.js';
import { IMAP_FEATURE, POP3_FEATURE } from './mailbox.js';

export const FEATURES: readonly Feature[] = [POP3_FEATURE, IMAP_FEATURE];

/** The feature of this protocol; undefined: it is none of the registry. */
export const featureOf = (protocol: string): Feature | undefined => FEATURES.find((f) => f.protocol === protocol);
