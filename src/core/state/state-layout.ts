/**
 * What the bytes of saved state mean, as text: state of another layout is not read. Made of the layouts themselves, so
 * that a field more, or one that is saved in another place, is another layout by itself.
 */
import { type FtpHost, FtpInspector } from '../inspect/ftp/inspector.js';
import { type HttpHost, HttpInspector } from '../inspect/http.js';
import type { SavedInspector } from '../inspect/inspector.js';
import { REGISTRY } from '../inspect/registry.js';
import { SERVICES } from '../inspect/rules.js';
import { newSmtpCounters } from '../inspect/smtp/finding.js';
import { SMTP_WORDS, SmtpInspector } from '../inspect/smtp/inspector.js';
import { layoutText } from '../memory/record.js';
import type { StateIo } from '../memory/state-io.js';
import { TRANSLATION_FIELDS, TRANSLATION_WORDS } from '../nat/translation.js';
import type { SmtpOptions } from '../policy.js';
import { SESSION_FIELDS, SESSION_WORDS } from '../session/session.js';
import { STREAM_WORDS } from '../stream/reassembler.js';
import { EXPECTED_FIELDS, EXPECTED_WORDS } from '../tracker/expected-flows.js';
import { RECORD_WORDS } from '../tracker/streams.js';
import { VERDICTS } from '../verdict.js';

/** To be raised when a number that is saved gets another meaning, and none of the layouts tells. */
const VERSION = 2;

/** A host that is never asked. */
const NOBODY: object = {};

/** Some options: what they are changes nothing of the fields. */
const PLAIN: SmtpOptions = { allow: [], lineLength: 512, maxData: 1, maskEhlo: true, monitorOnly: false };

/** @param capacity most sessions, which says how long the tables are */
export function stateLayout(capacity: number): string {
  const silent = { debug: false, report: () => undefined, trace: () => undefined };
  const inspectors: SavedInspector[] = [
    new SmtpInspector('esmtp', PLAIN, silent, newSmtpCounters()),
    new FtpInspector(NOBODY as FtpHost),
    new HttpInspector(NOBODY as HttpHost),
    ...REGISTRY.map((p) => p.make({}, silent)),
  ];
  return JSON.stringify([
    VERSION,
    capacity,
    VERDICTS,
    SERVICES,
    layoutText(SESSION_WORDS, SESSION_FIELDS),
    layoutText(TRANSLATION_WORDS, TRANSLATION_FIELDS),
    layoutText(EXPECTED_WORDS, EXPECTED_FIELDS),
    [STREAM_WORDS, SMTP_WORDS, RECORD_WORDS],
    inspectors.map(fieldsOf),
  ]);
}

/** What an inspector saves, field by field. */
function fieldsOf(inspector: SavedInspector): string {
  let fields = '';
  const note = <T>(kind: string, v: T): T => {
    fields += kind;
    return v;
  };
  const io: StateIo = {
    sound: true,
    loading: false,
    int: (v) => note('i', v),
    below: (v, limit) => note(`b${limit}`, v),
    flag: (v) => note('f', v),
    double: (v) => note('d', v),
    bytes: (_b, length) => note(`x${length}`, undefined),
    text: (v, most) => note(`t${most}`, v),
  };
  inspector.sync(io);
  return fields;
}
