"""Python's `websockets` with its own `broadcast`, over asyncio as it comes."""

import asyncio

from websockets.asyncio.server import broadcast, serve

from load import events, ready

clients = set()


async def client(connection):
    clients.add(connection)
    try:
        await connection.wait_closed()
    finally:
        clients.discard(connection)


async def main():
    async with serve(client, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        ready(server.sockets[0].getsockname()[1])
        async for text in events():
            broadcast(clients, text)


asyncio.run(main())
