/**
 * What cutting a stream may change in the output. Everything is decided when a byte comes, and what has gone out is
 * out; so of a masked line the receiver may have seen the sender's own letters, but no more than the start of a verb
 * (or keyword) that passes, and a CR of which nobody could yet know that it is bare.
 */
export interface Cutting {
  fromClient: boolean;
  /** Verbs, or keywords of the EHLO reply, that pass. */
  words: readonly string[];
}

/** @returns undefined, or why `cut` is not what cutting may make of `whole`, both being outputs for `sent` */
export function differs(sent: string, whole: string, cut: string, { fromClient, words }: Cutting): string | undefined {
  if (whole.length !== sent.length || cut.length !== sent.length) return 'a length changed';
  let lineAt = 0;
  for (let i = 0; i < sent.length; i++) {
    if (cut[i] !== whole[i] && !mayDiffer(sent, whole, cut, lineAt, i, fromClient, words)) {
      return `offset ${i} of ${JSON.stringify(sent)}: ${JSON.stringify(cut)} for ${JSON.stringify(whole)}`;
    }
    if (sent[i] === '\n' && sent[i - 1] === '\r') lineAt = i + 1;
  }
  return undefined;
}

function mayDiffer(
  sent: string,
  whole: string,
  cut: string,
  lineAt: number,
  i: number,
  fromClient: boolean,
  words: readonly string[],
): boolean {
  if (cut[i] !== sent[i] || whole[i] !== 'x') return false;
  if (sent[i] === '\r' && sent[i + 1] !== '\n') return true;
  const from = fromClient ? lineAt : lineAt + 4;
  const letters = sent.slice(from, i + 1).toUpperCase();
  return cut.slice(from, i + 1) === sent.slice(from, i + 1) && words.some((word) => word.startsWith(letters));
}
