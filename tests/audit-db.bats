#!/usr/bin/env bats
# MIG_AUDIT in a database: the table migration_audit_records, in SQLite and in PostgreSQL.

load helper
load store
load postgres

setup_file() {
	server_begin
}

teardown_file() {
	server_end
}

setup() {
	mig_setup
	database
	LITE=sqlite:$PWD/audit.db
	export MIG_RUN_ID=run-1 MIG_AUDIT=$LITE
	site
}

# each COMMAND..: once with each of the two sinks; asked answers from the one at hand.
each() {
	for MIG_AUDIT in "$LITE" "$DB"; do
		export MIG_AUDIT
		"$@"
	done
}

# asked QUERY: what the sink at hand answers, columns parted by |.
asked() {
	case $MIG_AUDIT in
	sqlite:*) sqlite3 audit.db "$1" ;;
	*) sql "$1" ;;
	esac
}

# says WANT QUERY
says() {
	local is
	is=$(asked "$2")
	[ "$is" = "$1" ] || fail "$2: $is, not $1
$(asked 'SELECT * FROM migration_audit_records ORDER BY id')"
}

# pairs N: N runs of filters, each with its snapshot and its final record.
pairs() {
	says "$1|$1" "SELECT count(*), count(DISTINCT f.snapshot) FROM migration_audit_records f
		JOIN migration_audit_records s ON s.id = f.snapshot AND s.run_id = f.run_id AND s.script = f.script
		WHERE f.stage = 'final' AND s.stage = 'snapshot'"
	says $((2 * $1)) 'SELECT count(*) FROM migration_audit_records'
}

# last COLUMNS [SCRIPT]: those of the last final record.
last() {
	asked "SELECT $1 FROM migration_audit_records WHERE stage = 'final' AND script LIKE '${2-%}' ORDER BY id DESC LIMIT 1"
}

# no_keeper: nobody has the audit open any more.
no_keeper() {
	local i
	for i in {1..50}; do
		[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'mig-%' AND datname = '$DATABASE'")" -ne 0 ] ||
			find /proc/[0-9]*/fd -lname "$PWD/audit.db" 2> /dev/null | grep -q . || return 0
		sleep 0.1
	done
	fail 'somebody holds the audit'
}

whole_run() {
	rm -rf site && site
	planned --tenant acme
	mig-gate --env dev --apply --tenant acme < plan > permits
	mig-apply --store fs:site < permits > outcomes
	mig-verify --store fs:site < plan > verdicts
	mig-report < verdicts > page
	mig-hash --check plan > checked
	pairs 8
	says 8 "SELECT count(*) FROM migration_audit_records WHERE stage = 'final' AND ok AND exit = 0 AND code IS NULL
		AND run_id = 'run-1'"
	says 8 "SELECT count(DISTINCT script) FROM migration_audit_records"
	[ "$(last "env, tenant, payload ->> 'records'" mig-apply)" = 'dev|acme|1' ]
	[ "$(last "payload ->> 'digest'" mig-plan)" = "$(tail -n 1 plan | jq -r .digest)" ]
	says tester "SELECT DISTINCT payload ->> 'actor' FROM migration_audit_records WHERE stage = 'snapshot'"
	no_keeper
}

@test "EK-57 EK-59 every filter of a run leaves exactly one snapshot and one final row" {
	each whole_run
	says 'timestamp with time zone' "SELECT pg_typeof(created_at) FROM migration_audit_records LIMIT 1"
	says 'jsonb' "SELECT DISTINCT pg_typeof(payload) FROM migration_audit_records"
	MIG_AUDIT=$LITE
	says '2025-01-01T00:00:00Z' "SELECT DISTINCT created_at FROM migration_audit_records"
	[ "$(stat -c %a audit.db)" = 600 ]
}

@test "EK-59 a file and databases at once hold the same" {
	MIG_AUDIT="file:$PWD/a file $LITE $DB" mig-hash "$MIG_ROOT/README.md" nowhere > out 2> err || true
	mig_lines=$(jq -cS '[.script, .stage, .payload]' 'a file')
	[ "$(wc -l <<< "$mig_lines")" -eq 2 ]
	each same_lines
}

same_lines() {
	local array=json_array
	[ "$MIG_AUDIT" = "$LITE" ] || array=json_build_array
	diff -u <(echo "$mig_lines") \
		<(asked "SELECT $array(script, stage, payload) FROM migration_audit_records ORDER BY id" |
			jq -cS '[.[0], .[1], (.[2] | if type == "string" then fromjson else . end)]')
}

failing() {
	fails 3 mig-extract --store fs:nowhere --set "$SETS/manifest"
	[[ $(last 'ok, exit, code') = [0f]'|3|store_missing' ]]
	echo '{"a":1}' > value
	fails 1 bash -c 'mig-hash value > /dev/full'
	[[ $(last 'ok, exit') = [0f]'|1' ]]
	set_of own 'def f: 1 + f; . + {n: f}'
	mkdir -p site/one && echo '{"v": "1.0.0"}' > site/one/manifest.json
	MIG_AUDIT='' mig-extract --store fs:site --set own --ref one/manifest.json > documents
	run --separate-stderr mig-transform --set own --target-version 2.0.0 < documents
	[ "$status" -eq 4 ] || fail "exit $status: $stderr"
	[[ $(last 'ok, exit, code') = [0f]'|4|died' ]]
	pairs 3
	no_keeper
	rm -rf site own && site
}

@test "EK-58 a filter that fails, or that a program of a set kills, has a final row that says so" {
	each failing
}

@test "EK-58 so does one that runs out of memory" {
	! grep -q __asan_init "$MIG_X/mig-hash" || skip 'a sanitizer needs its memory'
	printf '"%s"' "$(head -c 60000000 /dev/zero | tr '\0' x)" > large
	fails 1 bash -c 'ulimit -v 60000 && mig-hash --canonical large'
	[ "$(last 'ok, exit, code')" = '0|1|died' ]
	pairs 1
}

killed() {
	local signal pid n=0
	mkfifo -m 600 "line.$((++fifos))"
	for signal in KILL TERM INT; do
		# job control gives it a group of its own, as at a terminal
		set -m
		mig-report < "line.$fifos" > out 2> err 3>&- &
		pid=$!
		set +m
		exec {hold}> "line.$fifos"
		for _ in {1..200}; do
			[ "$(asked "SELECT count(*) FROM migration_audit_records" 2> err)" != $((2 * n + 1)) ] || break
			sleep 0.02
		done
		if [ "$signal" = KILL ]; then kill -KILL "$pid"; else kill "-$signal" "-$pid"; fi
		wait "$pid" || true
		exec {hold}>&-
		n=$((n + 1))
		no_keeper
		[[ $(last 'ok, exit, code') = [0f]'|1|died' ]]
		pairs $n
	done
}

late() {
	local before
	mkfifo "late.$((++fifos))"
	mig-report < "late.$fifos" > out 2> err 3>&- &
	exec {hold}> "late.$fifos"
	for _ in {1..200}; do
		[ "$(asked "SELECT count(*) FROM migration_audit_records" 2> err)" != 1 ] || break
		sleep 0.02
	done
	sleep 1.1
	before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	kill -KILL $!
	wait $! || true
	exec {hold}>&-
	no_keeper
	[[ $(last "created_at >= '$before'") = [1t] ]]
	pairs 1
}

@test "EK-58 the final row of one that is killed has the time at which it was" {
	fifos=0
	unset SOURCE_DATE_EPOCH
	each late
}

@test "EK-58 one that is killed has a final row, also where its whole group gets the signal" {
	fifos=0
	each killed
}

# refused SINK: nothing is done, 3.
refused() {
	local before after
	before=$(whole_tree site)
	MIG_AUDIT=$1 fails 3 mig-apply --store fs:site < permits
	faulted 3 audit_unreachable
	[[ $output$stderr != *geheim* ]] || fail "the password: $output$stderr"
	after=$(whole_tree site)
	[ "$before" = "$after" ]
	[ ! -e site/.mig ]
}

@test "EK-60 EK-65 a database that cannot be reached or written is 3 before anything is done, without its password" {
	MIG_AUDIT='' planned && MIG_AUDIT='' permitted
	echo 'no database' > other && mkdir folder && mkfifo pipe
	for sink in sqlite:no/such/file sqlite:folder sqlite:pipe sqlite:other sqlite:/dev/full sqlite:/proc/x \
		postgresql://ada:geheim@127.0.0.1:1/audit postgresql:///none?host="$PWD" \
		"$(store_of shy geheim)" "$(store_of owner)&dbname=nowhere" "file:$PWD/lines postgresql://ada:geheim@127.0.0.1:1/x"; do
		refused "$sink"
	done
	# the sink that took the snapshot has the end, too
	holds 'map(.stage) == ["snapshot", "final"] and .[1].payload.exit == 3' lines
	sql 'CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader'
	refused "$(store_of reader)"
	sql 'DROP ROLE reader'
	for uri in postgresql://ada:geheim/x@h/db 'postgresql://h/db?nonsense=geheim'; do
		MIG_AUDIT=$uri fails 2 mig-hash "$MIG_ROOT/README.md"
		faulted 2 bad_audit
		[[ $output$stderr != *geheim* ]]
	done
}

@test "EK-60 a table of another shape is 3 before anything is done" {
	MIG_AUDIT='' planned && MIG_AUDIT='' permitted
	for columns in 'id INTEGER PRIMARY KEY' \
		'id INTEGER, run_id TEXT, script TEXT, stage TEXT, created_at TEXT, env TEXT, tenant TEXT, ok TEXT, exit TEXT, code TEXT,
			payload TEXT, snapshot INTEGER' \
		"id INTEGER PRIMARY KEY, run_id TEXT, script TEXT, stage TEXT, created_at TEXT, env TEXT, tenant TEXT, ok TEXT, exit TEXT,
			code TEXT, payload TEXT, snapshot INTEGER UNIQUE, ours TEXT NOT NULL"; do
		rm -f audit.db && sqlite3 audit.db "CREATE TABLE migration_audit_records ($columns)"
		sql 'DROP TABLE IF EXISTS migration_audit_records' "CREATE TABLE migration_audit_records ($columns)"
		refused "$LITE"
		refused "$DB"
		[ "$(sqlite3 audit.db 'SELECT count(*) FROM migration_audit_records')" -eq 0 ]
	done
	sql 'DROP TABLE migration_audit_records' 'CREATE VIEW migration_audit_records AS SELECT 1 AS id'
	refused "$DB"
}

@test "EK-60 who may only add to the table that is there can audit" {
	mig-hash "$MIG_ROOT/README.md" > out 2> err || true
	MIG_AUDIT=$DB mig-hash nowhere > out 2> err || true
	sql 'CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT ON migration_audit_records TO clerk'
	MIG_AUDIT=$(store_of clerk) fails 3 mig-hash nowhere
	[[ $stderr == *'No such file'* ]]
	MIG_AUDIT=$DB
	pairs 2
	sql 'DROP OWNED BY clerk; DROP ROLE clerk'
}

@test "the store's own SQLite file is no sink: who holds its lock would wait for the others" {
	sqlite3 app.db 'CREATE TABLE t (a)'
	ln -s app.db other.db
	for store in sqlite:app.db "sqlite:$PWD/app.db" sqlite:other.db; do
		MIG_AUDIT=sqlite:app.db fails 2 mig-extract --store "$store" --schema
		faulted 2 bad_audit
		MIG_STORE=$store MIG_AUDIT=sqlite:app.db fails 2 mig-hash "$MIG_ROOT/README.md"
	done
	[ "$(sqlite3 app.db .tables)" = t ]
}

@test "an audit in the PostgreSQL database that is migrated does not show as drift" {
	sql 'CREATE TABLE t (id int)'
	before=$(MIG_AUDIT='' mig-extract --store "$DB" --schema | head -n 1 | jq -r .hash)
	export MIG_AUDIT=$DB
	[ "$(mig-extract --store "$DB" --schema | head -n 1 | jq -r .hash)" = "$before" ]
	planned_sql 'ALTER TABLE t ADD COLUMN b int'
	mig-apply --store "$DB" < permits > outcomes
	holds 'map(select(.kind == "outcome").ok) == [true]' outcomes
	after=$(MIG_AUDIT='' mig-extract --store "$DB" --schema | head -n 1 | jq -r '.live.tables | map(.name) | join(" ")')
	[ "$after" = t ]
	pairs 4
}

# dropped: the table goes away while the filter is at work.
dropped() {
	local rc=0
	mkfifo "drop.$((++fifos))"
	mig-report < "drop.$fifos" > out 2> err 3>&- &
	exec {hold}> "drop.$fifos"
	for _ in {1..200}; do
		[ "$(asked "SELECT count(*) FROM migration_audit_records" 2> err2)" != 1 ] || break
		sleep 0.02
	done
	asked 'DROP TABLE migration_audit_records'
	nothing mig-plan >&"$hold"
	exec {hold}>&-
	wait $! || rc=$?
	[ $rc -eq 1 ] || fail "exit $rc: $(cat err)"
	grep -q 'the audit has no final record' err
}

# kept: what the process that keeps the audit of a filter holds.
kept() {
	local keeper fd
	mkfifo "kept.$((++fifos))"
	mig-report < "kept.$fifos" 2>&1 3>&- | cat > out &
	exec {hold}> "kept.$fifos"
	for _ in {1..200}; do
		[ "$(asked "SELECT count(*) FROM migration_audit_records" 2> err)" != 1 ] || break
		sleep 0.02
	done
	for fd in /proc/[0-9]*/fd; do
		keeper=${fd%/fd}
		[[ $(readlink "$fd/0") == /dev/null && $(readlink "$keeper/exe") == "$MIG_X/mig-report" &&
			$(readlink "$keeper/cwd") == "$PWD" ]] || continue
		ls -l "$fd" > held
		run ! grep -e pipe: -e kept held
		[[ $(readlink "$fd/1") == /dev/null && $(readlink "$fd/2") == /dev/null ]]
		grep -q __asan_init "$MIG_X/mig-hash" || grep -q '^NoNewPrivs:.*1$' "$keeper/status"
		found=$((found + 1))
	done
	nothing mig-plan >&"$hold"
	exec {hold}>&-
	wait
	pairs 1
}

@test "the process that keeps an audit holds nothing of its filter's, and has given up what it does not need" {
	fifos=0 found=0
	each kept
	[ $found -eq 2 ]
}

@test "a final row that cannot be written any more makes the run fail with 1" {
	fifos=0
	each dropped
}

@test "EK-58 a connection that is lost meanwhile is made anew for the final row" {
	export MIG_AUDIT=$DB
	mkfifo line
	mig-report < line > out 2> err 3>&- &
	exec {hold}> line
	for _ in {1..200}; do
		[ "$(sql "SELECT count(*) FROM migration_audit_records" 2> err2)" != 1 ] || break
		sleep 0.02
	done
	[ "$(sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mig-report'
		AND datname = '$DATABASE'")" -eq 1 ]
	nothing mig-plan >&"$hold"
	exec {hold}>&-
	wait $!
	[ "$(last 'ok, exit')" = 't|0' ]
	pairs 1
}

at_once() {
	local i
	rm -f audit.db
	pids=()
	for i in {1..12}; do
		(for _ in 1 2; do MIG_RUN_ID=run-$i mig-hash "$MIG_ROOT/README.md" > /dev/null 2>&1 || :; done) 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	pairs 24
	says 12 "SELECT count(*) FROM (SELECT run_id FROM migration_audit_records GROUP BY run_id HAVING count(*) = 4) r"
}

@test "many filters at once write into one database, also where each would make the table" {
	each at_once
}

behind() {
	local closed
	rm -rf site && site
	planned --batch 1 && permitted
	mig-apply --store fs:site --jobs 2 < permits > outcomes
	pairs 5
	[ "$(last "payload ->> 'records'" mig-apply)" = 2 ]
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		bash -c "mig-report $closed" > out 2> err < plan || true
	done
	pairs 9
	no_keeper
}

@test "an audit in a database works behind every sandbox, with closed descriptors, and with several processes" {
	each behind
}

@test "what is audited in a database gives the same bytes as what is not, and holds up no reader" {
	MIG_AUDIT='' planned
	cp plan without
	planned
	cmp plan without
	# cat ends when the last writer has closed, which the keeper is not
	timeout 5 bash -c 'mig-report < plan 2>&1 | cat > page'
	# a filter that is gone leaves its keeper waiting for the lock; who reads from it does not wait
	sqlite3 audit.db 'BEGIN EXCLUSIVE' '.shell sleep 3' 3>&- &
	sleep 0.5
	start=$SECONDS
	(mig-report < plan & sleep 0.3 && kill -KILL $!) 2>&1 | cat > page
	[ $((SECONDS - start)) -le 1 ]
	wait
}

@test "EK-59 the front door's filters write into one database under one name" {
	unset MIG_RUN_ID
	mig plan --store fs:site --set "$SETS/manifest" --env dev --migration manifest --target-version 1.2.0 --plan plan > out
	mig apply --plan plan --store fs:site --env dev --apply > out
	says 2 "SELECT count(DISTINCT run_id) FROM migration_audit_records"
	says 0 "SELECT count(*) FROM migration_audit_records WHERE stage = 'final' AND NOT ok AND script = 'mig-apply' AND code IS NULL"
	n=$(asked "SELECT count(*) FROM migration_audit_records")
	pairs $((n / 2))
}

@test "EK-60 what is no sink, or too many of them, is a usage error" {
	for sink in sqlite: postgresql:// 'sqlite:' mysql://h/db "$LITE $LITE $LITE $LITE $LITE"; do
		MIG_AUDIT=$sink fails 2 mig-hash "$MIG_ROOT/README.md"
		faulted 2 bad_audit
	done
	[ ! -e audit.db ]
}
