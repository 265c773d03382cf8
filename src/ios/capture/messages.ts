/** `%BUFCAP-6-…`: what happens to capture points. */
import type { Message } from '../messages.js';

const DONE = { CREATE: 'created', ENABLE: 'enabled', DISABLE: 'disabled' } as const;

export const captureMessage = (event: keyof typeof DONE, point: string): Message => ({
  severity: 6,
  mnemonic: `%BUFCAP-6-${event}`,
  text: `Capture Point ${point} ${DONE[event]}.`,
  fields: { point },
});
