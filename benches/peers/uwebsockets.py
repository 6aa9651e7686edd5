"""uWebSockets by way of `socketify`. Its native loop runs as it does in C++, Python is called once a message:
the asyncio loop that socketify offers polls the native one, which would be counted against uWebSockets."""

import os
import queue
import sys
import threading
import time

from socketify import App, AppListenOptions, AppOptions, CompressOptions, OpCode

from load import TLS_CERT, TLS_KEY, due, event, free_port, order, ready

# BoringSSL. Without the option each client keeps its buffers.
TLS = AppOptions(cert_file_name=TLS_CERT, key_file_name=TLS_KEY, ssl_prefer_low_memory_usage=1)
app = App(TLS) if TLS_CERT else App()
orders = queue.SimpleQueue()
# What is being published: messages, rate, start, next index.
current = None


def turn(_):
    """Once a millisecond: publishes what is due. What one turn publishes, uWebSockets joins."""
    global current
    if current is None:
        if orders.empty():
            return
        current = (*orders.get(), time.monotonic(), 1)
    messages, rate, start, index = current
    while index <= messages and due(start, index, rate) <= time.monotonic():
        app.publish("all", event(index), OpCode.TEXT)
        index += 1
    current = (messages, rate, start, index) if index <= messages else None


def read_orders():
    for line in sys.stdin:
        orders.put(order(line))
    os._exit(0)


app.ws(
    "/ws",
    {
        "compression": CompressOptions.DISABLED,
        # The default of 64 KiB is where it begins to drop messages.
        "max_backpressure": 64 * 1024 * 1024,
        "open": lambda ws: ws.subscribe("all"),
    },
)
port = free_port()
app.listen(AppListenOptions(port=port, host="127.0.0.1"), lambda _: ready(port))
threading.Thread(target=read_orders, daemon=True).start()
timer = app.loop.uv_loop.create_timer(1, 1, turn, None)
app.loop.uv_loop.run()
