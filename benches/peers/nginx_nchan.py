"""nginx with nchan. This process publishes over HTTP and is not counted; nginx and its workers are."""

import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import Template

from load import TLS_CERT, TLS_KEY, due, event, free_port, order, ready

CONFIGURATION = Template("""
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
pid $folder/pid;
error_log stderr error;
$user
# nginx's own default. With more, nchan passes every message from one to the other.
worker_processes $workers;
events { worker_connections 60000; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    keepalive_requests 1000000;
    server {
        listen 127.0.0.1:$port backlog=4096 $ssl;
        # Without TLS, to publish on.
        listen 127.0.0.1:$inside;
        $certificate
        location = /publish {
            nchan_publisher http;
            nchan_channel_id all;
            # So far a client may be behind before it loses messages; the default is 10.
            nchan_message_buffer_length 4096;
        }
        location = /ws {
            nchan_subscriber websocket;
            nchan_channel_id all;
            nchan_subscriber_first_message newest;
        }
        location = /events {
            nchan_subscriber eventsource;
            nchan_channel_id all;
            nchan_subscriber_first_message newest;
        }
    }
}
""")


# TLS 1.3 is no default of this version. A smaller buffer, because the default of 16 KiB is for large files.
CERTIFICATE = f"""
        ssl_certificate {TLS_CERT};
        ssl_certificate_key {TLS_KEY};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_buffer_size 4k;
"""


def start(folder, port, inside):
    configuration = Path(folder, "nginx.conf")
    configuration.write_text(
        CONFIGURATION.substitute(
            folder=folder,
            port=port,
            inside=inside,
            ssl="ssl" if TLS_CERT else "",
            certificate=CERTIFICATE if TLS_CERT else "",
            workers=os.environ.get("NGINX_WORKERS", "1"),
            # Workers of a master that is root would be somebody else's, who may not write to the folder.
            user="user root;" if os.getuid() == 0 else "",
        )
    )
    # It must not outlive this process, however that ends.
    command = ["setpriv", "--pdeathsig", "TERM", "nginx", "-e", "stderr", "-p", folder, "-c", configuration]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def connected(nginx, port):
    """The connection to publish on; it takes a moment until nginx listens, and another until a worker answers."""
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/publish")
            connection.getresponse().read()
            return connection
        except ConnectionRefusedError:
            if nginx.poll() is not None:
                sys.exit("nginx ended before it listened")
            time.sleep(0.01)


def publish(connection, text):
    connection.request("POST", "/publish", text, {"Content-Type": "text/plain"})
    answer = connection.getresponse()
    answer.read()
    if answer.status // 100 != 2:
        sys.exit(f"nchan refuses a message: {answer.status} {answer.reason}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        port, inside = free_port(), free_port()
        nginx = start(folder, port, inside)
        connection = connected(nginx, inside)
        ready(port, nginx.pid)
        for line in sys.stdin:
            messages, rate = order(line)
            begin = time.monotonic()
            for index in range(1, messages + 1):
                time.sleep(max(0, due(begin, index, rate) - time.monotonic()))
                publish(connection, event(index))
        nginx.terminate()
        nginx.wait()


main()
