/** `show access-lists`. */
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import { inListOrder } from '../config/list-order.js';
import type { RouterConfig } from '../config/model.js';
import { entryText } from '../show/access-lists.js';
import type { Json } from './json.js';

/** @param only the name of one list; undefined: all */
export function accessListsJson(config: RouterConfig, snapshot: RouterSnapshot, only?: string): Json {
  const lists = inListOrder(config.accessLists.values()).filter((l) => only === undefined || l.name === only);
  return {
    accessLists: lists.map((list) => {
      const matches = snapshot.aclMatches(list.name);
      return {
        name: list.name,
        kind: list.kind,
        entries: list.entries.map((e, i) => ({
          sequence: e.sequence,
          action: e.action,
          text: entryText(list, e),
          matches: matches[i] ?? 0,
        })),
      };
    }),
  };
}
