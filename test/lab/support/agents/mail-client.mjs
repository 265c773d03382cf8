// nodemailer in the namespace it is started in, sending mails as it is told.
//   mail-client.mjs TRANSPORT-OPTIONS-AS-JSON
// stdin: {"id":N,"file":PATH,"envelope":{"from":ADDRESS,"to":[ADDRESS],…}}; the file is the message, header and body.
// stdout: {"ready":true}, then {"id":N,"response":REPLY} or {"id":N,"error":MESSAGE}. Ends with its standard input.
import process from 'node:process';
import { createInterface } from 'node:readline';
import { createTransport } from 'nodemailer';

const transport = createTransport(JSON.parse(process.argv[2]));
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, file, envelope } = JSON.parse(line);
    transport.sendMail({ envelope, dsn: envelope.dsn, raw: { path: file } }).then(
      ({ response }) => print({ id, response }),
      (error) => print({ id, error: error.message }),
    );
  })
  .on('close', () => process.exit());
print({ ready: true });
