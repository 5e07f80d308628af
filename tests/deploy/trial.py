"""What the trials of examples have in common: a service under hubbub-ctl, conditions that are waited for, and a run of each trial in namespaces of
its own."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.environ.get("HUBBUB_BIN", ROOT + "/build/bin")
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
# What is random is the same again with the same seed.
SEED = int(os.environ.get("HUBBUB_SEED") or random.randrange(1 << 32))
# On a slow machine, and with pauses between attempts that grow to 30 s; nothing takes so long on another one.
PATIENCE = 180


class Failure(Exception):
    pass


def check(is_so, what):
    if not is_so:
        raise Failure(what)


def wait(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        check(time.monotonic() < end, f"in {PATIENCE} s not so: {what}")
        time.sleep(0.05)


class Service:
    """A server, from its `with` on, at whose end it is drained unless it has ended; after a failure its log is shown."""

    def __init__(self, program, folder, *options, shape=(2, 2)):
        self.program, self.control, self.log = program, folder + "/control", folder + "/log"
        self.options = [f"--processes={shape[0]}", f"--threads={shape[1]}", f"--control={self.control}", *options]
        self.has_ended = False

    def __enter__(self):
        self.process = subprocess.Popen([f"{BIN}/{self.program}", *self.options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "a"))
        try:
            self.ctl(f"--timeout={PATIENCE}", "wait")
        except Failure:
            self.__exit__(Failure, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(open(self.log).read()[-4000:])
            self.process.kill()
        elif not self.has_ended:
            self.ctl("drain")
        self.process.wait()

    def ctl(self, *command):
        done = subprocess.run([BIN + "/hubbub-ctl", "-s", self.control, *command], capture_output=True, text=True)
        check(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def state(self):
        return json.loads(self.ctl("--json", "status"))

    def metric(self, name):
        return self.state()["metrics"][f"{self.program}_{name}"]

    def workers(self):
        """Those that serve, as the state has them."""
        return [worker for worker in self.state()["workers"] if worker["state"] == "ready"]

    def pids(self):
        return [worker["pid"] for worker in self.workers()]

    def kill_worker(self):
        """Returns when another has taken its place."""
        victim = random.choice(self.pids())
        os.kill(victim, signal.SIGKILL)
        wait("the worker is replaced", lambda: victim not in self.pids() and len(self.pids()) == self.state()["processes"])

    def await_log(self, pattern):
        wait(f"the log has {pattern}", lambda: re.search(pattern, open(self.log).read()))


def leave_out(why):
    print(why)
    sys.exit(77)


def run_trials(trials, need=()):
    """Calls each trial, or those that the command line names, with a folder of its own. A trial returns what it found, in a few words. In need is
    what tests/deploy/needs knows."""
    name = os.path.basename(sys.argv[0])
    known = [trial.__name__ for trial in trials]
    for word in sys.argv[1:]:
        if word != "inside" and word not in known:
            sys.exit(f"{name}: no trial is called {word}; there are: {' '.join(known)}")
    if sys.argv[1:2] != ["inside"]:
        if not os.path.exists(f"{BIN}/{name}"):
            leave_out(f"{name} is not built: a library is missing")
        lacks = subprocess.run([ROOT + "/tests/deploy/needs", "root", "namespaces", "ip", *need]).returncode
        if lacks != 0:
            sys.exit(lacks)
        os.execvp("unshare", NAMESPACES + [sys.executable, os.path.realpath(sys.argv[0]), "inside", *sys.argv[1:]])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    done = []
    for trial in trials:
        if sys.argv[2:] and trial.__name__ not in sys.argv[2:]:
            continue
        folder, started = tempfile.mkdtemp(), time.monotonic()
        try:
            print(f"{trial.__name__}: {trial(folder)}, {time.monotonic() - started:.1f} s", flush=True)
        except Failure as failure:
            print(f"{trial.__name__}: {failure}")
            sys.exit(1)
        shutil.rmtree(folder)
        done.append(trial.__name__)
    print(f"{name}: " + ", ".join(done).replace("_", " "))
