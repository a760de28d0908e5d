#!/usr/bin/env bats
# mig-plan --schema: what it compares, what it refuses, and that it is the same everywhere.

# shellcheck disable=SC2154 # fails sets stderr
load helper
load schema

email=$(field 1 email email)

setup() {
	mig_setup
	on_sqlite
}

users() { table 1 users "$email$1" "$2"; }

@test "MIGRATION-CHECKSUM-001 the first plan records a checksum of 64 hex digits" {
	migrate "$(users)"
	is "SELECT id, length(checksum) FROM system_schema_checksum" 'singleton|64'
	[[ $(q "SELECT checksum FROM system_schema_checksum") =~ ^[0-9a-f]{64}$ ]]
	jq -e '.tables[0].name == "users"' <<< "$(q 'SELECT schema FROM system_migration_history')" > /dev/null
}

@test "MIGRATION-CHECKSUM-002 an unchanged schema gives no plan, and nothing is touched" {
	migrate "$(users)"
	sha256sum app.db > sum
	app "$(users)"
	through
	[ "$(jq -c '[.kind, .records]' plan)" = '["end",0]' ]
	sha256sum -c sum
}

@test "MIGRATION-CHECKSUM-003 MIGRATION-AUDIT-003 a changed schema is the next version with another checksum" {
	migrate "$(users)"
	q "INSERT INTO users (email) VALUES ('a@b')"
	migrate "$(users "$(field 2 name single-line-text)")"
	is "SELECT version FROM system_migration_history ORDER BY version" $'1\n2'
	is "SELECT count(DISTINCT checksum) FROM system_migration_history" 2
	is "SELECT email FROM users" a@b
}

@test "the same schema and database give the same plan, whatever the folder, zone and locale" {
	app "$(users "$(field 2 name single-line-text '"unique":true,"required":true')")"
	schema > record
	plan_schema < record > one
	plan_schema < record | cmp - one
	TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 plan_schema < record | cmp - one
	mkdir elsewhere && cp app.json elsewhere && (cd elsewhere && plan_schema < ../record) | cmp - one
	mig-hash --check one
}

@test "SV-05 another order of members changes nothing" {
	migrate "$(users)"
	jq -cS . app.json > sorted && mv sorted app.json
	through
	[ "$(jq -c .kind plan)" = '"end"' ]
}

@test "MIGRATION-ROLLBACK-001 a recorded checksum that was overwritten is named, and nothing is planned" {
	migrate "$(users)"
	q "UPDATE system_schema_checksum SET checksum = 'abc123'; UPDATE system_migration_history SET checksum = 'abc123'"
	fails_with 4 "$(users "$(field 2 name single-line-text)")"
	[[ $stderr == *'checksum mismatch: schema drift detected'* ]] || fail "$stderr"
	jq -e 'select(.kind == "fault").code == "tampered"' plan > /dev/null
}

@test "MIGRATION-AUDIT-006 a column that somebody added is drift, named with its table" {
	migrate "$(users)"
	q "ALTER TABLE users ADD COLUMN extra_column TEXT"
	fails_with 4 "$(users "$(field 2 name single-line-text)")"
	[[ $stderr == *users.extra_column* ]] || fail "$stderr"
	jq -e 'select(.kind == "fault").code == "drift"' plan > /dev/null
}

@test "tables and views that the schema does not know are left alone, and are no drift" {
	migrate "$(users)"
	q "CREATE TABLE theirs (x); CREATE VIEW seen AS SELECT email FROM users; CREATE TRIGGER kept AFTER INSERT ON theirs BEGIN SELECT 1; END"
	migrate "$(users "$(field 2 name single-line-text '"required":true,"default":"x","unique":true')")"
	q "INSERT INTO theirs VALUES (1); INSERT INTO users (email) VALUES ('a@b')"
	is "SELECT email FROM seen" a@b
}

@test "a table that is there before its schema is refused with a hint" {
	q "CREATE TABLE users (id INTEGER)"
	fails_with 4 "$(users)"
	[[ $stderr == *'mig baseline'* ]] || fail "$stderr"
}

@test "MIGRATION-ERROR-010 a schema without tables is refused unless that is meant" {
	app
	fails 4 through
	[[ $stderr == *--allow-empty* ]]
	schema | plan_schema --allow-empty > plan
	[ "$(jq -c '[.kind, .records]' plan)" = '["end",0]' ]
}

@test "MIGRATION-ERROR-001 MIGRATION-ROLLBACK-002 an unknown field type is named, and nothing is made" {
	fails_with 4 "$(users)" "$(table 2 posts "$(field 1 x INVALID_TYPE)")"
	[[ $stderr == *'Unknown field type: INVALID_TYPE'* ]] || fail "$stderr"
}

@test "MIGRATION-ERROR-002 a range that holds nothing is named" {
	fails_with 4 "$(users)" "$(table 2 products "$(field 1 price decimal '"min":100,"max":10')")"
	[[ $stderr == *'min cannot be greater than max'* ]] || fail "$stderr"
}

@test "MIGRATION-ROLLBACK-005 a wrong field beside a good database leaves tables, rows and keys as they are" {
	migrate "$(table 1 categories "$(field 1 title single-line-text)")" \
		"$(table 2 products "$(field 1 category relationship '"relatedTable":"categories"')")"
	q "INSERT INTO categories (title) VALUES ('a')"
	q "INSERT INTO products (category) VALUES (1)"
	fails_with 4 "$(table 1 categories "$(field 1 title single-line-text)$(field 2 x INVALID_TYPE)")" \
		"$(table 2 products "$(field 1 category relationship '"relatedTable":"categories"')")"
}

@test "MIGRATION-ERROR-004 MIGRATION-ERROR-006 MIGRATION-ERROR-007 what a schema refers to must be there, once" {
	fails_with 4 "$(table 1 posts "$(field 1 author relationship '"relatedTable":"users"')")"
	[[ $stderr == *'relatedTable "users" does not exist'* ]] || fail "$stderr"
	fails_with 4 "$(users '' '"indexes":[{"name":"i","fields":["status"]}]')"
	[[ $stderr == *'index references non-existent column'* ]] || fail "$stderr"
	fails_with 4 "$(users)" "$(table 1 posts "$(field 1 x integer)")"
	[[ $stderr == *'duplicate table id'* ]] || fail "$stderr"
}

@test "SV-07 tables of the system's names are refused" {
	fails_with 5 "$(table 1 system_users "$email")"
}

@test "SV-09 tables that must refer to each other are refused" {
	fails_with 4 "$(table 1 a "$(field 1 b relationship '"relatedTable":"b","required":true')")" \
		"$(table 2 b "$(field 1 a relationship '"relatedTable":"a","required":true')")"
}

@test "MIG-RLS-007 MIGRATION-VIEW-004 SQLite has no row-level security and no materialized views" {
	fails_with 4 "$(users '' '"rls":{"enabled":true,"policies":[]}')"
	fails_with 4 "$(users '' '"views":[{"id":"v","name":"V","query":"SELECT 1 AS x","materialized":true}]')"
}

@test "pieces of SQL in a schema do not reach beyond their place" {
	for check in '1) ; DROP TABLE users; --' 'x = 1; DELETE FROM users' '(1' "'open" '1 -- why' '1 /* why */'; do
		fails_with 4 "$(users '' "\"constraints\":[{\"name\":\"c\",\"check\":\"$check\"}]")"
		fails_with 4 "$(users '' "\"views\":[{\"id\":\"v\",\"name\":\"V\",\"query\":\"SELECT $check\"}]")"
	done
	migrate "$(users '' '"constraints":[{"name":"c","check":"email <> '"'; --'"' AND (id > 0)"}]')"
	refuses "INSERT INTO users (email) VALUES ('; --')"
}

@test "removing the first of three tables without ids drops it, and renames none" {
	migrate "$(table 0 a "$(field 0 x integer)")" "$(table 0 b "$(field 0 x integer)")" "$(table 0 c "$(field 0 x integer)$(field 0 y integer)")"
	q "INSERT INTO c (x, y) VALUES (1, 2)"
	migrate "$(table 0 b "$(field 0 x integer)")" "$(table 0 c "$(field 0 y integer)")"
	[ "$(steps | grep -v record)" = $'a:drop_table\nc:rebuild_table' ]
	is "SELECT y FROM c" 2
	undo
}

@test "a table that allows it is destroyed without the flag, with a backup and a warning" {
	migrate "$(users "$(field 2 phone phone-number)" '"allowDestructive":true')"
	q "INSERT INTO users (email, phone) VALUES ('a@b', '1')"
	app "$(users '' '"allowDestructive":true')"
	through
	[ "$(severity drop_column)" = warning ]
	[ "$(jq -r 'select(.kind == "plan").steps[].actions[] | select(.op == "backup").name' plan)" = users.phone ]
}

@test "several changes of one table are one rebuild, and what hangs on it is there afterwards" {
	migrate "$(table 1 t "$(field 1 a long-text '"indexed":true')$(field 2 b integer)$(field 3 c multi-select '"options":["x","y"]')$(field 4 d date)")"
	q "INSERT INTO t (a, b, c, d) VALUES ('7', 1, '[\"x\"]', '2025-01-01'), (NULL, NULL, NULL, NULL)"
	q "DELETE FROM t WHERE id = 2"
	migrate "$(table 1 t "$(field 1 aa integer '"indexed":true,"min":0')$(field 2 b integer '"required":true,"unique":true')$(field 3 c multi-select '"options":["x","y"]')$(field 5 e autonumber)$(field 6 u single-line-text '"default":"it'"'"'s"')")"
	[ "$(steps | grep -c rebuild_table)" = 1 ]
	is "SELECT id, aa, typeof(aa), b, c, e, u FROM t" "1|7|integer|1|[\"x\"]|1|it's"
	refuses "INSERT INTO t (b, c) VALUES (2, '[\"z\"]')"
	q "INSERT INTO t (b) VALUES (2)"
	is "SELECT id, e FROM t WHERE b = 2" '3|2'
	q "DELETE FROM t WHERE b = 2"
	q "UPDATE sqlite_sequence SET seq = 2"
	undo
}

@test "a relationship to a table that is renamed and rebuilt is kept" {
	migrate "$(table 1 posts "$(field 1 title single-line-text)")" "$(table 2 notes "$(field 1 post relationship '"relatedTable":"posts","onDelete":"cascade"')")"
	q "INSERT INTO posts (title) VALUES ('a')"
	q "INSERT INTO notes (post) VALUES (1)"
	migrate "$(table 1 articles "$(field 1 head single-line-text '"unique":true,"required":true')")" "$(table 2 notes "$(field 1 article relationship '"relatedTable":"articles","onDelete":"cascade"')")"
	refuses "INSERT INTO notes (article) VALUES (9)"
	q "BEGIN; DELETE FROM articles; SELECT count(*) FROM notes; ROLLBACK" | grep -x 0
	undo
}

@test "fields with constraints swap their names" {
	migrate "$(table 1 t "$(field 1 a integer '"min":0,"unique":true')$(field 2 b integer '"max":9,"indexed":true')")"
	q "INSERT INTO t (a, b) VALUES (1, 2)"
	migrate "$(table 1 t "$(field 1 b integer '"min":0,"unique":true')$(field 2 a integer '"max":9,"indexed":true')")"
	is "SELECT a, b FROM t" '2|1'
	refuses "INSERT INTO t (a) VALUES (10)"
	refuses "INSERT INTO t (b) VALUES (-1)"
	undo
}

@test "mig-plan --schema refuses what does not belong together, and a file that is not there" {
	app "$(users)"
	fails 2 mig-plan --schema app.json --batch 3 --env dev --migration a --target-version 1.0.0
	fails 2 mig-plan --schema app.json --rollback
	fails 2 mig-plan --allow-empty --env dev --migration a --target-version 1.0.0
	schema > record
	fails 3 mig-plan --schema nothing.json --env dev --migration a --target-version 1.0.0 < record
	echo '{"tables":[' > torn.json
	fails 4 mig-plan --schema torn.json --env dev --migration a --target-version 1.0.0 < record
	[[ $stderr == *torn.json*line* ]]
	fails 3 plan_schema < <(head -n 1 record)
	fails 4 plan_schema < <(sed 's/"tables":\[\]/"tables":[{"columns":[],"name":"x"}]/' record)
}
