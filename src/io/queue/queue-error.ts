/** The system refused the queue: which call, the errno's name, and what the operator can do about it. */
import { getSystemErrorName } from 'node:util';

export class QueueError extends Error {
  override readonly name = 'QueueError';
  /** Step that failed, as native/fwq.c names it. */
  readonly call: string;
  /** Name of the errno, `EPERM` and so on. */
  readonly code: string;
  readonly hint: string;

  /** @param errno as C returned it, negative */
  constructor(call: string, errno: number, queue: number) {
    const code = getSystemErrorName(errno);
    const hint = hintFor(call, code, queue);
    super(`queue ${queue}: ${call}: ${code}${hint === '' ? '' : ` (${hint})`}`);
    this.call = call;
    this.code = code;
    this.hint = hint;
  }
}

function hintFor(call: string, code: string, queue: number): string {
  // The buffers are set before the queue is bound and need CAP_NET_ADMIN too: EPERM at bind is somebody else's queue.
  if (call === 'bind' && (code === 'EPERM' || code === 'EBUSY')) return `is another program bound to queue ${queue}?`;
  if (code === 'EPERM' || code === 'EACCES') return 'run as root: CAP_NET_ADMIN and CAP_NET_RAW are needed';
  if (call === 'bind' || code === 'EPROTONOSUPPORT')
    return 'does this kernel have nfnetlink_queue? try: modprobe nfnetlink_queue';
  if (code === 'ENOMEM' || code === 'EMFILE' || code === 'ENFILE') return 'out of memory or file descriptors';
  return '';
}
