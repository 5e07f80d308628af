"""The C files of the tree, as the lints read them."""
import os
import re
import subprocess
import sys
from functools import lru_cache

sys.dont_write_bytecode = True

# From the ground up: what is linked together, and may see what is private among its own files.
PARTS = ["hub", "hub/patch", "sim", "worker", "master", "tests/load"]
VARIABLE = re.compile(r"^(?!static|extern|typedef|return|struct \w+ \{)[A-Za-z_][\w *]*?\b(\w+)(?:\[[^\n]*\])?(?: =|;)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
# The house's style: the return type on a line of its own, then the name.
DEFINITION = re.compile(r"^(?!typedef|#)([\w][\w *()\"-]*)\n(\w+)\(", re.M)


@lru_cache(None)
def files():
    """All .c and .h files, of git or not yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h"], capture_output=True, text=True, check=True
    ).stdout.split()
    return sorted({path for path in listed if os.path.exists(path)})


@lru_cache(None)
def public_headers():
    """What is installed: where it lies, and what comes behind <hubbub/>. The CMakeLists are the one list."""
    listed = re.search(r"HUB_PUBLIC_HEADERS\n(.*?)PARENT_SCOPE", text("hub/CMakeLists.txt"), re.S)
    others = re.findall(r"^hubbub_public_header\((\S+) (\S+)\)", text("CMakeLists.txt"), re.M)
    return dict([("hub/" + name, name) for name in listed.group(1).split()] + others)


@lru_cache(None)
def text(path):
    return open(path, encoding="utf-8").read()


@lru_cache(None)
def code(path):
    """The text with its lines where they were, but no comments, and nothing in its strings."""

    def blank(match):
        kept = "\n" * match.group(0).count("\n")
        return match.group(0)[0] * 2 + kept if match.group(0)[0] in "\"'" else " " + kept

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text(path), flags=re.S)


def part(path):
    """The part that a file belongs to, or None for one of the tests or from outside."""
    return max((part for part in PARTS if path.startswith(part + "/")), key=len, default=None)


def includes(path):
    """Pairs: as it is written, and the path from the root of the tree. <poll.h> is never a poll.h of ours."""
    for opening, written in INCLUDE.findall(text(path)):
        beside = os.path.normpath(os.path.join(os.path.dirname(path), written))
        if written.startswith("hubbub/"):
            # The public face: each header's name is of one room.
            name = written[len("hubbub/"):]
            yield written, next((room + name for room in ("worker/", "master/") if os.path.exists(room + name)), "hub/" + name)
        else:
            yield written, beside if opening == '"' and os.path.exists(beside) else written


def functions(path):
    """The functions that a file defines: name, what comes before it, first line, number of lines."""
    plain = code(path)
    for match in DEFINITION.finditer(plain):
        opening = re.compile(r"^\{", re.M).search(plain, match.end())
        semicolon = plain.find(";", match.end())
        if opening is None or -1 < semicolon < opening.start():
            continue
        end = plain.find("\n}", opening.start())
        first = plain.count("\n", 0, match.start()) + 1
        yield match.group(2), match.group(1), first, plain.count("\n", 0, end + 1) + 2 - first


def module(path):
    """What x.c, x.h and x_priv.h have in common."""
    return re.sub(r"(_priv)?\.[ch]$", "", path)


def names(path):
    """What others may name of a .c file. What stands before a library's function is not called by us."""
    hidden = re.compile(r"\bstatic\b|EXPORT")
    found = {name for name, before, _, _ in functions(path) if not hidden.search(before)}
    return (found | set(VARIABLE.findall(code(path)))) - {"main"}


@lru_cache(None)
def owners():
    """(part, name) -> the .c file that defines it."""
    found = {}
    for path in files():
        if part(path) and path.endswith(".c"):
            found.update({(part(path), name): path for name in names(path)})
    return found


@lru_cache(None)
def arrows():
    """Within parts, (file, file) -> what the first takes of the second: an #include, and names, whichever header declares them."""
    found = {}
    for path in filter(part, files()):
        for _, target in includes(path):
            if part(target) == part(path) and module(target) != module(path):
                found.setdefault((path, target), []).append("#include")
        if path.endswith(".c"):
            # A member's name is not meant.
            for name in sorted(set(re.findall(r"(?<![.>\w])(\w+)\b", code(path)))):
                target = owners().get((part(path), name))
                if target is not None and module(target) != module(path):
                    found.setdefault((path, target), []).append(name)
    return found
