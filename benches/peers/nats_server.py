"""nats-server and its WebSocket listener. This process publishes over TCP and is not counted; nats-server is."""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import Template

from load import due, event, free_port, order, ready

CONFIGURATION = Template("""
listen: "127.0.0.1:$tcp"
# So long and so far a client may be behind before it is cut; the defaults are 10 s and 64 MB.
write_deadline: "60s"
max_pending: 256MB
websocket { listen: "127.0.0.1:$port", no_tls: true, compression: false }
""")


def start(folder, port, tcp):
    configuration = Path(folder, "nats.conf")
    configuration.write_text(CONFIGURATION.substitute(port=port, tcp=tcp))
    # It must not outlive this process, however that ends.
    command = ["setpriv", "--pdeathsig", "TERM", "nats-server", "-c", configuration, "-l", Path(folder, "log")]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def connected(server, tcp):
    """The connection to publish on; it takes a moment until the server listens."""
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", tcp))
            break
        except ConnectionRefusedError:
            if server.poll() is not None:
                sys.exit("nats-server ended before it listened")
            time.sleep(0.01)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
    answers = connection.makefile("rb")
    while answers.readline() != b"PONG\r\n":
        pass
    return connection


def main():
    with tempfile.TemporaryDirectory() as folder:
        port, tcp = free_port(), free_port()
        server = start(folder, port, tcp)
        connection = connected(server, tcp)
        ready(port, server.pid)
        for line in sys.stdin:
            messages, rate = order(line)
            begin = time.monotonic()
            for index in range(1, messages + 1):
                time.sleep(max(0, due(begin, index, rate) - time.monotonic()))
                text = event(index).encode()
                connection.sendall(b"PUB all %d\r\n%b\r\n" % (len(text), text))
        server.terminate()
        server.wait()


main()
