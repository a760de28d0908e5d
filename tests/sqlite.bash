# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # the suites call these with arguments
# sqlite.bash -- SQL plans made by hand, for a SQLite file:  load sqlite  (after helper)
#
#	database "CREATE TABLE t (a)"
#	sql_planned '[{"id":"t.b:add_column","actions":["ALTER TABLE t ADD COLUMN b"],"undo":["ALTER TABLE t DROP COLUMN b"]}]'
#	permitted && applied

# database [SQL]: app.db, new.
database() {
	rm -f app.db
	sqlite3 app.db "${1:-VACUUM}"
}

# ask SQL: what sqlite3 answers.
ask() {
	sqlite3 app.db "$1"
}

# live: the hash of what app.db holds.
live() {
	mig-extract --store sqlite:app.db --schema | jq -r '.hash // empty'
}

# sql_planned STEPS [HASH]: the plan of these steps (see sqlplan.py), as the file plan.
sql_planned() {
	printf '%s\n' "$1" | python3 "$MIG_ROOT/tests/sqlplan.py" sqlite "${2:-$(live)}" > plan
}

# recording N [TABLES]: a record step of version N, for a list of steps.
recording() {
	local tables=${2:-[]} sum
	sum=$(python3 -c 'import hashlib, json, sys
print(hashlib.sha256(json.dumps(json.loads(sys.argv[1]), sort_keys=True, indent=2).encode()).hexdigest())' "$tables")
	printf '{"id":"schema:record","actions":[{"op":"record","checksum":"%s","history_version":%d,"schema":{"tables":%s}}],' \
		"$sum" "$1" "$tables"
	printf '"undo":[{"op":"unrecord","history_version":%d}]}' "$1"
}

# permitted [GATE FLAG..]: permits for the file plan, as the file permits.
permitted() {
	mig-gate --env dev --apply "$@" < plan > permits
}

# applied [APPLY FLAG..]: use the file permits on app.db; the file outcomes says what came of it.
applied() {
	mig-apply --store sqlite:app.db "$@" < permits > outcomes
}

# rolled_back [GATE FLAG..]: undo the last run.
rolled_back() {
	mig-extract --store sqlite:app.db --applied --last | mig-plan --rollback --reason test > plan
	permitted "$@" && applied
}

# dump: all of app.db that is not ours.
dump() {
	ask "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'mig\\_%' ESCAPE '\\' AND name NOT LIKE 'system\\_%' ESCAPE '\\'
		AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
	for table in $(ask "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'mig\\_%' ESCAPE '\\'
		AND name NOT LIKE 'system\\_%' ESCAPE '\\' ORDER BY name"); do
		ask "SELECT '$table', * FROM $table"
	done
}

# faulted CODE RULE: stdout's fault record says so.
faulted() {
	# shellcheck disable=SC2154 # run sets it
	jq -e --argjson e "$1" --arg c "$2" 'select(.kind == "fault") | .exit == $e and .code == $c' <<< "$output" > /dev/null ||
		fail "expected fault $1 $2: $output"
}
