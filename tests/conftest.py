"""For all tests."""

import signal

# A suite in the background of a shell has inherited that both are ignored, and so would every program that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
