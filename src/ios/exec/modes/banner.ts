/** The lines of a `banner`, up to its closing character. */
import type { ConfigEditor } from '../../config/editor.js';
import { PlainMode, reply } from './mode.js';
import type { ModeStack, Reply } from './mode.js';

export class BannerMode extends PlainMode {
  readonly kind = 'text';
  readonly prompt = '';
  readonly secret = false;

  /** @param done puts the edited configuration in force */
  constructor(
    private readonly modes: ModeStack,
    private readonly editor: ConfigEditor,
    private readonly done: () => Reply,
  ) {
    super();
  }

  execute(line: string): Reply {
    if (this.editor.textReader?.(line) !== true) return reply('');
    this.modes.leave(this);
    return this.done();
  }
}
