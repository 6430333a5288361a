"""A small web app on Python's standard library alone."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("TEAL_VERSION", "dev")
INSTANCE = os.environ.get("TEAL_INSTANCE", "dev")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"healthy": True})
        elif self.path == "/":
            self.answer(200, {"message": "Hello from Python", "version": VERSION, "instance": INSTANCE})
        else:
            self.answer(404, {"error": "there is nothing here"})

    def answer(self, status, data):
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass  # One line per request would fill the log with health checks.


class Server(ThreadingHTTPServer):
    daemon_threads = False  # So that server_close() waits for requests in flight.


def main():
    server = Server((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "3000"))), Handler)
    # shutdown() must not be called by the thread that serves.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{VERSION} listens on {server.server_address[0]}:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


main()
