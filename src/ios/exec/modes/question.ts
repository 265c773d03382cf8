/** A question that a command asks: one line answers it. */
import { answered, PlainMode } from './mode.js';
import type { ModeStack, Reply } from './mode.js';

export class QuestionMode extends PlainMode {
  readonly kind = 'answer';

  /** @param answer takes what was typed; returns what is printed, and may ask the next question */
  constructor(
    private readonly modes: ModeStack,
    readonly prompt: string,
    readonly secret: boolean,
    private readonly answer: (text: string) => string,
  ) {
    super();
  }

  execute(line: string): Reply {
    this.modes.leave(this);
    return answered(this.answer(line));
  }
}
