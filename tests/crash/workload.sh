#!/usr/bin/env bash
# workload.sh FOLDER -- what the crash tests work on, in FOLDER: the documents old/ and, applied once, new/;
# the permits forward and rollback, and the same in plans of one document each, forward-each and rollback-each;
# nothing, a stream of no permits.  MIG_X names the folder of the executables.
set -eu -o pipefail
cd "$1"
mkdir -p old/d set/1.0.0..1.1.0
printf '{\n  "v": "1.0.0",\n  "name": "a"\n}\n' >old/a.json
printf '{"v": "1.0.0", "name": "b", "history": []}\n' >old/d/b.json
printf '{"name":"c","v":"1.0.0"}' >old/d/c.json
cat >set/set.json <<'EOF'
{"id": "crash", "entity": "thing", "mode": "document", "match": ["**/*.json"], "version": {"pointer": "/v"},
 "required": [], "immutable": [], "additive": true, "history": "/history", "backup_suffix": ".bak"}
EOF
cat >set/1.0.0..1.1.0/hop.json <<'EOF'
{"from": "1.0.0", "to": "1.1.0", "type": "data", "description": "add a mark", "changes": ["add mark"]}
EOF
echo '. + {"mark": 1}' >set/1.0.0..1.1.0/up.jq
"$MIG_X/mig-extract" --store fs:old --set set | "$MIG_X/mig-transform" --set set --target-version 1.1.0 |
	"$MIG_X/mig-plan" --env dev --migration crash --target-version 1.1.0 >plan
"$MIG_X/mig-gate" --env dev --apply <plan >forward
"$MIG_X/mig-plan" --rollback --reason test <plan | "$MIG_X/mig-gate" --env dev --apply >rollback
"$MIG_X/mig-extract" --store fs:old --set set | "$MIG_X/mig-transform" --set set --target-version 1.1.0 |
	"$MIG_X/mig-plan" --env dev --migration crash --target-version 1.1.0 --batch 1 >plan-each
"$MIG_X/mig-gate" --env dev --apply <plan-each >forward-each
"$MIG_X/mig-plan" --rollback --reason test <plan-each | "$MIG_X/mig-gate" --env dev --apply >rollback-each
digest=$(sha256sum </dev/null)
printf '{"digest":"%s","kind":"end","records":0,"tool":"mig-gate"}\n' "${digest%% *}" >nothing
cp -a old new
cp -a old new-each
"$MIG_X/mig-apply" --store fs:new <forward >/dev/null
"$MIG_X/mig-apply" --store fs:new-each <forward-each >/dev/null
