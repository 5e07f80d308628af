"""What the comparisons share: servers and the CPU of their processes, loads, rounds in which each has its turn, tables."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
BIN = os.path.join(HERE, "../../build/bin")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until(holds, what):
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} does not serve")
        time.sleep(0.02)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def family(pid):
    """The process, and all that descend from it; none, if it has ended."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [pid, *(one for child in file.read().split() for one in family(int(child)))]
    except FileNotFoundError:
        return []


def cpu(pids):
    """Seconds of all threads, by the kernel's clock of each process, which is no multiple of ticks."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def threads_cpu(pids):
    """Seconds of each thread."""
    seconds = {}
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                seconds[thread] = int(file.read().split()[0]) / 1e9
    return seconds


class Server:
    """A server, in a folder of its own, from its start until it serves; it ends with its context. A word "{port}" in its
    command line or environment becomes a free port, "{folder}" the folder, where prepare(folder, port) puts what the server
    reads. One that is not told a port prints "ready: 127.0.0.1:PORT" on stderr."""

    def __init__(self, argv, environment=None, cpu=None, prepare=None):
        self.folder, self.port = tempfile.mkdtemp(), free_port()
        if prepare is not None:
            prepare(self.folder, self.port)
        words = [word.format(port=self.port, folder=self.folder) for word in argv]
        extra = {name: value.format(port=self.port, folder=self.folder) for name, value in (environment or {}).items()}
        with open(self.folder + "/log", "w") as log:
            self.process = subprocess.Popen(words if cpu is None else ["taskset", "-c", str(cpu), *words], env={**os.environ, **extra},
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        is_told = prepare is not None or any("{port}" in word for word in [*argv, *(environment or {}).values()])
        try:
            wait_until((lambda: answers(self.port)) if is_told else self._has_said, argv[0])
        except TimeoutError as error:
            with open(self.folder + "/log") as log:
                error.add_note(log.read())
            self.__exit__()
            raise
        self.pids = family(self.process.pid)

    def _has_said(self):
        with open(self.folder + "/log") as log:
            port = re.search(r"ready: (?:udp:)?127\.0\.0\.1:(\d+)", log.read())
        self.port = int(port[1]) if port else self.port
        return port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder)


def is_installed(argv):
    return shutil.which(argv[0]) is not None


def load(target, *options):
    """Runs hubbub-load; its words about a generator that shares the CPUs are left unsaid. Returns the result."""
    done = subprocess.run([BIN + "/hubbub-load", "-q", "-o", "-", "--max-lag=1h", *options, target], capture_output=True, text=True)
    if done.returncode not in (0, 4):
        raise ChildProcessError(f"{target}: {done.stdout[-2000:]}{done.stderr}")
    return json.loads(done.stdout)


def in_turns(names, rounds, measure):
    """Measures each so often; every round begins with another one. Returns what was measured, in lists by name."""
    found = {name: [] for name in names}
    for turn in range(rounds):
        for i in range(len(names)):
            name = names[(turn + i) % len(names)]
            found[name].append(measure(name))
    return found


def median(samples, figure):
    return statistics.median(sample[figure] for sample in samples)


def median_ratio(samples, base, figure):
    """The median over the rounds of the ratio to the base in the same round."""
    return statistics.median(one[figure] / other[figure] for one, other in zip(samples, base))


def print_row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def print_head(*cells):
    print_row(*cells)
    print_row(*["---"] * len(cells))
