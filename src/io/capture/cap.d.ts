/** The part of cap that we use; the package brings no types. */
declare module 'cap' {
  import type { EventEmitter } from 'node:events';

  export class Cap extends EventEmitter {
    /**
     * @param filter of pcap-filter(7); empty: all
     * @param ring bytes that the kernel keeps for us
     * @param buffer where each packet is put; longer ones are cut
     * @returns the link type: ETHERNET
     * @throws Error where the system refuses
     */
    open(device: string, filter: string, ring: number, buffer: Buffer): string;
    on(event: 'packet', listener: (length: number, truncated: boolean) => void): this;
    close(): void;
  }
  const cap: { Cap: typeof Cap };
  export default cap;
}
