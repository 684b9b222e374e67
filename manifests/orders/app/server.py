"""A list of orders over HTTP: GET shows it, POST adds to it."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST = 64 * 1024
orders: list[Any] = []


class Orders(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, {"instance": os.environ.get("PLUM_INSTANCE_ID", ""), "orders": orders})

    def do_POST(self) -> None:
        try:
            order = json.loads(self.rfile.read(min(LONGEST, int(self.headers.get("content-length", 0)))))
        except ValueError:
            self.answer(400, {"message": "the body must be JSON"})
            return
        orders.append(order)
        self.answer(201, order)

    def answer(self, code: int, body: Any) -> None:
        raw = json.dumps(body).encode() + b"\n"
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    port = int(os.environ.get("PLUM_PORT_HTTP", "8080"))
    print(f"listening on {port}", flush=True)
    ThreadingHTTPServer(("0.0.0.0", port), Orders).serve_forever()


if __name__ == "__main__":
    main()
