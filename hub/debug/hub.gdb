# gdb commands for programs with hubs, running or as core files: source hub.gdb, then `help hub`.
python

import gdb
import gdb.unwinder

STATES = ["runnable", "running", "waits", "suspended in hub_switch", "ended, not joined"]


def hubs():
    """All hubs that run: the list of the watchdog (hub/debug/watchdog.c)."""
    symbol = gdb.lookup_static_symbol("hubs")
    if symbol is None:
        raise gdb.GdbError("hub: libhubbub-hub's debug symbols are missing: install libhubbub-hub1-dbgsym, or build with"
                           " -DCMAKE_BUILD_TYPE=RelWithDebInfo; or the program has no hubs, or has not started")
    head = symbol.value()
    hub_type = gdb.lookup_type("struct hub")
    watched = [f for f in hub_type.fields() if f.name == "watched"][0].bitpos // 8
    link = head["next"]
    while link != head.address:
        yield gdb.Value(int(link) - watched).cast(hub_type.pointer())
        link = link["next"]


def coroutines(hub):
    """All coroutines of a hub: the used slots of its arena (see hub/stack.c)."""
    arena = hub["arena"]
    colours = int(gdb.lookup_static_symbol("stack_colours").value())
    step = int(gdb.lookup_static_symbol("stack_colour_step").value())
    slots = int(gdb.lookup_static_symbol("stack_chunk_slots").value())
    chunk_type = gdb.lookup_type("struct chunk").pointer()
    coroutine_type = gdb.lookup_type("struct hub_coroutine").pointer()
    link = arena["chunks"]["next"]
    while link != arena["chunks"].address:
        chunk = link.cast(chunk_type)
        for i in range(slots):
            if (int(chunk["idle"][i // 64]) | int(chunk["cold"][i // 64])) >> i % 64 & 1:
                continue
            top = int(chunk["base"]) + (i + 1) * int(arena["slot_size"])
            at = top - int(arena["object_size"]) - i % colours * step
            yield gdb.Value(at).cast(coroutine_type)
        link = link["next"]


def awaited(what, on):
    """What a coroutine waits for, as in a dump (called_priv.h)."""
    address = int(on)
    if address == 0:
        return what
    if address & 1:  # awaited_fd
        return "%s on fd %d" % (what, address >> 1)
    text = "%s (%s)" % (what, hex(address))
    if what == "lock":
        lock = on.cast(gdb.lookup_type("struct hub_lock").pointer())
        owner = lock["owner"]
        if owner and owner["id"] == lock["owner_id"]:
            text += ' of %s "%s"' % (hex(int(owner)), owner["name"].string())
    return text


def describe(coroutine):
    state = int(coroutine["state"])
    text = '%s "%s": %s' % (hex(int(coroutine)), coroutine["name"].string(), STATES[state])
    if state == 2:
        text += " for " + awaited(coroutine["waits_for"].string(), coroutine["waits_on"])
    if coroutine["is_killed"]:
        text += ", killed"
    site = int(coroutine["spawned_at"])
    if site:
        text += ", spawned at " + gdb.execute("info symbol %d" % site, to_string=True).strip()
    return text


class Parked(gdb.unwinder.Unwinder):
    """Makes a suspended coroutine the caller of the innermost frame. So its stack can be walked in a core file, too,
    where registers cannot be set."""

    names = {"i386:x86-64": ("rsp", "rbp", "rip"), "aarch64": ("sp", "x29", "pc")}

    def __init__(self):
        super().__init__("hub")
        self.context = None
        self.innermost = None

    def __call__(self, pending):
        if self.context is None:
            return None
        names = self.names[pending.architecture().name()]
        sp = pending.read_register(names[0])
        if self.innermost is None:
            self.innermost = int(sp)
        if int(sp) != self.innermost:
            return None
        pc = pending.read_register(names[2])
        info = pending.create_unwind_info(FrameId(sp, pc))
        for name, field in zip(names, ("sp", "fp", "ip")):
            like = pending.read_register(name)
            info.add_saved_register(
                name, gdb.Value(int(self.context[field])).cast(like.type))
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


PARKED = Parked()
gdb.unwinder.register_unwinder(None, PARKED, replace=True)


def backtrace(coroutine):
    """The frames of a suspended coroutine, without the innermost frame, which is not the coroutine's."""
    PARKED.context, PARKED.innermost = coroutine["context"], None
    gdb.invalidate_cached_frames()
    try:
        lines = gdb.execute("backtrace", to_string=True).splitlines()
    finally:
        PARKED.context = None
        gdb.invalidate_cached_frames()
    return "\n".join("    " + line for line in lines if not line.startswith("#0 "))


class Hub(gdb.Command):
    """Coroutines of all hubs of the program: hub list; hub bt ADDRESS|all."""

    def __init__(self):
        super().__init__("hub", gdb.COMMAND_STATUS, prefix=True)


class HubList(gdb.Command):
    """A line for each coroutine of each hub."""

    def __init__(self):
        super().__init__("hub list", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for hub in hubs():
            print("hub %s, running: %s" % (hex(int(hub)), hub["current"]["name"].string()))
            for coroutine in coroutines(hub):
                print("  " + describe(coroutine))


class HubBacktrace(gdb.Command):
    """The backtrace of a suspended coroutine (hub bt ADDRESS), or of all (hub bt all). For the running coroutine use gdb's
    own command, backtrace."""

    def __init__(self):
        super().__init__("hub bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("hub bt takes an address that `hub list` shows, or all")
        wanted = None if argument == "all" else int(gdb.parse_and_eval(argument))
        for hub in hubs():
            for coroutine in coroutines(hub):
                if wanted is not None and int(coroutine) != wanted:
                    continue
                print(describe(coroutine))
                if int(coroutine["state"]) not in (1, 4):
                    print(backtrace(coroutine))


Hub()
HubList()
HubBacktrace()
end
