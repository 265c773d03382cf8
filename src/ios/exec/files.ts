/** What `copy`, `dir` and their kin need of the world: flash:, and files of servers. The edges provide it. */

export interface FlashFile {
  name: string;
  /** Bytes. */
  size: number;
  written: Date;
}

/** A file of a server. */
export interface RemoteFile {
  scheme: 'tftp' | 'ftp';
  address: number;
  path: string;
  /** Of ftp. */
  user: string;
  password: string;
}

/** All of them reject with an Error whose message is IOS's word for why: `Timed out`. */
export interface FileService {
  readonly flash: {
    /** Bytes. */
    readonly capacity: number;
    list(): Promise<FlashFile[]>;
    has(name: string): boolean;
    read(name: string): Promise<Uint8Array>;
    /** The file is the old one or the new one, whole, at each moment. */
    write(name: string, bytes: Uint8Array): Promise<void>;
    remove(name: string): Promise<void>;
  };
  /** @param progress told `!` as data moves, `.` when the server is silent. @param signal the escape sequence */
  fetch(from: RemoteFile, progress: (mark: string) => void, signal: AbortSignal): Promise<Uint8Array>;
  send(to: RemoteFile, bytes: Uint8Array, progress: (mark: string) => void, signal: AbortSignal): Promise<void>;
}
