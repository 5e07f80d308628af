#!/usr/bin/env python3
"""For tests/coverage: coverage.py FOLDER prints how many lines of each room the programs of that build have reached, and
coverage.py FOLDER ROOM... the lines of these rooms that none has."""
import glob
import json
import os
import subprocess
import sys

# A room is a folder; hub and worker have files of their own, too, and are rooms without those in their folders.
PARTS = ("hub/", "worker/", "master/", "tests/load/")
# Percent; a room that has none here is only told of.
FLOORS = dict.fromkeys(["hub", "hub/base", "hub/io", "hub/sync", "hub/thread", "master/fleet"], 90)


def counts(folder):
    """file -> {line: how often it was reached}, over all programs and objects that have the file."""
    found = {}
    notes = sorted(glob.glob(folder + "/**/*.gcno", recursive=True))
    for start in range(0, len(notes), 50):
        command = ["gcov", "--json-format", "--stdout", *notes[start : start + 50]]
        # Objects that nothing has run have no data, which it complains of.
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder).stdout
        for line in told.splitlines():
            for file in json.loads(line)["files"]:
                path = os.path.relpath(os.path.join(folder, file["file"]))
                if not path.startswith(PARTS):
                    continue
                lines = found.setdefault(path, {})
                for each in file["lines"]:
                    lines[each["line_number"]] = lines.get(each["line_number"], 0) + each["count"]
    return found


folder, asked = os.path.abspath(sys.argv[1]), sys.argv[2:]
rooms = {}
for path, lines in sorted(counts(folder).items()):
    rooms.setdefault(os.path.dirname(path), {})[path] = lines
for room in asked:
    if room not in rooms:
        sys.exit(f"coverage: there is no room {room}: there are {', '.join(sorted(rooms))}")
    for path, lines in rooms[room].items():
        text = open(path, encoding="utf-8").read().split("\n")
        for number, count in sorted(lines.items()):
            if count == 0:
                print(f"{path}:{number}:{text[number - 1]}")
if asked:
    sys.exit()
wrong, total, reached = not rooms, 0, 0
print(f"{'room':24} {'lines':>6} {'reached':>8}")
for room, files in sorted(rooms.items()):
    all_lines = [count for lines in files.values() for count in lines.values()]
    here = sum(count > 0 for count in all_lines)
    percent, floor = 100 * here / len(all_lines), FLOORS.get(room)
    total, reached = total + len(all_lines), reached + here
    below = floor is not None and percent < floor
    wrong = wrong or below
    print(f"{room:24} {len(all_lines):6} {percent:6.1f} %{f'  below its floor of {floor} %' if below else ''}")
for room in sorted(set(FLOORS) - set(rooms)):
    print(f"coverage: {room} has a floor, but no lines")
    wrong = True
print(f"{'all':24} {total:6} {100 * reached / max(total, 1):6.1f} %")
sys.exit(1 if wrong else 0)
