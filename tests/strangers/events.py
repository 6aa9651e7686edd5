"""An event stream on Python's http.server. The argument names a fault."""
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

fault = sys.argv[1]


class Feed(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        after = 0 if fault == "forget" else int(self.headers.get("Last-Event-ID") or 0)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if fault == "type" else "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for n in range(after + 1, 9):
                for _ in range(2 if fault == "twice" and n == 4 else 1):
                    self.chunk(f"id: {n}\nevent: tick\ndata: {n}\n\n")
            time.sleep(0.2)
            if fault == "close":
                return self.chunk("")
            while True:
                self.chunk(": alive\n\n")
                time.sleep(0.2)
        except OSError:
            pass

    def chunk(self, text):
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
