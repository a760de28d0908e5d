#!/usr/bin/env bats
# Hand-written SQL: sets of mode sql, planned and applied to SQLite.

load helper
load sql

setup() {
	mig_setup
	sql_set sqlite
}

users() {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);' 'DROP TABLE users;'
}

orders() {
	hop 1.0.0 1.1.0 'CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));
CREATE TRIGGER orders_checked BEFORE INSERT ON orders BEGIN
  SELECT CASE WHEN NEW.user_id IS NULL THEN RAISE(ABORT, '\''no user; none'\'') END;
END;
-- the end; of it' 'DROP TABLE orders;' 'SELECT count(*) = 0 FROM orders;'
}

@test "every statement is one action, a plan a hop, and a second run has nothing to do" {
	users && orders && database
	plan_hops 1.1.0 > plans
	[ "$(jq -r 'select(.kind == "plan") | .header.target_version' plans | tr '\n' ' ')" = '1.0.0 1.1.0 ' ]
	[ "$(jq 'select(.header.part.index == 2) | .steps[0].actions | length' plans)" = 2 ]
	jq -r 'select(.header.part.index == 2) | .steps[0].actions[1].sql' plans | tail -n 1 | grep -qx 'END'
	mig-hash --check < plans
	migrate 1.1.0 > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .code' outcomes | tr '\n' ' ')" = 'ok ok ' ]
	fails 19 ask 'INSERT INTO orders VALUES (1, NULL)'
	plan_hops 1.1.0 | jq -e 'select(.kind == "end") | .records == 0'
	[ "$(versions)" = '1.0.0 1.1.0' ]
}

@test "the same set and schema give the same plans to the byte, whatever the line ends" {
	users && orders && database
	schema > record
	mig-plan --set app --env dev --migration app --target-version 1.1.0 < record > plans
	cp -R app moved
	sed -i 's/$/\r/' moved/*/*.sql moved/*/hop.json moved/set.json
	sed -i '1s/^/\xEF\xBB\xBF/' moved/1.0.0..1.1.0/up.sql
	here=$PWD
	(cd / && TZ=Asia/Tokyo mig-plan --set "$here/moved/" --env dev --migration app --target-version 1.1.0 < "$here/record") > again
	jq -c 'del(.plan_hash) | .steps[]?.actions[]? |= del(.checksum)' plans > a
	jq -c 'del(.plan_hash) | .steps[]?.actions[]? |= del(.checksum)' again > b
	grep -v '"kind":"end"' a | cmp - <(grep -v '"kind":"end"' b)
	cmp -s plans again && fail "the raw checksums are not in the plan"
	mig-plan --set ./app --env dev --migration app --target-version 1.1.0 < record | cmp - plans
}

@test "a set of documents in the place of one of SQL is one fault, not one a member" {
	database
	for set in manifest profile; do
		fails 4 mig-plan --set "$SETS/$set" --env dev --migration app --target-version 1.0.0 <<< "$(schema)"
		[ "$stderr" = "mig-plan: $SETS/$set/set.json: /mode: not \"sql\": the set is one of documents or records" ]
	done
}

@test "hops have no number in a history, so that back to one is refused, and not taken for nothing to do" {
	users && orders && database
	migrate 1.1.0 > outcomes
	for number in 0 1; do
		fails 3 mig rollback --store sqlite:app.db --to "$number" --env dev --apply --allow-destructive
		[[ $stderr == *"$number: what is applied has no numbers in a history"* ]]
		[[ $stderr == *'hint: --to with a semantic version takes what led beyond it'* ]]
	done
	[ "$(versions)" = '1.0.0 1.1.0' ]
	mig rollback --store sqlite:app.db --to 0.0.0 --env dev --apply --allow-destructive > outcomes
	[ "$(versions)" = '' ]
	# where nothing is applied there is nothing to do
	mig rollback --store sqlite:app.db --to 0 --env dev --apply > outcomes
	[ "$(jq -r .kind outcomes)" = end ]
}

@test "a dry run of several hops, forth and back, finds what those before leave, and changes nothing" {
	users && orders && database
	plan_hops 1.1.0 > plans
	before=$(sha256sum app.db)
	mig-gate --env dev --dry-run < plans | mig-apply --store sqlite:app.db > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .steps[].status' outcomes | sort -u)" = skipped ]
	# where one fails, the dry run does
	hop 1.1.0 1.2.0 'INSERT INTO orders VALUES (1, NULL);' 'DELETE FROM orders;'
	plan_hops 1.2.0 > failing
	fails 4 mig-apply --store sqlite:app.db < <(mig-gate --env dev --dry-run < failing)
	[[ $stderr == *'no user; none'* ]]
	[ "$before" = "$(sha256sum app.db)" ]
	rm -r app/1.1.0..1.2.0
	migrate 1.1.0 > outcomes
	before=$(sha256sum app.db)
	mig rollback --store sqlite:app.db --to 0.0.0 --env dev --dry-run --format json > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .code' outcomes | tr '\n' ' ')" = 'ok ok ' ]
	[ "$before" = "$(sha256sum app.db)" ]
	mig-gate --env dev --dry-run < plans | mig-apply --store sqlite:new.db --create > outcomes
	assert_not_exists new.db
}

@test "rolling back runs down.sql and forgets the hop, the last one first" {
	users && orders && database
	schema | jq .hash > before
	migrate 1.1.0 > outcomes
	fails 5 undo_hops 0.0.0
	[ "$(versions)" = '1.0.0 1.1.0' ]
	undo_hops 0.0.0 --allow-destructive > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .steps[].step_id' outcomes | head -n 2 | tail -n 1)" = 'up:sql@1.0.0..1.1.0' ]
	[ -z "$(versions)" ]
	schema | jq .hash | cmp - before
	migrate 1.0.0 > outcomes
	[ "$(versions)" = 1.0.0 ]
}

@test "applied hops are told in the order of their last commits, each once" {
	users && orders && database
	migrate 1.1.0 > outcomes
	undo_hops 1.0.0 --allow-destructive > outcomes
	[ "$(versions)" = 1.0.0 ]
	# hops of two sets in one database: theirs came in between
	mkdir theirs && cp app/set.json theirs && sed -i 's/app/theirs/' theirs/set.json
	mkdir theirs/0.0.0..3.0.0 && sed 's/1\.0\.0/3.0.0/' app/0.0.0..1.0.0/hop.json > theirs/0.0.0..3.0.0/hop.json
	echo 'CREATE TABLE theirs (id INTEGER);' > theirs/0.0.0..3.0.0/up.sql
	schema | mig-plan --set theirs --env dev --migration theirs --target-version 3.0.0 |
		mig-gate --env dev --apply --allow-destructive | mig-apply --store sqlite:app.db > outcomes
	migrate 1.1.0 > outcomes
	[ "$(versions)" = '1.0.0 3.0.0 1.1.0' ]
}

@test "a hop without down.sql is irreversible, named, and needs the flag" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id);' && database
	plan_hops 1.0.0 > plans
	of_plan '.steps[0].findings[0].rule_id == "irreversible"' < plans
	of_plan '.rollback[1].data_safety.reversible == false' < plans
	fails 5 mig-gate --env dev --apply < plans
	migrate 1.0.0 --allow-destructive > outcomes
	[ "$(versions)" = 1.0.0 ]
}

@test "MIG-TRANSACTION-001 a script whose third statement is bad leaves nothing of the first two" {
	users && database
	migrate 1.0.0 > outcomes
	hop 1.0.0 1.1.0 'ALTER TABLE users ADD COLUMN age INTEGER;
CREATE INDEX users_age ON users (age);
INSERT INTO users (id) VALUES (1), (1);' 'SELECT 1;'
	fails 4 migrate 1.1.0
	[[ $stderr == *UNIQUE* ]]
	[ "$(ask "SELECT count(*) FROM pragma_table_info('users')")" = 2 ]
	[ "$(ask "SELECT count(*) FROM sqlite_master WHERE name = 'users_age'")" = 0 ]
}

@test "MIG-TRANSACTION-002 a failing 2.0.0 leaves the database at 1.0.0 with its rows" {
	users && database
	migrate 1.0.0 > outcomes
	ask "INSERT INTO users VALUES (1, 'Ann')"
	hop 1.0.0 2.0.0 'CREATE TABLE more (id INTEGER PRIMARY KEY);
INSERT INTO users VALUES (1, NULL);' 'DROP TABLE more;'
	fails 4 migrate 2.0.0
	[ "$(versions)" = 1.0.0 ]
	[ "$(ask 'SELECT name FROM users')" = Ann ]
	[ -z "$(ask "SELECT name FROM sqlite_master WHERE name = 'more'")" ]
}

@test "MIG-TRANSACTION-003 without a transaction what was done before the failure stays and the rest is not run" {
	hop 0.0.0 1.0.0 '-- mig:transaction=none
CREATE TABLE a (id INTEGER PRIMARY KEY);
INSERT INTO missing VALUES (1);
CREATE TABLE c (id);' 'DROP TABLE a;' && database
	plan_hops 1.0.0 > plans
	[ "$(jq -r 'select(.kind == "plan") | .steps[].step_id' plans | tr '\n' ' ')" = \
		'schema:record@0.0.0..1.0.0 up.1:sql@0.0.0..1.0.0 up.2:sql@0.0.0..1.0.0 up.3:sql@0.0.0..1.0.0 ' ]
	run --separate-stderr migrate 1.0.0
	[ "$status" -ne 0 ]
	[ "$(ask "SELECT group_concat(name) FROM sqlite_master WHERE name IN ('a', 'c')")" = a ]
}

@test "MIG-TRANSACTION-REGRESSION good, bad and good again: only the good ones are applied" {
	users && database
	migrate 1.0.0 > outcomes
	hop 1.0.0 1.1.0 'CREATE TABLE a (id); SELECT no_such_function();' 'DROP TABLE a;'
	run --separate-stderr migrate 1.1.0
	[ "$status" -ne 0 ]
	[ "$(versions)" = 1.0.0 ]
	hop 1.0.0 1.1.0 'CREATE TABLE a (id);' 'DROP TABLE a;'
	migrate 1.1.0 > outcomes
	[ "$(versions)" = '1.0.0 1.1.0' ]
}

@test "verify.sql that does not hold rolls the hop back with 4 and names its line" {
	hop 0.0.0 1.0.0 'CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);' 'DROP TABLE t;' '
SELECT 1 WHERE 0;
SELECT a = 1 FROM t WHERE a = 2;' && database
	fails 4 migrate 1.0.0
	[[ $stderr == *'verify.sql:3 does not hold'* ]]
	[ -z "$(versions)" ]
	hop 0.0.0 1.0.0 'CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);' 'DROP TABLE t;' 'SELECT 1 WHERE 0; SELECT count(*) = 2 FROM t'
	migrate 1.0.0 > outcomes
	[ "$(versions)" = 1.0.0 ]
}

@test "verify.sql that would change something is refused with 4" {
	hop 0.0.0 1.0.0 'CREATE TABLE t (a);' 'DROP TABLE t;' 'SELECT 1;
DELETE FROM t WHERE a = 1;' && database
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'verify.sql:2: not a query'* ]]
}

@test "MIGRATION-ERROR-008 a missing previous migration is named as a dependency" {
	users && database
	hop 1.1.0 1.2.0 'CREATE TABLE t (a);' 'DROP TABLE t;'
	fails 4 plan_hops 1.2.0
	[[ $stderr == *'dependency not found: no hop leads to 1.1.0'* ]]
	jq -e '.code == "no_path"' <<< "$output"
	fails 4 plan_hops 7.0.0
}

@test "MIGRATION-ERROR-008 a script that alters a table that is not there is refused with its line" {
	users && database
	hop 1.0.0 1.1.0 'CREATE TABLE a (id);
ALTER TABLE a RENAME TO b;
CREATE INDEX i ON b (id);
ALTER TABLE a ADD COLUMN c;' 'DROP TABLE b;'
	fails 4 plan_hops 1.1.0
	[[ $stderr == *'up.sql:4: dependency not found: there is no table a'* ]]
	jq -e '.code == "missing_dependency"' <<< "$output"
}

@test "MIGRATION-ERROR-008 a hop that does not lead up, and so a cycle, is an invalid order" {
	users && database
	hop 1.0.0 0.0.0 'SELECT 1;' 'SELECT 1;'
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'invalid order'* ]]
}

@test "MIGRATION-ERROR-010 a hop without statements is an empty migration unless it is allowed" {
	hop 0.0.0 1.0.0 '-- nothing; here' '-- nor here' && database
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'no statements'* ]]
	jq -e '.code == "empty_migration"' <<< "$output"
	plan_hops 1.0.0 --allow-empty | mig-gate --env dev --apply | mig-apply --store sqlite:app.db > outcomes
	[ "$(versions)" = 1.0.0 ]
}

@test "CH-30 a hop whose type is none of the six is refused with 4" {
	users && database
	sed -i 's/"schema"/"chore"/' app/0.0.0..1.0.0/hop.json
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'not one of schema, data'* ]]
}

@test "CH-31 each of the six types is planned as it is declared" {
	database
	for type in schema data config profile index cleanup; do
		hop 0.0.0 1.0.0 'CREATE TABLE t (a);' 'SELECT 1;' '' "$type"
		# shellcheck disable=SC2016 # of jq
		plan_hops 1.0.0 | of_plan --arg t "$type" '.steps[0].type == $t'
	done
}

@test "CH-32 what destroys is a cleanup, kept in a backup, and blocked with 5 without the flag" {
	users && database
	migrate 1.0.0 > outcomes
	ask "INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob')"
	hop 1.0.0 2.0.0 'DROP TABLE users;' 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);'
	plan_hops 2.0.0 > plans
	of_plan '.steps[0] | .type == "cleanup" and .actions[0].op == "backup"' < plans
	of_plan '.steps[0].findings[0] | .rule_id == "drop_table" and .rows == 2' < plans
	fails 5 mig-gate --env dev --apply < plans
	[ "$(ask 'SELECT count(*) FROM users')" = 2 ]
	migrate 2.0.0 --allow-destructive > outcomes
	[ "$(cat app.db.mig/backups/*.ndjson)" = '{"id":1,"name":"Ann"}
{"id":2,"name":"Bob"}' ]
	[ -z "$(ask "SELECT name FROM sqlite_master WHERE name = 'users'")" ]
}

@test "what a hop makes and drops itself is not called destruction" {
	database
	hop 0.0.0 1.0.0 'DROP TABLE IF EXISTS users; CREATE TABLE work (a); DELETE FROM work; DROP TABLE work;' 'SELECT 1;'
	plan_hops 1.0.0 | of_plan '.steps[0] | .findings == [] and .type == "schema"'
	hop 0.0.0 1.0.0 'CREATE TABLE users (a);' 'SELECT 1;'
	hop 1.0.0 1.1.0 'CREATE TABLE new (a); DROP TABLE users; ALTER TABLE new RENAME TO users; DELETE FROM users;' 'SELECT 1;'
	plan_hops 1.1.0 > plans
	[ "$(jq -r 'select(.header.part.index == 2) | .steps[0].findings[].rule_id' plans | tr '\n' ' ')" = \
		'drop_table delete_all ' ]
}

@test "an applied script whose content changed is 4 with both checksums; line ends are a warning" {
	users && orders && database
	migrate 1.0.0 > outcomes
	sed -i 's/$/\r/' app/0.0.0..1.0.0/up.sql
	run -0 --separate-stderr plan_hops 1.1.0
	[[ $stderr == *'warning'*'other line ends'* ]]
	was=$(schema | jq -r 'select(.kind == "schema") | .applied[0].checksum')
	sed -i 's/name/title/' app/0.0.0..1.0.0/up.sql
	is=$(sha256sum app/0.0.0..1.0.0/up.sql | cut -d ' ' -f 1)
	fails 4 plan_hops 1.1.0
	[[ $stderr == *"$was"*"$is"* ]]
	# once each where line ends make no difference
	sed -i 's/\r//' app/0.0.0..1.0.0/up.sql
	fails 4 plan_hops 1.1.0
	is=$(sha256sum app/0.0.0..1.0.0/up.sql | cut -d ' ' -f 1)
	[[ $stderr == *": applied with checksum $was, is $is" ]]
	jq -e '.code == "changed_after_apply"' <<< "$output"
}

@test "a statement about a table that is kept from migrations names it: 5" {
	users && database
	migrate 1.0.0 > outcomes
	for sql in 'DROP TABLE mig_ledger;' 'DELETE FROM mig_ledger WHERE 1;' 'ALTER TABLE "mig_ledger" ADD COLUMN a;'; do
		hop 1.0.0 2.0.0 "$sql"
		fails 5 plan_hops 2.0.0
		[[ $stderr == *'up.sql:1: writes to a table that is not a migration'\''s: mig_ledger' ]] || fail "$sql: $stderr"
	done
}

@test "a hop below the version reached is out of order, and applied only when asked for" {
	users && database
	hop 1.0.0 2.0.0 'CREATE TABLE late (a);' 'DROP TABLE late;'
	migrate 2.0.0 > outcomes
	mv app/1.0.0..2.0.0 app/1.5.0..2.0.0
	sed -i 's/"from": "1.0.0"/"from": "1.5.0"/' app/1.5.0..2.0.0/hop.json
	hop 1.0.0 1.5.0 'CREATE TABLE middle (a);' 'DROP TABLE middle;'
	hop 2.0.0 2.1.0 'CREATE TABLE after (a);' 'DROP TABLE after;'
	fails 4 plan_hops 2.1.0
	[[ $stderr == *'1.0.0..1.5.0 is not applied, but 2.0.0 is reached'* ]]
	plan_hops 2.1.0 --out-of-order | mig-gate --env dev --apply | mig-apply --store sqlite:app.db > outcomes
	[ "$(versions)" = '1.0.0 2.0.0 1.5.0 2.1.0' ]
	plan_hops 2.1.0 | jq -e 'select(.kind == "end") | .records == 0'
}

@test "an applied hop that is not in the set any more is missing, 4 unless let through" {
	users && orders && database
	migrate 1.1.0 > outcomes
	rm -r app/0.0.0..1.0.0
	hop 1.1.0 1.2.0 'CREATE TABLE t (a);' 'DROP TABLE t;'
	fails 4 plan_hops 1.2.0
	[[ $stderr == *'0.0.0..1.0.0 is applied and not in the set'* ]]
	[[ $stderr == *'hint: --out-of-order goes on without it'* ]]
	run -0 --separate-stderr plan_hops 1.2.0 --out-of-order
	[[ $stderr == *'0.0.0..1.0.0 is applied and not in the set'* ]]
	[ "$(jq -r 'select(.kind == "plan") | .header.target_version' <<< "$output")" = 1.2.0 ]
}

@test "a target below the version reached is 4 and names the way back" {
	users && orders && database
	migrate 1.1.0 > outcomes
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'beyond 1.0.0'*'mig rollback --to 1.0.0'* ]]
}

@test "transaction control, what cannot run in one, and commands of a shell are refused with their lines" {
	database
	while IFS='|' read -r code up message; do
		hop 0.0.0 1.0.0 "$up" 'SELECT 1;'
		fails 4 plan_hops 1.0.0
		[ "$(jq -r .code <<< "$output")" = "$code" ] || fail "$up: $output"
		[[ $stderr == *"up.sql:1: $message"* ]] || fail "$up: $stderr"
	done <<- 'END'
		transaction_control|BEGIN; CREATE TABLE t (a); COMMIT;|begins or ends a transaction
		no_transaction|VACUUM;|cannot run in a transaction
		bad_script|.read other.sql|a command of the sqlite3 shell
		bad_script|SELECT 'open|a string that begins here does not end
		bad_script|CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;|the body that begins here has no END
	END
	hop 0.0.0 1.0.0 '-- mig:transaction=none
VACUUM;' 'SELECT 1;'
	plan_hops 1.0.0 | of_plan '.steps[1].transaction == false'
}

@test "SV-07 protected tables and other databases are out of a script's reach" {
	database
	for up in 'DROP TABLE mig_ledger;' 'UPDATE system_migration_history SET version = 1;' 'ALTER TABLE auth_users ADD a;' \
		"ATTACH 'other.db' AS o;"; do
		hop 0.0.0 1.0.0 "$up" 'SELECT 1;'
		fails 5 plan_hops 1.0.0
		hop 0.0.0 1.0.0 'SELECT 1;' "$up"
		fails 5 plan_hops 1.0.0
	done
	[ ! -e other.db ]
}

@test "a schema that changed since the plan is drift at apply, and nothing is done" {
	users && database
	plan_hops 1.0.0 > plans
	ask 'CREATE TABLE other (a)'
	mig-gate --env dev --apply < plans > permits
	fails 4 mig-apply --store sqlite:app.db < permits
	[ -z "$(ask "SELECT name FROM sqlite_master WHERE name = 'users'")" ]
}

@test "a baseline records what leads to a version and changes no table" {
	users && orders
	database 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (7, NULL);'
	plan_hops 1.0.0 --baseline > plans
	of_plan '.steps | length == 1 and .[0].step_id == "schema:record@0.0.0..1.0.0"' < plans
	mig-gate --env dev --apply < plans | mig-apply --store sqlite:app.db > outcomes
	[ "$(versions)" = 1.0.0 ]
	[ "$(ask 'SELECT id FROM users')" = 7 ]
	migrate 1.1.0 > outcomes
	[ "$(versions)" = '1.0.0 1.1.0' ]
	fails 4 plan_hops 1.1.0 --baseline
	[[ $stderr == *'the database is at 1.1.0 already'* ]]
}

@test "a baseline over several hops records each, so that a later change of one is noticed" {
	users && orders && database 'CREATE TABLE users (a); CREATE TABLE orders (a);'
	plan_hops 1.1.0 --baseline | mig-gate --env dev --apply | mig-apply --store sqlite:app.db > outcomes
	[ "$(versions)" = '1.0.0 1.1.0' ]
	echo 'SELECT 2;' >> app/0.0.0..1.0.0/up.sql
	fails 4 plan_hops 1.1.0
	jq -e '.code == "changed_after_apply"' <<< "$output"
}

@test "a set for another dialect, a missing set and a set of documents are refused" {
	users && database
	sql_set postgresql
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'the set is for postgresql, the database is sqlite'* ]]
	rm app/set.json
	fails 3 plan_hops 1.0.0
	schema > record
	fails 4 mig-plan --set "$SETS/manifest" --env dev --migration app --target-version 1.0.0 < record
}

@test "an edited, cut or doubled schema stream is noticed before anything is planned" {
	users && database
	schema > record
	plan_it() { mig-plan --set app --env dev --migration app --target-version 1.0.0; }
	sed 's/"tables":\[\]/"tables":[{}]/' record > edited
	fails 4 plan_it < edited
	head -n 1 record > short
	fails 3 plan_it < short
	sed 1d record > bare
	fails 4 plan_it < bare
	sed 1p record > doubled
	fails 4 plan_it < doubled
	echo '{"kind":"fault","tool":"mig-extract","exit":3,"code":"locked","reason":"held"}' > broken
	fails 3 plan_it < broken
}

@test "two hops are rehearsed there and back on a copy, and the database stays as it is" {
	users && orders && database
	ask .dump > before
	plan_hops 1.1.0 > plans
	mig-verify --store sqlite:app.db --rehearse < plans > verdicts
	[ "$(jq -r 'select(.kind == "verdict") | .findings[].rule_id' verdicts | sort -u)" = rehearsed ]
	ask .dump | cmp - before
}
