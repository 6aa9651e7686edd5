"""Numbered messages over Python's websockets. The argument names a fault."""
import asyncio, datetime, json, sys
from websockets.asyncio.server import serve

fault = sys.argv[1]


async def feed(socket):
    for n in range(1, 9):
        if fault == "gap" and n == 4:
            continue
        # All clients get the same texts: the time is that of the start.
        text = json.dumps({"type": "tick", "sequence": n, "timestamp": began, "data": {}})
        await socket.send("tick 4" if fault == "text" and n == 4 else text)
        if fault == "twice" and n == 4:
            await socket.send(text)
        await asyncio.sleep(0.02)
    if fault == "close":
        return await socket.close(1011, "broken")
    await socket.wait_closed()


async def main():
    async with serve(feed, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


began = datetime.datetime.now(datetime.timezone.utc).isoformat()
asyncio.run(main())
