# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154 # what is shared is used, given and set elsewhere
# schema.bash -- declared schemas taken to a database, and back:  load schema  (after helper)
#
#	on_sqlite
#	migrate "$(table 1 users "$(field 1 email email)")"
#	q "INSERT INTO users (email) VALUES ('a@b')"
#	migrate "$(table 1 users "$(field 1 mail email)")"
#	undo

# on_sqlite: the store is a new file.  on_postgresql: it is the test's database (postgres.bash).
on_sqlite() {
	DIALECT=sqlite
	STORE=sqlite:$PWD/app.db
}

on_postgresql() {
	DIALECT=postgresql
	database
	STORE=$DB
}

# q STATEMENT: run it, or fail; its rows, columns parted by |.
q() {
	if [ "$DIALECT" = sqlite ]; then
		sqlite3 -bail -cmd 'PRAGMA foreign_keys = ON' app.db "$1"
	else
		PGOPTIONS='-c search_path=public' sql "$1"
	fi
}

# is STATEMENT ROWS: what it gives.
is() {
	local got
	got=$(q "$1") || fail "$1"
	[ "$got" = "$2" ] || fail "$1
expected: $2
actual:   $got"
}

# accepts STATEMENT..: they would do; nothing is kept of them.  refuses STATEMENT: it would not.
accepts() {
	local s
	for s; do
		q "BEGIN; $s; ROLLBACK" > said 2>&1 || fail "refused: $s: $(cat said)"
	done
}

refuses() {
	! q "BEGIN; $1; ROLLBACK" > said 2>&1 || fail "accepted: $1"
}

# field ID NAME TYPE [MEMBERS]; ID may be 0: none.
field() {
	local id=
	[ "$1" = 0 ] || id="\"id\":$1,"
	printf '{%s"name":"%s","type":"%s"%s}' "$id" "$2" "$3" "${4:+,$4}"
}

# table ID NAME FIELDS [MEMBERS]: FIELDS are several of the above, separated by commas or nothing.
table() {
	local id=
	[ "$1" = 0 ] || id="\"id\":$1,"
	printf '{%s"name":"%s","fields":[%s]%s}' "$id" "$2" "${3//\}\{/\},\{}" "${4:+,$4}"
}

# app TABLE..: app.json
app() {
	local IFS=,
	printf '{"name":"app","tables":[%s]}\n' "$*" > app.json
}

schema() {
	local args=(--store "$STORE" --schema)
	[ "$DIALECT" != sqlite ] || args+=(--create)
	mig-extract "${args[@]}"
}

# live JQ..: of the database's own account of itself
live() { schema | jq -c 'select(.kind == "schema").live' | jq "$@"; }

plan_schema() { mig-plan --schema app.json --env dev --migration app --target-version 1.0.0 "$@"; }

gated() { mig-gate --env dev --apply "$@"; }

applied() {
	local args=(--store "$STORE" --state state)
	mkdir -p state
	[ "$DIALECT" != sqlite ] || args+=(--create)
	mig-apply "${args[@]}"
}

# state: what the database holds, as text: its schema, where the order of columns is none on PostgreSQL, and its rows.
state() {
	local t
	schema | jq -S --arg d "$DIALECT" 'select(.kind == "schema").live |
		if $d == "sqlite" then . else .tables[].columns |= sort_by(.name) end'
	schema | jq -r 'select(.kind == "schema").live.tables[].name' | while read -r t; do
		echo "$t"
		if [ "$DIALECT" = sqlite ]; then
			sqlite3 -json app.db "SELECT * FROM \"${t//\"/\"\"}\"" | jq -cS '.[]?' | sort
		else
			sql "SELECT to_jsonb(t) FROM \"${t//\"/\"\"}\" AS t" | jq -cS . | sort
		fi
	done
}

# through [GATE FLAG..]: from app.json to the database; the exit code is mig-apply's.
through() {
	schema | plan_schema | tee plan | gated "$@" | applied > outcome
}

# migrate TABLE..: it must succeed, destruction allowed; what was there before is kept for undo.
migrate() {
	app "$@"
	state > before
	through --allow-destructive || fail "$(statements; cut -c 1-500 outcome)"
	cp plan last
}

# rehearsed TABLE..: the plan to there goes forth and back on a copy, and leaves every row as it was.
rehearsed() {
	local said
	app "$@"
	schema | plan_schema > tried
	said=$(mig-verify --store "$STORE" --rehearse < tried) || fail "$said"
	jq -se '.[0].findings | map(.rule_id) | index("rehearsed") != null' > /dev/null <<< "$said" || fail "$said"
}

# fails_with CODE TABLE..: it must not, and change nothing; $stderr has what was said.
fails_with() {
	local code=$1
	shift
	app "$@"
	state > before
	fails "$code" through
	state | diff before -
}

# undo: the last plan backwards, and all is as it was.
undo() {
	mig-plan --rollback < last | gated --allow-destructive | applied > outcome || fail "$(cut -c 1-500 outcome)"
	state | diff before - || fail 'not as it was'
}

# steps: of the last plan, <object>:<what>.  statements: all its SQL.  severity RULE: of its findings.
steps() { jq -r 'select(.kind == "plan").steps[].step_id | sub("@.*"; "")' "${1:-plan}"; }
statements() { jq -r 'select(.kind == "plan").steps[].actions[] | select(.op == "sql").sql' plan; }
severity() { jq -r --arg r "$1" 'select(.kind == "plan").steps[].findings[] | select(.rule_id == $r).severity' plan | sort -u; }
