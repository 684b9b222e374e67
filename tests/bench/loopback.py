"""``python -m tests.bench.loopback PORT``: answers ``GET /N`` with N bytes and does nothing else.

What a list would take if it were nothing but a copy from one process to another.
"""

import socket
import sys


def serve(port: int) -> None:
    """One connection after the other, without end."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                while request := connection.recv(4096):
                    length = int(request.split()[1][1:])
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + bytes(length))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
