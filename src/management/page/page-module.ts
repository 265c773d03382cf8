/** What the server calls of the page. It loads the module when somebody first looks: no types of a browser come along. */
import type { LiveFrame, LiveHistory, SessionDialogue } from '../../ios/live/frame.js';

/** What a page begins with, as JSON beside the markup that was made of it. */
export interface FirstSight {
  frame: LiveFrame;
  history: LiveHistory;
}

export interface PageModule {
  /**
   * The page with all its tables, for who has no JavaScript; who has, goes on from there.
   * @param assets path in front of the names of scripts and styles, with a `/` at its end
   */
  livePage(first: FirstSight, assets: string): string;
  /** One dialogue as a page of its own. */
  dialoguePage(told: SessionDialogue, hostname: string, assets: string): string;
}
