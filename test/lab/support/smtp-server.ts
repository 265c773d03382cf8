/**
 * The least of an SMTP server: it answers each line as soon as its CR LF is there, and keeps every byte it was sent.
 * Where a test looks at bytes, this stands in for Postfix, which does not show them.
 */
import type { Host, Lab } from './lab.js';
import { TcpServer, type Connection } from './tcp.js';

const LEGAL = /^(HELO|EHLO|MAIL|RCPT|RSET|NOOP|HELP|VRFY|SEND|SAML|SOML)\b/i;

/** Starts the server on port 25 of a host. */
export const smtpServer = (lab: Lab, host: Host = 'inside'): Promise<TcpServer> =>
  TcpServer.listen(lab, host, 25, serve);

function serve(connection: Connection): void {
  let at = 0;
  let inData = false;
  connection.write('220 mail.example.test ESMTP\r\n');
  connection.onData = () => {
    for (;;) {
      const end = connection.text.indexOf('\r\n', at);
      if (end < 0) return;
      const line = connection.text.slice(at, end);
      at = end + 2;
      if (inData) {
        if (line !== '.') continue;
        inData = false;
        connection.write('250 2.0.0 Ok\r\n');
      } else if (/^DATA$/i.test(line)) {
        inData = true;
        connection.write('354 End data with <CR><LF>.<CR><LF>\r\n');
      } else if (/^QUIT$/i.test(line)) {
        connection.write('221 2.0.0 Bye\r\n');
        connection.end();
      } else connection.write(LEGAL.test(line) ? '250 2.0.0 Ok\r\n' : '500 5.5.2 Error: command not recognized\r\n');
    }
  };
}
