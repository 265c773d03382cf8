#!/usr/bin/env python3
"""mailbox.py PROTOCOL HOST LOGIN USER PASSWORD: reads a mailbox as a client of Python's own does, poplib or imaplib.

PROTOCOL: pop3, imap. LOGIN: plain, apop (pop3), cram (imap), tls (STLS or STARTTLS, then plain).
imap takes each line of standard input as the base64 of a mail to append first. Prints a line for each mail, base64.
"""
import base64
import imaplib
import poplib
import ssl
import sys

protocol, host, login, user, password = sys.argv[1:]
tls = ssl.create_default_context()
tls.check_hostname = False
tls.verify_mode = ssl.CERT_NONE


def pop3():
    box = poplib.POP3(host, timeout=20)
    if login == "apop":
        box.apop(user, password)
    else:
        if login == "tls":
            box.capa()
            box.stls(context=tls)
        box.user(user)
        box.pass_(password)
    count, _size = box.stat()
    # poplib takes the dots away and the line ends with them.
    for n in range(1, count + 1):
        yield b"".join(line + b"\r\n" for line in box.retr(n)[1])
    box.quit()


def imap():
    box = imaplib.IMAP4(host, timeout=20)
    if login == "tls":
        box.starttls(ssl_context=tls)
    if login == "cram":
        box.login_cram_md5(user, password)
    else:
        box.login(user, password)
    for line in sys.stdin:
        box.append("INBOX", "(\\Flagged)", None, base64.b64decode(line))
    box.select("INBOX")
    _status, found = box.search(None, "ALL")
    for n in found[0].split():
        _status, data = box.fetch(n, "(UID BODY.PEEK[])")
        yield data[0][1]
    box.close()
    box.logout()


for mail in {"pop3": pop3, "imap": imap}[protocol]():
    print(base64.b64encode(mail).decode())
