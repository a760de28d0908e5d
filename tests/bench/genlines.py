#!/usr/bin/env python3
"""genlines.py records|manifests N: print N JSON values, one a line.

records are rows of 178 bytes, the LF included, members not in order:
    {"id":17,"name":"..","kind":"draft","active":true,"score":2.5,..}
manifests are those of gentree.py, a space after each comma and colon: not canonical.
"""
import json
import sys

from gentree import KINDS, digest, manifest

LINE = 178


def record(i):
    ident = digest("record", i)
    bits = int(ident[:32], 16)
    row = {
        "id": i + 1,
        "kind": KINDS[bits % 6],
        "active": bool(bits & 1),
        "score": bits % 4000 / 8,
        "ref": ident[:24],
        "parent": None,
        "labels": [KINDS[bits >> 8 & 3], KINDS[bits >> 12 & 3]],
        "name": "",
    }
    room = LINE - 1 - len(json.dumps(row, separators=(",", ":")))
    row["name"] = " ".join(KINDS[bits >> 3 * k & 3] for k in range(9))[:room].ljust(room, ".")
    return row


def main():
    kinds = {"records": (record, (",", ":")), "manifests": (manifest, (", ", ": "))}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        sys.exit("usage: genlines.py records|manifests N")
    make, separators = kinds[sys.argv[1]]
    sys.stdout.reconfigure(encoding="utf-8")
    for i in range(int(sys.argv[2])):
        print(json.dumps(make(i), separators=separators, ensure_ascii=False))


if __name__ == "__main__":
    main()
