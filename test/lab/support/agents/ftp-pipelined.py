"""An FTP client that does not wait: ftp-pipelined.py SERVER COMMAND...

Logs in as anonymous, sends all commands in one segment, and fetches the listing by the last endpoint that it was given
where the last command is LIST. Prints JSON: the replies, and how many bytes of listing came (null: none was asked for).
"""
import json
import re
import socket
import sys

server, commands = sys.argv[1], sys.argv[2:]
control = socket.create_connection((server, 21), timeout=8)
control.settimeout(8)
rest = b""


def reply():
    """One reply, its last line if it has several (RFC 959 section 4.2)."""
    global rest
    while True:
        while b"\r\n" not in rest:
            more = control.recv(65536)
            if not more:
                raise SystemExit(f"the server hung up behind {rest!r}")
            rest += more
        line, rest = rest.split(b"\r\n", 1)
        if re.match(rb"\d\d\d ", line):
            return line.decode("latin1")


def endpoint(text):
    """Address and port of a 227 or 229; None of any other reply."""
    if text.startswith("227 "):
        n = [int(x) for x in re.search(r"\d+(?:,\d+){5}", text)[0].split(",")]
        return ".".join(map(str, n[:4])), n[4] * 256 + n[5]
    if text.startswith("229 "):
        return server, int(re.search(r"\|\|\|(\d+)\|", text)[1])
    return None


assert reply().startswith("220")
for line in ("USER anonymous", "PASS x"):
    control.sendall(line.encode() + b"\r\n")
    last = reply()
assert last.startswith("230"), last

control.sendall("".join(c + "\r\n" for c in commands).encode())
replies, data, listing = [], None, None
for command in commands:
    if command == "LIST":  # its 150 comes when the data connection is there
        with socket.create_connection(data, timeout=8) as connection:
            listing = 0
            while more := connection.recv(65536):
                listing += len(more)
        replies.append(reply())
    replies.append(reply())
    data = endpoint(replies[-1]) or data
print(json.dumps({"replies": replies, "endpoint": data, "listing": listing}))
