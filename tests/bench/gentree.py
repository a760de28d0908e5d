#!/usr/bin/env python3
"""gentree.py N DIR: write N run manifests below DIR, the same bytes every time.

    DIR/artifacts/job-0001/<run_id>/manifest.json      100 runs a job

A manifest depends on its number alone, so the first thousand of a large tree
are those of a small one.  1.5 to 3 KB each, 2.3 KB in the mean; nine in ten are
at 1.0.0, the tenth at 1.1.0.  Numbers are such as every JSON writer prints alike.
"""
import hashlib
import json
import os
import sys

SEED = "migtools-bench-1"
RUNS_A_JOB = 100
KINDS = ("draft", "outline", "caption", "transcript", "storyboard", "score")
MODELS = ("alto-small", "alto-large", "tenor-2", "basso-1")
WORDS = ("review", "harbour", "tempo", "naïve", "quiet", "lantern", "merge", "café",
         "window", "relay", "autumn", "copper", "margin", "signal", "über", "thread")


def digest(*parts):
    """64 hex digits that depend on the seed and parts."""
    return hashlib.sha256("/".join((SEED, *map(str, parts))).encode()).hexdigest()


def words(bits, n):
    return " ".join(WORDS[bits >> (4 * i % 120) & 15] for i in range(n))


def output(i, k, bits):
    return {
        "bytes": 2000 + (bits >> k & 0xFFFF),
        "kind": KINDS[(bits + k) % 6],
        "path": f"outputs/{k:02}-{KINDS[(bits + k) % 6]}.md",
        "sha256": digest(i, "output", k),
    }


def manifest(i):
    """Manifest number i, from 0, as a dict."""
    ident = digest(i)
    bits = int(ident[:32], 16)
    day = 1 + i // RUNS_A_JOB % 28
    doc = {
        "artifacts": [output(i, k, bits) for k in range(2 + bits % 5)],
        "brief_hash": digest(i, "brief"),
        "context_spec_hash": digest(i, "context"),
        "doctrine": {
            "doctrine_id": "editorial/house-style",
            "resolved_at": "inputs/doctrine.resolved.json",
            "sha256": digest(i // 1000, "doctrine"),
            "version": f"v1.{i // 1000 % 7}.0",
        },
        "finished_at": f"2025-03-{day:02}T{bits % 24:02}:{bits % 60:02}:47Z",
        "job_id": f"job-{i // RUNS_A_JOB + 1:04}",
        "job_ref": f"jobs/{KINDS[i // RUNS_A_JOB % 6]}/{i // RUNS_A_JOB + 1:04}.yaml",
        "job_type": "instagram_copy" if bits & 64 else "brand_optimization",
        "meta": {
            "attempts": 1 + bits % 3,
            "cost": (1 + bits % 9999) / 10000,
            "duration_s": (bits >> 8) % 4000 / 8 + 0.0625,
            "model": MODELS[bits >> 4 & 3],
            "note": words(bits, 30 + (bits >> 16) % 60),
            "seed": bits & 0x7FFFFFFFFFFFF,
            "tags": [WORDS[bits >> s & 15] for s in (8, 16, 24)],
            "temperature": 0.7,
            "tokens": {"completion": bits >> 20 & 0xFFF, "prompt": bits >> 40 & 0x3FFF},
        },
        "prompt_template_hash": digest(i, "prompt"),
        "retried_from": None,
        "run_id": ident[:32],
        "schema_version": "1.0.0",
        "started_at": f"2025-03-{day:02}T{bits % 24:02}:{bits % 60:02}:05Z",
        "status": "succeeded" if bits % 11 else "failed",
        "streamed": bool(bits & 1),
    }
    if i % 10 == 9:
        doc["schema_version"] = "1.1.0"
        doc["input_snapshots"] = {
            "brief": {"bytes": 900 + bits % 700, "path": "inputs/brief.resolved.json",
                      "sha256": digest(i, "brief")}}
        doc["inputs_hash"] = digest(i, "inputs")
    return doc


def main():
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        sys.exit("usage: gentree.py N DIR")
    for i in range(int(sys.argv[1])):
        doc = manifest(i)
        run = os.path.join(sys.argv[2], "artifacts", doc["job_id"], doc["run_id"])
        os.makedirs(run)
        text = json.dumps(doc, indent=2, sort_keys=True, ensure_ascii=False)
        with open(os.path.join(run, "manifest.json"), "w", encoding="utf-8") as out:
            out.write(text + "\n")


if __name__ == "__main__":
    main()
