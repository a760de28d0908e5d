#!/usr/bin/env bats
# What only PostgreSQL has of a declared schema: row-level security, materialized views, concurrent indexes; and
# the rehearsal there.

# shellcheck disable=SC2154 # fails sets stderr
load helper
load store
load postgres
load schema

setup_file() {
	server_begin
}

teardown_file() {
	server_end
}

setup() {
	mig_setup
	on_postgresql
}

teardown() {
	line_ends
}

# documents [RLS]: the table of that name; RLS is its rls member.
documents() {
	table 1 documents "$(field 1 title single-line-text)$(field 2 owner_id integer)$(field 3 user_id integer)" "${1:+\"rls\":$1}"
}

# rls POLICY..: enabled, with these policies.
rls() {
	local IFS=,
	printf '{"enabled":true,"policies":[%s]}' "$*"
}

reads='{"name":"reads","command":"SELECT","using":"owner_id = 1"}'
writes='{"name":"writes","command":"INSERT","withCheck":"owner_id = 1"}'
edits='{"name":"edits","command":"UPDATE","using":"owner_id = 1","withCheck":"owner_id = 1"}'

# policies: of documents, by name, one a line.
policies() {
	sql "SELECT policyname, cmd, qual, with_check FROM pg_policies WHERE tablename = 'documents' ORDER BY 1"
}

# secured: is row-level security on?
secured() {
	sql "SELECT relrowsecurity FROM pg_class WHERE relname = 'documents'"
}

@test "MIG-RLS-001 row-level security is enabled with a policy to read, and rows are seen by it" {
	migrate "$(documents)"
	sql "INSERT INTO documents (title, owner_id) VALUES ('mine', 1), ('yours', 2)"
	migrate "$(documents "$(rls "$reads")")"
	[ "$(policies)" = 'reads|SELECT|(owner_id = 1)|' ]
	[ "$(secured)" = t ]
	sql 'CREATE ROLE reader' 'GRANT SELECT ON documents TO reader'
	[ "$(sql 'SET ROLE reader' 'SELECT title FROM documents')" = mine ]
	sql 'DROP OWNED BY reader' 'DROP ROLE reader'
	undo
}

@test "MIG-RLS-002 MIG-RLS-003 policies to insert and to update are added to it" {
	migrate "$(documents "$(rls "$reads")")"
	migrate "$(documents "$(rls "$reads" "$writes")")"
	[ "$(policies | wc -l)" -eq 2 ]
	undo
	migrate "$(documents "$(rls "$reads" "$writes")")"
	migrate "$(documents "$(rls "$reads" "$writes" "$edits")")"
	[ "$(policies | head -n 1)" = 'edits|UPDATE|(owner_id = 1)|(owner_id = 1)' ]
	[ "$(policies | wc -l)" -eq 3 ]
	undo
}

@test "MIG-RLS-004 removing a policy is destructive: 5 without the flag, and the others stay with it" {
	migrate "$(documents "$(rls "$reads" "$writes")")"
	fails_with 5 "$(documents "$(rls "$writes")")"
	[ "$(policies | wc -l)" -eq 2 ]
	migrate "$(documents "$(rls "$writes")")"
	[ "$(policies)" = 'writes|INSERT||(owner_id = 1)' ]
	[ "$(secured)" = t ]
	[ "$(severity drop_policy)" = critical ]
	undo
}

@test "MIG-RLS-005 another expression drops the policy and makes it anew" {
	migrate "$(documents "$(rls "$reads")")"
	migrate "$(documents "$(rls "${reads/owner_id/user_id}")")"
	[ "$(policies)" = 'reads|SELECT|(user_id = 1)|' ]
	statements | grep 'DROP POLICY'
	statements | grep 'CREATE POLICY'
	undo
}

@test "MIG-RLS-006 disabling it drops its policies, and is destructive" {
	migrate "$(documents "$(rls "$reads" "$writes")")"
	fails_with 5 "$(documents '{"enabled":false,"policies":[]}')"
	migrate "$(documents '{"enabled":false,"policies":[]}')"
	[ -z "$(policies)" ]
	[ "$(secured)" = f ]
	[ "$(severity disable_rls)" = critical ]
	undo
}

@test "MIG-RLS-007 all of it, one after the other" {
	migrate "$(documents)"
	migrate "$(documents "$(rls "$reads")")"
	migrate "$(documents "$(rls "$reads" "$writes")")"
	migrate "$(documents "$(rls "$reads" "$writes" "$edits")")"
	migrate "$(documents "$(rls "$writes" "$edits")")"
	migrate "$(documents "$(rls "${writes/owner_id/user_id}" "$edits")")"
	migrate "$(documents)"
	[ -z "$(policies)" ]
	mig-extract --store "$DB" --applied | mig-plan --rollback | mig-gate --env dev --apply --allow-destructive |
		mig-apply --store "$DB" --state state > outcome || fail "$(cat outcome)"
	[ -z "$(sql "SELECT relname FROM pg_class WHERE relname = 'documents'")" ]
}

# people [VIEW MEMBERS]: users, and a materialized view that counts them.
people() {
	table 1 users "$(field 1 name single-line-text)" \
		"\"views\":[{\"id\":\"how_many\",\"name\":\"How many\",\"query\":\"SELECT count(*) AS n FROM users\",\"materialized\":true$1}]"
}

@test "MIGRATION-VIEW-004 a materialized view is made, and goes again" {
	migrate "$(table 1 users "$(field 1 name single-line-text)")"
	sql "INSERT INTO users (name) VALUES ('ada')"
	migrate "$(people)"
	[ "$(sql 'SELECT matviewname FROM pg_matviews')" = how_many ]
	[ "$(sql 'SELECT n FROM how_many')" = 1 ]
	undo
	[ -z "$(sql 'SELECT matviewname FROM pg_matviews')" ]
}

@test "MIGRATION-VIEW-005 a materialized view is refreshed by the migration that its declaration says so" {
	migrate "$(people ',"refreshOnMigration":true')"
	sql "INSERT INTO users (name) VALUES ('ada'), ('bob')"
	[ "$(sql 'SELECT n FROM how_many')" = 0 ]
	migrate "$(people ',"refreshOnMigration":true')" "$(table 2 other "$(field 1 x integer)")"
	[ "$(sql 'SELECT n FROM how_many')" = 2 ]
}

# indexed [MEMBERS]: a table whose index has these members.
indexed() {
	table 1 t "$(field 1 x integer)" "\"indexes\":[{\"name\":\"by_x\",\"fields\":[\"x\"]$1}]"
}

@test "MIGRATION-MODIFY-INDEX-006 a declared index is built concurrently: outside of the transaction, rows kept" {
	migrate "$(table 1 t "$(field 1 x integer)")"
	sql 'INSERT INTO t (x) SELECT generate_series(1, 100)'
	migrate "$(indexed ',"concurrently":true')"
	statements | grep 'INDEX CONCURRENTLY'
	holds '.[0].steps | last | .transaction == false' plan
	[ "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_x'::regclass")" = t ]
	[ "$(sql 'SELECT count(*) FROM t')" = 100 ]
	schema | plan_schema > plan
	holds 'length == 1' plan
	undo
}

@test "a rehearsal goes forward and back in one transaction, and leaves nothing" {
	migrate "$(table 1 users "$(field 1 name single-line-text)$(field 2 place geolocation)$(field 3 what json)")"
	sql "INSERT INTO users (name, place, what) VALUES ('ada', '(1,2)', '{}'), ('bob', NULL, '[]')"
	app "$(table 1 people "$(field 1 full_name long-text '"required":true')$(field 4 age integer '"indexed":true')")"
	schema | plan_schema > plan
	state > before
	sql 'SELECT * FROM mig.mig_ledger' 'SELECT * FROM system.migration_history' > ours
	mig-verify --store "$DB" --rehearse < plan > verdict || fail "$(cat verdict)"
	holds '.[0].ok and (.[0].findings | map(.rule_id) | index("rehearsed") != null)' verdict
	state | diff before -
	sql 'SELECT * FROM mig.mig_ledger' 'SELECT * FROM system.migration_history' | diff ours -
	through --allow-destructive
}

@test "a rehearsal builds in its transaction what is otherwise built concurrently" {
	migrate "$(table 1 t "$(field 1 x integer)")"
	app "$(indexed ',"concurrently":true')"
	schema | plan_schema > plan
	mig-verify --store "$DB" --rehearse < plan > verdict || fail "$(cat verdict)"
	[ -z "$(sql "SELECT relname FROM pg_class WHERE relname = 'by_x'")" ]
}

@test "a rehearsal tells of data that the plan would break on, and of a rollback that does not lead back" {
	migrate "$(table 1 users "$(field 1 name single-line-text)")"
	sql "INSERT INTO users (name) VALUES ('ada'), ('ada')"
	app "$(table 1 users "$(field 1 name single-line-text '"unique":true')")"
	schema | plan_schema > plan
	fails 4 mig-verify --store "$DB" --rehearse < plan
	jq -se '.[0].findings | map(.rule_id) | index("rehearsal") != null' <<< "$output"
	jq -nc "[{id: \"a:sql\", actions: [\"CREATE TABLE a (id int)\"], undo: []}, $(recorded 2)]" | by_hand
	fails 4 mig-verify --store "$DB" --rehearse < plan
	[[ $output == *'a'*'is still there'* ]]
	[ -z "$(sql "SELECT relname FROM pg_class WHERE relname = 'a'")" ]
}

@test "a plan that keeps rows needs --state on PostgreSQL: 3, and nothing is done" {
	migrate "$(table 1 users "$(field 1 name single-line-text)$(field 2 phone single-line-text)")"
	sql "INSERT INTO users (name, phone) VALUES ('ada', '1'), ('bob', '2')"
	app "$(table 1 users "$(field 1 name single-line-text)")"
	schema | plan_schema | gated --allow-destructive > permits
	fails 3 mig-apply --store "$DB" < permits
	[ "$(sql 'SELECT count(phone) FROM users')" = 2 ]
	mkdir -p kept
	mig-apply --store "$DB" --state kept < permits > outcome
	[ "$(wc -l < kept/backups/*.ndjson)" -eq 2 ]
}

@test "mig-verify holds a session that cannot write" {
	migrate "$(table 1 users "$(field 1 name single-line-text)")"
	mig-verify --store "$DB" < last > verdict
	holds '.[0].ok' verdict
	mig-verify --store "$DB" --drift > verdict
	mig-verify --store "$DB" --ledger > verdict
	sql 'ALTER TABLE users ADD extra_column int'
	fails 4 mig-verify --store "$DB" --drift
	[[ $output == *'users.extra_column'* ]]
}
