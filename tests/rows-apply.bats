#!/usr/bin/env bats
# Rows in databases: applied in batches, each once; tried, verified, undone.

# shellcheck disable=SC2016,SC2317,SC2154 # other programs' $; cases are called by name; run sets output
load helper
load postgres
load rows

setup_file() { server_begin; }
teardown_file() { server_end; }
setup() { mig_setup; }
teardown() { line_ends; }

# the_rows: those of users and posts, in order
the_rows() {
	ask 'SELECT id, name, age FROM users ORDER BY id' && ask 'SELECT id, title, author_id FROM posts ORDER BY id'
}

batches() {
	ask "$TABLES; INSERT INTO users VALUES (2, 'old', 70), (3, 'U3', 3), (9, 'stays', 9)"
	planned --batch 2 < <(
		users 1 4
		echo 'posts a {"title":"A","links":{"author":"1"}}'
		echo 'posts b {"title":"B"}'
	)
	permitted
	applied
	[ "$(outcome .rows)" = '{"absent":0,"added":4,"batches":3,"changed":1,"deleted":0,"links":1,"same":1}' ]
	[ "$(statuses)" = 'applied applied applied' ]
	[ "$(outcome '.steps[0].message')" = 'put 2 rows: 1 new, 1 changed, 0 as they were' ]
	[ "$(the_rows)" = $'1|U1|1\n2|U2|2\n3|U3|3\n4|U4|4\n9|stays|9\na|A|1\nb|B|' ]
	mig-verify --store "$STORE" --ledger > /dev/null
	[ "$(events)" = 'begin step step step commit' ]
}

@test "EK-41 EK-42 EK-54 batches are put in order, what is there is changed, what is as planned is left, others stay" {
	each_database batches
}

twice() {
	ask "$TABLES"
	planned --batch 3 < <(users 1 7)
	permitted
	applied
	before=$(the_rows)
	applied
	[ "$(statuses)" = 'skipped skipped skipped' ]
	[ "$(outcome '.steps[0].message')" = 'already applied' ]
	permitted
	applied
	[ "$(the_rows)" = "$before" ]
	[ "$(events)" = 'begin step step step commit' ]
}

@test "EK-54 a run applied twice puts no row twice, with the same permit or another" {
	each_database twice
}

restored() {
	ask "$TABLES; INSERT INTO users VALUES (2, 'old', 70), (3, 'U3', 3); INSERT INTO posts VALUES ('gone', 'x', 3)"
	before=$(the_rows)
	planned --batch 2 < <(
		users 1 4
		echo 'posts gone {"op":"delete"}'
		echo 'posts new {"title":"N","links":{"author":"4"}}'
	)
	permitted --allow-destructive
	applied
	[ "$(outcome '.rows | [.added, .changed, .same, .deleted]')" = '[3,1,1,1]' ]
	verified
	rolled_back
	[ "$(the_rows)" = "$before" ]
	not_verified
	mig-plan --rollback < plan | mig-verify --store "$STORE" --state state > /dev/null
	rolled_back
	[ "$(statuses | tr ' ' '\n' | sort -u)" = skipped ]
	permitted --allow-destructive
	applied
	[ "$(ask 'SELECT count(*) FROM users')" = 4 ]
}

@test "EK-49 a rollback puts back what was changed and deleted, takes away what was new, and the plan can be applied again" {
	each_database restored
}

tried() {
	ask "$TABLES; INSERT INTO users VALUES (2, 'old', 70); INSERT INTO posts VALUES ('gone', 'x', 2)"
	before=$(the_rows)
	planned --batch 2 < <(
		users 1 3
		echo 'posts a {"title":"A","links":{"author":"3"}}'
		echo 'posts gone {"op":"delete"}'
	)
	mig-gate --env dev --dry-run < plan > permits
	applied
	head -n 1 outcomes | jq -e '.ok and .dry_run and .ledger == null and
		.rows == {absent: 0, added: 3, batches: 3, changed: 1, deleted: 1, links: 1, same: 0} and
		.header.set.id == "copy" and ([.steps[].status] | unique) == ["skipped"]' > /dev/null
	[ "$(the_rows)" = "$before" ]
	assert_not_exists state/backups
	[ "$KIND" != sqlite ] || [ -z "$(ask "SELECT name FROM sqlite_master WHERE name LIKE 'mig%'")" ]
	[ "$KIND" = sqlite ] || [ -z "$(ask "SELECT 1 FROM pg_namespace WHERE nspname = 'mig'")" ]
}

@test "EK-45 a dry run tells batches, source, links, deletes and changed rows, and writes nothing" {
	each_database tried
}

previewed() {
	copying ',"invariants":[{"equals":0,"message":"a user has no age","sql":"SELECT count(*) FROM users WHERE age IS NULL"}]'
	ask "$TABLES; INSERT INTO users VALUES (7, 'ageless', NULL)"
	planned < <(users 1 2)
	mig-gate --env dev --dry-run < plan > permits
	fails 4 mig-apply --store "$STORE" < permits
	[[ $output == *'a user has no age: found 1'* ]]
	[ "$(ask 'SELECT count(*) FROM users')" = 1 ]
	ask 'UPDATE users SET age = 1'
	applied
	[ "$(ask 'SELECT count(*) FROM users')" = 1 ]
}

@test "EK-46 a dry run asks the invariants of a preview that is rolled back" {
	each_database previewed
}

in_parts() {
	ask "$TABLES"
	planned --batch 1 < <(users 1 501)
	[ "$(jq -c 'select(.kind == "plan") | .header.part' plan | paste -sd ' ')" = '{"index":1,"of":2} {"index":2,"of":2}' ]
	mig-gate --env dev --dry-run < plan > permits
	applied
	[ "$(ask 'SELECT count(*) FROM users')" = 0 ]
	permitted
	applied
	verified
	[ "$(ask 'SELECT count(*) FROM users')" = 501 ]
	rolled_back
	[ "$(ask 'SELECT count(*) FROM users')" = 0 ]
}

@test "a plan in parts is tried as a whole, applied, verified and undone" {
	each_database in_parts
}

deleted() {
	ask "$TABLES; INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', NULL)"
	planned < <(echo 'users 1 {"op":"delete"}'; echo 'users 2 {"op":"delete"}'; echo 'users 3 {"op":"delete"}')
	fails 5 mig-gate --env dev --apply < plan
	permitted --allow-destructive
	applied
	[ -z "$(the_rows)" ]
	[ "$(outcome '.rows | [.deleted, .absent]')" = '[2,1]' ]
	backup=$(mig-extract --store "$STORE" --ledger | jq -c 'select(.event == "step").backups')
	[ "$(jq -c '.[0] | [.name, .rows]' <<< "$backup")" = '["batch-00001:users",2]' ]
	[ "$(sha256sum < "state/backups/$(jq -r '.[0].file' <<< "$backup")" | cut -d ' ' -f 1)" = "$(jq -r '.[0].hash' <<< "$backup")" ]
	[ "$(cat state/backups/*)" = $'{"age":36,"id":1,"name":"Ada"}\n{"age":null,"id":2,"name":"Bob"}' ]
	cp -r state was
	echo '{"age":36,"id":1,"name":"Eve"}' > state/backups/"$(jq -r '.[0].file' <<< "$backup")"
	permitted_back
	not_applied 4
	[[ $output == *backup_damaged* ]]
	rm -r state/backups
	not_applied 3
	[[ $output == *backup_missing* ]]
	[ -z "$(the_rows)" ]
	rm -r state && mv was state
	applied
	[ "$(the_rows)" = $'1|Ada|36\n2|Bob|' ]
}

@test "EK-47 EK-48 EK-49 rows are deleted with the flag and behind a backup that is checked by its hash, also on the way back" {
	each_database deleted
}

@test "EK-48 where a backup has no place to go nothing is deleted" {
	KIND=postgresql # a SQLite file has a folder beside it
	fresh
	ask "$TABLES; INSERT INTO users VALUES (1, 'Ada', 36)"
	planned < <(echo 'users 1 {"op":"delete"}')
	permitted --allow-destructive
	fails 3 mig-apply --store "$STORE" < permits
	[[ $output == *no_state* ]]
	[ "$(ask 'SELECT count(*) FROM users')" = 1 ]
}

stopped() {
	ask "$TABLES; CREATE UNIQUE INDEX one_name ON users (name); INSERT INTO users VALUES (99, 'U5', 1)"
	planned --batch 2 < <(users 1 8)
	permitted
	not_applied 4
	[ "$(statuses)" = 'applied applied failed not_run' ]
	[ "$(outcome '.findings[0].rule_id')" = constraint ]
	[ "$(ask 'SELECT count(*) FROM users WHERE id < 99')" = 4 ]
	ask "UPDATE users SET name = 'other' WHERE id = 99; UPDATE users SET age = 0 WHERE id = 1"
	not_verified
	[[ $output == *unfinished* ]]
	applied
	[ "$(statuses)" = 'skipped skipped applied applied' ]
	[ "$(ask 'SELECT age FROM users WHERE id = 1')" = 0 ]
	[ "$(ask 'SELECT count(*) FROM users WHERE id < 99')" = 8 ]
}

@test "EK-52 a batch that fails for good stops the run, and the next run goes on with just that batch" {
	each_database stopped
}

broken_midway() {
	copying ',"invariants":[{"at":"batch","equals":0,"examples":"SELECT id FROM users WHERE age > 4","message":"a user is too old",
		"sql":"SELECT count(*) FROM users WHERE age > 4"}]'
	ask "$TABLES"
	planned --batch 2 < <(users 1 8)
	permitted
	not_applied 4
	[ "$(statuses)" = 'applied applied failed not_run' ]
	[[ $output == *'a user is too old: found 2; for example 5, 6'* ]]
	[ "$(ask 'SELECT count(*) FROM users')" = 4 ]
	[ "$(jq -r 'select(.kind == "fault") | .exit' <<< "$output")" = 4 ]
}

@test "EK-53 an invariant that is violated midway stops the run at once, and undoes that batch" {
	each_database broken_midway
}

invariants() {
	copying ',"invariants":[
		{"equals":0,"message":"a post without its author","sql":"SELECT count(*) FROM posts p LEFT JOIN users u ON u.id = p.author_id WHERE u.id IS NULL"},
		{"equals":1,"message":"not asked","sql":"SELECT 2","dialect":"'"$([ "$KIND" = sqlite ] && echo postgresql || echo sqlite)"'"},
		{"entity":"posts","jq":".data.title | length > 1","message":"the title is too short"}]'
	ask "$TABLES"
	planned < <(users 1 2; echo 'posts a {"title":"AA","links":{"author":"1"}}')
	permitted
	applied
	verified
	ask 'UPDATE posts SET author_id = NULL'
	not_verified
	[ "$(verdict '.findings[].rule_id' | paste -sd ' ')" = 'drift rows count_mismatch invariant' ] || fail "$output"
	ask "UPDATE posts SET author_id = 1, title = 'A'"
	not_verified
	head -n 1 <<< "$output" | jq -e '.findings | any(.rule_id == "invariant" and .ref == "posts/a" and
		.message == "the title is too short")' > /dev/null
}

@test "EK-40 EK-55 invariants are asked of the rows as they are there, in SQL and as jq" {
	each_database invariants
}

counted() {
	ask "$TABLES"
	planned < <(users 1 3; echo 'posts a {"title":"A","links":{"author":"1"}}')
	not_verified
	[[ $output == *not_applied* ]]
	permitted
	applied
	verified
	[ "$(verdict '[.findings[] | [.ref, .actual]]')" = '[["users","3"],["posts","1"]]' ]
	ask 'UPDATE users SET age = 4 - age WHERE id IN (1, 3)'
	not_verified
	[ "$(verdict '.findings[] | [.rule_id, .ref] | join(" ")' | paste -sd ,)" = \
		'drift users/1,drift users/3,count_mismatch users,rows posts' ]
	ask 'UPDATE users SET age = 4 - age WHERE id IN (1, 3); DELETE FROM posts'
	not_verified
	[[ $output == *'0 of 1 rows are as planned, 0 are there'* ]]
}

@test "EK-55 EK-56 rows are counted and compared by entity: two swapped values and a lost row are found" {
	each_database counted
}

drifted() {
	ask "$TABLES"
	planned --batch 2 < <(users 1 6)
	permitted
	applied
	ask 'UPDATE users SET age = 0 WHERE id = 1'
	permitted_back
	not_applied 4
	[[ $output == *'users/1'* && $output == *drift* ]]
	[ "$(outcome '.steps[].status' | sort -u)" = not_run ]
	[ "$(ask 'SELECT count(*) FROM users')" = 6 ]
}

@test "CH-18 a rollback over rows that were changed since changes nothing" {
	each_database drifted
}

swapped() {
	local plans=mig_plan first
	[ "$KIND" = sqlite ] || plans=mig.mig_plan
	ask "$TABLES"
	planned --batch 2 < <(users 1 4)
	permitted
	applied
	first=$(jq -r 'select(.kind == "plan").plan_hash' plan)
	cp plan earlier
	planned --batch 2 < <(users 5 8)
	permitted
	applied
	ask "UPDATE $plans SET plan = (SELECT plan FROM $plans WHERE plan_hash <> '$first') WHERE plan_hash = '$first'"
	mv earlier plan
	permitted_back
	not_applied 4
	[[ $output == *foreign_plan* ]]
	[ "$(ask 'SELECT count(*) FROM users')" = 8 ]
}

@test "a rollback that finds another plan stored in place of the one it undoes changes nothing" {
	each_database swapped
}

half() {
	ask "$TABLES; CREATE UNIQUE INDEX one_name ON users (name); INSERT INTO users VALUES (99, 'U5', 1), (2, 'old', 2)"
	before=$(the_rows)
	planned --batch 2 < <(users 1 8)
	permitted
	not_applied 4
	rolled_back
	[ "$(statuses)" = 'skipped skipped applied applied' ]
	[ "$(outcome '.steps[0].message')" = 'was never applied' ]
	[ "$(the_rows)" = "$before" ]
}

@test "EK-52 a run that stopped midway can be rolled back as far as it came" {
	each_database half
}

refused() {
	local orphan=foreign_key code rule line
	[ "$KIND" = sqlite ] || orphan=constraint # the server names one that is broken
	ask "$TABLES; CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
		CREATE TABLE sums (id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2) STORED)"
	copying '' '{"users":{},"nowhere":{},"pairs":{},"sums":{},"mig_ledger":{},"posts":{"links":{"author":"users","editor":"users"},
		"optional":["author","editor"],"outside":["author","editor"]}}'
	while IFS='~' read -r code rule line; do
		planned <<< "$line"
		permitted
		not_applied "$code"
		[ "$(outcome '.findings[0].rule_id')" = "$rule" ] || fail "$line: $output"
		[ -z "$(the_rows)" ]
	done <<- EOF
		3~missing_table~nowhere 1 {}
		3~missing_table~mig_ledger 1 {}
		4~no_key~pairs 1 {"a":1}
		4~unknown_member~users 1 {"name":"A","colour":"red"}
		4~unknown_member~posts 1 {"links":{"editor":"1"}}
		4~link_many~posts 1 {"links":{"author":["1","2"]}}
		4~key_mismatch~users 1 {"id":2,"name":"A"}
		4~generated_column~sums 1 {"a":1,"twice":3}
		4~bad_id~users 007 {"name":"Bond"}
		4~constraint~users 1 {"name":null}
		4~constraint~users x {"name":"A"}
		4~$orphan~posts 1 {"links":{"author":"77"}}
	EOF
}

@test "what a table cannot take is refused with its row and reason, and nothing is written" {
	each_database refused
}

values() {
	if [ "$KIND" = sqlite ]; then
		ask 'CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, small INTEGER, big INTEGER, real REAL, yes BOOLEAN, doc JSON, bytes BLOB, "odd ""name" TEXT)'
	else
		ask 'CREATE TABLE users (id text PRIMARY KEY, name text, small smallint, big bigint, real float8, yes boolean, doc jsonb, bytes bytea, "odd ""name" varchar(80))'
	fi
	cat > lines <<- 'EOF'
		users 1 {"name":"it's \"q\" $1 \\ ; DROP TABLE users -- \u00e9\ud83d\ude00","small":-5,"big":9223372036854775807,"real":0.1,"yes":true,"doc":{"b":[1,null,"x"],"a":{"c":"é"}},"bytes":{"hex":"00ff10"},"odd \"name":"x"}
		users 2 {"name":"","small":null,"big":-9223372036854775808,"real":1e300,"yes":false,"doc":null,"bytes":null,"odd \"name":null}
		users it's;-- {"name":"hostile id"}
	EOF
	planned < lines
	permitted
	applied
	verified
	[ "$(ask "SELECT small, big, real FROM users WHERE id = '1'")" = '-5|9223372036854775807|0.1' ]
	ask "SELECT name FROM users WHERE id = '1'" > name
	[ "$(cat name)" = $'it\'s "q" $1 \\ ; DROP TABLE users -- é😀' ]
	[ "$KIND" != sqlite ] || [ "$(ask "SELECT hex(bytes), typeof(yes), yes, typeof(doc) FROM users WHERE id = '1'")" = '00FF10|integer|1|text' ]
	[ "$KIND" = sqlite ] || [ "$(ask "SELECT bytes, yes, doc->'b'->>2 FROM users WHERE id = '1'")" = '\x00ff10|t|x' ]
	planned < <(sed 's/"small":-5/"small":6/' lines)
	permitted
	applied
	[ "$(outcome '.rows | [.changed, .same]')" = '[1,2]' ]
	rolled_back
	mig-plan --rollback < plan | mig-verify --store "$STORE" --state state > /dev/null
	[ "$(ask "SELECT small, big, real FROM users WHERE id = '1'")" = '-5|9223372036854775807|0.1' ]
}

@test "values and names of every kind arrive as they were planned, and come back" {
	each_database values
}

@test "PostgreSQL's own types take their spellings, and what they would change is refused" {
	KIND=postgresql
	fresh
	ask "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE users (id uuid PRIMARY KEY, at timestamptz, day date, price numeric(10,2),
		tags text[], m mood, plain json, span interval, small real)"
	u=6ba7b811-9dad-11d1-80b4-00c04fd430c8
	planned < <(echo "users $u"' {"at":"2026-01-02T03:04:05+02:00","day":"2026-02-28","price":1.5,"tags":["a","b c"],"m":"ok","plain":{"z":1,"a":2},"span":"1 day","small":0.5}')
	permitted
	applied
	verified
	[ "$(ask "SELECT at AT TIME ZONE 'UTC', price, tags, plain FROM users")" = '2026-01-02 01:04:05|1.50|{a,"b c"}|{"a": 2, "z": 1}' ]
	applied
	planned <<< "users $u "'{"price":1.005}'
	permitted
	not_applied 4
	[[ $output == *'the row holds another value (price), not as the plan has it'* ]]
	for change in '{"price":1.005}' '{"m":"angry"}' '{"small":0.123456789}' '{"day":"2026-02-30"}'; do
		planned <<< "users $u $change"
		permitted
		not_applied 4
	done
	planned <<< "users ${u^^}"' {"day":"2026-03-01"}'
	permitted
	not_applied 4
	[[ $output == *bad_id* ]]
	planned <<< "users $u"' {"at":null,"tags":[],"plain":{"a":3}}'
	permitted
	applied
	rolled_back
	[ "$(ask "SELECT at AT TIME ZONE 'UTC', price, tags, plain FROM users")" = '2026-01-02 01:04:05|1.50|{a,"b c"}|{"a": 2, "z": 1}' ]
}

shapes() {
	ask "$TABLES; INSERT INTO users VALUES (1, 'old', 5), (2, 'old', 6)"
	planned < <(echo 'users 1 {"name":"A"}'; echo 'users 2 {"age":7}'; echo 'users 3 {"name":"C","age":8}'; echo 'users 4 {"name":"D"}')
	permitted
	applied
	verified
	[ "$(the_rows)" = $'1|A|5\n2|old|7\n3|C|8\n4|D|' ]
	ask "UPDATE users SET age = 50 WHERE id = 1" # which the plan does not name
	rolled_back
	[ "$(the_rows)" = $'1|old|50\n2|old|6' ]
}

@test "EK-41 rows that name different members are set in these alone, also on the way back" {
	each_database shapes
}

@test "EK-51 a batch waits for a lock that others hold, tries again, and gives up after the last retry" {
	KIND=sqlite
	fresh
	ask "$TABLES"
	planned < <(users 1 3)
	permitted
	sqlite3 app.db 'BEGIN IMMEDIATE' '.shell touch locked; timeout 20 sh -c "until [ -e tried ]; do sleep 0.02; done"' COMMIT 3>&- &
	until [ -e locked ]; do sleep 0.01; done
	not_applied 3 --retries 0 --lock-timeout 0
	touch tried
	wait
	applied
	[ "$(ask 'SELECT count(*) FROM users')" = 3 ]
}

@test "EK-51 on PostgreSQL rows that others hold, and rows that come meanwhile, are waited for in bounds and tried again" {
	KIND=postgresql
	fresh
	ask "$TABLES; INSERT INTO users VALUES (2, 'theirs', 2)"
	planned --batch 2 < <(users 1 4)
	permitted
	psql -X -q -h "$SERVER" -U owner -d "$DATABASE" -c "BEGIN; UPDATE users SET age = 3 WHERE id = 2; SELECT pg_sleep(3); COMMIT" > /dev/null 3>&- &
	until [ "$(ask "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND state = 'active' AND pid <> pg_backend_pid()")" = 1 ]; do sleep 0.02; done
	not_applied 3 --retries 0 --lock-timeout 1
	[[ $output == *locked* ]]
	[ "$(ask 'SELECT count(*) FROM users')" = 1 ]
	applied --retries 9 --lock-timeout 1
	wait
	[ "$(the_rows)" = $'1|U1|1\n2|U2|2\n3|U3|3\n4|U4|4' ]
	[ "$(cat state/backups/*)" = '{"age":3,"id":2,"name":"theirs"}' ]
}

# killed_at CALL: one after the other before each such call of an apply, each time from the start.
killed_at() {
	local total i
	total=$(grep -c -E "^[0-9]+ +$1\\(" trace) || return 0
	for ((i = 1; i <= total; i += ${2:-1})); do
		rm -rf app.db* state && cp -r original/. .
		strace -f -o /dev/null -e "inject=$1:signal=KILL:when=$i" mig-apply --store sqlite:app.db --state state \
			< permits > /dev/null 2>&1 || true
		applied || fail "after a kill before $1 $i"
		[ "$(the_rows)" = "$wanted" ] || fail "killed before $1 $i: $(the_rows)"
		[ "$(events)" = 'begin step step step commit' ] || fail "the ledger, killed before $1 $i"
		mig-verify --store "$STORE" < plan > /dev/null || fail "not as planned, killed before $1 $i"
	done
}

@test "EK-51 EK-54 killed before any of its writes, a run goes on where it was: nothing is lost, doubled or kept twice" {
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	KIND=sqlite
	fresh
	ask "$TABLES; INSERT INTO users VALUES (2, 'old', 70), (5, 'old', 71)"
	before=$(the_rows)
	mkdir original && cp -r app.db state original/
	planned --batch 2 < <(users 1 6)
	permitted
	strace -f -o trace -e trace=pwrite64,fdatasync,fsync,unlink,renameat2,openat,write mig-apply --store sqlite:app.db \
		--state state < permits > /dev/null
	wanted=$(the_rows)
	killed_at pwrite64 2
	killed_at fdatasync
	killed_at fsync
	killed_at unlink
	[ "$(cat state/backups/* | sort)" = $'{"age":70,"id":2,"name":"old"}\n{"age":71,"id":5,"name":"old"}' ]
	rolled_back
	[ "$(the_rows)" = "$before" ]
}

@test "EK-51 EK-54 on PostgreSQL the line may be cut at any request: the run goes on by itself, each batch is done once" {
	KIND=postgresql
	fresh
	planned --batch 2 < <(users 1 6)
	permitted
	for when in after before during; do
		n=0 last=1
		while [ "$n" -le "$last" ]; do
			ask "DROP TABLE IF EXISTS users, posts; DROP SCHEMA IF EXISTS mig CASCADE; DROP SCHEMA IF EXISTS system CASCADE; $TABLES;
				INSERT INTO users VALUES (2, 'old', 70)"
			rm -rf state/*
			proxied "$n" "$when"
			mig-apply --store "$PROXY" --state state < permits > outcomes 2> said || {
				[ "$n" -ge 1 ] && [ "$n" -le 8 ] || fail "cut $when request $n: $(cat said)"
				applied
			}
			[ "$n" -ne 0 ] || last=$(requests)
			[ "$(ask 'SELECT count(*), sum(age) FROM users')" = '6|21' ] || fail "cut $when request $n"
			[ "$(events)" = 'begin step step step commit' ] || fail "the ledger, cut $when request $n"
			[ "$(cat state/backups/*)" = '{"age":70,"id":2,"name":"old"}' ] || fail "the backup, cut $when request $n"
			[ "$when" = after ] && n=$((n + 1)) || n=$((n ? n + 5 : 3))
		done
	done
	line_ends
}

@test "two runs of one plan at once put every row once" {
	KIND=sqlite
	fresh
	ask "$TABLES"
	planned --batch 5 < <(users 1 100)
	permitted
	mig-apply --store "$STORE" --state state < permits > one &
	mig-apply --store "$STORE" --state state < permits > two
	wait $!
	[ "$(ask 'SELECT count(*) FROM users')" = 100 ]
	[ "$(events | tr ' ' '\n' | sort | uniq -c | xargs)" = '1 begin 1 commit 20 step' ]
}

@test "a rollback that was cut off stands in the way of its plan until it is finished" {
	KIND=sqlite
	fresh
	ask "$TABLES; CREATE TABLE fans (of INTEGER REFERENCES users (id))"
	planned --batch 2 < <(users 1 6)
	permitted
	applied
	ask 'INSERT INTO fans VALUES (3)'
	permitted_back
	cp permits back
	not_applied 4
	[ "$(statuses)" = 'applied failed not_run' ]
	[[ $output == *foreign_key* ]]
	permitted
	not_applied 3
	[[ $output == *unfinished* ]]
	ask 'DELETE FROM fans'
	cp back permits
	applied
	[ "$(statuses)" = 'skipped applied applied' ]
	[ -z "$(the_rows)" ]
}

@test "--batch-delay rests between two batches" {
	KIND=sqlite
	fresh
	ask "$TABLES"
	planned --batch 1 < <(users 1 3)
	permitted
	start=$EPOCHREALTIME
	applied --batch-delay 200
	[ $((${EPOCHREALTIME/./} - ${start/./})) -ge 400000 ]
}

@test "rows without their set's invariants, or with another set's, are not planned" {
	copying ',"invariants":[{"equals":0,"message":"m","sql":"SELECT 0"}]'
	users 1 2 | rows | mig-transform --set copy --target-version 2.0.0 > changes
	fails 3 mig-plan --env dev --migration copy --target-version 2.0.0 < changes
	[[ $stderr == *'--set DIR'* ]]
	mig-plan --env dev --migration copy --target-version 2.0.0 --set copy < changes > plan
	[ "$(jq -c 'select(.kind == "plan") | .header.rows.invariants' plan)" = '[{"equals":0,"message":"m","sql":"SELECT 0"}]' ]
	sed -i 's/"m"/"n"/' copy/set.json
	fails 4 mig-plan --env dev --migration copy --target-version 2.0.0 --set copy < changes
	[[ $output == *foreign_set* ]]
	for bad in '{"message":"m"}' '{"sql":"SELECT 1","message":"m"}' '{"sql":"x","equals":0,"message":"m","at":"noon"}' \
		'{"sql":"x","equals":0,"message":"m","dialect":"mysql"}' '{"jq":".a |","entity":"e","message":"m"}' '7'; do
		copying ",\"invariants\":[$bad]"
		fails 4 mig-transform --set copy --target-version 2.0.0 < changes
		[[ $output == *bad_set* || $output == *bad_jq* ]] || fail "$bad: $output"
	done
}

@test "the pages of a plan of rows and of its outcome tell its invariants and what became of its rows" {
	KIND=sqlite
	fresh
	copying ',"invariants":[{"equals":0,"message":"a user has no age","sql":"SELECT count(*) FROM users WHERE age IS NULL"},
		{"entity":"users","jq":".data.age > 0","message":"an age is not positive"}]'
	ask "$TABLES; INSERT INTO users VALUES (1, 'old', 1)"
	planned --batch 2 < <(users 1 3)
	mig-report --format text < plan > page
	grep -A 4 invariants page > shown
	[ "$(cat shown)" = "$(printf '  %s\n' 'invariants that it will be held to' '  a user has no age' \
		'    SELECT count(*) FROM users WHERE age IS NULL' '  an age is not positive' '    jq .data.age > 0')" ]
	permitted
	applied
	mig-report --format text < outcomes > page
	grep -A 3 '^  rows  ' page > shown
	[ "$(cat shown)" = "$(printf '  %s\n' 'rows      3 put, with 0 links' '  new                   2' '  changed               1' \
		'  as they were          0')" ]
	grep -q '^  batches   2$' page
	grep -q '^    not_run               0$' page
	mig-report --format json < outcomes | jq -e '.outcome.rows == {absent: 0, added: 2, changed: 1, deleted: 0, links: 0, same: 0}' > /dev/null
	rolled_back
	mig-report --format text < outcomes | grep -q '^  rows      1 put back, 2 deleted$'
}

@test "EK-01 EK-55 EK-56 rows go from SQLite to PostgreSQL and back into another file, and the balance is the same at every point" {
	local plain=${TABLES/ REFERENCES users (id)/} # the rows are taken as they are: no link says what comes first
	echo '{"posts":{},"users":{}}' > query
	sqlite3 source.db "$TABLES; INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', NULL), (10, 'é\"q', -5);
		INSERT INTO posts VALUES ('a', 'A', 1), ('b', NULL, 10)"
	KIND=postgresql
	fresh
	ask "$plain"
	copying
	mig-extract --store sqlite:source.db --set copy > dataset
	mig-transform --set copy --target-version 2.0.0 < dataset > changes
	mig-plan --env dev --migration copy --target-version 2.0.0 --batch 2 < changes > plan || fail "$(cat plan)"
	permitted
	applied
	verified
	mig-extract --store "$STORE" --query query > target
	for at in changes plan permits target; do
		[ "$(mig-hash --balance < $at)" = "$(mig-hash --balance < dataset)" ] || fail "$at: $(mig-hash --balance < $at)"
	done
	sqlite3 app.db "$plain"
	mig-transform --set copy --target-version 2.0.0 < target |
		mig-plan --env dev --migration copy --target-version 2.0.0 > plan
	permitted
	mig-apply --store sqlite:app.db < permits > /dev/null
	[ "$(sqlite3 app.db 'SELECT * FROM users ORDER BY id; SELECT * FROM posts ORDER BY id')" = \
		"$(sqlite3 source.db 'SELECT * FROM users ORDER BY id; SELECT * FROM posts ORDER BY id')" ]
	ask "UPDATE users SET name = CASE id WHEN 1 THEN 'Bob' ELSE 'Ada' END WHERE id < 3"
	mig-extract --store "$STORE" --query query > target
	[ "$(mig-hash --balance < target | cut -d ' ' -f 3-)" = "$(mig-hash --balance < dataset | cut -d ' ' -f 3-)" ]
	[ "$(mig-hash --balance < target)" != "$(mig-hash --balance < dataset)" ]
}

@test "EK-39 EK-40 stories become threads in a database, and a link that is broken there is found" {
	KIND=sqlite
	fresh
	ask "$THREAD_TABLES"
	mig-transform --set "$SETS/threads" --target-version 2.0.0 < "$SAMPLES/threads/stories.ndjson" |
		mig-plan --env dev --migration threads --target-version 2.0.0 --batch 7 > plan
	permitted
	applied
	verified
	cp app.db whole.db
	while read -r table column; do
		cp whole.db app.db
		sqlite3 app.db "UPDATE $table SET $column = NULL WHERE id = (SELECT min(id) FROM $table WHERE $column IS NOT NULL)"
		not_verified
		[ "$(verdict '.findings[] | select(.severity == "error").rule_id' | paste -sd ' ')" = 'drift count_mismatch' ] || fail "$table.$column: $output"
	done <<- 'EOF'
		thread_contexts thread_id
		thread_items context_id
		thread_items thread_id
		thread_executions context_id
		thread_executions thread_id
		thread_steps execution
		thread_parts step
	EOF
}

at_work() {
	ask "$TABLES; ALTER TABLE users ADD COLUMN seen INTEGER DEFAULT 0"
	ask "INSERT INTO users (id, name, age) VALUES (1, 'old', 70), (2, 'old', 71), (50, 'theirs', 1)"
	planned --batch 2 < <(users 1 20)
	permitted
	# somebody who goes on using the table: other rows, and another column of these
	(
		for ((i = 0; i < 30; i++)); do
			if [ "$KIND" = sqlite ]; then
				sqlite3 -cmd '.timeout 9999' app.db "INSERT INTO users (id, name) VALUES (1000 + $i, 'w'); UPDATE users SET seen = seen + 1 WHERE id IN (1, 50)"
			else
				sql "INSERT INTO users (id, name) VALUES (1000 + $i, 'w'); UPDATE users SET seen = seen + 1 WHERE id IN (1, 50)"
			fi
		done
		touch finished
	) 3>&- &
	applied --batch-delay 30
	wait $!
	assert_exists finished
	verified
	[ "$(ask 'SELECT count(*) FROM users WHERE id >= 1000')" = 30 ]
	[ "$(ask 'SELECT id, name, seen FROM users WHERE id IN (1, 50) ORDER BY id')" = $'1|U1|30\n50|theirs|30' ]
	rolled_back
	[ "$(ask 'SELECT id, name, age, seen FROM users WHERE id < 1000 ORDER BY id')" = $'1|old|70|30\n2|old|71|0\n50|theirs|1|30' ]
}

@test "EK-63 rows are filled in by bounded batches while writers are at work, and neither loses anything" {
	each_database at_work
}

# kept_as NAME: the plan at hand, beside the ones that come after it
kept_as() {
	head -n -1 plan > "$1"
}

@test "plans of several sets are verified by the invariants of each, however many it has" {
	KIND=sqlite
	fresh
	ask "$TABLES"
	copying ',"invariants":[{"entity":"users","jq":".data.age > 0","message":"an age is not positive"}]'
	planned < <(users 1 2)
	permitted
	applied
	kept_as first
	copying ',"invariants":[{"entity":"users","jq":".data.age < 0","message":"first"},
		{"entity":"users","jq":".data.name != null","message":"second"},{"entity":"users","jq":".id != \"4\"","message":"third"}]'
	planned < <(users 3 4)
	permitted
	applied
	kept_as second
	copying ''
	planned < <(users 5 6)
	permitted
	applied
	kept_as third
	cat first second third > plans
	printf '{"digest":"%s","kind":"end","records":3,"tool":"mig-plan"}\n' \
		"$(jq -r .plan_hash plans | sha256sum | cut -d ' ' -f 1)" >> plans
	mig-hash --check < plans > /dev/null || fail 'the stream is not whole'
	not_verified plans
	[ "$(verdict '[.ok, (.findings[] | select(.rule_id == "invariant") | .ref + " " + .message)] | join(", ")')" = \
		$'true\nfalse, users/3 first, users/4 first, users/4 third\ntrue' ]
}

@test "an invariant that kills libjq ends mig-verify with 4 and a fault that names the row" {
	KIND=sqlite
	fresh
	ask "$TABLES"
	copying ',"invariants":[{"entity":"users","jq":"[3] | .[2147483647] = 1 | length > 0","message":"m"}]'
	planned < <(users 1 1)
	permitted
	applied
	fails 4 timeout -s KILL 30 mig-verify --store "$STORE" < plan
	[ "$(jq -c '[.kind, .exit, .code, .ref, .tool]' <<< "$output")" = '["fault",4,"jq_died","users/1","mig-verify"]' ]
}

from_the_front() {
	ask "$TABLES; INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', NULL)"
	copying ',"entity":"users","invariants":[{"equals":0,"message":"a user has no name","sql":"SELECT count(*) FROM posts WHERE title IS NULL"}]' \
		'{"posts":{}}'
	echo '{entity: "posts", id: "u\(.id)", data: {title: .data.name}}' > copy/1.0.0..2.0.0/up.jq
	mig plan --store "$STORE" --set copy --env dev --migration copy --target-version 2.0.0 --batch 1 --plan made > /dev/null
	[ "$(jq -c 'select(.kind == "plan") | [.header.rows.puts, (.header.rows.invariants | length)]' made)" = '[2,1]' ]
	mig apply --store "$STORE" --plan made --env dev --apply > /dev/null
	mig verify --store "$STORE" --plan made > /dev/null
	[ "$(ask 'SELECT id, title FROM posts ORDER BY id')" = $'u1|Ada\nu2|Bob' ]
	mig rollback --store "$STORE" --env dev --apply --allow-destructive > /dev/null
	[ -z "$(ask 'SELECT id FROM posts')" ]
	mig apply --store "$STORE" --set copy --env dev --migration copy --target-version 2.0.0 --apply > /dev/null
	[ "$(ask 'SELECT count(*) FROM posts')" = 2 ]
	fails 2 mig plan --store "$STORE" --set copy --env dev --migration copy --target-version 2.0.0 --ref users/1
	[[ $stderr == *'--ref: of documents, not of rows'* ]]
	fails 2 mig plan --store "$STORE" --set copy --env dev --migration copy --target-version 2.0.0 --allow-empty
}

@test "the front door plans the rows of a database by a set of records, with its invariants" {
	each_database from_the_front
}
