"""A web server that says which copy answers."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = f"Hello from {os.environ['PLUM_INSTANCE_ID']} on {os.environ['PLUM_NODE']}\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    port = int(os.environ["PLUM_PORT_HTTP"])
    print(f"listening on {port}", flush=True)
    ThreadingHTTPServer(("0.0.0.0", port), Hello).serve_forever()


if __name__ == "__main__":
    main()
