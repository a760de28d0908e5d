"""Make an SQL plan by hand: python3 sqlplan.py DIALECT HASH < spec > stream.

spec is a JSON array of steps, or {"steps":[..], .. members of the header}:
    {"id":"users:create_table","actions":[..],"undo":[..]}
and what a step or its rollback entry ("undo_..") may have beside: type,
preconditions, postconditions, findings, transaction.  A text among the actions
is a statement.  HASH is that of the schema record, or - for no check.
"""
import hashlib
import json
import sys


def canon(v):
    return json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha(v):
    return hashlib.sha256((v if isinstance(v, str) else canon(v)).encode()).hexdigest()


def actions(items):
    return [{"op": "sql", "sql": a} if isinstance(a, str) else a for a in items]


dialect, live = sys.argv[1:3]
spec = json.load(sys.stdin)
if isinstance(spec, list):
    spec = {"steps": spec}
steps, rollback = [], []
if not any(isinstance(a, dict) and a["op"] == "record" for s in spec["steps"] for a in s.get("actions", [])):
    # as for a hop that was written by hand
    first, last = spec.get("hop", "0..1").split("..")
    inside = [s for s in spec["steps"] if s.get("transaction") is not False]
    spec["steps"].insert(len(inside), {
        "id": "schema:record",
        "actions": [{"checksum": "0" * 64, "from": first, "normalised": "0" * 64, "op": "record", "to": last}],
        "undo": [{"from": first, "op": "unrecord", "to": last}]})
for i, s in enumerate(spec["steps"]):
    step_id = s["id"] + "@" + spec.get("hop", "0..1")
    key = sha(["dev", None, None, "app", step_id])
    pre = s.get("preconditions", [])
    if i == 0 and live != "-":
        pre = [{"check": "schema", "hash": live}] + pre
    steps.append({"actions": actions(s.get("actions", [])), "description": s["id"], "findings": s.get("findings", []),
                  "idempotency_key": key, "index": i + 1, "postconditions": s.get("postconditions", []),
                  "preconditions": pre, "step_id": step_id, "type": s.get("type", "schema")})
    rollback.insert(0, {"actions": actions(s.get("undo", [])), "data_safety": {"note": "none", "reversible": True},
                        "description": "undo " + s["id"], "findings": s.get("undo_findings", []),
                        "idempotency_key": key, "levers": [], "postconditions": [], "preconditions": [],
                        "previous_version": spec.get("hop", "0..1").split("..")[0], "step_id": step_id,
                        "type": s.get("undo_type", s.get("type", "schema")), "undo": []})
    if s.get("transaction") is False:
        steps[-1]["transaction"] = False
    if s.get("undo_transaction") is False:
        rollback[0]["transaction"] = False
for i, s in enumerate(rollback):
    s["index"] = i + 1
checksum = "0" * 64
for s in steps:
    for a in s["actions"]:
        if a["op"] == "record":
            checksum = a["checksum"]
plan = {"header": {"dialect": dialect, "env": "dev", "format": 1, "migration_id": "app", "mode": "forward",
                   "part": {"index": 1, "of": 1}, "scope": {}, "set": {"hash": checksum, "id": "app"},
                   "snapshot": {"changes": len(steps), "current": 0, "digest": live if live != "-" else "0" * 64,
                                "records": spec.get("records", 0), "rejects": 0},
                   "target_version": spec.get("version", "1.0.0"), "tool_version": "0.1.0"},
        "kind": "plan", "rollback": rollback, "steps": steps}
plan["plan_hash"] = sha(plan)
print(canon(plan))
print(canon({"digest": sha(plan["plan_hash"] + "\n"), "kind": "end", "records": 1, "tool": "mig-plan"}))
