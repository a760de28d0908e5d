#!/usr/bin/env python3
"""table.py SAMPLES: the samples of run as a table beside their targets.

A sample is  size TAB round TAB what TAB value,  for example

    10000   1   wall:one_apply   612034     us
    10000   1   cpu:mig-plan      34120     us
    10000   1   rss:mig-plan       7204     KB

A ratio is taken round by round; its median counts, with the least and the most
beside it.  Missing a target is a figure like any other: the exit code is 0.
"""
import signal
import sys
from collections import defaultdict
from statistics import median

FILTERS = ("mig-extract", "mig-transform", "mig-plan", "mig-gate", "mig-apply")
NAMES = {
    "cp_r": "cp -r",
    "one_apply": "whole way, one apply",
    "two_jobs": "whole way, two jobs",
    "rerun": "rerun, nothing to do",
    "python": "onepass.py",
    "python_sha": "onepass.py --sha256",
    "node": "onepass.mjs",
    "node_sha": "onepass.mjs --sha256",
    "jqloop": "jqloop.sh, one round",
}
# what, over what, figure, unit, required, ambitious; from 10k manifests on.
# At most these where the sign is <, at least these where it is >.
RATIOS = (
    ("one_apply", "cp_r", "whole way / cp -r, one apply", "<", 3.2, 2.6),
    ("two_jobs", "cp_r", "whole way / cp -r, two jobs", "<", 2.4, 1.9),
    ("node_sha", "one_apply", "node --sha256 / whole way", ">", 1.1, 1.8),
    ("python", "one_apply", "python / whole way", ">", 1.6, 2.5),
    ("node_sha", "two_jobs", "node --sha256 / whole way, two jobs", ">", 1.4, 1.8),
    ("python", "two_jobs", "python / whole way, two jobs", ">", 2.0, 2.5),
    ("node", "one_apply", "node / whole way", ">", None, None),
    ("python_sha", "one_apply", "python --sha256 / whole way", ">", None, None),
    ("rerun", "one_apply", "rerun / first run", "<", 0.40, None),
)
LINES = (
    ("records", "jq -cS / mig-hash --canonical, 178-byte records", 5, 8),
    ("manifests", "jq -cS / mig-hash --canonical, manifests", 10, 15),
)
SCANS = (
    ("manifest", "jansson load / doc_parse, manifest", 10, 18),
    ("record", "jansson load / doc_parse, 178-byte record", 5, 9),
)
SMALL = 10000
LARGE = 100000
verdicts = []  # of the rows printed so far


def read(path):
    """{(size, what): [value of each round]}"""
    found = defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            size, _, what, value = line.split("\t")
            found[int(size) if size.isdigit() else size, what].append(int(value))
    return found


def verdict(sign, value, required, ambitious):
    def reached(target):
        return target is not None and (value <= target if sign == "<" else value >= target)

    if required is None:
        return ""
    return "met, ambitious too" if reached(ambitious) else "met" if reached(required) else "missed"


def show(target, sign, unit):
    return "-" if target is None else f"{'<=' if sign == '<' else '>='} {target:g}{unit}"


def row(figure, values, sign="<", required=None, ambitious=None, unit="x", digits=2):
    mid = median(values)
    spread = f"{mid:.{digits}f}{unit} ({min(values):.{digits}f}..{max(values):.{digits}f})"
    word = verdict(sign, mid, required, ambitious)
    if word:
        verdicts.append(word)
    print(f"  {figure:<50} {show(required, sign, unit):>9} {show(ambitious, sign, unit):>9}"
          f"  {spread:<26} {word}".rstrip())


def head(title):
    print(f"\n{title:<52} {'required':>9} {'ambitious':>9}  median (least..most)")


def walls(found, size):
    head(f"{size} manifests: wall time, us a manifest")
    for what, name in NAMES.items():
        values = found.get((size, "wall:" + what))
        if values:
            row(name, [v / size for v in values], unit="", digits=1)


def ratios(found, size):
    head(f"{size} manifests: ratios within a round")
    for what, over, figure, sign, required, ambitious in RATIOS:
        values = list(zip(found.get((size, "wall:" + what), ()), found.get((size, "wall:" + over), ())))
        if not values:
            continue
        if size < SMALL:
            required = ambitious = None
        row(figure, [a / b for a, b in values], sign, required, ambitious)


def filters(found, size):
    head(f"{size} manifests: CPU by filter, us a manifest")
    for name in FILTERS:
        row(name, [v / size for v in found[size, "cpu:" + name]], unit="", digits=1)
    head(f"{size} manifests: peak memory by filter")
    for name in FILTERS:
        required, ambitious = (24, 12) if size >= SMALL else (None, None)
        row(name, [v / 1024 for v in found[size, "rss:" + name]], "<", required, ambitious, " MB", 1)


def growth(found):
    """What a hundred thousand cost more, each, than ten thousand."""
    if (SMALL, "wall:one_apply") not in found or (LARGE, "wall:one_apply") not in found:
        return
    head(f"{SMALL} against {LARGE} manifests")
    small = median(found[SMALL, "wall:one_apply"]) / SMALL
    more = [(v / LARGE / small - 1) * 100 for v in found[LARGE, "wall:one_apply"]]
    row("cost a manifest, whole way", more, "<", 15, 10, " %", 1)
    for name in FILTERS:
        small = median(found[SMALL, "rss:" + name])
        row(f"peak memory, {name}", [v / small for v in found[LARGE, "rss:" + name]], "<", 1.1)


def reader(found):
    head("the reader against jansson's load")
    for kind, figure, required, ambitious in SCANS:
        pairs = zip(found.get((kind, "scan:jansson"), ()), found.get((kind, "scan:doc_parse"), ()))
        row(figure, [a / b for a, b in pairs], ">", required, ambitious, digits=1)


def lines(found):
    head("canonical writing")
    for kind, figure, required, ambitious in LINES:
        pairs = zip(found[kind, "wall:jq_lines"], found[kind, "wall:hash_lines"])
        row(figure, [a / b for a, b in pairs], ">", required, ambitious, digits=1)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: table.py SAMPLES")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    found = read(sys.argv[1])
    for size in sorted({s for s, _ in found if isinstance(s, int)}):
        walls(found, size)
        ratios(found, size)
        filters(found, size)
    growth(found)
    if ("records", "wall:jq_lines") in found:
        lines(found)
    if ("manifest", "scan:jansson") in found:
        reader(found)
    met = sum(word != "missed" for word in verdicts)
    print(f"\n{met} of {len(verdicts)} required figures met")


if __name__ == "__main__":
    main()
