"""The same things in gevent, as hubbub-bench measures them in a hub: prints nanoseconds."""
import sys
import time

import gevent
from gevent.queue import Queue

PASSES = 20000


def sleep0():
    def yielder():
        for _ in range(PASSES // 2):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(yielder), gevent.spawn(yielder)])


def spawn():
    for _ in range(PASSES):
        gevent.spawn(lambda: None).join()


def queue():
    items = Queue(64)

    def consumer():
        for _ in range(PASSES):
            items.get()

    reader = gevent.spawn(consumer)
    for i in range(PASSES):
        items.put(i)
    reader.join()


def timeout():
    for _ in range(PASSES):
        with gevent.Timeout(10):
            pass


measured = {"yield": sleep0, "spawn": spawn, "queue": queue, "timeout": timeout}[sys.argv[1]]
began = time.perf_counter()
measured()
print((time.perf_counter() - began) * 1e9 / PASSES)
