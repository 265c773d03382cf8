/**
 * The management process: it holds what listens to people, and has no privilege. It knows nothing of the router but what
 * it asks the control plane, which has started it; without one it ends.
 */
import type { Server } from 'node:net';
import { writeFileSync } from 'node:fs';
import { listenerKey, type FromManagement, type Listener, type ToManagement } from '../ios/management-plane.js';
import { ControlChannel } from './control-channel.js';
import { makeApp } from './app.js';
import { makeMetricsApp, METRICS_SETTINGS } from './metrics.js';
import { WebServer } from './web-server.js';

/** Where memory is short, the kernel ends this process before one that packets or the configuration depend on. */
const OOM_SCORE = '500';

// Signals are for the control plane. On SIGUSR1 Node would open its debugger to everybody.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => undefined);
try {
  writeFileSync('/proc/self/oom_score_adj', OOM_SCORE);
} catch {
  // a /proc that cannot be written
}

const send = (message: FromManagement): boolean => {
  if (!process.connected) return false;
  process.send?.(message, undefined, {}, () => undefined); // an error is a channel that closes: we end then
  return true;
};
const control = new ControlChannel(send);
const web: WebServer = new WebServer(control, makeApp({ control, settings: () => web.settings }), (open) =>
  send({ type: 'connections', open }),
);

const metrics = new WebServer(control, makeMetricsApp(control), () => undefined, METRICS_SETTINGS);
const serverOf = ({ service }: Listener): WebServer => (service === 'metrics' ? metrics : web);

process.on('disconnect', () => process.exit());
// The control plane may have ended while we were loading our program: then nobody says so any more.
if (!process.connected) process.exit();
process.on('message', (message: ToManagement, handle: unknown) => {
  switch (message.type) {
    case 'settings':
      web.settings = message.settings;
      break;
    case 'listen':
      serverOf(message.listener).listen(listenerKey(message.listener), message.listener.service, handle as Server);
      break;
    case 'unlisten':
      serverOf(message.listener).unlisten(listenerKey(message.listener));
      break;
    default:
      control.receive(message);
  }
});
send({ type: 'ready' });
