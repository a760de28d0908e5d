#!/usr/bin/env bats
# mig-import: folders of other tools' migrations become sets of mode sql.

load helper
load sql

# hops SET: its hops and the files they have.
hops() {
	(cd "$1" && for hop in *..*; do echo "$hop" "$(cd "$hop" && echo *)"; done)
}

flyway() {
	mkdir -p flyway
	echo 'CREATE TABLE users (id INTEGER PRIMARY KEY);' > flyway/V1__create_users.sql
	echo 'DROP TABLE users;' > flyway/U1__create_users.sql
	printf 'ALTER TABLE users ADD COLUMN name TEXT;\r\n' > flyway/V1_1__add-name.sql
	echo 'CREATE TABLE tags (id INTEGER PRIMARY KEY);' > flyway/V02.0__Tags.sql
	echo 'CREATE VIEW names AS SELECT name FROM users;' > flyway/R__names.sql
	echo 'VACUUM;' > flyway/V3__tidy.sql
	echo 'executeInTransaction=false' > flyway/V3__tidy.sql.conf
	echo '# notes' > flyway/README.md
}

golang() {
	mkdir -p golang
	for n in 1 2 3; do
		echo "CREATE TABLE t$n (id INTEGER PRIMARY KEY);" > "golang/00000${n}_t$n.up.sql"
		echo "DROP TABLE t$n;" > "golang/00000${n}_t$n.down.sql"
	done
}

dbmate() {
	mkdir -p dbmate
	cat > dbmate/20240101120000_create_users.sql <<- 'SQL'
		-- users; and more

		-- migrate:up
		CREATE TABLE users (id INTEGER PRIMARY KEY);
		-- migrate:down
		DROP TABLE users;
	SQL
	cat > dbmate/20240202130000_tidy.sql <<- 'SQL'
		-- migrate:up transaction:false
		VACUUM;

		-- migrate:down
	SQL
}

goose() {
	mkdir -p goose
	cat > goose/00001_users.sql <<- 'SQL'
		-- +goose Up
		CREATE TABLE users (id INTEGER PRIMARY KEY);
		-- +goose StatementBegin
		CREATE TRIGGER no_users BEFORE INSERT ON users BEGIN
		  SELECT RAISE(ABORT, 'none; at all');
		END
		-- +goose StatementEnd
		CREATE TABLE tags (id INTEGER PRIMARY KEY);

		-- +goose Down
		DROP TABLE tags;
		DROP TABLE users;
	SQL
	printf -- '-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;\n' > goose/00002_tidy.sql
}

@test "a folder of flyway's becomes a set whose versions are its own" {
	flyway
	run -0 --separate-stderr mig-import --from flyway --to app --dialect sqlite flyway
	diff -u - <(echo "$output") <<- 'END'
		0.0.0..1.0.0 V1__create_users.sql
		1.0.0..1.1.0 V1_1__add-name.sql
		1.1.0..2.0.0 V02.0__Tags.sql
		2.0.0..3.0.0 V3__tidy.sql
		3.0.0..3.0.1 R__names.sql
	END
	[[ $stderr == *'R__names.sql: warning: becomes 3.0.1, which is applied once'* ]]
	[ "$(hops app)" = '0.0.0..1.0.0 down.sql hop.json up.sql
1.0.0..1.1.0 hop.json up.sql
1.1.0..2.0.0 hop.json up.sql
2.0.0..3.0.0 hop.json up.sql
3.0.0..3.0.1 hop.json up.sql' ]
	cmp flyway/V1__create_users.sql app/0.0.0..1.0.0/up.sql
	cmp flyway/V1_1__add-name.sql app/1.0.0..1.1.0/up.sql
	[ "$(head -n 1 app/2.0.0..3.0.0/up.sql)" = '-- mig:transaction=none' ]
	[ "$(jq -r .description app/1.0.0..1.1.0/hop.json)" = 'add name' ]
	[ "$(jq -c . app/set.json)" = '{"id":"app","mode":"sql","dialect":"sqlite"}' ]
	database
	migrate 3.0.1 --allow-destructive > outcomes
	[ "$(versions)" = '1.0.0 1.1.0 2.0.0 3.0.0 3.0.1' ]
	[ "$(ask 'SELECT count(*) FROM names')" = 0 ]
}

@test "a folder of golang-migrate's is applied, forth and back" {
	golang
	mig-import --from golang-migrate --to app golang > said
	[ "$(tail -n 1 said)" = '2.0.0..3.0.0 000003_t3.up.sql' ]
	database
	migrate 3.0.0 > outcomes
	[ "$(versions)" = '1.0.0 2.0.0 3.0.0' ]
	undo_hops 1.0.0 --allow-destructive > outcomes
	[ "$(versions)" = 1.0.0 ]
	[ "$(ask "SELECT group_concat(name) FROM sqlite_master WHERE name GLOB 't[0-9]'")" = t1 ]
}

@test "a folder of dbmate's is parted into its ways, and may ask for no transaction" {
	dbmate
	mig-import --from dbmate --to app --dialect sqlite dbmate > said
	[ "$(cat said)" = '0.0.0..20240101120000.0.0 20240101120000_create_users.sql
20240101120000.0.0..20240202130000.0.0 20240202130000_tidy.sql' ]
	[ "$(cat app/0.0.0..20240101120000.0.0/up.sql)" = 'CREATE TABLE users (id INTEGER PRIMARY KEY);' ]
	[ "$(cat app/0.0.0..20240101120000.0.0/down.sql)" = 'DROP TABLE users;' ]
	[ "$(cat app/2*/up.sql)" = '-- mig:transaction=none
VACUUM;' ]
	database
	migrate 20240202130000.0.0 > outcomes
	[ "$(versions)" = '20240101120000.0.0 20240202130000.0.0' ]
}

@test "a folder of goose's is parted into its ways, and a block gets its semicolon" {
	goose
	mig-import --from goose --to app --dialect sqlite goose > said
	[ "$(hops app)" = '0.0.0..1.0.0 down.sql hop.json up.sql
1.0.0..2.0.0 hop.json up.sql' ]
	run ! grep -r goose app/*/*.sql
	database
	migrate 2.0.0 --allow-destructive > outcomes
	[ "$(versions)" = '1.0.0 2.0.0' ]
	[ "$(ask "SELECT name FROM sqlite_master WHERE tbl_name IN ('users', 'tags') ORDER BY name" | tr '\n' ' ')" = 'no_users tags users ' ]
}

@test "the same folder gives the same set to the byte, and a second import has nothing to write" {
	for tool in flyway golang dbmate goose; do
		$tool
		from=$tool
		[ "$tool" != golang ] || from=golang-migrate
		mig-import --from "$from" --to one --id app "$tool" > first
		(umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo mig-import --from "$from" --to "$PWD/two" --id app "$tool/") > second
		diff -r one two
		before=$(tree_hash one)
		mig-import --from "$from" --to one/ --id app "$tool" > again
		cmp first second && cmp first again
		[ "$before" = "$(tree_hash one)" ]
		rm -r one two
	done
}

@test "nothing is overwritten: what differs is named, and the folder stays as it is" {
	golang
	mig-import --from golang-migrate --to app golang > said
	echo '-- more' >> app/1.0.0..2.0.0/up.sql
	before=$(tree_hash app)
	fails 4 mig-import --from golang-migrate --to app golang
	[[ $stderr == *'nothing is overwritten, and 1.0.0..2.0.0/up.sql in it'* ]]
	[ "$before" = "$(tree_hash app)" ]
	echo text > file
	fails 4 mig-import --from golang-migrate --to file golang
	[ "$(cat file)" = text ]
	mkdir empty
	mig-import --from golang-migrate --to empty golang > said
	[ -f empty/set.json ]
	ln -s nowhere link
	fails 4 mig-import --from golang-migrate --to link golang
	[ ! -e nowhere ]
	[ -z "$(find . -name '.*mig-import*')" ]
}

@test "duplicates, names that say nothing and ways down alone are named with their files, and nothing is written" {
	golang
	echo > golang/1_again.up.sql
	echo > golang/notes.up.sql
	echo > golang/000004_t.sql
	echo > golang/000009_alone.down.sql
	fails 4 mig-import --from golang-migrate --to app golang
	[[ $stderr == *'golang/1_again.up.sql: the version of 000001_t1.up.sql, too'* ]]
	[[ $stderr == *'golang/notes.up.sql: no version number in its name'* ]]
	[[ $stderr == *'golang/000004_t.sql: neither .up.sql nor .down.sql'* ]]
	[[ $stderr == *'000009_alone.down.sql: a way down, but no way up'* ]]
	[ ! -e app ]
}

@test "a gap in counted numbers is named, one between times is none" {
	golang && dbmate
	rm golang/000002*
	run -0 --separate-stderr mig-import --from golang-migrate --to app golang
	[[ $stderr == *'000003_t3.up.sql: warning: the one before it is 1: 2 is not there'* ]]
	run -0 --separate-stderr mig-import --from dbmate --to other dbmate
	[ -z "$stderr" ]
}

@test "each name that a tool would not know, or that has no place in semantic versions, is refused" {
	while IFS='|' read -r tool file message; do
		rm -rf from && mkdir from && : > "from/$file"
		fails 4 mig-import --from "$tool" --to app from
		[[ $stderr == *"from/$file: $message"* ]] || fail "$file: $stderr"
	done <<- 'END'
		flyway|V1_title.sql|not V1__title.sql
		flyway|v1__title.sql|not V1__title.sql
		flyway|B1__base.sql|not V1__title.sql
		flyway|V1.2.3.4__title.sql|more than three numbers
		flyway|V1a__title.sql|its version is more than numbers
		flyway|V__title.sql|no version number
		flyway|V0__title.sql|version 0 is where a set begins
		flyway|R1__title.sql|a repeatable migration has no version
		flyway|V1234567890123456789__t.sql|a number of more than 18 digits
		golang-migrate|1title.up.sql|no underscore
		golang-migrate|1_a.sql|neither .up.sql
		dbmate|users.sql|no version number
		goose|00001_users.go|a program, not SQL
	END
	[ ! -e app ]
}

@test "scripts that their tool would not run either are refused with the line" {
	while IFS='|' read -r tool message text; do
		rm -rf from && mkdir from
		# shellcheck disable=SC2059 # it has the line ends
		printf -- "$text" > from/1_x.sql
		fails 4 mig-import --from "$tool" --to app from
		[[ $stderr == *"from/1_x.sql:$message"* ]] || fail "$text: $stderr"
	done <<- 'END'
		dbmate|1: no way up|-- nothing
		dbmate|1: something before|CREATE TABLE t (a);\n-- migrate:up\n
		dbmate|2: a second way up|-- migrate:up\n-- migrate:up\n
		dbmate|1: a second way down, or one before|-- migrate:down\n-- migrate:up\n
		dbmate|1: an option|-- migrate:up transaction:maybe\n
		goose|1: no way up|-- nothing\n
		goose|2: a directive|-- +goose Up\n-- +goose ENVSUB ON\n
		goose|2: NO TRANSACTION stands|-- +goose Up\n-- +goose NO TRANSACTION\n
		goose|3: a StatementBegin|-- +goose Up\n-- +goose StatementBegin\nx\n
	END
	mkdir flyway && echo "SELECT '\${name}';" > flyway/V1__x.sql
	fails 4 mig-import --from flyway --to app flyway
	[[ $stderr == *'V1__x.sql: a placeholder'* ]]
	echo "SELECT 'open;" > flyway/V1__x.sql
	fails 4 mig-import --from flyway --to app --dialect sqlite flyway
	[[ $stderr == *'V1__x.sql:1: a string that begins here does not end'* ]]
	printf 'SELECT \xff;' > flyway/V1__x.sql
	fails 4 mig-import --from flyway --to app flyway
	[ ! -e app ]
}

@test "a folder that is not there is 3, an empty one 4, and a tool that is not known usage" {
	fails 3 mig-import --from dbmate --to app nowhere
	mkdir empty
	fails 4 mig-import --from dbmate --to app empty
	fails 3 mig-import --from dbmate --to no/such/app empty
	fails 2 mig-import --from liquibase --to app empty
	fails 2 mig-import --from dbmate --to / empty
	fails 2 mig-import --from dbmate empty
}

@test "an existing database goes on with the imported set after a baseline" {
	golang
	mig-import --from golang-migrate --to app golang > said
	database 'CREATE TABLE t1 (id INTEGER PRIMARY KEY); CREATE TABLE t2 (id INTEGER PRIMARY KEY); CREATE TABLE schema_migrations (version);'
	plan_hops 2.0.0 --baseline | mig-gate --env dev --apply | mig-apply --store sqlite:app.db > outcomes
	migrate 3.0.0 > outcomes
	[ "$(versions)" = '1.0.0 2.0.0 3.0.0' ]
}
