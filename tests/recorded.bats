#!/usr/bin/env bats
# What a database remembers of its schema: checksum, history, log; on SQLite, from a declared schema to the rows.

load helper
load sqlite

# tables TABLE..: app.json of these tables; t NAME FIELD..: one table, f ID NAME TYPE [MEMBERS]: one field.
tables() {
	printf '{"name":"app","tables":[%s]}\n' "$(IFS=,; echo "$*")" > app.json
}
t() {
	local id=$1 name=$2
	shift 2
	printf '{"id":%d,"name":"%s","fields":[%s]}' "$id" "$name" "$(IFS=,; echo "$*")"
}
f() {
	printf '{"id":%d,"name":"%s","type":"%s"%s}' "$1" "$2" "$3" "${4:+,$4}"
}

# migrate: the whole way from app.json to app.db.
migrate() {
	mig-extract --store sqlite:app.db --schema --create |
		mig-plan --schema app.json --env dev --migration app --target-version 1.0.0 > plan || return
	mig-gate --env dev --apply < plan > permits || return
	mig-apply --store sqlite:app.db --create < permits > outcomes
}

columns() {
	ask "SELECT name FROM pragma_table_info('$1')" | paste -sd ' '
}

checksum() {
	ask 'SELECT checksum FROM system_schema_checksum'
}

@test "MIGRATION-CHECKSUM-001 MIGRATION-AUDIT-001 the first migration leaves a checksum and a row of history" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	[ "$(ask "SELECT id, length(checksum), checksum GLOB '[0-9a-f]*' FROM system_schema_checksum")" = 'singleton|64|1' ]
	[ "$(checksum)" = "$(python3 -c 'import hashlib, json; print(hashlib.sha256(json.dumps(json.load(open("app.json"))["tables"],
		sort_keys=True, indent=2).encode()).hexdigest())')" ]
	[ "$(ask 'SELECT version, checksum = (SELECT checksum FROM system_schema_checksum), applied_at, rolled_back_at IS NULL
		FROM system_migration_history')" = '1|1|1735689600000|1' ]
}

@test "MIGRATION-CHECKSUM-002 the same schema again is no plan, and no byte of the database changes" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	before=$(sha256sum app.db)
	migrate
	[ "$(jq -r .kind plan)" = end ]
	[ "$(jq -r .kind outcomes)" = end ]
	[ "$before" = "$(sha256sum app.db)" ]
}

@test "MIGRATION-CHECKSUM-003 MIGRATION-CHECKSUM-004 a field more, or a rule more, is another checksum" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	ask "INSERT INTO users (email, created_at, updated_at) VALUES ('a@b', 0, 0)"
	first=$(checksum)
	tables "$(t 1 users "$(f 1 email email)" "$(f 2 name single-line-text)")"
	migrate
	second=$(checksum)
	[ "$first" != "$second" ]
	[[ " $(columns users) " == *' name '* ]]
	tables "$(t 1 users "$(f 1 email email '"required":true')" "$(f 2 name single-line-text)")"
	migrate
	[ "$second" != "$(checksum)" ]
	[ "$(ask "SELECT \"notnull\" FROM pragma_table_info('users') WHERE name = 'email'")" = 1 ]
	[ "$(ask 'SELECT count(*) FROM users')" = 1 ]
}

@test "MIGRATION-ROLLBACK-001 a checksum that was overwritten stops the plan, and nothing is changed" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	ask "UPDATE system_schema_checksum SET checksum = 'abc123'"
	before=$(ask .dump)
	tables "$(t 1 users "$(f 1 email email)" "$(f 2 name single-line-text)")"
	fails 4 migrate
	[[ $stderr == *'checksum mismatch'* ]]
	[ "$(ask .dump)" = "$before" ]
	[ "$(columns users)" = 'id created_at updated_at deleted_at email' ]
}

@test "MIGRATION-ROLLBACK-002 MIGRATION-ROLLBACK-005 a type that nobody knows leaves parents, children and rows alone" {
	tables "$(t 1 categories "$(f 1 title single-line-text)")" \
		"$(t 2 products "$(f 1 sku single-line-text)" "$(f 2 category relationship '"relatedTable":"categories"')")"
	migrate
	ask "INSERT INTO categories (id, title, created_at, updated_at) VALUES (1, 'x', 0, 0);
		INSERT INTO products (sku, category, created_at, updated_at) VALUES ('s', 1, 0, 0)"
	before=$(ask .dump)
	tables "$(t 1 categories "$(f 1 title single-line-text)" "$(f 2 bad INVALID_TYPE)")" \
		"$(t 2 products "$(f 1 sku single-line-text)" "$(f 2 category relationship '"relatedTable":"categories"')")"
	fails 4 migrate
	[[ $stderr == *'Unknown field type: INVALID_TYPE'* ]]
	[ "$(ask .dump)" = "$before" ]
	[ "$(ask "SELECT count(*) FROM pragma_foreign_key_list('products')")" = 1 ]
}

@test "MIGRATION-ROLLBACK-003 MIGRATION-AUDIT-003 a renamed and retyped field goes back to its name with --to" {
	tables "$(t 1 users "$(f 2 username single-line-text)")"
	migrate
	ask "INSERT INTO users (username, created_at, updated_at) VALUES ('ada', 0, 0)"
	tables "$(t 1 users "$(f 2 email email)")"
	migrate
	[ "$(ask 'SELECT version, rolled_back_at IS NULL FROM system_migration_history' | paste -sd ' ')" = '1|1 2|1' ]
	[[ " $(columns users) " == *' email '* ]]
	mig-extract --store sqlite:app.db --applied --to 1 | mig-plan --rollback --reason 'not yet' > plan
	permitted --allow-destructive && applied
	[[ " $(columns users) " == *' username '* ]]
	[ "$(ask 'SELECT username FROM users')" = ada ]
	[ "$(ask 'SELECT version, rolled_back_at IS NULL FROM system_migration_history' | paste -sd ' ')" = '1|1 2|0' ]
	[ "$(ask 'SELECT from_version, to_version, reason FROM system_migration_log')" = '2|1|not yet' ]
	mig-verify --store sqlite:app.db --drift > /dev/null
	tables "$(t 1 users "$(f 2 username single-line-text)")"
	migrate
	[ "$(jq -r .kind plan)" = end ]
	tables "$(t 1 users "$(f 2 email email)")"
	migrate
	[ "$(ask 'SELECT max(version) FROM system_migration_history')" = 3 ]
}

@test "MIGRATION-ROLLBACK-007 a rollback takes the added column away, and keeps its values in a file" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	tables "$(t 1 users "$(f 1 email email)" "$(f 2 name single-line-text)")"
	migrate
	ask "INSERT INTO users (email, name, created_at, updated_at) VALUES ('a@b', 'ada', 0, 0)"
	fails 5 rolled_back
	rolled_back --allow-destructive
	[ "$(columns users)" = 'id created_at updated_at deleted_at email' ]
	[ "$(ask 'SELECT email FROM users')" = a@b ]
	[ "$(jq -r .name app.db.mig/backups/*)" = ada ]
	mig-verify --store sqlite:app.db --drift > /dev/null
}

@test "MIGRATION-AUDIT-002 the history keeps the schema as it was declared" {
	tables "$(t 1 products "$(f 1 sku single-line-text)" "$(f 2 name single-line-text)" "$(f 3 price decimal)")"
	migrate
	[ "$(ask 'SELECT schema FROM system_migration_history' | jq -c '[.tables[0].name, (.tables[0].fields | length)]')" = '["products",3]' ]
	diff <(ask 'SELECT schema FROM system_schema_checksum' | jq -S .tables) <(jq -S .tables app.json)
}

@test "MIGRATION-AUDIT-004 what the data does not allow is told in the log with its reason" {
	tables "$(t 1 products "$(f 1 name single-line-text)")"
	migrate
	ask "INSERT INTO products (name, created_at, updated_at) VALUES ('x', 0, 0), ('x', 0, 0)"
	tables "$(t 1 products "$(f 1 name single-line-text '"unique":true')")"
	fails 4 migrate
	[ "$(ask "SELECT operation, status, reason <> '' FROM system_migration_log")" = 'ROLLBACK|COMPLETED|1' ]
	[ "$(ask 'SELECT count(*) FROM system_migration_history')" = 1 ]
	[ "$(ask 'SELECT count(*) FROM products')" = 2 ]
}

@test "MIGRATION-CHECKSUM-REGRESSION MIGRATION-AUDIT-REGRESSION MIGRATION-ROLLBACK-REGRESSION three versions, back to the first, and on again" {
	tables "$(t 1 users "$(f 1 email email)")"
	migrate
	first=$(checksum)
	tables "$(t 1 users "$(f 1 email email)" "$(f 2 name single-line-text)")"
	migrate
	tables "$(t 1 users "$(f 1 email email '"unique":true')" "$(f 2 name single-line-text)")"
	migrate
	mig-extract --store sqlite:app.db --applied --to 1 | mig-plan --rollback --reason back > plan
	[ "$(jq -r 'select(.kind == "plan") | .kind' plan | wc -l)" = 2 ]
	permitted --allow-destructive && applied
	[ "$(checksum)" = "$first" ]
	[ "$(columns users)" = 'id created_at updated_at deleted_at email' ]
	mig-verify --store sqlite:app.db --drift > /dev/null
	mig-verify --store sqlite:app.db --ledger > /dev/null
	migrate
	[ "$(ask 'SELECT group_concat(version) FROM system_migration_history WHERE rolled_back_at IS NULL')" = '1,4' ]
}
