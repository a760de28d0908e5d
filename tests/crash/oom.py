#!/usr/bin/env python3
"""oom.py [--quick | --every N] [FILTER..] -- each filter runs out of memory at every one of its allocations.

oom.c, preloaded, lets the kth call of malloc, calloc and realloc fail: alone, and with all that follow.  The
filter must not crash.  It ends with 1 and a message (mig-transform, inside libjq, with 4 and the fault jq_died),
having written whole lines and no end, so that whoever reads on knows; or, where it can do without what it did
not get, with 0 and the output that it always has.  After an apply or a rollback each document is old or new, and the
next run completes.  The calls that every filter makes before it begins its work fail one by one in mig-hash, and
here and there in the others.  Prints TAP.  MIG_X names the folder of the executables.  --quick: some
twelve of each.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
X = os.path.abspath(os.path.join(ROOT, os.environ.get("MIG_X", "bin")))
DOCS = ("a.json", "d/b.json", "d/c.json")
ENV = dict(os.environ, LC_ALL="C", TZ="UTC", MIG_ACTOR="tester", SOURCE_DATE_EPOCH="1735689600", MIG_X=X)
OF_SHARED = 37
# what differs from run to run; the head does when the user's name could not be looked up, and its number stands there
VARIES = re.compile(rb'"nonce":"[0-9a-f]*"|"duration_ms":[0-9]*|"head":"[0-9a-f]*"')
SET = ["--set", "set"]
TO = ["--target-version", "1.1.0"]
# name, filter, arguments, stdin, (the store before, after, the ledger's last word)
CASES = [
    ("mig-extract", "mig-extract", ["--store", "fs:old"] + SET, None, None),
    ("mig-transform", "mig-transform", SET + TO, "documents", None),
    ("mig-plan", "mig-plan", ["--env", "dev", "--migration", "crash"] + TO, "changes", None),
    ("mig-plan --rollback", "mig-plan", ["--rollback"], "plan", None),
    ("mig-gate", "mig-gate", ["--env", "dev", "--apply"], "plan", None),
    ("mig-apply", "mig-apply", ["--store", "fs:s"], "forward", ("old", "new", b"commit")),
    ("mig-apply of a rollback", "mig-apply", ["--store", "fs:s"], "rollback", ("new", "old", b"rollback")),
    ("mig-verify", "mig-verify", ["--store", "fs:new"], "plan", None),
    ("mig-report", "mig-report", ["--format", "text"], "plan", None),
    ("mig-hash", "mig-hash", ["--check"], "plan", None),
]


def run(argv, stdin, extra=None):
    """What became of it; one that waits for ever is killed, and has no message."""
    with open(stdin or os.devnull, "rb") as f:
        try:
            return subprocess.run(argv, stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=dict(ENV, **(extra or {})), close_fds=False, check=False, timeout=30)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, -9, b"", b"it hung")


def prepare():
    subprocess.run([ROOT + "/tests/crash/workload.sh", "."], env=ENV, check=True)
    cc = os.environ.get("CC", "cc")
    subprocess.run([cc, "-O2", "-shared", "-fPIC", "-o", "oom.so", ROOT + "/tests/crash/oom.c"], check=True)
    for name, argv, stdin in (("documents", ["mig-extract", "--store", "fs:old"] + SET, None),
                              ("changes", ["mig-transform"] + SET + TO, "documents")):
        with open(name, "wb") as f:
            f.write(run([X + "/" + argv[0]] + argv[1:], stdin).stdout)


def fresh(store):
    if store:
        shutil.rmtree("s", ignore_errors=True)
        shutil.copytree(store[0], "s", symlinks=True)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def same(a, b):
    return all(read(f"{a}/{d}") == read(f"{b}/{d}") for d in DOCS)


def judge_exit(tool, p, good):
    """What is wrong with the way it ended, or None."""
    if p.returncode == 0:
        return None if VARIES.sub(b"", p.stdout) == VARIES.sub(b"", good.stdout) else "exit 0 with another output"
    lines = p.stdout.splitlines(keepends=True)
    if p.stdout and not p.stdout.endswith(b"\n"):
        return "half a line"
    if any(b'"kind":"end"' in line for line in lines):
        return "an end after all"
    if p.returncode == 4 and tool == "mig-transform" and lines and b'"code":"jq_died"' in lines[-1]:
        return None
    if p.returncode != 1:
        return f"exit {p.returncode}"
    # an assertion of libjq may have had a word before it
    return None if re.search(rb"^%s: " % tool.encode(), p.stderr, re.M) else "no message"


def judge_store(argv, stdin, store):
    """What is wrong with the store s, before and after the next run, or None."""
    old_or_new = all(read("s/" + d) in (read("old/" + d), read("new/" + d)) for d in DOCS)
    if not old_or_new:
        return "a document is neither old nor new"
    p = run(argv, stdin)
    if p.returncode != 0:
        return f"the next run exits {p.returncode}: {p.stderr.decode()}"
    if not same("s", store[1]):
        return f"not as in {store[1]}"
    left = [n for d in ("tmp", "conflicts") if os.path.isdir("s/.mig/" + d) for n in os.listdir("s/.mig/" + d)]
    if left:
        return f"left over: {left}"
    count = read("s/.mig/ledger.ndjson").count(b'"event":"%s"' % store[2])
    return None if count == 1 else f"{count} times {store[2].decode()}"


def calls(total, shared, every, once):
    """Which calls fail: every one behind the first ones, which all filters make alike (OpenSSL's tables)."""
    sparse = every * OF_SHARED
    # the two ways to fail begin apart, so that a sparse look sees more places
    yield from range(1 + (sparse // 2 if once else 0), shared + 1, sparse)
    yield from range(shared + 1 + (every // 2 if once else 0), total + 1, every)


def test(number, case, every, shared):
    name, tool, options, stdin, store = case
    argv, bad, points = [f"{X}/{tool}"] + options, 0, 0
    counted = {"LD_PRELOAD": os.path.abspath("oom.so"), "OOM_COUNT": "count"}
    fresh(store)
    good = run(argv, stdin, counted)
    total = int(read("count") or 0)
    shared = 0 if tool == "mig-hash" else min(shared, total)
    every = every or 1 + (total - shared) // 12
    for once in (False, True):
        for k in calls(total, shared, every, once):
            points += 1
            fresh(store)
            p = run(argv, stdin, dict({"LD_PRELOAD": counted["LD_PRELOAD"], "OOM_AT": str(k)},
                                      **({"OOM_ONCE": "1"} if once else {})))
            wrong = judge_exit(tool, p, good) or (store and judge_store(argv, stdin, store))
            if wrong:
                bad += 1
                print(f"# call {k} of {total}{', once' if once else ''}: {wrong} {p.stderr.decode()!r}"[:400], flush=True)
            if bad >= 20:
                break
    ok = good.returncode == 0 and total > 100 and not bad
    print(f"{'ok' if ok else 'not ok'} {number} - {name} out of memory ({points} points of {total} allocations)",
          flush=True)
    return ok, points


def main(args):
    every = 0 if "--quick" in args else int(args[args.index("--every") + 1]) if "--every" in args else 1
    named = [a for a in args if a.startswith("mig-")]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        os.chdir(top)
        prepare()
        p = run([X + "/mig-hash"], None, {"LD_PRELOAD": os.path.abspath("oom.so"), "OOM_COUNT": "count"})
        if p.returncode != 0 or int(read("count") or 0) < 100:
            print("1..0 # SKIP no allocator can be preloaded into this build")
            return 0
        cases = [c for c in CASES if not named or c[1] in named]
        shared = int(read("count"))
        done = [test(i + 1, c, every, shared) for i, c in enumerate(cases)]
        os.chdir("/")
    print(f"1..{len(done)}\n# {sum(n for _, n in done)} points")
    return 0 if all(ok for ok, _ in done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
