/** The simplest inspector whose output depends on all bytes before: it notes what it was given. */
import { StreamAction, type StreamInspector } from '../../src/core/inspect/inspector.js';

/** One direction: masks an upper-case letter where the running state is odd. */
class Automaton {
  state = 1;
  /** All input bytes, and all output bytes. */
  input: number[] = [];
  output: number[] = [];

  step(b: Uint8Array, at: number, end: number): boolean {
    let changed = false;
    for (let i = at; i < end; i++) {
      const c = b[i]!;
      this.input.push(c);
      this.state = (this.state * 31 + c) & 0xff;
      if (c >= 65 && c <= 90 && (this.state & 1) === 1) {
        b[i] = 120;
        changed = true;
      }
      this.output.push(b[i]!);
    }
    return changed;
  }
}

export class ToyInspector implements StreamInspector {
  modified = false;
  readonly initiator = new Automaton();
  readonly responder = new Automaton();
  /** What calls answer; may be set by a test. */
  answer: StreamAction = StreamAction.pass;

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = this.initiator.step(b, at, end);
    return this.answer;
  }
  fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = this.responder.step(b, at, end);
    return this.answer;
  }
}

/** What the toy makes of `input` when it sees it at once. */
export function inspectedWhole(input: readonly number[]): number[] {
  const b = Uint8Array.from(input);
  new ToyInspector().fromInitiator(b, 0, b.length);
  return [...b];
}
