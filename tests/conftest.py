"""For all tests."""

import signal
from functools import cache

from httpx._transports import default as transports

# A suite in the background of a shell has inherited that both are ignored, and so would every program that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# For each of a thousand clients httpx would read the certificates of the public authorities anew, which takes 20 ms.
transports.create_ssl_context = cache(transports.create_ssl_context)  # type: ignore[attr-defined]
