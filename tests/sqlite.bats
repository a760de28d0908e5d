#!/usr/bin/env bats
# A SQLite file as a store: opened, read, changed by SQL plans, and left alone.

load helper
load sqlite

# One table, one unique index, and version 1 of the history.
steps() {
	printf '[{"id":"users:create_table","actions":["CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"],'
	printf '"undo":[{"op":"backup","columns":["id","name"],"key":["id"],"name":"users","table":"users"},"DROP TABLE users"]},'
	printf '{"id":"users.name:add_unique","actions":["CREATE UNIQUE INDEX users_name ON users (name)"],'
	printf '"undo":["DROP INDEX users_name"]},%s]' "$(recording 1)"
}

# --- opening

@test "a SQLite file that does not exist is 3, and no file is made" {
	fails 3 mig-extract --store sqlite:app.db --schema
	faulted 3 store_missing
	[[ $stderr == *'hint: if it is to be a new one: --create of mig plan, mig apply, '* ]]
	database && sql_planned "$(steps)" && permitted && rm app.db
	fails 3 mig-apply --store sqlite:app.db < permits
	faulted 3 store_missing
	fails 3 mig-verify --store sqlite:app.db < plan
	assert_not_exists app.db
	fails 3 mig-extract --store sqlite:no/app.db --schema
	faulted 3 store_missing
}

@test "with --create a SQLite file that lacks is read as an empty one, and made by apply" {
	mig-extract --store sqlite:app.db --schema --create > stream
	[ "$(head -1 stream | jq -c '[.live, .recorded]')" = '[{"tables":[],"views":[]},null]' ]
	assert_not_exists app.db
	sql_planned "$(steps)" "$(head -1 stream | jq -r .hash)"
	permitted && applied --create
	[ "$(ask "SELECT name FROM sqlite_master WHERE name LIKE 'users%' ORDER BY 1" | paste -sd ' ')" = 'users users_name' ]
}

@test "a database that was to be made and into which nothing went is not there afterwards" {
	fails 3 mig-apply --store sqlite:app.db --create < /dev/null
	assert_not_exists app.db
	printf '{"code":"no_path","exit":4,"kind":"fault","reason":"r","tool":"mig-plan"}\n' > fault
	fails 4 mig-apply --store sqlite:app.db --create < fault
	assert_not_exists app.db
}

@test "what is no database is 3, and a fifo does not hang" {
	printf 'this is not a database, but a text that is long enough to be taken for its header, or so\n' > app.db
	sum=$(sha256sum app.db)
	fails 3 mig-extract --store sqlite:app.db --schema
	faulted 3 not_a_database
	[ "$sum" = "$(sha256sum app.db)" ]
	mkfifo pipe
	fails 3 timeout 5 mig-extract --store sqlite:pipe --schema
	faulted 3 not_a_database
	mkdir folder
	fails 3 mig-extract --store sqlite:folder --schema
}

@test "a damaged database is 4" {
	database "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); INSERT INTO t SELECT value, 'x' FROM generate_series(1, 2000)"
	dd if=/dev/zero of=app.db bs=1 seek=100 count=200 conv=notrunc 2> /dev/null
	fails 4 mig-extract --store sqlite:app.db --schema
	faulted 4 damaged
}

@test "a file name is taken as it is, whatever it would mean in a URI" {
	name='a b?mode=memory&x%41#.db'
	sqlite3 "$name" 'CREATE TABLE t (a)'
	[ "$(mig-extract --store "sqlite:$name" --schema | jq -r '.live.tables[0].name // empty')" = t ]
	[ "$(ls)" = "$name" ]
}

@test "reading writes nothing, also a database whose changes go into a log" {
	database 'PRAGMA journal_mode=wal; CREATE TABLE t (a); INSERT INTO t VALUES (1)' > /dev/null
	sum=$(sha256sum app.db)
	[ "$(mig-extract --store sqlite:app.db --schema | jq -c '.estimates // empty')" = '{"t":1}' ]
	mig-verify --store sqlite:app.db --drift > /dev/null
	[ "$(ls)" = app.db ]
	[ "$sum" = "$(sha256sum app.db)" ]
}

@test "a log that somebody has open is read" {
	database 'PRAGMA journal_mode=wal; CREATE TABLE t (a)' > /dev/null
	{ echo 'INSERT INTO t VALUES (1), (2);'; echo 'SELECT 1;'; cat fifo; } > /dev/null 2>&1 || true
	mkfifo hold
	sqlite3 app.db < hold > said &
	exec 7> hold
	echo 'CREATE TABLE u (b); INSERT INTO u VALUES (1); SELECT 1;' >&7
	for _ in $(seq 100); do [ -s said ] && break; sleep 0.05; done
	assert_exists app.db-wal
	[ "$(mig-extract --store sqlite:app.db --schema | jq -c '[.live.tables[]?.name] | select(length > 0)')" = '["t","u"]' ]
	exec 7>&-
	wait
}

@test "documents are not to be had from a database, nor a schema from a folder: 2" {
	database && mkdir site
	fails 2 mig-extract --store sqlite:app.db --set "$SETS/manifest"
	faulted 2 no_documents
	fails 2 mig-extract --store fs:site --schema
	faulted 2 no_schema
	fails 2 mig-verify --store fs:site --drift
	faulted 2 no_schema
	fails 2 mig-apply --store fs:site --state x < /dev/null
	fails 2 mig-apply --store sqlite:app.db --jobs 2 < /dev/null
	faulted 2 no_jobs
	fails 3 mig-apply --store sqlite:app.db --prune --before 2025-01-01
	faulted 3 not_supported
}

# --- what is there

@test "what a database holds is told in full, names of constraints included" {
	database "$(cat "$MIG_ROOT/tests/fixtures/sql/shop.sql")"
	mig-extract --store sqlite:app.db --schema > stream
	head -1 stream | jq -S . > shown
	if [ -n "${MIG_BLESS-}" ]; then cp shown "$MIG_ROOT/tests/golden/sqlite-schema.json"; fi
	diff "$MIG_ROOT/tests/golden/sqlite-schema.json" shown
	mig-extract --store sqlite:app.db --schema | cmp - stream
	[ "$(jq -c 'select(.kind == "end") | .records' stream)" = 1 ]
}

@test "hostile names and values are told and survive an apply" {
	database "$(cat "$MIG_ROOT/tests/fixtures/sql/hostile.sql")"
	before=$(ask .dump | sort)
	mig-extract --store sqlite:app.db --schema > stream
	[ "$(head -1 stream | jq -r '.live.tables[0].name')" = 'a"b;--' ]
	[ "$(head -1 stream | jq -r '.live.tables[0].columns[0].name')" = $'x\ny' ]
	[ "$(head -1 stream | jq -r '.live.tables[0].checks[0].expression')" = '"x
y" <> '"')--'" ]
	table='a\"b;--'
	sql_planned '[{"id":"odd:drop_table","type":"cleanup",
		"actions":[{"op":"backup","columns":["x\ny","v"],"key":["x\ny"],"name":"'"$table"'","table":"'"$table"'"},"DROP TABLE \"a\"\"b;--\""],
		"undo":["CREATE TABLE \"a\"\"b;--\" (\"x\ny\" TEXT CHECK (\"x\ny\" <> '"')--'"'), v, PRIMARY KEY (\"x\ny\"))",
			{"op":"restore","columns":["x\ny","v"],"key":["x\ny"],"name":"'"$table"'","table":"'"$table"'"}]},'"$(recording 1)"']'
	permitted --allow-destructive && applied
	[ -z "$(ask "SELECT name FROM sqlite_master WHERE name LIKE 'a%'")" ]
	rolled_back --allow-destructive
	diff <(echo "$before") <(ask .dump | grep -v -e mig_ -e system_ | sort)
}

# --- applying

@test "CH-12 a plan is applied in one transaction, told in the ledger, and skipped when it comes again" {
	database 'CREATE TABLE keep (a); INSERT INTO keep VALUES (1)'
	sql_planned "$(steps)" && permitted && applied
	[ "$(head -1 outcomes | jq -c '[.ok, .ledger.seq, ([.steps[].status] | unique)]')" = '[true,1,["applied"]]' ]
	[ "$(ask 'SELECT version, rolled_back_at IS NULL FROM system_migration_history')" = '1|1' ]
	[ "$(ask 'SELECT id FROM system_schema_checksum')" = singleton ]
	before=$(sha256sum app.db)
	applied
	[ "$(head -1 outcomes | jq -c '[.ok, .ledger, ([.steps[].status] | unique)]')" = '[true,null,["skipped"]]' ]
	[ "$before" = "$(sha256sum app.db)" ]
	mig-extract --store sqlite:app.db --ledger | jq -r '.event // empty' > events
	[ "$(cat events)" = commit ]
	mig-verify --store sqlite:app.db --ledger > /dev/null
	mig-verify --store sqlite:app.db < plan > verdicts
	[ "$(head -1 verdicts | jq .ok)" = true ]
	assert_not_exists app.db.mig
}

@test "CH-42 CH-43 a dry run tells what would be done and leaves no byte" {
	database 'CREATE TABLE keep (a)'
	sql_planned "$(steps)"
	mig-gate --env dev --dry-run < plan > permits
	before=$(sha256sum app.db)
	applied
	[ "$(head -1 outcomes | jq -c '[.ok, .dry_run, .steps[0].status, .steps[0].message]')" = \
		'[true,true,"skipped","would run 1 statement"]' ]
	[ "$before" = "$(sha256sum app.db)" ]
	[ "$(ls app*)" = app.db ]
}

@test "a dry run finds what only the database can tell" {
	database 'CREATE TABLE users (id)'
	sql_planned "$(steps)"
	mig-gate --env dev --dry-run < plan > permits
	fails 1 applied
	[ "$(head -1 outcomes | jq -c '[.ok, .steps[0].status]')" = '[false,"failed"]' ]
	[ -z "$(ask "SELECT name FROM sqlite_master WHERE name LIKE 'system%'")" ]
}

@test "CH-22 MIGRATION-ROLLBACK-003 rolling back undoes the schema, marks the version and is told in the log" {
	database 'CREATE TABLE keep (a); INSERT INTO keep VALUES (1)'
	before=$(dump)
	sql_planned "$(steps)" && permitted && applied
	ask "INSERT INTO users VALUES (1, 'ada')"
	rolled_back --allow-destructive
	[ "$(dump)" = "$before" ]
	[ "$(ask 'SELECT version, rolled_back_at IS NULL FROM system_migration_history')" = '1|0' ]
	[ "$(ask 'SELECT count(*) FROM system_schema_checksum')" = 0 ]
	[ "$(ask 'SELECT operation, from_version, to_version, reason, status FROM system_migration_log')" = \
		'ROLLBACK|1|0|test|COMPLETED' ]
	[ "$(cat app.db.mig/backups/*)" = '{"id":1,"name":"ada"}' ]
	applied
	[ "$(head -1 outcomes | jq -r '[.steps[].status] | unique[]')" = skipped ]
	mig-extract --store sqlite:app.db --ledger | jq -r '.event // empty' > events
	[ "$(paste -sd ' ' events)" = 'commit rollback' ]
}

@test "a plan that was rolled back can be applied again, with a new permit" {
	database
	sql_planned "$(steps)" && cp plan forward && permitted && cp permits first && applied
	rolled_back --allow-destructive
	fails 5 mig-apply --store sqlite:app.db < first
	faulted 5 spent_permit
	cp forward plan && permitted && applied
	[ "$(head -1 outcomes | jq -r '[.steps[].status] | unique[]')" = applied ]
	rolled_back --allow-destructive
	[ -z "$(dump)" ]
}

@test "a question that is not answered as it should be is 4, with examples, before anything is done" {
	database "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t (a) SELECT value % 3 FROM generate_series(1, 40)"
	sql_planned '[{"id":"u:create_table","actions":["CREATE TABLE u (a)"]},
		{"id":"t.a:add_unique","actions":["CREATE UNIQUE INDEX i ON t (a)"],
		"preconditions":[{"check":"query","equals":0,"message":"t.a: duplicate values found","sql":"SELECT count(*) - count(DISTINCT a) FROM t",
			"examples":"SELECT id, a FROM t ORDER BY id"}]}]'
	permitted
	fails 4 applied
	[ "$(head -1 outcomes | jq -r '.findings[0].message')" = \
		't.a: duplicate values found: found 37; for example 1 1, 2 2, 3 0, 4 1, 5 2, 6 0, 7 1, 8 2, 9 0, 10 1' ]
	[ "$(head -1 outcomes | jq -c '[.steps[].status]')" = '["not_run","failed","not_run"]' ]
	[ "$(ask "SELECT count(*) FROM sqlite_master WHERE name = 'u'")" = 0 ]
}

@test "MIGRATION-ROLLBACK-006 MIGRATION-AUDIT-004 a failed apply leaves one row in the log and nothing else" {
	database "CREATE TABLE t (a); INSERT INTO t VALUES (1), (1)"
	before=$(dump)
	sql_planned '[{"id":"t.b:add_column","actions":["ALTER TABLE t ADD COLUMN b"]},
		{"id":"t.a:add_unique","actions":["CREATE UNIQUE INDEX i ON t (a)"]},'"$(recording 1)"']'
	permitted
	fails 4 applied
	[ "$(head -1 outcomes | jq -c '[.steps[].status]')" = '["undone","failed","not_run"]' ]
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = constraint ]
	[ "$(dump)" = "$before" ]
	[ "$(ask "SELECT operation, status, reason <> '', created_at FROM system_migration_log")" = 'ROLLBACK|COMPLETED|1|1735689600000' ]
	[ "$(ask 'SELECT (SELECT count(*) FROM system_migration_history), (SELECT count(*) FROM system_schema_checksum),
		(SELECT count(*) FROM mig_ledger), (SELECT count(*) FROM mig_plan)')" = '0|0|0|0' ]
}

@test "MIG-TRANSACTION-001 an SQL error in the third step undoes the first two, and is 1" {
	database
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)"]},
		{"id":"t.i:add_index","actions":["CREATE INDEX i ON t (a)"]},{"id":"v:create_view","actions":["CREATE VIEW"]}]'
	permitted
	fails 1 applied
	[ -z "$(dump)" ]
}

@test "CH-56 a postcondition that does not hold undoes the plan: 4" {
	database
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)"],
		"postconditions":[{"check":"query","equals":1,"message":"t has a row","sql":"SELECT count(*) FROM t"}]}]'
	permitted
	fails 4 applied
	[ -z "$(dump)" ]
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)"],
		"postconditions":[{"check":"verify","message":"m","sql":"SELECT count(*) FROM t"}]}]'
	permitted
	fails 4 applied
	[ -z "$(dump)" ]
}

@test "a database that changed since the plan is drift, 4" {
	database
	sql_planned "$(steps)" && permitted
	ask 'CREATE TABLE other (a)'
	fails 4 applied
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = drift ]
	[ "$(ask "SELECT count(*) FROM sqlite_master WHERE name = 'users'")" = 0 ]
}

@test "SV-04 a table is rebuilt with its children in place, and a row that would refer to nothing undoes it all" {
	database "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p (id) ON DELETE CASCADE);
		INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2)"
	sql_planned '[{"id":"p:rebuild_table","actions":["CREATE TABLE p2 (id INTEGER PRIMARY KEY, n TEXT)","INSERT INTO p2 (id) SELECT id FROM p",
		"DROP TABLE p","ALTER TABLE p2 RENAME TO p"]}]'
	permitted && applied
	[ "$(ask 'SELECT count(*) FROM c JOIN p ON c.p = p.id')" = 2 ]
	sql_planned '[{"id":"p:rebuild_table","actions":["CREATE TABLE p2 (id INTEGER PRIMARY KEY)","INSERT INTO p2 (id) SELECT id FROM p WHERE id = 1",
		"DROP TABLE p","ALTER TABLE p2 RENAME TO p"]}]'
	permitted
	fails 4 applied
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = foreign_key ]
	[ "$(ask 'SELECT count(*) FROM c JOIN p ON c.p = p.id')" = 2 ]
	sql_planned '[{"id":"c:rebuild_table","actions":["DELETE FROM c WHERE p = 2"]}]'
	permitted
	fails 4 applied
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = rows_lost ]
	[ "$(ask 'SELECT count(*) FROM c')" = 2 ]
}

@test "a statement cannot end the transaction, reach another database, or bring a second one along" {
	database
	for sql in COMMIT ROLLBACK 'ATTACH \"other.db\" AS o'; do
		sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)","'"$sql"'"]}]'
		permitted
		fails 4 applied
		[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = ends_transaction ]
		[ -z "$(dump)" ]
	done
	assert_not_exists other.db
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a); CREATE TABLE u (a)"]}]'
	permitted
	fails 4 applied
	[ -z "$(dump)" ]
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a); -- and no more\n"]}]'
	permitted && applied
}

@test "steps outside of the transaction come last, and go on where a run stopped" {
	database 'CREATE TABLE t (a)'
	sql_planned '['"$(recording 1)"',{"id":"up.1:sql","transaction":false,"actions":["CREATE TABLE one (a)"]},
		{"id":"up.2:sql","transaction":false,"actions":["CREATE TABLE two (a)"]},
		{"id":"up.3:sql","transaction":false,"actions":["VACUUM"]}]'
	permitted
	ask 'CREATE VIEW two AS SELECT 1'
	sql_planned '['"$(recording 1)"',{"id":"up.1:sql","transaction":false,"actions":["CREATE TABLE one (a)"]},
		{"id":"up.2:sql","transaction":false,"actions":["CREATE TABLE two (a)"]},
		{"id":"up.3:sql","transaction":false,"actions":["VACUUM"]}]'
	permitted
	fails 1 applied
	[ "$(head -1 outcomes | jq -c '[.steps[].status]')" = '["applied","applied","failed","not_run"]' ]
	mig-extract --store sqlite:app.db --ledger | jq -r '.event // empty' > events
	[ "$(paste -sd ' ' events)" = 'begin step' ]
	fails 4 mig-verify --store sqlite:app.db < plan
	faulted 4 unfinished
	ask 'DROP VIEW two'
	applied
	[ "$(head -1 outcomes | jq -c '[.steps[].status]')" = '["skipped","skipped","applied","applied"]' ]
	mig-extract --store sqlite:app.db --ledger | jq -r '.event // empty' > events
	[ "$(paste -sd ' ' events)" = 'begin step step step commit' ]
	mig-verify --store sqlite:app.db --ledger > /dev/null
}

# --- backups

# dropped: t has lost its column b, of values of every kind.
dropped() {
	database "CREATE TABLE t (id INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, NULL), (2, 7), (3, 2.0), (4, 0.1), (5, 'x'), (6, x'00ff'),
		(7, CAST(x'ff' AS TEXT)), (8, 9223372036854775807), (9, 9e999), (10, '7')"
	rows=$(ask "SELECT id, typeof(b), quote(b) FROM t")
	sql_planned '[{"id":"t.b:drop_column","type":"cleanup","findings":[{"message":"b is lost","rows":10,"rule_id":"drop_column","severity":"critical"}],
		"actions":[{"op":"backup","columns":["b"],"key":["id"],"name":"t.b","table":"t"},"ALTER TABLE t DROP COLUMN b"],
		"undo":["ALTER TABLE t ADD COLUMN b",{"op":"restore","columns":["b"],"key":["id"],"name":"t.b","table":"t"}]},'"$(recording 1)"']'
	permitted --allow-destructive
}

@test "MIGRATION-ROLLBACK-008 rows that are dropped are kept in a file first, and come back exactly" {
	dropped
	applied
	[ "$(ask 'SELECT * FROM t' | paste -sd ' ')" = '1 2 3 4 5 6 7 8 9 10' ]
	file=$(ls app.db.mig/backups)
	[ "$file" = "$(head -1 plan | jq -r '.plan_hash[:16]').1.ndjson" ]
	[ "$(stat -c %a app.db.mig app.db.mig/backups "app.db.mig/backups/$file" | paste -sd ' ')" = '700 700 600' ]
	mig-extract --store sqlite:app.db --ledger | head -1 | jq -c '.backups' > said
	[ "$(cat said)" = "[{\"file\":\"$file\",\"hash\":\"$(sha256sum < "app.db.mig/backups/$file" | cut -c1-64)\",\"name\":\"t.b\",\"rows\":10}]" ]
	ask 'DELETE FROM t WHERE id = 5; INSERT INTO t VALUES (11)'
	rolled_back
	[ "$(ask "SELECT id, typeof(b), quote(b) FROM t")" = "$(grep -av '^5|' <<< "$rows")"$'\n11|null|NULL' ]
}

@test "a backup that was changed or lost is not restored" {
	dropped
	applied
	before=$(dump)
	file=$(ls app.db.mig/backups/*)
	cp "$file" kept
	sed -i 's/"x"/"y"/' "$file"
	fails 4 rolled_back
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = backup_damaged ]
	[ "$(dump)" = "$before" ]
	rm "$file"
	fails 3 rolled_back
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = backup_missing ]
	cp kept "$file"
	rolled_back
}

@test "--state names another folder for backups, which must be there" {
	dropped
	fails 3 applied --state kept
	faulted_outcome=$(jq -r 'select(.kind == "fault") | .code' outcomes)
	[ "$faulted_outcome" = state_missing ]
	mkdir kept && applied --state kept
	[ "$(ls kept)" = backups ]
	assert_not_exists app.db.mig
	fails 3 rolled_back
	mkdir other
	mig-extract --store sqlite:app.db --applied --last | mig-plan --rollback --reason test > plan
	permitted && applied --state kept
}

@test "a plan that fails after its backup leaves no file" {
	database "CREATE TABLE t (id INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 1)"
	sql_planned '[{"id":"t.b:drop_column","type":"cleanup","actions":[{"op":"backup","columns":["b"],"key":["id"],"name":"t.b","table":"t"},
		"ALTER TABLE t DROP COLUMN b","CREATE"]}]'
	permitted --allow-destructive
	fails 1 applied
	assert_not_exists app.db.mig
	[ "$(ask 'SELECT * FROM t')" = '1|1' ]
}

# --- verifying

@test "MIGRATION-AUDIT-006 drift names the column, with what was expected and what is there" {
	database
	tables='[{"id":1,"name":"customers","fields":[{"id":1,"name":"email","type":"email"}]}]'
	sql_planned '[{"id":"customers:create_table","actions":["CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)"]},'"$(recording 1 "$tables")"']'
	permitted && applied
	mig-verify --store sqlite:app.db --drift > verdicts
	ask 'ALTER TABLE customers ADD COLUMN extra_column TEXT; CREATE TABLE unmanaged (a)'
	before=$(sha256sum app.db)
	fails 4 mig-verify --store sqlite:app.db --drift
	[[ $stderr == 'mig-verify: customers.extra_column: unexpected column'* ]]
	[ "$(jq -c 'select(.kind == "verdict") | [.findings[] | [.rule_id, .ref, .expected]]' <<< "$output")" = \
		'[["drift","customers.extra_column","nothing"]]' ]
	fails 4 mig-verify --store sqlite:app.db < plan
	faulted 4 drift
	[ "$before" = "$(sha256sum app.db)" ]
	ask 'ALTER TABLE customers DROP COLUMN extra_column; ALTER TABLE customers DROP COLUMN email; ALTER TABLE customers ADD COLUMN email BLOB'
	fails 4 mig-verify --store sqlite:app.db --drift
	[[ $stderr == *'the column was changed: expected {"default":null,"name":"email","not_null":false,"type":"TEXT"}, found'* ]]
	ask 'DROP TABLE customers'
	fails 4 mig-verify --store sqlite:app.db --drift
	[[ $stderr == *'customers: the table is missing'* ]]
}

@test "MIGRATION-ROLLBACK-001 a recorded checksum that was overwritten is told as tampered, 4" {
	database
	sql_planned "$(steps)" && permitted && applied
	ask "UPDATE system_schema_checksum SET checksum = 'abc123'"
	fails 4 mig-verify --store sqlite:app.db --drift
	faulted 4 tampered
	[[ $stderr == *'checksum mismatch: schema drift detected'* ]]
	fails 4 mig-verify --store sqlite:app.db < plan
	faulted 4 tampered
}

@test "a plan that is not applied, was rolled back, or whose version is gone is told so" {
	database
	sql_planned "$(steps)" && permitted && cp plan forward
	fails 4 mig-verify --store sqlite:app.db < forward
	faulted 4 not_applied
	[ "$(jq -c 'select(.kind == "verdict") | .findings[0] | [.expected, .actual]' <<< "$output")" = '["applied","not applied"]' ]
	applied
	ask 'UPDATE system_migration_history SET version = 9'
	fails 4 mig-verify --store sqlite:app.db < forward
	faulted 4 history
	ask 'UPDATE system_migration_history SET version = 1'
	mig-verify --store sqlite:app.db < forward > /dev/null
	rolled_back --allow-destructive
	fails 4 mig-verify --store sqlite:app.db < forward
	faulted 4 not_applied
	mig-verify --store sqlite:app.db < plan > /dev/null
}

@test "the check of a hand-written hop is asked again as long as it is the newest" {
	database 'CREATE TABLE t (a)'
	sql_planned '[{"id":"up:sql","actions":["INSERT INTO t VALUES (1)"],"undo":["DELETE FROM t"],
		"postconditions":[{"check":"verify","message":"t has one row","sql":"SELECT count(*) = 1 FROM t"}]}]'
	cp plan first && permitted && applied
	mig-verify --store sqlite:app.db < first > /dev/null
	ask 'INSERT INTO t VALUES (2)'
	fails 4 mig-verify --store sqlite:app.db < first
	faulted 4 drift
	[[ $stderr == *'t has one row'* ]]
	sql_planned '[{"id":"down:sql","actions":["DELETE FROM t"]}]'
	permitted && applied
	mig-verify --store sqlite:app.db < first > /dev/null
}

@test "an edited ledger is found: 4, and nothing is put behind it" {
	database
	sql_planned "$(steps)" && permitted && applied
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)"]}]'
	permitted
	ask "UPDATE mig_ledger SET entry = replace(entry, 'tester', 'nobody')"
	fails 4 mig-verify --store sqlite:app.db --ledger
	faulted 4 ledger_broken
	fails 4 applied
	[ "$(jq -r '.code // empty' outcomes | tail -1)" = ledger_broken ]
	[ "$(ask "SELECT count(*) FROM sqlite_master WHERE name = 't'")" = 0 ]
}

@test "a rehearsal does the plan and its rollback on a copy, and says whether all is as it was" {
	dropped
	before=$(sha256sum app.db)
	mig-verify --store sqlite:app.db --rehearse < plan > verdicts
	[ "$(head -1 verdicts | jq -c '[.ok, .findings[0].rule_id, .findings[0].severity]')" = '[true,"rehearsed","info"]' ]
	sql_planned '[{"id":"t.b:drop_column","type":"cleanup","actions":["ALTER TABLE t DROP COLUMN b"],"undo":["ALTER TABLE t ADD COLUMN b"]}]'
	fails 4 mig-verify --store sqlite:app.db --rehearse < plan
	faulted 4 rehearsal
	[[ $stderr == *'t: after the way back, its rows are not what they were'* ]]
	sql_planned '[{"id":"u:create_table","actions":["CREATE TABLE u (a)"]}]'
	fails 4 mig-verify --store sqlite:app.db --rehearse < plan
	[[ $stderr == *'after the way back, the table is still there'* ]]
	fails 4 mig-verify --store sqlite:app.db < plan
	[[ $stderr == *': the plan is not applied' ]]
	sql_planned '[{"id":"t.b:add_check","actions":["CREATE UNIQUE INDEX i ON t (id / 20)"]}]'
	fails 4 mig-verify --store sqlite:app.db --rehearse < plan
	[ "$before" = "$(sha256sum app.db)" ]
	[ "$(find . -name 'app*')" = ./app.db ]
}

@test "the gate may ask for a rehearsal of the very plan, and takes no other verdict for one" {
	dropped
	mig-verify --store sqlite:app.db --rehearse < plan > rehearsed
	mig-gate --env dev --apply --allow-destructive --rehearsed rehearsed < plan > permits
	jq -c 'if .kind == "verdict" then .findings = [] else . end' rehearsed > held
	fails 5 mig-gate --env dev --apply --allow-destructive --rehearsed held < plan
	faulted 5 rehearsal
	[[ $stderr == *'hint: mig-verify --store STORE --rehearse'* ]]
	cp plan first
	sql_planned '[{"id":"u:create_table","actions":["CREATE TABLE u (a)"],"undo":["DROP TABLE u"]}]'
	fails 5 mig-gate --env dev --apply --rehearsed rehearsed < plan
	sed '$d' rehearsed > torn
	fails 3 mig-gate --env dev --apply --allow-destructive --rehearsed torn < first
	sed 1d rehearsed > torn
	fails 4 mig-gate --env dev --apply --allow-destructive --rehearsed torn < first
	fails 3 mig-gate --env dev --apply --allow-destructive --rehearsed none < first
	mig-plan --rollback < first | mig-gate --env dev --apply --allow-destructive --rehearsed rehearsed > permits
}

# --- trouble

@test "a locked database is 3 with the holder's process, and waited for as long as is said" {
	database
	sql_planned "$(steps)" && permitted
	mkfifo hold
	sqlite3 app.db < hold > said &
	holder=$!
	exec 7> hold
	echo 'BEGIN IMMEDIATE; CREATE TABLE x (a); SELECT 1;' >&7
	for _ in $(seq 100); do [ -s said ] && break; sleep 0.05; done
	fails 3 mig-apply --store sqlite:app.db --lock-timeout 0 < permits
	faulted 3 locked
	[[ $stderr == *"process $holder of user $(id -u)"* ]]
	(sleep 0.5; echo 'ROLLBACK;' >&7) &
	exec 7>&-
	mig-apply --store sqlite:app.db --lock-timeout 10 < permits > outcomes
	wait
}

@test "SV-13 of two applies at once one does the plan, and the other finds it done" {
	database
	sql_planned "$(steps)" && permitted
	mig-apply --store sqlite:app.db < permits > one &
	mig-apply --store sqlite:app.db < permits > two
	wait $!
	[ "$(head -qn1 one two | jq -r '.steps[0].status' | sort | paste -sd ' ')" = 'applied skipped' ]
	[ "$(ask 'SELECT count(*) FROM mig_ledger')" = 1 ]
}

@test "a database that may not be written to is 3, and nothing is done" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	database
	sql_planned "$(steps)" && permitted
	mkdir mnt && cp app.db mnt/
	unshare -m sh -c 'mount --bind mnt mnt && mount -o remount,ro,bind mnt && exec mig-apply --store sqlite:mnt/app.db < permits' \
		> outcomes 2> errors || code=$?
	[ "$code" = 3 ]
	grep -q read errors
	cmp app.db mnt/app.db
}

@test "CH-41 a full disk is 3, and the database is as it was" {
	[ "$(id -u)" = 0 ] || skip 'needs root to mount'
	database 'CREATE TABLE keep (a); INSERT INTO keep VALUES (1)'
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)","WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 400) INSERT INTO t SELECT randomblob(4096) FROM n"]}]'
	permitted
	mkdir mnt
	before=$(ask .dump)
	unshare -m sh -c 'mount -t tmpfs -o size=256k none mnt && cp app.db mnt/ &&
		{ mig-apply --store sqlite:mnt/app.db < permits > outcomes; echo $? > code; sqlite3 mnt/app.db .dump > after; ls mnt > files; }'
	[ "$(cat code)" = 3 ]
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = store_full ]
	[ "$(grep -v -e mig_ -e system_ after)" = "$before" ]
	[ "$(cat files)" = app.db ]
}

# killed CHECK: use the file permits on copies of app.db, kill that before each of its writes, run it again, and CHECK.
killed() {
	local call total i
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	mkdir original && cp app.db* original/
	strace -f -o trace -e trace=write,pwrite64,fsync,fdatasync,ftruncate,unlink,mkdir,mkdirat \
		mig-apply --store sqlite:app.db < permits > /dev/null
	[ "$(grep -c -E '^[0-9]+ +(pwrite64|fdatasync)\(' trace)" -gt 8 ]
	for call in write pwrite64 ftruncate fdatasync fsync unlink mkdir mkdirat; do
		total=$(grep -c -E "^[0-9]+ +$call\\(" trace) || continue
		for ((i = 1; i <= total; i++)); do
			rm -rf app.db* && cp original/* .
			strace -f -o /dev/null -e "inject=$call:signal=KILL:when=$i" mig-apply --store sqlite:app.db \
				< permits > /dev/null 2>&1 || true
			applied || fail "after a kill before $call $i"
			[ "$(ask 'PRAGMA integrity_check')" = ok ]
			"$1" || fail "killed before $call $i"
		done
	done
}

made() {
	[ "$(ask "SELECT (SELECT count(*) FROM mig_ledger), (SELECT count(*) FROM system_migration_history), (SELECT a FROM keep),
		(SELECT count(*) FROM sqlite_master WHERE name = 'users')")" = '1|1|1|1' ]
}

@test "SG-30 CH-13 killed before any write, the database is whole, and the rerun completes" {
	database 'CREATE TABLE keep (a); INSERT INTO keep VALUES (1)'
	sql_planned "$(steps)" && permitted
	killed made
}

@test "SG-30 the same with changes in a log" {
	database 'PRAGMA journal_mode=wal; CREATE TABLE keep (a); INSERT INTO keep VALUES (1)' > /dev/null
	sql_planned "$(steps)" && permitted
	killed made
}

kept() {
	[ "$(ask 'SELECT count(*) FROM mig_ledger')" = 1 ] &&
		[ "$(ls app.db.mig/backups)" = "$(ask "SELECT json_extract(entry, '$.backups[0].file') FROM mig_ledger")" ] &&
		[ "$(sha256sum < app.db.mig/backups/* | cut -c1-64)" = "$(ask "SELECT json_extract(entry, '$.backups[0].hash') FROM mig_ledger")" ]
}

@test "SG-30 EK-49 killed around a backup, the rows are in the table or in the file, never in neither" {
	dropped
	killed kept
	rolled_back
	[ "$(ask "SELECT id, typeof(b), quote(b) FROM t")" = "$rows" ]
}

@test "after a kill a reader says what is to be done, and --recover does it" {
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	database 'CREATE TABLE keep (a)'
	sql_planned "$(steps)" && permitted
	# the last sync but two is that of the file: only the journal knows then what was there
	cp app.db original.db
	strace -f -o trace -e trace=fdatasync mig-apply --store sqlite:app.db < permits > /dev/null
	cp original.db app.db
	strace -f -o /dev/null -e "inject=fdatasync:signal=KILL:when=$(($(grep -c fdatasync trace) - 2))" mig-apply --store sqlite:app.db \
		< permits > /dev/null 2>&1 || true
	assert_exists app.db-journal
	before=$(sha256sum app.db app.db-journal)
	fails 3 mig-extract --store sqlite:app.db --schema
	faulted 3 unfinished
	[[ $stderr == *'hint: mig recover --store STORE --apply puts it back'* ]]
	[ "$before" = "$(sha256sum app.db app.db-journal)" ]
	mig recover --store sqlite:app.db --apply > /dev/null
	[ "$(mig-extract --store sqlite:app.db --schema | jq -c '[.live.tables[]?.name] | select(length > 0)')" = '["keep"]' ]
}

@test "an interrupt between two statements undoes the plan" {
	database
	sql_planned '[{"id":"t:create_table","actions":["CREATE TABLE t (a)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 200000000) INSERT INTO t SELECT max(i) FROM n"]}]'
	permitted
	mig-apply --store sqlite:app.db < permits > outcomes 2> errors &
	sleep 0.5
	kill -TERM $!
	code=0
	wait $! || code=$?
	[ "$code" = 1 ]
	[ "$(head -1 outcomes | jq -r '.findings[0].rule_id')" = interrupted ]
	[ -z "$(dump)" ]
}

@test "a stream of hops is rehearsed as a whole: all forward, all back in reverse" {
	database 'CREATE TABLE keep (a); INSERT INTO keep VALUES (1)'
	mkdir -p set/1.0.0..1.1.0 set/1.1.0..1.2.0
	echo '{"id":"app","mode":"sql","dialect":"sqlite"}' > set/set.json
	echo '{"from":"1.0.0","to":"1.1.0","type":"schema","description":"a"}' > set/1.0.0..1.1.0/hop.json
	echo '{"from":"1.1.0","to":"1.2.0","type":"schema","description":"b"}' > set/1.1.0..1.2.0/hop.json
	echo 'CREATE TABLE t (a);' > set/1.0.0..1.1.0/up.sql
	echo 'DROP TABLE t;' > set/1.0.0..1.1.0/down.sql
	echo 'ALTER TABLE t ADD COLUMN b;' > set/1.1.0..1.2.0/up.sql
	echo 'ALTER TABLE t DROP COLUMN b;' > set/1.1.0..1.2.0/down.sql
	mig-extract --store sqlite:app.db --schema | mig-plan --set set --env dev --migration app --target-version 1.2.0 > plan
	mig-verify --store sqlite:app.db --rehearse < plan > verdicts
	[ "$(jq -c 'select(.kind == "verdict") | [.ok, .findings[0].rule_id]' verdicts | paste -sd ' ')" = \
		'[true,"rehearsed"] [true,"rehearsed"]' ]
	echo 'ALTER TABLE t ADD COLUMN c;' > set/1.1.0..1.2.0/down.sql
	mig-extract --store sqlite:app.db --schema | mig-plan --set set --env dev --migration app --target-version 1.2.0 > plan
	mig-verify --store sqlite:app.db --rehearse < plan > verdicts
	echo 'DROP TABLE no;' > set/1.1.0..1.2.0/down.sql
	mig-extract --store sqlite:app.db --schema | mig-plan --set set --env dev --migration app --target-version 1.2.0 > plan
	fails 4 mig-verify --store sqlite:app.db --rehearse < plan
	faulted 4 rehearsal
	[ "$(jq -c 'select(.kind == "verdict") | .ok' <<< "$output" | paste -sd ' ')" = 'false false' ]
	rm set/1.1.0..1.2.0/down.sql
	mig-extract --store sqlite:app.db --schema | mig-plan --set set --env dev --migration app --target-version 1.2.0 > plan
	mig-verify --store sqlite:app.db --rehearse < plan > verdicts
	[ "$(head -1 verdicts | jq -r '.findings[0].rule_id')" = rehearsed_forward ]
	fails 4 mig-verify --store sqlite:app.db --rehearse --strict < plan
	[ "$(dump | wc -l)" = 2 ]
}

@test "two runs at once: the second waits, and then has nothing left to do" {
	database
	recorded=$(printf '{"id":"t%d:create_table","actions":["CREATE TABLE t%d (a)"]},' 1 1)
	sql_planned "[${recorded%,},{\"id\":\"t2:create_table\",\"actions\":[\"CREATE TABLE t2 (a)\",
		\"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300000) INSERT INTO t2 SELECT i FROM n\"]}]"
	permitted
	mig-apply --store sqlite:app.db < permits > one &
	mig-apply --store sqlite:app.db < permits > two
	wait $!
	[ "$(cat one two | jq -r 'select(.kind == "outcome") | .steps[].status' | sort | uniq -c | xargs)" = '3 applied 3 skipped' ]
	[ "$(ask 'SELECT count(*) FROM t2')" = 300000 ]
}
