/**
 * What `debug ip inspect smtp` tells: how far the automata have read. `length`: bytes of the line so far, `taken`: of
 * the segment in hand. No step has a byte of the dialogue in it.
 */
import type { InspectorHost } from '../inspector.js';
import type { SmtpFinding } from './finding.js';

export type SmtpStep =
  | { kind: 'reply-begins' }
  | { kind: 'verb'; length: number; taken: number; state: number }
  | { kind: 'verb-match'; id: number }
  | { kind: 'parameters'; length: number; taken: number; state: number }
  | { kind: 'parameters-match'; id: number }
  | { kind: 'command-ends'; index: number; length: number }
  | { kind: 'reply'; length: number; taken: number; state: number }
  | { kind: 'reply-match'; id: number }
  | { kind: 'reply-ends'; index: number; length: number };

export type SmtpHost = InspectorHost<SmtpFinding, SmtpStep>;
