# A long cable with delay, loss and reordering, for kernels without netem: a TAP device takes over the address of a NIC,
# and what goes between the two takes its time, in both directions. Only what comes from the NIC's own host is lost or
# overtaken, and only segments with data; which ones are counted from the last line of standard input on, so that two
# transfers meet the same fate.
#   wan.py NIC GATEWAY       runs until its standard input ends; a line is: ONE-WAY-MS LOSS OVERTAKING SEED (fractions)
#   wan.py --plain NIC...    only switches off the offloads of these, which a cable of frames does not know
import array, fcntl, heapq, os, random, select, socket, struct, subprocess, sys, time

SIOCETHTOOL = 0x8946
SET_OFFLOADS = (0x17, 0x15, 0x1F, 0x24, 0x2C)  # tx, rx checksums, TSO, GSO, GRO
TUNSETIFF, TAP, NO_PI = 0x400454CA, 2, 0x1000
BATCH = 64


def plain(nic):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in SET_OFFLOADS:
            value = array.array('B', struct.pack('II', command, 0))
            request = struct.pack('16sP', nic.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(s, SIOCETHTOOL, request)
            except OSError:
                pass  # some devices cannot have it on


def ip(*words):
    subprocess.run(['ip', *words], check=True)


def carries_data(frame):
    if len(frame) < 54 or frame[12:14] != b'\x08\x00' or frame[23] != 6:
        return False
    l4 = 14 + (frame[14] & 15) * 4
    return 14 + int.from_bytes(frame[16:18], 'big') > l4 + (frame[l4 + 12] >> 4) * 4


def main(nic, gateway):
    address = subprocess.run(['ip', '-o', '-4', 'address', 'show', nic], check=True, capture_output=True, text=True)
    local = address.stdout.split()[3]
    tap = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH', b'wan0', TAP | NO_PI))
    ip('address', 'flush', 'dev', nic)
    with open(f'/proc/sys/net/ipv4/conf/{nic}/arp_ignore', 'w') as f:
        f.write('1')  # the address is that of wan0 now
    ip('link', 'set', nic, 'promisc', 'on')
    ip('link', 'set', 'wan0', 'txqueuelen', '10000', 'up')
    ip('address', 'add', local, 'dev', 'wan0')
    ip('route', 'replace', 'default', 'via', gateway)
    plain(nic)
    plain('wan0')
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((nic, 0))
    wire.setblocking(False)
    for size in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        wire.setsockopt(socket.SOL_SOCKET, size, 16 << 20)
    delay = loss = overtaking = 0.0
    chance = random.Random(0)
    queue, count = [], 0
    print('{"ready":true}', flush=True)
    while True:
        wait = max(0, min(queue[0][0] - time.monotonic(), 1)) if queue else 1
        ready, _, _ = select.select([tap, wire, 0], [], [], wait)
        now = time.monotonic()
        if 0 in ready:
            words = os.read(0, 4096).decode().split()
            if not words:
                return
            delay, loss, overtaking = float(words[-4]) / 1000, float(words[-3]), float(words[-2])
            chance = random.Random(int(words[-1]))
            print('{"set":true}', flush=True)
        if tap in ready:
            for _ in range(BATCH):
                try:
                    frame = os.read(tap, 2048)
                except BlockingIOError:
                    break
                due = now + delay
                if carries_data(frame):
                    lost, overtakes = chance.random() < loss, chance.random() < overtaking
                    if lost:
                        continue
                    if overtakes:
                        due = now + delay * 0.3
                count += 1
                heapq.heappush(queue, (due, count, True, frame))
        if wire in ready:
            for _ in range(BATCH):
                try:
                    frame, whence = wire.recvfrom(2048)
                except BlockingIOError:
                    break
                if whence[2] == socket.PACKET_OUTGOING:
                    continue
                count += 1
                heapq.heappush(queue, (now + delay, count, False, frame))
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            _, _, out, frame = heapq.heappop(queue)
            try:
                if out:
                    wire.send(frame)
                else:
                    os.write(tap, frame)
            except OSError:
                pass


if sys.argv[1] == '--plain':
    for name in sys.argv[2:]:
        plain(name)
else:
    main(*sys.argv[1:])
