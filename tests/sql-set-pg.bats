#!/usr/bin/env bats
# Hand-written SQL on PostgreSQL: its own quoting, its locks, what cannot run in a transaction.

load helper
load sql
load postgres

setup_file() { server_begin; }
teardown_file() { server_end; }
teardown() { line_ends; }

setup() {
	mig_setup
	sql_set postgresql
	database # the server's, which is loaded last
	mkdir state
}

schema() { mig-extract --store "$DB" --schema; }

migrate_pg() {
	local to=$1
	shift
	plan_hops "$to" > plans && mig-gate --env dev --apply "$@" < plans | mig-apply --store "$DB" --state state
}

@test "functions with dollar quotes, SQL bodies and rules are one statement each, and work" {
	cat > body.sql <<- 'SQL'
		CREATE TABLE users (id int PRIMARY KEY, name text);
		CREATE FUNCTION shout(t text) RETURNS text LANGUAGE plpgsql AS $body$
		BEGIN
		  RETURN upper(t) || ';$$;';
		END;
		$body$;
		CREATE FUNCTION two() RETURNS int LANGUAGE sql
		BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
		CREATE TABLE log (what text);
		CREATE RULE log_users AS ON INSERT TO users DO ALSO (INSERT INTO log VALUES ('a;'); INSERT INTO log VALUES (E'it\'s;'));
		/* nested /* ; */ ; */ COMMENT ON TABLE users IS 'people; all';
	SQL
	hop 0.0.0 1.0.0 "$(cat body.sql)" 'DROP TABLE users, log; DROP FUNCTION shout, two;'
	plan_hops 1.0.0 > plans
	of_plan '.steps[0].actions | length == 6' < plans
	migrate_pg 1.0.0 > outcomes
	sql "INSERT INTO users VALUES (1, 'ann')"
	[ "$(sql "SELECT shout('a'), two(), (SELECT count(*) FROM log)")" = 'A;$$;|2|2' ]
	mig-extract --store "$DB" --applied --to 0.0.0 | mig-plan --rollback |
		mig-gate --env dev --apply --allow-destructive | mig-apply --store "$DB" --state state > outcomes
	[ -z "$(versions)" ]
	[ "$(sql "SELECT to_regclass('users') IS NULL")" = t ]
}

@test "a dry run of several hops, forth and back, finds what those before leave, and changes nothing" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id int PRIMARY KEY);' 'DROP TABLE users;'
	hop 1.0.0 2.0.0 'ALTER TABLE users ADD COLUMN age int; SET search_path TO nowhere;' 'ALTER TABLE users DROP COLUMN age;'
	hop 2.0.0 3.0.0 'CREATE INDEX users_age ON users (age);' 'DROP INDEX users_age;'
	plan_hops 3.0.0 > plans
	mig-gate --env dev --dry-run < plans | mig-apply --store "$DB" > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .code' outcomes | tr '\n' ' ')" = 'ok ok ok ' ]
	[ "$(sql "SELECT to_regclass('users') IS NULL")" = t ]
	migrate_pg 3.0.0 > outcomes
	mig-extract --store "$DB" --applied --to 0.0.0 | mig-plan --rollback | mig-gate --env dev --dry-run |
		mig-apply --store "$DB" --state state > outcomes
	[ "$(jq -r 'select(.kind == "outcome") | .code' outcomes | tr '\n' ' ')" = 'ok ok ok ' ]
	[ "$(versions)" = '1.0.0 2.0.0 3.0.0' ]
	[ "$(sql "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'")" = 2 ]
}

@test "MIG-TRANSACTION-001 MIG-TRANSACTION-002 a failing hop leaves nothing, and the one before stays" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id int PRIMARY KEY);' 'DROP TABLE users;'
	migrate_pg 1.0.0 > outcomes
	hop 1.0.0 2.0.0 'ALTER TABLE users ADD COLUMN age int; CREATE INDEX users_age ON users (age);
INSERT INTO users VALUES (1, 1), (1, 2);' 'SELECT 1;'
	fails 4 migrate_pg 2.0.0
	[ "$(versions)" = 1.0.0 ]
	[ "$(sql "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'")" = 1 ]
}

@test "MIG-TRANSACTION-003 a concurrent index is refused in a transaction, and built outside of one after the record" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id int PRIMARY KEY, name text);' 'DROP TABLE users;'
	hop 1.0.0 1.1.0 'CREATE INDEX CONCURRENTLY users_name ON users (name);' 'DROP INDEX users_name;'
	fails 4 plan_hops 1.1.0
	[[ $stderr == *'up.sql:1: cannot run in a transaction'*'mig:transaction=none'* ]]
	hop 1.0.0 1.1.0 '-- mig:transaction=none
CREATE INDEX CONCURRENTLY users_name ON users (name);
ALTER TABLE users ADD COLUMN age int;' '-- mig:transaction=none
DROP INDEX CONCURRENTLY users_name;
ALTER TABLE users DROP COLUMN age;' 'SELECT indisvalid FROM pg_index WHERE indexrelid = '\''users_name'\''::regclass'
	migrate_pg 1.1.0 > outcomes
	[ "$(versions)" = '1.0.0 1.1.0' ]
	[ "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_name'::regclass")" = t ]
	mig-extract --store "$DB" --applied --to 1.0.0 | mig-plan --rollback |
		mig-gate --env dev --apply --allow-destructive | mig-apply --store "$DB" --state state > outcomes
	[ "$(versions)" = 1.0.0 ]
	[ "$(sql "SELECT to_regclass('users_name') IS NULL")" = t ]
}

@test "locks, retypes and checks are for review, with the rows they concern" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id int PRIMARY KEY, name text);' 'DROP TABLE users;'
	migrate_pg 1.0.0 > outcomes
	sql 'INSERT INTO users SELECT g, g FROM generate_series(1, 50) g' 'ANALYZE users'
	hop 1.0.0 1.1.0 'ALTER TABLE users ALTER COLUMN id TYPE bigint, ADD CONSTRAINT named CHECK (name IS NOT NULL);
CREATE INDEX users_name ON users (name);' 'SELECT 1;'
	plan_hops 1.1.0 > plans
	[ "$(jq -r 'select(.kind == "plan") | .steps[0].findings[] | "\(.rule_id) \(.rows)"' plans | sort -u | tr '\n' ' ')" = \
		'add_check 50 backward_incompatible 50 lock_taking 50 retype 50 ' ]
	of_plan '.steps[0].type == "schema"' < plans
	schema | mig-plan --set app --env prod --migration app --target-version 1.1.0 > plans
	fails 5 mig-gate --env prod --apply --prod-override T-1 < plans
	[[ $stderr == *approv* ]]
}

@test "what a table loses is kept before it goes" {
	hop 0.0.0 1.0.0 'CREATE TABLE users (id int PRIMARY KEY, name text);' 'DROP TABLE users;'
	migrate_pg 1.0.0 > outcomes
	sql "INSERT INTO users VALUES (1, 'ann;'), (2, NULL)" 'ANALYZE users'
	hop 1.0.0 2.0.0 'TRUNCATE users;' 'SELECT 1;'
	fails 5 migrate_pg 2.0.0
	migrate_pg 2.0.0 --allow-destructive > outcomes
	[ "$(cat state/backups/*.ndjson)" = '{"id":1,"name":"ann;"}
{"id":2,"name":null}' ]
	[ "$(sql 'SELECT count(*) FROM users')" = 0 ]
}

@test "psql's commands and COPY FROM STDIN are refused with their lines" {
	hop 0.0.0 1.0.0 'CREATE TABLE t (a int);
\i other.sql' 'SELECT 1;'
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'up.sql:2: a command of psql'* ]]
	hop 0.0.0 1.0.0 'CREATE TABLE t (a int);
COPY t FROM STDIN;
1
\.' 'SELECT 1;'
	fails 4 plan_hops 1.0.0
	[[ $stderr == *'up.sql:2: COPY FROM STDIN'* ]]
}

@test "as many statements tell of twelve applied hops as of one" {
	local n last=0
	for n in 1 12; do
		for ((; last < n; last++)); do
			hop "$last.0.0" "$((last + 1)).0.0" "CREATE TABLE t$last (id int);" "DROP TABLE t$last;"
		done
		migrate_pg "$n.0.0" > outcomes
		proxied 0 never
		mig-extract --store "$PROXY" --schema | head -n 1 | jq '.applied | length' > hops
		[ "$(cat hops)" -eq "$n" ]
		requests > "requests.$n"
	done
	line_ends
	cmp requests.1 requests.12
}

# asked_for FROM TO: how many requests it takes to apply the hops from there to there.
asked_for() {
	local i
	for ((i = $1; i < $2; i++)); do
		hop "$i.0.0" "$((i + 1)).0.0" "CREATE TABLE t$i (id int);" "DROP TABLE t$i;"
	done
	plan_hops "$2.0.0" | mig-gate --env dev --apply > permits
	proxied 0 never
	mig-apply --store "$PROXY" < permits > outcomes
	requests
}

@test "each plan more costs three requests more: where it stands, its statement, its end" {
	local few many
	asked_for 0 1 > /dev/null # makes our tables
	few=$(asked_for 1 3)
	many=$(asked_for 3 15)
	[ $((many - few)) -eq 30 ] || fail "two plans: $few requests, twelve: $many"
}

@test "what a hop says of strings and encodings of its session does not reach the ledger or the stored plan" {
	hop 0.0.0 1.0.0 "CREATE TABLE t (x text DEFAULT E'a\\\\b''c \$1 é');
SET standard_conforming_strings = off; SET backslash_quote = off; SET client_encoding = 'SJIS';" "DROP TABLE t; -- \\ ' \$2"
	hop 1.0.0 2.0.0 "CREATE TABLE u (\"a'b\$1\" text DEFAULT 'é\\');" 'DROP TABLE u;'
	migrate_pg 2.0.0 > outcomes
	[ "$(versions)" = '1.0.0 2.0.0' ]
	mig-verify --store "$DB" --ledger > verdicts
	mig-extract --store "$DB" --applied --to 0.0.0 > applied
	[ "$(jq -r 'select(.kind == "plan").plan_hash' applied | sort)" = "$(jq -r 'select(.kind == "plan").plan_hash' plans | sort)" ]
	mig-hash --check < applied
	sql 'INSERT INTO t DEFAULT VALUES' 'INSERT INTO u DEFAULT VALUES'
	[ "$(sql 'SELECT x FROM t' 'SELECT * FROM u')" = "a\\b'c \$1 é
é\\" ]
}

@test "a hop that drops the session's prepared statements does not keep itself or the next one from being recorded" {
	hop 0.0.0 1.0.0 'CREATE TABLE a (id int);' 'DROP TABLE a;'
	hop 1.0.0 2.0.0 'CREATE TABLE b (id int);' 'DROP TABLE b;'
	hop 2.0.0 3.0.0 'DEALLOCATE ALL; CREATE TABLE c (id int);' 'DROP TABLE c;'
	hop 3.0.0 4.0.0 'CREATE TABLE d (id int);' 'DROP TABLE d;'
	# shellcheck disable=SC2016 # the dollars are PostgreSQL's
	hop 4.0.0 5.0.0 'DO $$ BEGIN EXECUTE '\''DEALLOCATE ALL'\''; END $$; CREATE TABLE e (id int);' 'DROP TABLE e;'
	hop 5.0.0 6.0.0 'CREATE TABLE f (id int);' 'DROP TABLE f;'
	hop 6.0.0 7.0.0 'CREATE TABLE g (id int);' 'DROP TABLE g;'
	migrate_pg 7.0.0 > outcomes
	[ "$(versions)" = '1.0.0 2.0.0 3.0.0 4.0.0 5.0.0 6.0.0 7.0.0' ]
	mig-verify --store "$DB" --ledger
}
