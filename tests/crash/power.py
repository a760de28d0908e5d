#!/usr/bin/env python3
"""power.py [--quick] -- cut the power at every moment of an apply, in every way a file system may answer.

Records the system calls of mig-apply with strace, and rebuilds from them what the disk may hold when the
power goes after the kth: whatever was not synced is there, or is not.  Then runs mig-apply on each such
state.  Every document must have its old or its new bytes before, and its new ones after; one commit in a
ledger that verifies; nothing left lying about.  Prints TAP.  MIG_X names the folder of the executables.

What is assumed of the disk, and no more:
  - syncfs makes all before it durable, fsync and fdatasync a file's bytes, fsync of a folder its names;
  - a change of names (create, link, rename, exchange, unlink) is there wholly or not at all;
  - of the unsynced changes of names there may be any first few, all but one, or one alone;
  - unsynced bytes may be there, be missing, be cut in half, or be zeros of the right length.
"""
import bisect
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
X = os.path.abspath(os.path.join(ROOT, os.environ.get("MIG_X", "bin")))
EVERY = 9 if "--quick" in sys.argv else 1
DOCS = ("a.json", "d/b.json", "d/c.json")
CALLS = ("openat,openat2,mkdirat,write,pwrite64,ftruncate,linkat,renameat,renameat2,unlinkat,"
         "fsync,fdatasync,syncfs,close")
ENV = dict(os.environ, LC_ALL="C", TZ="UTC", MIG_ACTOR="tester", SOURCE_DATE_EPOCH="1735689600", MIG_X=X)


# the leak checker cannot work in a traced process
TRACED = dict(ENV, ASAN_OPTIONS=ENV.get("ASAN_OPTIONS", "") + ":detect_leaks=0")


def run(argv, stdin, env):
    with open(stdin, "rb") as f:
        return subprocess.run(argv, stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


def unhex(s):
    return bytes.fromhex(s.replace("\\x", ""))


class Disk:
    """A tree as names (path -> inode) and bytes (inode -> bytes); folders are inodes with bytes None."""

    def __init__(self, top):
        self.names, self.bytes = {"": 0}, {0: None}
        seen = {}
        for folder, dirs, files in os.walk(top):
            at = os.path.relpath(folder, top)
            for name in sorted(dirs) + sorted(files):
                path = os.path.normpath(os.path.join(at, name))
                full = os.path.join(folder, name)
                ino = seen.setdefault(os.stat(full).st_ino, len(seen) + 1)
                self.names[path] = ino
                self.bytes[ino] = None if os.path.isdir(full) else open(full, "rb").read()


def calls():
    """The calls in trace, in the order in which they ended: (pid, name, arguments, result, line of its begin, of its end).

    What one process did while another one waited for its call stands between the two halves of that call:
        17 syncfs(6<..> <unfinished ...>
        18 write(7<..>, ..) = 9
        17 <... syncfs resumed>) = 0
    """
    halves = {}
    for number, line in enumerate(open("trace", encoding="latin-1")):
        pid, text = line.rstrip("\n").split(None, 1)
        begun = number
        if text.endswith("<unfinished ...>"):
            halves[pid] = (text[:-len("<unfinished ...>")], number)
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
        if resumed:
            text, begun = halves[pid][0] + resumed[1], halves[pid][1]
        m = re.match(r"(\w+)\((.*)\) += (-?\d+)", text)
        if m and int(m[3]) >= 0:
            yield pid, m[1], m[2], int(m[3]), begun, number


def record(store, permits, flags):
    """The changes that a run makes: ("names", {path: inode or None}), ("bytes", inode, bytes), ("sync", inode, folder, n).

    A sync covers the first n of them: those that were made before it began.
    """
    argv = ["strace", "-f", "-qq", "-y", "-xx", "-s", "10000000", "-e", "trace=" + CALLS, "-o", "trace",
            X + "/mig-apply", "--store", "fs:" + store] + flags
    disk = Disk(store)
    names, content = dict(disk.names), dict(disk.bytes)
    assert run(argv, permits, TRACED).returncode == 0
    top, ops, ends, files, fresh = os.path.abspath(store), [], [], {}, itertools.count(10000)

    def inside(path):
        return path == top or path.startswith(top + "/")

    def rel(at, name):
        """The path below the store of name in the folder that -y shows as at."""
        path = os.path.join(at, name) if name != "." else at
        return os.path.relpath(path, top) if path != top else ""

    def add(*op):
        ops.append(op)
        ends.append(number)

    def change(slots):
        names.update(slots)
        add("names", slots)

    for pid, call, args, result, begun, number in calls():
        # a process that was forked begins with the files of the first one
        fds = files.setdefault(pid, dict(next(iter(files.values()), {})))
        at = [unhex(a).decode() if a.startswith("\\x") else a for a in re.findall(r"(?:\d|AT_FDCWD)<([^>]*)>", args)]
        text = [unhex(a) for a in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', args)]
        if call in ("openat", "openat2"):
            if not at or not inside(os.path.join(at[0], text[0].decode())):
                continue
            path = rel(at[0], text[0].decode())
            if "O_CREAT" in args and names.get(path) is None:
                ino = next(fresh)
                content[ino] = b""
                add("bytes", ino, b"")
                change({path: ino})
            fds[result] = names.get(path, 0)
            if "O_TRUNC" in args:
                content[fds[result]] = b""
                add("bytes", fds[result], b"")
            continue
        if not at or not inside(at[0]):
            continue
        fd = int(re.match(r"\d+", args)[0])
        if call == "close":
            fds.pop(fd, None)
        elif call == "mkdirat":
            ino = next(fresh)
            content[ino] = None
            add("bytes", ino, None)
            change({rel(at[0], text[0].decode()): ino})
        elif call == "write":
            content[fds[fd]] += text[0]
            add("bytes", fds[fd], content[fds[fd]])
        elif call == "ftruncate":
            content[fds[fd]] = content[fds[fd]][:int(args.split()[-1])]
            add("bytes", fds[fd], content[fds[fd]])
        elif call == "linkat":
            source = fds[fd] if text[0] == b"" else names[rel(at[0], text[0].decode())]
            change({rel(at[1], text[1].decode()): source})
        elif call in ("renameat", "renameat2"):
            a, b = rel(at[0], text[0].decode()), rel(at[1], text[1].decode())
            other = names[b] if "RENAME_EXCHANGE" in args else None
            change({a: other, b: names[a]})
        elif call == "unlinkat":
            change({rel(at[0], text[0].decode()): None})
        elif call in ("fsync", "fdatasync"):
            add("sync", fds[fd], rel(at[0], "."), bisect.bisect_left(ends, begun))
        elif call == "syncfs":
            add("sync", None, None, bisect.bisect_left(ends, begun))
    return disk, ops


def covered(writes, upto):
    """Of an inode's writes, (operation, bytes) each, those a sync leaves open: what is durable now, and what came behind."""
    done = [b for at, b in writes if at < upto]
    return done[-1:], [(at, b) for at, b in writes if at >= upto]


def states(disk, ops):
    """Every (names, bytes) that the disk may hold when the power goes before each operation or after the last."""
    for k in range(0, len(ops) + 1, EVERY):
        names, content = dict(disk.names), dict(disk.bytes)
        # changes of names; inode -> its bytes when last synced; inode -> its writes since
        loose, unsynced, writes = [], {}, {}
        for at, op in enumerate(ops[:k]):
            if op[0] == "names":
                loose.append((at, op[1]))
                continue
            if op[0] == "bytes":
                unsynced.setdefault(op[1], content.get(op[1], b""))
                writes.setdefault(op[1], []).append((at, op[2]))
                content[op[1]] = op[2]
                continue
            _, ino, folder, upto = op
            for i in list(unsynced) if ino is None else [ino]:
                durable, writes[i] = covered(writes.get(i, []), upto)
                if not writes[i]:
                    unsynced.pop(i, None)
                elif durable:
                    unsynced[i] = durable[0]
            kept = []
            for when, slots in loose:
                # a folder's fsync makes the names in it durable
                here = ino is None or (content.get(ino, b"") is None and any(os.path.dirname(p) == folder for p in slots))
                if here and when < upto:
                    names.update(slots)
                else:
                    kept.append((when, slots))
            loose = kept
        loose = [slots for _, slots in loose]
        unsynced = {i: b for i, b in unsynced.items() if content[i] is not None}
        for chosen in subsets(loose):
            now = dict(names)
            for slots in chosen:
                now.update(slots)
            for changed in damages(unsynced, content):
                yield k, now, changed


def subsets(loose):
    n = len(loose)
    for i in range(n + 1):
        yield loose[:i]
    for i in range(n):
        if i < n - 1:
            yield loose[:i] + loose[i + 1:]
        if i:
            yield [loose[i]]


def damages(unsynced, content):
    yield content
    for how in range(3):
        def spoil(ino):
            old, new = unsynced[ino], content[ino]
            return (old, new[:(len(old) + len(new)) // 2], old + b"\0" * (len(new) - len(old)))[how]
        yield {**content, **{i: spoil(i) for i in unsynced}}
        if len(unsynced) > 1:
            for one in unsynced:
                yield {**content, one: spoil(one)}


def build(top, names, content):
    """Make the tree; a name whose folder was lost is lost with it.  What was made, for telling states apart."""
    shutil.rmtree(top, ignore_errors=True)
    os.mkdir(top)
    made, seen = {}, hashlib.sha256()
    for path in sorted(p for p, ino in names.items() if p and ino is not None):
        ino, full = names[path], os.path.join(top, path)
        if not os.path.isdir(os.path.dirname(full)):
            continue
        if content[ino] is None:
            os.mkdir(full, 0o700)
        elif ino in made:
            os.link(made[ino], full)
        else:
            with open(full, "wb") as f:
                f.write(content[ino])
            made[ino] = full
        seen.update(repr((path, ino, content[ino])).encode())
    return seen.digest()


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def left(top):
    """What is in tmp and conflicts."""
    return [n for d in ("tmp", "conflicts") if os.path.isdir(f"{top}/.mig/{d}") for n in os.listdir(f"{top}/.mig/{d}")]


def judge(permits, target, event, plans, flags):
    """What is wrong with the state in s, before and after a run, or None."""
    for doc in DOCS:
        if read("s/" + doc) not in (read("old/" + doc), read("new/" + doc)):
            return f"{doc} is neither old nor new"
    p = run([X + "/mig-apply", "--store", "fs:s"] + flags, permits, ENV)
    if p.returncode != 0:
        return f"the next run exits {p.returncode}: {p.stderr.decode()}"
    for doc in DOCS:
        if read("s/" + doc) != read(f"{target}/{doc}"):
            return f"{doc} is not as in {target}"
        if read(f"s/{doc}.bak") != (read("old/" + doc) if target == "new" else None):
            return f"{doc}.bak is wrong"
    if left("s"):
        return f"left over: {left('s')}"
    ledger = read("s/.mig/ledger.ndjson")
    if ledger.count(b'"event":"%s"' % event.encode()) != plans:
        return f"not {plans} {event}"
    sums = subprocess.run([X + "/mig-hash", "--without", "/hash"], input=ledger, stdout=subprocess.PIPE, env=ENV)
    sums = [l[:64] for l in sums.stdout.split(b"\n") if l]
    if sums != re.findall(rb',"hash":"(\w+)"', ledger) or sums[:-1] != re.findall(rb'"prev":"(\w+)"', ledger)[1:]:
        return "the ledger's chain is broken"
    return None


def test(number, what, base, permits, target, event, plans=1, flags=()):
    shutil.rmtree("s", ignore_errors=True)
    subprocess.run(["cp", "-a", base, "s"], check=True)
    flags = list(flags)
    disk, ops = record("s", permits, flags)
    known, bad = set(), 0
    for k, names, content in states(disk, ops):
        state = build("s", names, content)
        if state in known:
            continue
        known.add(state)
        wrong = judge(permits, target, event, plans, flags)
        if wrong:
            bad += 1
            print(f"# power cut after change {k} ({ops[k - 1] if k else 'none'}): {wrong}"[:400])
            if bad >= 10:
                break
    print(f"{'not ok' if bad else 'ok'} {number} - {what} ({len(known)} states of {len(ops)} changes)", flush=True)
    return bad, len(known)


def main():
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode:
        print("1..0 # SKIP strace is not there, or may not trace")
        return 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        os.chdir(top)
        subprocess.run([ROOT + "/tests/crash/workload.sh", "."], env=ENV, check=True)
        crew = {"plans": 3, "flags": ("--jobs", "2")}
        done = [test(1, "the power is cut during an apply", "old", "forward", "new", "commit"),
                test(2, "the power is cut during a rollback", "new", "rollback", "old", "rollback"),
                test(3, "the power is cut during an apply by two jobs", "old", "forward-each", "new", "commit", **crew),
                test(4, "the power is cut during a rollback by two jobs", "new-each", "rollback-each", "old", "rollback", **crew)]
        os.chdir("/")
    print(f"1..{len(done)}")
    print(f"# {sum(states for _, states in done)} states")
    return 1 if any(bad for bad, _ in done) else 0


if __name__ == "__main__":
    sys.exit(main())
