"""A peer: lines by gevent's makefile, a greenlet per connection."""
import socket
import sys

from gevent.server import StreamServer


def serve(client, _address):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = client.makefile("rwb")
    try:
        for line in lines:
            lines.write(line.upper())
            lines.flush()
    except OSError:
        pass
    finally:
        client.close()


server = StreamServer(("127.0.0.1", 0), serve, backlog=4096)
server.init_socket()
print(f"ready: 127.0.0.1:{server.address[1]}", file=sys.stderr, flush=True)
server.serve_forever()
