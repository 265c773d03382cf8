/** Entries of a transcript, with the ends of their session (`ip inspect transcript`). */
import type { TranscriptEntry } from '../events.js';
import type { Outbox } from '../outbox.js';
import { endpointsOf } from '../session/endpoints.js';
import type { StreamHost } from './stream-host.js';

/** Transcripts are wanted. */
export const isTranscribing = (sessions: StreamHost): boolean => sessions.globals.transcripts > 0;

/** Tells of the session in record `slot`. Only where transcripts are wanted. */
export function transcribe(sessions: StreamHost, outbox: Outbox, slot: number, entry: TranscriptEntry): void {
  const endpoints = endpointsOf(sessions.at(slot));
  outbox.event({ type: 'transcript', endpoints, at: sessions.now, entry, leftOut: 0 });
}
