"""What the peers in Python share: the messages of the load, and the orders that come through standard input."""

import asyncio
import os
import socket
import sys
from datetime import datetime, timezone

# Bytes of an event's `data`: as in ../common/message.rs, which says what the rest is for.
DATA_BYTES = 240


# Files of a certificate and its key, if clients come over TLS.
TLS_CERT = os.environ.get("BENCH_TLS_CERT")
TLS_KEY = os.environ.get("BENCH_TLS_KEY")


def event(index):
    """The text of one message; the load client holds it to its own, byte for byte."""
    head = (
        '{"offset_s":0,"synthetic":true,"phase":"load","agent":"bench",'
        '"action":"hypothesis_updated","status":"completed","summary":"'
    )
    data = head + "x" * (DATA_BYTES - len(head) - 2) + '"}'
    time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        f'{{"specversion":"1.0","id":"{index}","source":"/streams/0000000000000000",'
        f'"type":"agent_action","subject":"load-00000","time":"{time}","index":{index},'
        f'"data":{data}}}'
    )


def order(line):
    """An order is MESSAGES RATE BATCH. Only the floor is told how to join messages; here it is up to the peer."""
    messages, rate, _ = line.split()
    return int(messages), float(rate)


def due(start, index, rate):
    """When a message is due: counted from the start, so that lateness never adds up. Rate 0 is all at once."""
    return start + (index - 1) / rate if rate else start


async def events():
    """All messages of all orders, each when it is due. Between two of them the loop has its turn."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        messages, rate = order(line)
        start = loop.time()
        for index in range(1, messages + 1):
            await asyncio.sleep(max(0, due(start, index, rate) - loop.time()))
            yield event(index)


def ready(port, *pids):
    """Says where the server is, and which processes are the server if this one is not."""
    print(port, *pids, flush=True)


def free_port():
    """For servers that cannot say which port they got."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
