"""Apps that really run, as archives. They write what such programs write, colours included."""

import io
import zipfile
from dataclasses import dataclass

# A fixed time in the archive: the same files are the same digest, whenever they are packed.
PACKED = (2026, 1, 1, 0, 0, 0)

SHOP = """
import http.server, itertools, json, os, random, signal, sys, threading, time

PORT = int(os.environ.get("PLUM_PORT_HTTP", "8080"))
VERSION = os.environ.get("PLUM_APP_VERSION", "")
READY = os.environ.get("READY", "yes") == "yes"
GREEN, YELLOW, RED, DIM, END = "\\x1b[32m", "\\x1b[33m", "\\x1b[31m", "\\x1b[2m", "\\x1b[0m"

def say(colour, level, text):
    stamp = time.strftime("%H:%M:%S")
    print(f"{DIM}{stamp}{END} {colour}{level:5}{END} {text}", flush=True)

class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = 503 if self.path == "/ready" and not READY else 200
        raw = json.dumps({"version": VERSION, "instance": os.environ.get("PLUM_INSTANCE_ID", "")}).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_POST(self):
        say(RED, "ERROR", "asked to fall over")
        sys.stderr.write("Traceback (most recent call last):\\n"
                         '  File "server.py", line 42, in checkout\\n'
                         "    total = price / len(basket)\\n"
                         "ZeroDivisionError: division by zero\\n")
        sys.stderr.flush()
        os._exit(3)

    def log_message(self, *args):
        pass

def chatter():
    for number in itertools.count(1):
        time.sleep(float(os.environ.get("EVERY", "2")))
        say(GREEN, "INFO", f"order {4000 + number} paid, {random.randint(1, 9)} items")
        if number % 7 == 0:
            say(YELLOW, "WARN", f"payment gateway took {random.randint(900, 2400)} ms")

signal.signal(signal.SIGTERM, lambda *_: (say(GREEN, "INFO", "closing"), os._exit(0)))
say(GREEN, "INFO", f"shop {VERSION} listens on {PORT}")
threading.Thread(target=chatter, daemon=True).start()
http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Shop).serve_forever()
"""
"""A web server that logs orders. POST / makes it fall over; with READY=no it never gets ready."""

WORK = """#!/bin/sh
# What a step of a pipeline does, as its entry says.
step=${1:-work}
echo "$step: started on $PLUM_NODE"
[ "$step" = report ] && { echo "report: 3 files written"; exit 0; }
n=0
while :; do
    n=$((n + 1))
    printf '\\033[36m%s\\033[0m batch %d: %d rows\\n' "$step" "$n" $((n * 37 % 211 + 100))
    sleep "${EVERY:-5}"
done
"""

BROKEN = """#!/bin/sh
echo "thumbnails 0.9.4: reading /etc/thumbnails.conf"
echo "fatal: /etc/thumbnails.conf: no such file" >&2
exit 3
"""


@dataclass(frozen=True)
class Package:
    """An app as it is uploaded."""

    name: str
    version: str
    archive: bytes

    @property
    def reference(self) -> dict[str, str]:
        """How an entry names it."""
        return {"name": self.name, "version": self.version}


def zipped(files: dict[str, str]) -> bytes:
    """An archive of these files; what ends in .sh may be run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, PACKED)
            info.external_attr = (0o100755 if name.endswith(".sh") else 0o100644) << 16
            archive.writestr(info, text)
    return made.getvalue()


def shop(version: str, name: str = "shop") -> Package:
    """The web server."""
    meta = f"name={name}\nversion={version}\nservice={name}:http:8080\n"
    start = "#!/bin/sh\nexec python3 -u server.py\n"
    return Package(name, version, zipped({"meta.ini": meta, "start.sh": start, "server.py": SHOP}))


def pipeline() -> Package:
    """Steps that log, and one that ends."""
    return Package("pipeline", "1.4.0", zipped({"meta.ini": "name=pipeline\nversion=1.4.0\n", "start.sh": WORK}))


def broken() -> Package:
    """Ends with code 3 as soon as it has started."""
    return Package("thumbnails", "0.9.4", zipped({"meta.ini": "name=thumbnails\nversion=0.9.4\n", "start.sh": BROKEN}))
