/**
 * The first thing that main.ts imports: a Node that is too old is told so in one line, before what follows fails in its
 * own way. It must stay readable by old Nodes: no import, no new syntax.
 */
const LEAST_MAJOR = 20;

/** @param version as `process.versions.node` has it. @returns what is wrong with it, undefined where nothing is */
export function nodeComplaint(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return undefined;
  return (
    `fw3640: this is Node.js ${version} (${process.execPath}); ${LEAST_MAJOR} or newer is needed.\n` +
    'scripts/setup brings one for a checkout, scripts/install for the service.'
  );
}

const complaint = nodeComplaint(process.versions.node);
if (complaint !== undefined) {
  console.error(complaint);
  process.exit(1);
}
