"""FastAPI behind uvicorn (uvloop), each send awaited: the connection manager of FastAPI's own documentation."""

import asyncio

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from load import events, ready

app = FastAPI()
clients = set()


@app.websocket("/ws")
async def client(socket: WebSocket):
    await socket.accept()
    clients.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        clients.discard(socket)


async def publish():
    async for text in events():
        for socket in list(clients):
            try:
                await socket.send_text(text)
            except (RuntimeError, WebSocketDisconnect):
                clients.discard(socket)


async def main():
    config = uvicorn.Config(
        app,
        port=0,
        backlog=4096,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    ready(server.servers[0].sockets[0].getsockname()[1])
    await publish()
    serving.cancel()


# As `uvicorn` on the command line does where uvloop is installed.
uvloop.run(main())
