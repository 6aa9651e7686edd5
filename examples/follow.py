"""Follows a stream over WebSocket and resumes after a lost connection: python3 follow.py ws://127.0.0.1:7911/ws

Needs the package `websockets`.
"""

import asyncio
import json
import sys

import websockets


async def follow(url, after=None):
    """Yields every event once, in order. `after` is STREAM/N; without it the oldest open incident comes first."""
    while True:
        try:
            query = f"?after={after}" if after else ""
            async with websockets.connect(url + query, subprotocols=["cloudevents.json"]) as socket:
                async for text in socket:
                    event = json.loads(text)
                    if event["type"] == "stream_opened":
                        opened = event["data"]
                        if opened["follows"]["kind"] == "reset":
                            print("lost events:", opened["follows"]["reason"], file=sys.stderr)
                        after = f"{opened['stream']}/{opened['follows']['from'] - 1}"
                    elif event["source"].startswith("/streams/"):
                        after = f"{event['source'].removeprefix('/streams/')}/{event['id']}"
                        yield event
        except (OSError, websockets.WebSocketException) as error:
            print(shown(f"{error}; trying again"), file=sys.stderr)
        await asyncio.sleep(0.2)


def shown(text):
    """What a server says, without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


async def main():
    async for event in follow(*sys.argv[1:] or ["ws://127.0.0.1:7911/ws"]):
        position = f"{event['source'].removeprefix('/streams/')}/{event['id']}"
        print(shown(position), shown(event["subject"]), shown(event["type"]), flush=True)
        if event["type"] == "incident_resolved":
            return


asyncio.run(main())
