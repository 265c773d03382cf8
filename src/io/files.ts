/** Files for `copy`: the router's flash:, and those of tftp and ftp servers. */
import { formatAddress } from '../ios/ipv4-text.js';
import type { FileService, RemoteFile } from '../ios/exec/files.js';
import { Flash } from './flash.js';
import { ftpGet, ftpPut } from './ftp-client.js';
import { tftpGet, tftpPut } from './tftp.js';

export class Files implements FileService {
  readonly flash: Flash;

  /** @param folder of flash: */
  constructor(folder: string) {
    this.flash = new Flash(folder);
  }

  fetch(from: RemoteFile, progress: (mark: string) => void, signal: AbortSignal): Promise<Uint8Array> {
    const options = { ...from, host: formatAddress(from.address), progress, signal };
    return from.scheme === 'tftp' ? tftpGet(options) : ftpGet(options);
  }

  send(to: RemoteFile, bytes: Uint8Array, progress: (mark: string) => void, signal: AbortSignal): Promise<void> {
    const options = { ...to, host: formatAddress(to.address), progress, signal };
    return to.scheme === 'tftp' ? tftpPut(options, bytes) : ftpPut(options, bytes);
  }
}
