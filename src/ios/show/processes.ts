/** `show processes [cpu|memory]`: one process, as all of fw3640 is one. */
import type { SystemSnapshot } from '../../core/state/snapshot.js';

const NAME = 'IP Input'; // the process of a 3640 that does what ours does

/** `show processes`. A Linux process has no stack pointer to show, nor a count of the times it was called. */
export function showProcesses(system: SystemSnapshot): string {
  const microseconds = Math.round((system.cpu().runtimeMs ?? 0) * 1000);
  return (
    utilization(system) +
    ' PID Q  Ty       PC  Runtime(uS)    Invoked   uSecs    Stacks TTY Process\n' +
    `   1 M  we        0 ${String(microseconds).padStart(12)}          1 ${String(microseconds).padStart(7)}       0/0   0 ${NAME}\n`
  );
}

function utilization(system: SystemSnapshot): string {
  const { fiveSeconds, oneMinute, fiveMinutes } = system.cpu();
  return `CPU utilization for five seconds: ${fiveSeconds}%/0%; one minute: ${oneMinute}%; five minutes: ${fiveMinutes}%\n`;
}

export function showProcessesCpu(system: SystemSnapshot): string {
  const { fiveSeconds, oneMinute, fiveMinutes, runtimeMs } = system.cpu();
  const percent = (n: number): string => `${n.toFixed(2)}%`.padStart(7);
  const runtime = Math.round(runtimeMs ?? 0);
  return (
    utilization(system) +
    ' PID Runtime(ms)   Invoked      uSecs   5Sec   1Min   5Min TTY Process\n' +
    `   1 ${String(runtime).padStart(11)}         1 ${String(runtime * 1000).padStart(10)}` +
    ` ${percent(fiveSeconds)}${percent(oneMinute)}${percent(fiveMinutes)}   0 ${NAME}\n`
  );
}

export function showProcessesMemory(system: SystemSnapshot): string {
  const { total, used } = system.memory();
  const column = (n: number): string => String(n).padStart(10);
  return (
    `Processor Pool Total: ${column(total)} Used: ${column(used)} Free: ${column(total - used)}\n\n` +
    ' PID TTY  Allocated      Freed    Holding    Getbufs    Retbufs Process\n' +
    `   1   0 ${column(used)} ${column(0)} ${column(used)} ${column(0)} ${column(0)} ${NAME}\n` +
    `${' '.repeat(31)}${column(used)} Total\n`
  );
}
