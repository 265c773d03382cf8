/** Exit codes of every fw3640 command: done; the system refused; usage or configuration. */
export const EXIT = { ok: 0, runtime: 1, usage: 2 } as const;
