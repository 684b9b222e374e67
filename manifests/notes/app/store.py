"""Keeps notes, a line each, in the folder that stays with the instance's slot: GET reads them, POST adds one."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LONGEST = 4096
NOTES = Path(os.environ.get("PLUM_DATA", ".")) / "notes.txt"


class Store(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(NOTES.read_bytes() if NOTES.exists() else b"")

    def do_POST(self) -> None:
        note = self.rfile.read(min(LONGEST, int(self.headers.get("content-length", 0))))
        with NOTES.open("ab") as file:
            file.write(note.replace(b"\n", b" ") + b"\n")
        self.answer(b"kept\n")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PLUM_PORT_HTTP"])), Store).serve_forever()


if __name__ == "__main__":
    main()
