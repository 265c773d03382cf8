/** The lines of `debug ip inspect smtp`, without their prefix: as a real router printed them (test/golden/debug-trace.csv). */
import type { SmtpStep } from '../../core/inspect/smtp/step.js';

export function smtpLine(s: SmtpStep): string {
  switch (s.kind) {
    case 'reply-begins':
      return 'reply_type OTHERS';
    case 'verb':
      return `VERB - Cmd len:${s.length}, match_len:${s.taken}, cmd_re_state:${s.state}`;
    case 'verb-match':
      return `VERB - match id:${s.id}`;
    case 'parameters':
      return `CMD PARAM - Cmd len:${s.length}, match_len:${s.taken}, cmd_re_state:${s.state}`;
    case 'parameters-match':
      return `CMD PARAM - match id:${s.id}`;
    case 'command-ends':
      return `End Of Command Line - index:${s.index}, len:${s.length}`;
    case 'reply':
      return `OTHER REPLY - Reply len: ${s.length}, match_len:${s.taken}, reply_re_state:${s.state}`;
    case 'reply-match':
      return `OTHER REPLY match id:${s.id}`;
    case 'reply-ends':
      return `End Of Reply Line - index:${s.index} ,len:${s.length}`;
  }
}
