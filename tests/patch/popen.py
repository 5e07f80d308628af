"""Threads that start commands, of which most do not exist: CPython starts them by vfork."""
import subprocess
import threading

outcomes = []


def start_some():
    for _ in range(30):
        try:
            subprocess.Popen(["/no/such/command"])
        except Exception as exception:
            outcomes.append(type(exception).__name__)
    outcomes.append(subprocess.run(["echo", "told"], capture_output=True, text=True).stdout.strip())
    outcomes.append(str(subprocess.Popen(["sh", "-c", "sleep 0.05; exit 3"]).wait()))


threads = [threading.Thread(target=start_some) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for outcome in sorted(set(outcomes)):
    print(outcome, outcomes.count(outcome))
