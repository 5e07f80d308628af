"""A peer: gevent's StreamServer, a greenlet per connection; with a number, that many pre-forked processes that share the
listening socket, as gunicorn's workers do."""
import os
import signal
import socket
import sys

from gevent.server import StreamServer


def serve(client, _address):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            data = client.recv(16384)
            if not data:
                return
            client.sendall(data.upper())
    except OSError:
        pass
    finally:
        client.close()


workers = int(sys.argv[1]) if len(sys.argv) > 1 else 1
server = StreamServer(("127.0.0.1", 0), serve, backlog=4096)
server.init_socket()
parent = os.getpid()
if workers > 1:
    import ctypes

    import gevent

    for _ in range(workers - 1):
        if gevent.fork() == 0:
            # A worker goes with the one that started it.
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            break
if os.getpid() == parent:
    print(f"ready: 127.0.0.1:{server.address[1]}", file=sys.stderr, flush=True)
server.serve_forever()
