# shellcheck shell=bash
# sql.bash -- hand-written SQL and a SQLite database:  load sql
#
#	sql_set && hop 0.0.0 1.0.0 'CREATE TABLE t (a);' 'DROP TABLE t;'
#	database && migrate 1.0.0

# sql_set [DIALECT]: an empty set called app.
sql_set() {
	mkdir -p app
	printf '{"id": "app", "mode": "sql"%s}\n' "${1+, \"dialect\": \"$1\"}" > app/set.json
}

# hop FROM TO UP [DOWN [VERIFY [TYPE]]]: one hop of it; an empty DOWN or VERIFY is no file.
hop() {
	local dir=app/$1..$2
	mkdir -p "$dir"
	printf '{"from": "%s", "to": "%s", "type": "%s", "description": "To %s"}\n' "$1" "$2" "${6:-schema}" "$2" > "$dir/hop.json"
	printf '%s\n' "$3" > "$dir/up.sql"
	[ -z "${4-}" ] || printf '%s\n' "$4" > "$dir/down.sql"
	[ -z "${5-}" ] || printf '%s\n' "$5" > "$dir/verify.sql"
}

# database [SQL]: app.db, where the SQL has been run.
database() {
	rm -f app.db && sqlite3 app.db "VACUUM; ${1-}"
}

ask() { sqlite3 app.db "$1"; }

schema() { mig-extract --store sqlite:app.db --schema; }

# plan_hops VERSION [PLAN FLAG..]: the plans to there.
plan_hops() {
	local to=$1
	shift
	schema | mig-plan --set app --env dev --migration app --target-version "$to" "$@"
}

# migrate VERSION [GATE FLAG..]: the whole run.
migrate() {
	local to=$1
	shift
	plan_hops "$to" > plans && mig-gate --env dev --apply "$@" < plans | mig-apply --store sqlite:app.db
}

# undo_hops VERSION [GATE FLAG..]: back to there.
undo_hops() {
	local to=$1
	shift
	mig-extract --store sqlite:app.db --applied --to "$to" | mig-plan --rollback |
		mig-gate --env dev --apply "$@" | mig-apply --store sqlite:app.db
}

# versions: which hops the database says are applied.
versions() { schema | jq -r 'select(.kind == "schema") | [.applied[] | .to] | join(" ")'; }

# of_plan [JQ FLAG..] PREDICATE < STREAM: does it hold for its plans?
of_plan() {
	grep '"kind":"plan"' | jq -e "$@"
}
