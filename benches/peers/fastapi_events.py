"""FastAPI behind uvicorn (uvloop): a streaming response whose generator waits at a queue of its client. Blocks are encoded
once for all clients, which FastAPI's own `EventSourceResponse` would do for each."""

import asyncio

import uvicorn
import uvloop
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from load import events, ready

app = FastAPI()
clients = set()


async def stream():
    queue = asyncio.Queue()
    clients.add(queue)
    try:
        # The head of the response goes with the first piece of its body.
        yield b": welcome\n\n"
        while True:
            yield await queue.get()
    finally:
        clients.discard(queue)


@app.get("/events")
async def client():
    return StreamingResponse(stream(), media_type="text/event-stream")


async def publish():
    async for text in events():
        block = f"data: {text}\n\n".encode()
        for queue in clients:
            queue.put_nowait(block)


async def main():
    config = uvicorn.Config(app, port=0, backlog=4096, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    ready(server.servers[0].sockets[0].getsockname()[1])
    await publish()
    serving.cancel()


# As `uvicorn` on the command line does where uvloop is installed.
uvloop.run(main())
