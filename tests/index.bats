#!/usr/bin/env bats
# mig-plan --index: a table of a database that is an index of documents.

load helper
load store

setup() {
	mig_setup
	cat > index.json <<-'END'
		{"table": "run_index", "key": ["job_id", "run_id"], "legacy": ["artifacts/runs/**"],
		 "columns": [{"name": "job_id", "pointer": "/job_id", "type": "text"},
		             {"name": "run_id", "pointer": "/run_id", "type": "text"},
		             {"name": "version", "pointer": "/schema_version", "type": "text"},
		             {"name": "artifacts", "pointer": "/artifacts", "type": "json"},
		             {"name": "path", "type": "ref"}]}
	END
}

# run_of JOB RUN PATH [VERSION]: a manifest there.
run_of() {
	mkdir -p "tree/$3"
	printf '{"artifacts":[],"job_id":"%s","run_id":"%s","schema_version":"%s"}\n' "$1" "$2" "${4-1.2.0}" \
		> "tree/$3/manifest.json"
}

# documents: the manifests of tree as a stream.
documents() {
	mig-extract --store fs:tree --set "$SETS/manifest"
}

# indexed [OPTION..]: the plans that index a stream of documents.
indexed() {
	mig-plan --index index.json --dialect sqlite --env dev --migration run_index --target-version 1.0.0 "$@"
}

# built: apply the plans of the file plan to i.db.
built() {
	mig-gate --env dev --apply < plan | mig-apply --store sqlite:i.db --create > outcomes
}

rows() {
	sqlite3 i.db 'SELECT * FROM run_index'
}

@test "SG-46 an index is built from the files, and dropped and built again it has the same rows" {
	manifests tree
	documents | indexed > plan
	built
	rows > first
	[ "$(wc -l < first)" -eq 127 ]
	mig-plan --rollback < plan | mig-gate --env dev --apply | mig-apply --store sqlite:i.db > outcomes
	[ -z "$(sqlite3 i.db "SELECT 1 FROM sqlite_master WHERE name LIKE 'run_index%'")" ]
	built
	rows | cmp - first
	sqlite3 i.db 'DROP TABLE run_index'
	documents | indexed --batch 50 > plan
	built
	rows | cmp - first
}

@test "SG-46 an index follows the files, and what was there before is replaced" {
	run_of a r1 artifacts/a/r1
	run_of a r2 artifacts/a/r2
	documents | indexed > plan
	built
	rm tree/artifacts/a/r1/manifest.json
	run_of a r2 artifacts/a/r2 1.1.0
	documents | indexed > plan
	built
	[ "$(sqlite3 i.db 'SELECT run_id, version FROM run_index')" = 'r2|1.1.0' ]
}

@test "SG-48 among duplicates the canonical path wins, then the first by name" {
	run_of a r1 artifacts/runs/r1
	run_of a r1 artifacts/a/r1
	run_of b r2 artifacts/runs/r2
	run_of b r2 artifacts/runs/older
	documents > stream
	run -0 --separate-stderr indexed < stream
	printf '%s\n' "$output" > plan
	[[ $stderr == *'artifacts/runs/r1/manifest.json: warning: "a","r1" is indexed from artifacts/a/r1/manifest.json'* ]]
	built
	[ "$(sqlite3 i.db 'SELECT path FROM run_index')" = "artifacts/a/r1/manifest.json
artifacts/runs/older/manifest.json" ]
}

@test "the same documents give the same plans however they are batched into steps" {
	manifests tree
	documents > stream
	indexed < stream > one
	indexed < stream | cmp - one
	indexed --batch 10 < stream > plan
	[ "$(jq -r 'select(.kind == "plan") | .steps | length' plan)" -eq 15 ]
	built
	[ "$(rows | wc -l)" -eq 127 ]
}

@test "values of every type come through, hostile ones included" {
	mkdir -p tree/x
	jq -n '{job_id: "'"it's; DROP TABLE run_index; --"'", run_id: "r\"\n\u0027\u0027", schema_version: "1.2.0", n: 9007199254740993,
		r: 0.5, yes: true, no: null}' | sed 's/9007199254740992/9007199254740993/' > tree/x/manifest.json
	jq -c '.columns += [{name: "n", pointer: "/n", type: "integer"}, {name: "r", pointer: "/r", type: "real"},
		{name: "is_ok", pointer: "/yes", type: "boolean"}, {name: "gone", pointer: "/no", type: "text"}]' index.json > i
	mv i index.json
	documents | indexed > plan
	built
	[ "$(sqlite3 i.db "SELECT job_id, n, r, is_ok, gone IS NULL FROM run_index")" = \
		"it's; DROP TABLE run_index; --|9007199254740993|0.5|1|1" ]
	[ "$(sqlite3 i.db "SELECT run_id = 'r\"' || char(10) || '''''' FROM run_index")" = 1 ]
}

@test "a table that is no index of ours is never dropped" {
	run_of a r1 artifacts/a/r1
	documents | indexed > plan
	sqlite3 i.db 'CREATE TABLE run_index (mine); INSERT INTO run_index VALUES (7)'
	mig-gate --env dev --apply < plan > permits
	fails 4 mig-apply --store sqlite:i.db < permits
	[[ $stderr == *'something is called run_index, and is no index that a plan built'* ]]
	[ "$(rows)" = 7 ]
	rm i.db
	built
	sqlite3 i.db 'DROP TABLE run_index; CREATE TABLE run_index (mine); INSERT INTO run_index VALUES (7)'
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	fails 4 mig-apply --store sqlite:i.db < permits
	[ "$(rows)" = 7 ]
}

@test "a value that does not fit its column, or lacks in the key, is 4 and named" {
	run_of a r1 artifacts/a/r1
	printf '{"job_id":7,"run_id":"r"}\n' > tree/artifacts/a/manifest.json
	documents > stream
	fails 4 indexed < stream
	[[ $stderr == *'artifacts/a/manifest.json: column job_id: the value does not fit its type'* ]]
	printf '{"run_id":"r"}\n' > tree/artifacts/a/manifest.json
	documents > stream
	fails 4 indexed < stream
	[[ $stderr == *'column job_id: the key may not lack'* ]]
	[[ $output != *'"kind":"plan"'* ]]
}

@test "rejects, a cut stream and other records stop an index" {
	run_of a r1 artifacts/a/r1
	mkdir -p tree/bad && echo '{' > tree/bad/manifest.json
	documents > stream 2> /dev/null
	fails 4 indexed < stream
	[[ $output == *'"kind":"reject"'* && $stderr == *'1 rejected, 0 allowed'* ]]
	indexed --max-rejects 1 < stream > plan
	built
	[ "$(rows | wc -l)" -eq 1 ]
	sed '$d' stream > short
	fails 3 indexed < short
	sed 1d stream > short
	fails 4 indexed < short
	fails 2 indexed < plan
}

@test "an index file that says something else is refused with its member" {
	echo '{"kind":"end","digest":"","records":0,"tool":"t"}' > stream
	for bad in '.table = "auth_x"' '.table = "Run"' '.key = []' '.key = ["none"]' '.columns[0].type = "blob"' \
		'.columns[0].name = "select"' '.columns[1].name = "job_id"' 'del(.columns[0].pointer)' '.more = 1' \
		'.columns[4].pointer = "/x"' '.columns = "all"'; do
		jq "$bad" index.json > other.json
		fails 4 mig-plan --index other.json --dialect sqlite --env dev --migration m --target-version 1.0.0 < stream
		[[ $stderr == *'other.json: /'* ]] || fail "$bad: $stderr"
	done
	fails 3 mig-plan --index none.json --dialect sqlite --env dev --migration m --target-version 1.0.0 < stream
	fails 2 mig-plan --index index.json --env dev --migration m --target-version 1.0.0 < stream
	fails 2 mig-plan --index index.json --dialect oracle --env dev --migration m --target-version 1.0.0 < stream
}
