"""The API: the published contract (``api``), its client (``client``) and its server (``server``)."""

import atexit
import gc
import sys

# httpx brings a command line, drawn with rich and pygments where those are installed: 3 MB and a tenth of a second in
# every program here, none of which has a use for it. What is None here cannot be imported, and httpx does without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

# At its end Python looks through all that is alive for garbage, which takes a program here a quarter as long as it took
# to start; the system takes the memory back anyway.
atexit.register(gc.freeze)
