#!/usr/bin/env python3
"""check.py BEFORE AFTER: is the tree AFTER the migration of BEFORE, file by file?

It works the migration out by itself, so that neither the filters nor the peers
vouch for their own work: every manifest is there, at 1.2.0, with exactly the
members that the manifest set adds, one history entry whose checksums are right
where it has any, and the old bytes in manifest.json.backup.
"""
import hashlib
import json
import os
import sys

ADDED = {
    "1.0.0": {"input_snapshots": {}, "inputs_hash": None},
    "1.1.0": {},
}
CHAIN = {"chain_metadata": {"is_chainable_stage": False, "prior_stages": []}}


def checksum(doc):
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def wrong(before, after, backup):
    """What is wrong with one file, or None."""
    old, new = json.loads(before), json.loads(after)
    history = new.pop("migration_history", [])
    want = {**ADDED[old["schema_version"]], **CHAIN, **old, "schema_version": "1.2.0"}
    if new != want:
        return "unlike what the migration makes of it"
    if backup != before:
        return "its backup is not the old file"
    if len(history) != 1:
        return f"{len(history)} history entries"
    entry = history[0]
    if (entry["from_version"], entry["to_version"]) != (old["schema_version"], "1.2.0"):
        return "the history names other versions"
    for name, doc in (("checksum_before", old), ("checksum_after", new)):
        if name in entry and entry[name].removeprefix("sha256:") != checksum(doc):
            return f"{name} is wrong"
    return None


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: check.py BEFORE AFTER")
    before, after = sys.argv[1:]
    for folder, _, files in os.walk(before):
        if "manifest.json" not in files:
            continue
        ref = os.path.relpath(os.path.join(folder, "manifest.json"), before)
        path = os.path.join(after, ref)
        new = read(path)
        fault = wrong(read(os.path.join(before, ref)), new, read(path + ".backup")) if new else "gone"
        if fault:
            sys.exit(f"check: {ref}: {fault}")


if __name__ == "__main__":
    main()
