"""Many DNS questions from one socket, none of which waits for the answer before: dns-many.py SERVER COUNT

Asks for h1.example.test to hCOUNT.example.test, and prints how many different ids were answered.
"""
import socket
import struct
import sys

server, count = sys.argv[1], int(sys.argv[2])
FIRST_ID = 1000
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
    asker.settimeout(2)
    for i in range(count):
        labels = f"h{i + 1}.example.test".split(".")
        name = b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0"
        header = struct.pack(">6H", FIRST_ID + i, 0x100, 1, 0, 0, 0)
        asker.sendto(header + name + struct.pack(">2H", 1, 1), (server, 53))
    answered = set()
    try:
        while len(answered) < count:
            answered.add(struct.unpack(">H", asker.recv(512)[:2])[0])
    except socket.timeout:
        pass
print(len(answered))
