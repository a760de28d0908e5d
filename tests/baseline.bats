#!/usr/bin/env bats
# Existing databases are adopted: mig-plan --baseline with a declared schema.

load helper
load sql

setup() {
	mig_setup
	cat > app.json <<- 'END'
		{"name": "shop", "tables": [
		  {"id": 1, "name": "users", "fields": [
		    {"id": 1, "name": "email", "type": "email", "required": true},
		    {"id": 2, "name": "bio", "type": "long-text"}]}]}
	END
}

# declared [FLAG..]: the plans for app.json.
declared() {
	schema | mig-plan --schema "${file-app.json}" --env dev --migration shop --target-version 1.0.0 "$@"
}

carry_out() { mig-gate --env dev --apply | mig-apply --store sqlite:app.db; }

# adopted_by_hand: a database as the declared schema would make it, without our tables.
adopted_by_hand() {
	database
	declared | carry_out > outcomes
	ask .dump | grep -vE 'system_|mig_|sqlite_sequence' > dump.sql
	rm -rf app.db app.db.mig
	sqlite3 app.db < dump.sql
	ask "INSERT INTO users (email) VALUES ('ann@example.com')"
}

@test "a baseline of a declared schema records it, changes nothing, and later plans begin from it" {
	adopted_by_hand
	declared --baseline > plans
	of_plan '.steps | length == 1 and .[0].step_id == "schema:record@0..1" and .[0].actions[0].history_version == 1' < plans
	mig-hash --check < plans
	carry_out < plans > outcomes
	[ "$(ask 'SELECT email FROM users')" = ann@example.com ]
	[ "$(ask 'SELECT version FROM system_migration_history')" = 1 ]
	declared | jq -e 'select(.kind == "end") | .records == 0'
	sed -i 's/"bio"/"about"/' app.json
	declared | carry_out > outcomes
	[ "$(ask "SELECT count(*) FROM pragma_table_info('users') WHERE name = 'about'")" = 1 ]
	[ "$(ask 'SELECT email FROM users')" = ann@example.com ]
}

@test "without a baseline, tables that are there already are refused with 4" {
	adopted_by_hand
	fails 4 declared
	[[ $stderr == *baseline* ]]
}

@test "a baseline names every table and column that differs, and records nothing" {
	adopted_by_hand
	ask 'ALTER TABLE users ADD COLUMN extra; ALTER TABLE users DROP COLUMN bio'
	sed -i 's/^    {"id": 1, "name": "email"/    {"id": 3, "name": "nick", "type": "long-text", "required": true},\n&/; s/]}]}$/]},\n  {"id": 2, "name": "tags", "fields": []}]}/' app.json
	fails 4 declared --baseline
	[[ $stderr == *'users.extra: there, but not declared'* ]]
	[[ $stderr == *'users.bio: declared, but not there'* ]]
	[[ $stderr == *'users.nick: declared, but not there'* ]]
	[[ $stderr == *'tags: a table that is declared, but not there'* ]]
	jq -e '.code == "baseline_differs"' <<< "$output"
}

@test "a baseline notices a column that may be null in one only, and warns of another type" {
	database 'CREATE TABLE users (id INTEGER PRIMARY KEY, created_at TEXT, updated_at TEXT, deleted_at TEXT, email TEXT, bio BLOB)'
	fails 4 declared --baseline
	[[ $stderr == *'users.email: declared not null, but not so there'* ]]
	[[ $stderr == *'warning: column bio is declared TEXT, and is BLOB there'* ]]
}

@test "a baseline is refused with 4 where a schema is recorded, and where nothing is declared" {
	database
	declared | carry_out > outcomes
	fails 4 declared --baseline
	[[ $stderr == *'a schema is recorded already'* ]]
	database
	echo '{"name": "shop", "tables": []}' > app.json
	fails 4 declared --baseline
	jq -e '.code == "empty_migration"' <<< "$output"
}

@test "a baseline is rolled back without touching a table" {
	adopted_by_hand
	declared --baseline | carry_out > outcomes
	mig-extract --store sqlite:app.db --applied --last | mig-plan --rollback | carry_out > outcomes
	[ "$(ask 'SELECT email FROM users')" = ann@example.com ]
	[ "$(schema | jq -c 'select(.kind == "schema") | .recorded')" = null ]
	declared --baseline > plans
}

@test "a baseline of a set of rows is a usage error: rows are not recorded, they are written" {
	database
	mkdir rows && printf '{"entity":"post","id":"posts","mode":"records"}\n' > rows/set.json
	fails 2 mig baseline --store sqlite:app.db --set rows --env dev --migration m --target-version 1.0.0 --apply
	[[ $stderr == 'mig: --allow-empty and --baseline go with --schema or --set'* ]]
}
