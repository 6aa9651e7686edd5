"""Replays a recording to everyone over WebSocket: replay.py RECORDING [FAULT]. Prints its port.

Faults: lose (an event), swap (two events), repeat (an event), break (the text of an event), close (with code 1011).
"""

import asyncio
import json
import sys
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
fault = sys.argv[2] if len(sys.argv) > 2 else ""
stream = json.loads(lines[0])["source"].split("/")[2]

TIME = "2026-11-22T10:00:00Z"


def told():
    middle = len(lines) // 2
    for number, line in enumerate(lines):
        if number == middle and fault == "lose":
            continue
        if number == middle and fault == "swap":
            yield lines[middle + 1]
        if number == middle and fault == "break":
            line = line[:-2]
        if number == middle and fault == "close":
            return
        if number != middle + 1 or fault != "swap":
            yield line
        if number == middle and fault == "repeat":
            yield line


def control(kind, data):
    event = {"specversion": "1.0", "id": "1", "source": "/servers/python", "type": kind, "time": TIME}
    return json.dumps({**event, "data": data})


def greeting(follows):
    data = {"contract": "1.0", "stream": stream, "head": len(lines), "oldest": 1, "heartbeat_ms": 1000}
    return control("stream_opened", {**data, "follows": follows, "server_time": TIME})


def after(path):
    """The position of a request, or nothing; raises ValueError if it is none."""
    given = parse_qs(urlsplit(path).query).get("after")
    if not given:
        return None
    name, _, number = given[0].partition("/")
    if not number.isdigit() or int(number) >= 2**53:
        raise ValueError(given[0])
    return name, int(number)


async def check(connection, request):
    try:
        after(request.path)
    except ValueError as error:
        return connection.respond(400, f"{error} is no position\n")


async def talk(connection):
    position = after(connection.request.path)
    head = len(lines)
    if position is None:
        await connection.send(greeting({"kind": "started", "from": 1, "to": head}))
        for line in told():
            await connection.send(line)
    elif position[0] != stream or position[1] > head:
        reason = "other-stream" if position[0] != stream else "ahead"
        await connection.send(greeting({"kind": "reset", "reason": reason, "from": head + 1, "to": head}))
    else:
        await connection.send(greeting({"kind": "resumed", "from": position[1] + 1, "to": head}))
        for line in lines[position[1]:]:
            await connection.send(line)
    if fault == "close" and position is None:
        await connection.close(1011, "no more")
        return
    with suppress(ConnectionClosed):
        while True:
            await connection.send(control("heartbeat", {"stream": stream, "head": head, "state": "playing"}))
            await asyncio.sleep(0.5)


async def main():
    async with serve(talk, "127.0.0.1", 0, process_request=check, subprotocols=["cloudevents.json"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
