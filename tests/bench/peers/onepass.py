#!/usr/bin/env python3
"""onepass.py [--sha256] DIR: bring every run manifest below DIR to 1.2.0 in one pass.

The script an operator would write instead of the filters: it backs every file
up and replaces it by a rename, but it has no plan, no gate and no way back.
With --sha256 the history entry carries a checksum of before and after.
"""
import argparse
import hashlib
import json
import os
from datetime import datetime, timezone

TARGET = "1.2.0"
SNAPSHOTS = ["add input_snapshots {} if absent", "add inputs_hash null if absent"]
CHAIN = ["add chain_metadata {is_chainable_stage: false, prior_stages: []} if absent"]
CHANGES = {"1.0.0": [SNAPSHOTS + CHAIN], "1.1.0": [CHAIN]}


def manifests(root):
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        if "manifest.json" in files:
            yield os.path.join(folder, "manifest.json")


def checksum(doc):
    body = {k: v for k, v in doc.items() if k != "migration_history"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def migrate(doc, with_sha256):
    """Migrate doc in place.  Returns False where there is nothing to do."""
    version = doc.get("schema_version", "1.0.0")
    if version not in CHANGES:
        return False
    entry = {
        "from_version": version,
        "to_version": TARGET,
        "applied_at": datetime.now(timezone.utc).isoformat(),
        "changes": CHANGES[version],
    }
    if with_sha256:
        entry["checksum_before"] = checksum(doc)
    if version == "1.0.0":
        doc.setdefault("input_snapshots", {})
        doc.setdefault("inputs_hash", None)
    doc.setdefault("chain_metadata", {"is_chainable_stage": False, "prior_stages": []})
    doc["schema_version"] = TARGET
    if with_sha256:
        entry["checksum_after"] = checksum(doc)
    doc.setdefault("migration_history", []).append(entry)
    return True


def rewrite(path, raw, doc):
    with open(path + ".backup", "wb") as backup:
        backup.write(raw)
    with open(path + ".tmp", "w", encoding="utf-8") as out:
        out.write(json.dumps(doc, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    os.rename(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sha256", action="store_true")
    parser.add_argument("dir")
    args = parser.parse_args()
    for path in manifests(args.dir):
        with open(path, "rb") as source:
            raw = source.read()
        doc = json.loads(raw)
        if migrate(doc, args.sha256):
            rewrite(path, raw, doc)


if __name__ == "__main__":
    main()
