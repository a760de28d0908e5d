#!/usr/bin/env python3
"""edits.py [--quick | EDITS] -- an editor saves documents while mig-apply migrates them; no save may be lost.

The editor saves as editors do: a new file, renamed over the document.  It saves each of the three documents once
during an apply, in any order and at any moment of it.  Afterwards what it saved must stand under the document's
name or in .mig/conflicts, and the documents that it did not reach in time must be old or new.  If the apply left
something unfinished, the next one repairs it, and again nothing may be lost.  Prints TAP with the number of saves,
and where they were met.  MIG_X names the folder of the executables.  20,000 edits unless told; --quick: 300.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
X = os.path.abspath(os.path.join(ROOT, os.environ.get("MIG_X", "bin")))
DOCS = ("a.json", "d/b.json", "d/c.json")
ENV = dict(os.environ, LC_ALL="C", TZ="UTC", MIG_ACTOR="tester", SOURCE_DATE_EPOCH="1735689600", MIG_X=X)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def start():
    with open("forward", "rb") as permits:
        return subprocess.Popen([X + "/mig-apply", "--store", "fs:s"], stdin=permits, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=ENV, close_fds=False)


def kept(saved):
    """Where each saved file is: "place", "conflict" or None."""
    folder = "s/.mig/conflicts"
    aside = [read(f"{folder}/{name}") for name in os.listdir(folder)] if os.path.isdir(folder) else []
    return ["place" if read("s/" + doc) == text else "conflict" if text in aside else None for doc, text in saved]


def play(number, seconds):
    """One apply with an edit of each document: the exit code, and what became of the edits."""
    shutil.rmtree("s", ignore_errors=True)
    shutil.copytree("old", "s")
    saved = []
    for doc in random.sample(DOCS, len(DOCS)):
        number += 1
        text = b'{"v": "9.9.9", "saved": %d}\n' % number
        with open(f"draft-{number}", "wb") as f:
            f.write(text)
        saved.append((doc, text))
    moments = sorted(random.uniform(0, seconds) for _ in saved)
    begin = time.monotonic()
    p = start()
    for (doc, _), moment, n in zip(saved, moments, range(number - len(saved) + 1, number + 1)):
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        os.rename(f"draft-{n}", "s/" + doc)
    code = p.wait()
    where = kept(saved)
    if os.path.isdir("s/.mig/tmp") and os.listdir("s/.mig/tmp"):
        start().wait()
        if None in kept(saved) and None not in where:
            return code, where, "lost by the run after it"
    wrong = None if None not in where else "lost: " + ", ".join(d for (d, _), w in zip(saved, where) if w is None)
    return code, where, wrong or (None if code in (0, 4) else f"exit {code}")


def main(args):
    edits = 300 if "--quick" in args else int(args[0]) if args else 20000
    count = {"place": 0, "conflict": 0, None: 0}
    done = drift = bad = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        os.chdir(top)
        subprocess.run([ROOT + "/tests/crash/workload.sh", "."], env=ENV, check=True)
        shutil.copytree("old", "s")
        begin = time.monotonic()
        start().wait()
        seconds = time.monotonic() - begin
        applies = 0
        while sum(count.values()) < edits and bad < 10:
            applies += 1
            code, where, wrong = play(sum(count.values()), seconds)
            # aim at the middle: all edits behind the apply were too late, one ahead of it too early
            seconds *= 1.0 if "conflict" in where else 0.95 if code == 0 else 1.05
            for w in where:
                count[w] += 1
            done += code == 0
            drift += code == 4
            if wrong:
                bad += 1
                print(f"# apply {applies}: {wrong}", flush=True)
        os.chdir("/")
    total = sum(count.values())
    ok = not bad and total >= edits and (count["conflict"] > 0 or edits < 1000)
    print(f"{'ok' if ok else 'not ok'} 1 - edits by renaming while documents are applied ({total} edits)")
    print(f"# {applies} applies: {done} went through, {drift} stopped; of the edits {count['place']} are in place, "
          f"{count['conflict']} in conflicts, {count[None]} lost")
    print(f"1..1\n# {total} edits")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
