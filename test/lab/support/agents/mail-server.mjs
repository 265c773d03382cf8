// The SMTP server of the npm package smtp-server in the namespace it is started in: a second implementation besides
// Postfix, with AUTH and STARTTLS. Any user's password is `secret`.
//   mail-server.mjs PORT FOLDER OPTIONS-AS-JSON
// stdout: {"ready":true}, then a mail as {"file":PATH,"user":NAME?,"secure":BOOLEAN,"from":…,"to":[…],"dsn":…} with the
// parameters of MAIL and RCPT as the server parsed them. Ends with its standard input.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { SMTPServer } from 'smtp-server';

const [port, folder, options] = process.argv.slice(2);
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let count = 0;

const server = new SMTPServer({
  authOptional: true,
  allowInsecureAuth: true,
  disableReverseLookup: true,
  authMethods: ['PLAIN', 'LOGIN'],
  hideDSN: false, // by default it does not offer it
  ...JSON.parse(options),
  onAuth({ username, password }, _session, done) {
    if (password === 'secret') done(null, { user: username });
    else done(new Error('wrong password'));
  },
  onData(stream, { user, secure, envelope }, done) {
    const file = join(folder, String(++count));
    pipeline(stream, createWriteStream(file)).then(() => {
      print({ file, user, secure, from: envelope.mailFrom, to: envelope.rcptTo, dsn: envelope.dsn });
      done(null, 'taken');
    }, done);
  },
});
server.on('error', () => undefined); // connections that break; the test sees what it needs on its side
server.listen(Number(port), () => print({ ready: true }));
process.stdin.on('end', () => process.exit()).resume();
