/** The clock that all processes of this machine have in common (CLOCK_MONOTONIC). */

/** ms from the start of the machine to that of this process. */
const SINCE_BOOT = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** ms since the machine started. */
export const machineNow = (): number => performance.now() + SINCE_BOOT;
