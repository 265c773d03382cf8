/** What is fuzzed, and inputs to begin with. */
import { fuzzInspector } from './inspector-target.js';
import { fuzzStream } from './stream-target.js';

export interface Target {
  /** Throws where a law is broken. */
  run(input: Uint8Array): void;
  seeds: readonly Uint8Array[];
}

/** Chunks of a conversation in the form of `fuzzInspector`; '' is the server's answer. */
function conversation(options: number, ...chunks: string[]): Uint8Array {
  const parts = chunks.map((text) => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))]);
  return Uint8Array.from([options, ...parts.flat()]);
}

const ENVELOPE = ['HELO c\r\n', '', 'MAIL FROM:<a@b>\r\n', '', 'RCPT TO:<c@d>\r\n', '', 'DATA\r\n', ''];

export const TARGETS: Readonly<Record<string, Target>> = {
  inspector: {
    run: fuzzInspector,
    seeds: [
      conversation(0, ...ENVELOPE, 'Subject: x\r\n\r\nbody\r\n.\r\n', '', 'QUIT\r\n', ''),
      conversation(0, 'E', 'X', 'PN root\r\n', '', 'NOOP\r\nTURN\r\n', ''),
      conversation(1, 'EHLO c\r\n', '', 'AUTH LOGIN\r\n', '', 'dXNlcg==\r\n', '', 'cGFzcw==\r\n', ''),
      conversation(1, 'EHLO c\r\n', '', 'MAIL FROM:<a@b> SIZE=10 BODY=8BITMIME RET=FULL ENVID=x\r\n', ''),
      conversation(
        5,
        'EHLO c\r\n',
        '',
        'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n',
        '',
        'BDAT 3\r\n',
        'abc',
        'BDAT 0 LAST\r\n',
        '',
      ),
      conversation(5, 'EHLO c\r\n', '', 'STARTTLS\r\n', '', '\x16\x03\x01'),
      conversation(32, ...ENVELOPE, 'a\n.\nNOOP x\r\n.\r\n', ''),
      conversation(64, 'NOOP x\nNOOP\r\n', '', 'NOOP\r', '\nRSET\r\n', ''),
      conversation(98, 'NOOP x\rNOOP\r\n', ''),
      conversation(160, ...ENVELOPE, 'a\r\n\0.\r\n.\r\n', ''),
      conversation(16, 'VRFY ci|o\r\n', '', 'DEBUG\r\n', ''),
    ],
  },
  stream: {
    run: fuzzStream,
    seeds: [
      // In order; delivered; acknowledged.
      [0, 0, 0, 0, 30, 0, 0, 1, 0, 8, 0, 0, 6, 0, 0, 0, 0, 7, 0, 0, 0, 0, 8, 0, 0, 0, 0],
      // A gap, filled; a retransmission that lies; FIN.
      [3, 128, 0, 20, 20, 0, 0, 0, 0, 20, 0, 0, 6, 0, 0, 0, 0, 0, 226, 40, 1, 0, 6, 0, 0, 0, 0, 0, 0, 9, 0, 7],
      // Urgent, waiting, other direction.
      [5, 7, 1, 0, 60, 0, 24, 7, 0, 30, 0, 1, 10, 200, 0, 0, 0, 0, 10, 9, 2, 0, 10, 200, 0, 0, 0, 8, 0, 0, 0, 0],
    ].map((bytes) => Uint8Array.from(bytes)),
  },
};
