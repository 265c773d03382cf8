"""A mail server that tells what it executes: one line on standard output for each command, `EXECUTED ` and the line.

    oracle.py ADDRESS

Quick, lax and old: LF ends a line, one that is longer than 16,384 bytes is cut as Exim does, octets behind a BDAT that it
refuses are commands, EXPN works. Speaks MPTCP where the kernel does. Says {"ready":true} first; ends with its input.
"""
import asyncio
import re
import socket
import sys

LIMIT = 16384
IPPROTO_MPTCP = 262


class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.unread = b""
        self.mode = "command"
        self.responses = 0
        self.sender = False
        self.recipients = 0
        self.octets = 0
        self.reply("220 oracle ESMTP")

    def reply(self, *lines):
        self.transport.write("".join(line + "\r\n" for line in lines).encode())

    def data_received(self, data):
        self.unread += data
        while self.unread:
            if self.octets > 0:
                taken = min(self.octets, len(self.unread))
                self.unread = self.unread[taken:]
                self.octets -= taken
                if self.octets == 0:
                    self.reply("250 chunk")
                continue
            at = self.unread.find(b"\n")
            if self.mode != "data" and (at < 0 or at > LIMIT) and len(self.unread) >= LIMIT:
                self.unread = self.unread[LIMIT:]
                self.reply("501 Bad base64" if self.mode == "auth" else "500 Unrecognized")
                self.mode = "command"
                continue
            if at < 0:
                return
            line = self.unread[:at].rstrip(b"\r").decode("latin1")
            self.unread = self.unread[at + 1:]
            self.take(line)

    def take(self, line):
        if self.mode == "data":
            if line == ".":
                self.mode = "command"
                self.sender, self.recipients = False, 0
                self.reply("250 Queued")
            return
        if self.mode == "auth":
            self.responses -= 1
            if not re.fullmatch("[A-Za-z0-9+/=]*", line):
                self.mode = "command"
                self.reply("501 Cancelled, or no base64")
            elif self.responses > 0:
                self.reply("334 UGFzc3dvcmQ6")
            else:
                self.mode = "command"
                self.reply("535 Incorrect")
            return
        print("EXECUTED", line[:200].encode("unicode_escape").decode(), flush=True)
        verb = line.strip().split(" ")[0].upper()
        getattr(self, "on_" + verb.lower(), self.on_other)(line)

    def on_ehlo(self, _):
        self.sender, self.recipients = False, 0
        self.reply("250-oracle", "250-SIZE", "250-PIPELINING", "250-CHUNKING", "250 AUTH LOGIN")

    def on_helo(self, _):
        self.sender, self.recipients = False, 0
        self.reply("250 Ok")

    on_rset = on_helo

    def on_noop(self, _):
        self.reply("250 Ok")

    on_expn = on_vrfy = on_turn = on_noop

    def on_auth(self, _):
        self.mode, self.responses = "auth", 2
        self.reply("334 VXNlcm5hbWU6")

    def on_mail(self, _):
        self.reply("503 Again" if self.sender else "250 Ok")
        self.sender = True

    def on_rcpt(self, _):
        self.recipients += self.sender
        self.reply("250 Ok" if self.sender else "503 Sender first")

    def on_data(self, _):
        if self.recipients == 0:
            self.reply("503 Recipient first")
            return
        self.mode = "data"
        self.reply("354 Go")

    def on_bdat(self, line):
        words = line.split()
        if self.recipients == 0 or len(words) < 2 or not words[1].isdigit():
            self.reply("503 Recipient first")
            return
        self.octets = int(words[1])
        if self.octets == 0:
            self.reply("250 chunk")
        if len(words) > 2:
            self.sender, self.recipients = False, 0

    def on_quit(self, _):
        self.reply("221 Bye")
        self.transport.close()

    def on_other(self, _):
        self.reply("500 Unrecognized")


def listener(address):
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    except OSError:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 25))
    s.listen(1000)
    s.setblocking(False)
    return s


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_server(Server, sock=listener(sys.argv[1]))
    print('{"ready":true}', flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
