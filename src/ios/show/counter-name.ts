/** Names of counters as `show ip inspect statistics` prints them. They are ours: IOS has no such lines. */
import type { Reading } from '../../core/observe/row.js';
import type { Adopted } from '../../core/tracker/sessions.js';
import type { EndReason, LogKind } from '../../core/events.js';
import { DROP } from '../../core/verdict.js';
import { DROP_REASONS } from '../drop-reasons.js';
import { LOSS_CAUSES } from '../loss-causes.js';
import { END_REASONS, LOG_KINDS } from '../reasons.js';

const TAKEN_OVER: Readonly<Record<keyof Adopted, string>> = {
  adopted: 'went on',
  reset: 'reset',
  lost: 'could not be read',
};

export function counterName({ family, name }: Pick<Reading, 'family' | 'name'>): string {
  switch (family) {
    case 'drop':
      return `drop ${DROP_REASONS[DROP[name as keyof typeof DROP]]!}`;
    case 'reset':
      return `reset for ${END_REASONS[name as EndReason]}`;
    case 'lost':
      return `lost, as ${LOSS_CAUSES[name as keyof typeof LOSS_CAUSES]}`;
    case 'taken-over':
      return `sessions of the earlier data plane: ${TAKEN_OVER[name as keyof Adopted]}`;
    case 'log':
      return `log left out: ${LOG_KINDS[name as LogKind]}`;
    case 'reassembly':
    case 'smtp':
    case 'nat':
    case 'fragment':
    case 'session':
    case 'threshold':
    case 'queue':
    case 'mail':
    case 'masked':
    case 'plane':
    case 'batch':
      return `${family} ${name}`;
  }
}
