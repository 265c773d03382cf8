/** A file could not be read or written. The message is IOS's word for why, as it stands in brackets: `Timed out`. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** Longest file that is carried, bytes: what flash: holds. */
export const MOST_BYTES = 16_252_928;

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
  ECONNREFUSED: 'Connection refused by remote host',
  ETIMEDOUT: 'Timed out',
  EHOSTUNREACH: 'Destination unreachable',
  ENETUNREACH: 'Destination unreachable',
};

/** The system's refusal in IOS's words. */
export function inWords(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new FileError(WORDS[code ?? ''] ?? message);
}
