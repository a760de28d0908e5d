#!/usr/bin/env bats
# Rows of tables, of SQLite and of PostgreSQL, as documents.

# shellcheck disable=SC2016,SC2094 # SQL's and jq's own $; a file is read and compared, never written, within one pipe
load helper
load postgres

setup_file() {
	server_begin
}

teardown_file() {
	server_end
}

# lite [OPTION..] SQL: run it in app.db.
lite() {
	sqlite3 "${@:1:$#-1}" app.db "${@: -1}"
}

# rows [FLAG..]: the rows of app.db.
rows() {
	mig-extract --store sqlite:app.db "$@"
}

# pg [FLAG..]: those of the test's database.
pg() {
	mig-extract --store "$DB" "$@"
}

# asked QUERY: the file query.
asked() {
	printf '%s\n' "$1" > query
}

# refs [FILE]: the references of documents and rejects.
refs() {
	jq -r 'select(.ref).ref' "${1:--}"
}

# body REF < STREAM: the document's body, as it is spelled.
body() {
	grep -F "\"ref\":\"$1\"," | sed -E 's/^\{"body":(.*),"entity":"(\\.|[^"\\])*","hash":"[0-9a-f]{64}","kind":"document".*/\1/'
}

# whole FILE: a stream whose hashes hold, in byte order, each reference once.
whole() {
	mig-hash --check < "$1" > /dev/null
	[ "$(tail -n 1 "$1" | jq -r .kind)" = end ]
	refs "$1" > order
	LC_ALL=C sort -uc order
	[ "$(wc -l < order)" = "$(tail -n 1 "$1" | jq .records)" ]
	[ "$(jq -j 'select(.ref) | .ref + "\u0000" + .hash + "\n"' "$1" | sha256sum | cut -d ' ' -f 1)" = \
		"$(tail -n 1 "$1" | jq -r .digest)" ]
}

# tails COMMAND..: behind each reference of what it gives, --after gives just what follows.
tails() {
	local ref
	"$@" > all
	whole all
	refs all > refs
	[ -s refs ]
	while IFS= read -r ref; do
		"$@" --after "$ref" > behind
		[ "$(head -n 1 behind | jq -r .after)" = "$ref" ]
		diff <(REF=$ref awk 'f; $0 == ENVIRON["REF"] { f = 1 }' refs) <(refs behind) || fail "behind $ref"
	done < refs
}

# records_set: the set blog, which takes rows of t as they are.
records_set() {
	mkdir -p blog/1.0.0..2.0.0
	echo '{"id":"blog","mode":"records","version":{"default":"1.0.0"},"targets":{"t":{}}}' > blog/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["x"]}' > blog/1.0.0..2.0.0/hop.json
	echo . > blog/1.0.0..2.0.0/up.jq
}

# no_rows: after fails, nothing came out that could be taken for a dataset.
no_rows() {
	[ "$(jq -r .kind <<< "$output")" = fault ] || fail "more than a fault: $output"
}

release() {
	command -v strace > /dev/null || skip 'no strace'
	! grep -q __asan_init "$MIG_X/mig-extract" || skip 'a build with sanitizers'
}

# ---- which rows ----

@test "EK-07 all rows of all tables come in byte order of their references, in a stream that holds" {
	lite "CREATE TABLE a (id INTEGER PRIMARY KEY, t); CREATE TABLE \"a-b\" (id TEXT PRIMARY KEY); CREATE TABLE c (n TEXT, k INT PRIMARY KEY);
		INSERT INTO a VALUES (1, 2), (10, NULL), (9, 'x'); INSERT INTO \"a-b\" VALUES ('z'), ('é'), ('Z'); INSERT INTO c VALUES ('n', 7)"
	rows > all
	whole all
	[ "$(refs all | xargs)" = 'a-b/Z a-b/z a-b/é a/1 a/10 a/9 c/7' ]
	[ "$(jq -c 'select(.kind == "document") | [.entity, .version, .raw == .hash]' all | sort -u | xargs)" = \
		'[a,0.0.0,true] [a-b,0.0.0,true] [c,0.0.0,true]' ]
	[ "$(body c/7 < all)" = '{"k":7,"n":"n"}' ]
}

@test "EK-10 the snapshot says of which store and whose the rows are, and holds no time, path or address" {
	lite 'CREATE TABLE t (id INTEGER PRIMARY KEY)'
	rows | head -n 1 > shot
	[ "$(jq -c 'del(.sum)' shot)" = '{"app":null,"descriptor":null,"env":null,"kind":"snapshot","query_hash":null,"source":"sqlite","tenant":null}' ]
	rows --tenant acme --env prod --entity t --after t/5 > shot
	[ "$(head -n 1 shot | jq -c 'del(.sum, .query_hash)')" = \
		'{"after":"t/5","app":null,"descriptor":null,"env":"prod","kind":"snapshot","source":"sqlite","tenant":"acme"}' ]
	[ "$(head -n 1 shot | jq -r .query_hash)" = "$(printf '{"t":{}}' | sha256sum | cut -d ' ' -f 1)" ]
	# the query's own spelling does not matter
	printf ' {"t" :\n {} }' > query
	cmp shot <(rows --tenant acme --env prod --query query --after t/5)
	mig-hash --check < shot > /dev/null
}

@test "EK-11 the same rows in another order, or read again, are the same bytes" {
	lite "CREATE TABLE t (id TEXT PRIMARY KEY, n); CREATE TABLE i (id INTEGER PRIMARY KEY, n);
		WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 500)
		INSERT INTO t SELECT 'k' || x, x FROM c; INSERT INTO i SELECT n - 100, n FROM t"
	rows > one
	whole one
	rows | cmp - one
	lite "CREATE TABLE t2 AS SELECT * FROM t ORDER BY n * 7919 % 503; DELETE FROM t; DELETE FROM i; INSERT INTO t SELECT * FROM t2;
		INSERT INTO i SELECT n - 100, n FROM t2; DROP TABLE t2; CREATE INDEX x ON i (n DESC); ANALYZE; VACUUM"
	LC_ALL=de_DE.UTF-8 TZ=Asia/Tokyo rows | cmp - one
}

@test "EK-01 where gives one tenant's rows, and nothing of another" {
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, org TEXT, s TEXT); CREATE INDEX o ON t (org);
		WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300)
		INSERT INTO t SELECT x, CASE x % 3 WHEN 0 THEN 'acme' ELSE 'canary' END, x FROM c; ANALYZE"
	asked '{"t": {"where": "org = '"'acme'"' -- and no other"}}'
	rows --query query > all
	whole all
	[ "$(wc -l < all)" = 102 ]
	run ! grep -q canary all
	asked '{"t": {"where": "org = '"'acme'"' OR id < 0", "columns": ["s"]}}'
	[ "$(rows --query query --after t/297 | grep -c '"kind":"document"')" = "$(refs all | awk '$0 > "t/297"' | wc -l)" ]
}

@test "a table of ours is none of the rows, and one that starts with auth_ only if it is asked for" {
	lite "CREATE TABLE mig_x (id INTEGER PRIMARY KEY); CREATE TABLE system_x (id INTEGER PRIMARY KEY); CREATE TABLE auth_x (id INTEGER PRIMARY KEY);
		CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO auth_x VALUES (1); INSERT INTO mig_x VALUES (1); INSERT INTO t VALUES (3)"
	[ "$(rows | refs | xargs)" = t/3 ]
	[ "$(rows --entity auth_x | refs)" = auth_x/1 ]
	local name
	for name in mig_x system_x sqlite_sequence T nope; do
		fails 3 rows --entity "$name"
		no_rows
		[[ $stderr == *"$name: no such table"* ]]
	done
	asked '{"t": {}, "nope": {}}'
	fails 3 rows --query query
	no_rows
}

@test "a table with no key or one of several columns, and a view, are 4 with their names, until a query says the key" {
	lite "CREATE TABLE n (id, v); CREATE TABLE c (a INT, b INT, PRIMARY KEY (a, b)); CREATE TABLE ok (id INTEGER PRIMARY KEY);
		CREATE VIEW v AS SELECT id AS k, v FROM n; INSERT INTO n VALUES ('x', 1), (7, 2); INSERT INTO c VALUES (1, 2), (3, 4)"
	fails 4 rows
	no_rows
	[[ $stderr == *'c: its primary key is of several columns'* && $stderr == *'n: it has no primary key'* && $stderr == *hint:* ]]
	[[ $stderr != *'v:'* ]]
	fails 4 rows --entity v
	[[ $stderr == *'v: a view has no primary key'* ]]
	asked '{"n": {"key": "id"}, "c": {"key": "b"}, "v": {"key": "k"}, "s": {"sql": "SELECT a || '"'-'"' || b AS id, a FROM c", "key": "id"}}'
	rows --query query > all
	whole all
	[ "$(refs all | xargs)" = 'c/2 c/4 n/7 n/x s/1-2 s/3-4 v/7 v/x' ]
	[ "$(body s/1-2 < all)" = '{"a":1,"id":"1-2"}' ]
	[ "$(rows --query query --entity v | refs | xargs)" = 'v/7 v/x' ]
}

@test "EK-11 two rows with one id are 4" {
	lite "CREATE TABLE n (id, v); INSERT INTO n VALUES ('x', 1), ('x', 2)"
	asked '{"n": {"key": "id"}}'
	fails 4 rows --query query
	[[ $stderr == *'n/x: two rows have this id'* && $output != *'"kind":"end"'* ]]
	# as in a table whose integer and text have one spelling
	lite "DELETE FROM n; INSERT INTO n VALUES ('5', 1), (5, 2)"
	fails 4 rows --query query
}

@test "columns are those that the query names, and the key" {
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, b, a, c); INSERT INTO t VALUES (1, 'b', 'a', 'c')"
	asked '{"t": {"columns": ["b", "a", "b"]}}'
	[ "$(rows --query query | body t/1)" = '{"a":"a","b":"b","id":1}' ]
	asked '{"t": {"columns": ["c"], "key": "a"}}'
	[ "$(rows --query query | body t/a)" = '{"a":"a","c":"c"}' ]
}

@test "what is wrong with a query is 4, with its place in the file" {
	lite 'CREATE TABLE t (id INTEGER PRIMARY KEY, a)'
	local place
	while IFS='|' read -r place q; do
		asked "$q"
		fails 4 rows --query query
		no_rows
		[[ $stderr == *"query: $place: "* ]] || fail "$q: $stderr"
	done <<- 'EOF'
		/t|{"t": {"colums": ["a"]}}
		/t/columns|{"t": {"columns": "a"}}
		/t/columns|{"t": {"columns": []}}
		/t/columns/1|{"t": {"columns": ["a", "b"]}}
		/t/columns/0|{"t": {"columns": [1]}}
		/t/columns/0|{"t": {"columns": ["a\" FROM t --"]}}
		/t/columns/0|{"t": {"columns": ["A"]}}
		/t/key|{"t": {"key": "b"}}
		/t/key|{"t": {"key": 1}}
		/t/key|{"t": {"key": ""}}
		/t/where|{"t": {"where": "b = 1"}}
		/t/where|{"t": {"where": "a = "}}
		/t/where|{"t": {"where": "a = 1; DELETE FROM t"}}
		/t/where|{"t": {"where": "a\u0000"}}
		/t/sql|{"t": {"sql": "SELECT 1 AS id"}}
		/t/sql|{"t": {"sql": "SELECT 1 AS id", "where": "1", "key": "id"}}
		/t/sql|{"t": {"sql": "DELETE FROM t RETURNING id", "key": "id"}}
		/t/sql|{"t": {"sql": "SELECT 1 AS id;", "key": "id"}}
		/t/sql|{"t": {"sql": "PRAGMA user_version=5", "key": "id"}}
		/t/key|{"t": {"sql": "SELECT 1 AS id", "key": "Id"}}
		/a~1b~0c|{"a/b~c": {"x": 1}}
	EOF
	asked '{"t": []}'
	fails 4 rows --query query
	asked '{"t": {}, "t": {}}'
	fails 4 rows --query query
	fails 3 rows --query nowhere
	asked '{"t": {}}'
	fails 4 rows --query query --entity u
	[ "$(lite 'PRAGMA user_version')" = 0 ]
}

@test "EK-02 options that do not go with the rows of a database are usage errors" {
	lite 'CREATE TABLE t (id INTEGER PRIMARY KEY)'
	local flags
	for flags in '--env nowhere' '--tenant=' '--entity=' '--after=' '--token-file x' '--api https://a.example/' '--page 5' '--retries 1' \
		'--timeout 5' '--ca x' '--project p' '--create' '--last' '--migration m' '--since 2025' '--entity t --schema' '--query q --ledger' \
		'--after t/1 --applied'; do
		# shellcheck disable=SC2086 # several words
		fails 2 rows $flags
		stdout_empty
	done
	mkdir site
	fails 2 mig-extract --store fs:site --set "$SETS/manifest" --entity t
	stdout_empty
}

@test "a set of records takes its own entity, or all; one of documents is 2" {
	lite 'CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE posts (id INTEGER PRIMARY KEY); INSERT INTO people VALUES (1); INSERT INTO posts VALUES (2)'
	mkdir -p blog
	echo '{"id":"blog","mode":"records","targets":{"users":{}}}' > blog/set.json
	[ "$(rows --set blog | refs | xargs)" = 'people/1 posts/2' ]
	echo '{"id":"blog","mode":"records","entity":"people","targets":{"users":{}}}' > blog/set.json
	[ "$(rows --set blog | refs | xargs)" = people/1 ]
	[ "$(rows --set blog --entity posts | refs | xargs)" = posts/2 ]
	rows --set blog | cmp - <(rows --entity people)
	fails 2 rows --set "$SETS/manifest"
	no_rows
	fails 3 rows --set nowhere
	echo '{"id":"blog","mode":"records","entity":"gone","targets":{"users":{}}}' > blog/set.json
	fails 3 rows --set blog
}

@test "rows of a table go through transform, plan and gate" {
	lite "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER); INSERT INTO people VALUES (1, 'Ada', NULL), (2, 'Bob', 1)"
	mkdir -p blog/1.0.0..2.0.0
	echo '{"id":"blog","mode":"records","version":{"default":"1.0.0"},"targets":{"users":{"links":{"boss":"users"},"optional":["boss"]}}}' > blog/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["x"]}' > blog/1.0.0..2.0.0/hop.json
	echo '{entity: "users", id, data: {name: .data.name}, links: {boss: .data.boss}}' > blog/1.0.0..2.0.0/up.jq
	rows --set blog | mig-transform --set blog --target-version 2.0.0 |
		mig-plan --env dev --migration blog --target-version 2.0.0 > plans
	mig-gate --env dev --apply < plans > permits
	[ "$(jq -c 'select(.kind == "permit").plan.header.snapshot | [.records, .changes]' permits)" = '[2,2]' ]
	jq -c 'select(.kind == "plan") | [.steps[].actions[] | select(.op == "put") | [.entity, .id, .links.boss.ids]]' plans |
		diff - <(echo '[["users","1",null],["users","2",["1"]]]')
}

@test "rows that came as files are known by the path below their entity, extension included" {
	mkdir -p files/notes blog/1.0.0..2.0.0
	echo '{"id":"blog","mode":"records","entity":"notes","match":["notes/*.json"],"version":{"pointer":"/v","default":"1.0.0"},"targets":{"users":{}}}' > blog/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["x"]}' > blog/1.0.0..2.0.0/hop.json
	echo '{entity: "users", id: (.id | rtrimstr(".json")), data: {was: .id, entity}}' > blog/1.0.0..2.0.0/up.jq
	echo '{"n": 1}' > files/notes/7.json
	mig-extract --store fs:files --set blog | mig-transform --set blog --target-version 2.0.0 > changes
	[ "$(jq -c 'select(.kind == "change") | [.ref, .data, .from.ref]' changes)" = \
		'["users/7",{"entity":"notes","was":"7.json"},"notes/7.json"]' ]
	mig-plan --env dev --migration blog --target-version 2.0.0 < changes | mig-gate --env dev --apply > permits
}

# ---- values and names ----

@test "values of SQLite are JSON by how they are stored, and by BOOLEAN and JSON where a column says so" {
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, yes BOOLEAN, no bool, j JSON, r REAL, x, b BLOB, s TEXT, g AS (id + 1));
		INSERT INTO t VALUES (1, 1, 0, ' {\"b\": [1.50, 9223372036854775807], \"a\": \"\\u0041\"}', 0.1, 9223372036854775807, x'00ff', 'tab	quote\" é');
		INSERT INTO t VALUES (2, 2, 'yes', 5, 2.0, 1e300, x'', '1'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
		INSERT INTO t VALUES (4, -1, 1.5, x'31', 9e999, -9e999, 'text', CAST(x'ff41' AS TEXT));
		INSERT INTO t VALUES (5, 0, 0, '\"s\"', -0.0, -9223372036854775808, 3, 'a' || char(0) || 'b')"
	rows > all
	whole all
	while read -r ref want; do
		[ "$(body "$ref" < all)" = "$want" ] || fail "$ref: $(body "$ref" < all)"
	done <<- 'EOF'
		t/1 {"b":{"hex":"00ff"},"g":2,"id":1,"j":{"a":"A","b":[1.5,9223372036854775807]},"no":false,"r":0.1,"s":"tab\tquote\" é","x":9223372036854775807,"yes":true}
		t/2 {"b":{"hex":""},"g":3,"id":2,"j":5,"no":"yes","r":2,"s":"1","x":1e+300,"yes":2}
		t/3 {"b":null,"g":4,"id":3,"j":null,"no":null,"r":null,"s":null,"x":null,"yes":null}
		t/4 {"b":"text","g":5,"id":4,"j":{"hex":"31"},"no":1.5,"r":"Infinity","s":{"text":"ff41"},"x":"-Infinity","yes":-1}
		t/5 {"b":3,"g":6,"id":5,"j":"s","no":false,"r":0,"s":"a\u0000b","x":-9223372036854775808,"yes":false}
	EOF
}

@test "EK-34 a row that cannot be a document is a reject with its reason, and has its place in the count" {
	lite "CREATE TABLE t (id PRIMARY KEY, j JSON); INSERT INTO t VALUES (NULL, 1), ('', 2), (1.5, 3), (x'61', 4), (CAST(x'ff' AS TEXT), 5);
		INSERT INTO t VALUES ('ok', '[]'), ('bad', '{\"a\":'), ('twice', '{\"a\":1,\"a\":2}'), ('big', '\"' || printf('%.2000c', 'x') || '\"')"
	MIG_MAX_RECORD=4096 rows > all
	whole all
	jq -r 'select(.kind == "reject") | [.ref, .code, .reason, .entity, .tool] | join(" ")' all | sed -E 's/[0-9a-f]{64}/HASH/' | sort > got
	diff got - <<- 'EOF'
		t/%FF no_id the key is a text that is no UTF-8 t mig-extract
		t/HASH no_id the key is empty t mig-extract
		t/HASH no_id the key is neither an integer nor a text t mig-extract
		t/HASH no_id the key is neither an integer nor a text t mig-extract
		t/HASH no_id the key is null t mig-extract
		t/bad bad_value column j: not JSON: line 1, column 6: the text ends where a value is expected t mig-extract
		t/big too_large larger than a quarter of MIG_MAX_RECORD t mig-extract
		t/twice bad_value column j: not JSON: line 1, column 8: duplicate member "a" t mig-extract
	EOF
	[ "$(jq -r 'select(.kind == "document").ref' all)" = t/ok ]
	# and stops at the plan, unless rejects are allowed
	records_set
	mig-transform --set blog --target-version 2.0.0 < all > changes
	fails 4 mig-plan --env dev --migration blog --target-version 2.0.0 < changes
	mig-plan --env dev --migration blog --target-version 2.0.0 --max-rejects 8 < changes > plans
	[ "$(head -n 9 plans | tail -n 1 | jq -c .header.snapshot.rejects)" = 8 ]
}

@test "names of tables and columns may hold anything that SQL lets them" {
	lite 'CREATE TABLE "we""ird/t%é;--" ("select" INTEGER PRIMARY KEY, "a""b" INT, "😀" INT, "￿" INT, "" INT, "$1" INT); INSERT INTO "we""ird/t%é;--" VALUES (1, 2, 3, 4, 5, 6)'
	rows > all
	whole all
	[ "$(jq -c 'select(.ref) | [.entity, .ref]' all)" = '["we\"ird/t%é;--","we\"ird%2Ft%25é;--/1"]' ]
	# members in the order of UTF-16
	[ "$(body 'we\"ird%2Ft%25é;--/1' < all)" = '{"":5,"$1":6,"a\"b":2,"select":1,"😀":3,"￿":4}' ]
	rows --entity 'we"ird/t%é;--' | grep '"ref"' | cmp - <(grep '"ref"' all)
	jq -nc '{"we\"ird/t%é;--": {columns: ["", "a\"b"], where: "\"a\"\"b\" = 2"}}' > query
	[ "$(rows --query query | body 'we\"ird%2Ft%25é;--/1')" = '{"":5,"a\"b":2,"select":1}' ]
}

@test "ids may hold anything, and references can be told apart, in byte order" {
	lite "CREATE TABLE t (id TEXT PRIMARY KEY);
		INSERT INTO t VALUES ('a'), ('a b'), ('a' || char(1)), ('a' || char(31)), ('a' || char(127)), ('a%'), ('a%01'), ('a/b'), ('a' || char(10) || 'b'), ('a!'),
			('A'), ('é'), ('e' || char(769)), ('a'''), ('😀'), ('￿'), ('-1'), ('1'), ('10'), ('9'), ('..'), ('../x'), ('a' || char(0))"
	tails rows
	[ "$(wc -l < refs)" = 23 ]
	grep -qx 't/a%01' refs && grep -qx 't/a%2501' refs && grep -qx 't/a%7F' refs && grep -qx 't/a%0Ab' refs
}

@test "integer keys come in the order of their texts, all 64 bits of them" {
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, n);
		WITH RECURSIVE c(x) AS (SELECT -1200 UNION ALL SELECT x + 1 FROM c WHERE x < 1200) INSERT INTO t SELECT x, 0 FROM c;
		INSERT INTO t VALUES (9223372036854775807, 0), (-9223372036854775808, 0), (9223372036854775806, 0), (1000000000000000000, 0), (999999999999999999, 0),
			(-1000000000000000000, 0), (-999999999999999999, 0), (-9223372036854775807, 0)"
	rows > all
	whole all
	lite "SELECT 't/' || id FROM t" | LC_ALL=C sort | diff - <(refs all)
	lite 'DELETE FROM t WHERE id BETWEEN 12 AND 1190 OR id BETWEEN -1190 AND -12'
	tails rows
	# a reference that is no row's, or of no integer
	local after
	for after in t/ t/- t/0 t/00 t/11a t/5.5 s t u t0; do
		rows --after "$after" > behind
		diff <(LC_ALL=C awk -v after="$after" '$0 > after' refs) <(refs behind) || fail "behind $after"
	done
}

@test "a declared INTEGER that is no rowid is sorted as well" {
	lite "CREATE TABLE d (id INTEGER PRIMARY KEY DESC); CREATE TABLE i (id INT PRIMARY KEY); CREATE TABLE w (id INTEGER PRIMARY KEY) WITHOUT ROWID;
		INSERT INTO d VALUES (NULL), (2), (10), ('x'); INSERT INTO i VALUES (2), (10), ('x'); INSERT INTO w VALUES (2), (10), (1)"
	tails rows
	[ "$(grep -v 'd/.*[0-9a-f]\{64\}' refs | xargs)" = 'd/10 d/2 d/x i/10 i/2 i/x w/1 w/10 w/2' ]
	[ "$(wc -l < refs)" = 10 ]
}

# ---- resuming, failing, and the picture ----

@test "--after begins behind a reference in every kind of table" {
	lite "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE \"a b\" (id TEXT PRIMARY KEY); CREATE TABLE \"a/b\" (id PRIMARY KEY, s);
		INSERT INTO a VALUES (1), (2), (10), (-3); INSERT INTO \"a b\" VALUES ('x'), ('x y'), (''''), ('it''s'); INSERT INTO \"a/b\" VALUES (NULL, 1), (2.5, 2), (7, 3), ('7x', 4), ('', 5)"
	tails rows
	asked '{"q": {"sql": "SELECT id FROM a UNION ALL SELECT id FROM \"a b\"", "key": "id"}, "a/b": {"where": "s <> 3 OR s IS NULL"}}'
	tails rows --query query
	# bytes of UTF-16 compare in another order
	rm app.db
	lite "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id TEXT PRIMARY KEY); INSERT INTO t VALUES ('Ā'), ('z'), ('aĀ'), ('a😀'), ('a￿'), ('b')"
	tails rows
}

@test "--after reads nothing of what is ahead, be it broken" {
	database
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (1, 1), (10, -9223372036854775808), (2, 5), (30, 6)"
	asked '{"t": {"where": "abs(n) > 0"}}'
	fails 1 rows --query query
	[ "$(rows --query query --after t/10 | refs | xargs)" = 't/2 t/30' ]
	sql 'CREATE TABLE t (id uuid PRIMARY KEY, n int)' \
		"INSERT INTO t SELECT ('0000000' || x || '-0000-0000-0000-00000000000a')::uuid, x - 3 FROM generate_series(1, 9) x"
	asked '{"t": {"where": "10 / n > 0"}}'
	fails 4 pg --query query
	[ "$(pg --query query --after t/00000008-0000-0000-0000-00000000000a | refs)" = t/00000009-0000-0000-0000-00000000000a ]
	# in upper case it is ahead of all of them, and compares as a text
	[ "$(pg --after t/00000008-0000-0000-0000-00000000000A | refs | wc -l)" = 2 ]
}

@test "EK-09 an error in the midst of the rows leaves a fault and no end, and the pipeline ends with its code" {
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, n); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000)
		INSERT INTO t SELECT x, x FROM c; UPDATE t SET n = -9223372036854775808 WHERE id = 4000"
	asked '{"t": {"where": "abs(n) > 0"}}'
	fails 1 rows --query query
	[[ $stderr == *'integer overflow'* ]]
	[ "$(tail -n 1 <<< "$output" | jq -r '[.kind, .exit] | join(" ")')" = 'fault 1' ]
	[[ $output != *'"kind":"end"'* ]]
	records_set
	run -1 bash -c 'mig-extract --store sqlite:app.db --query query | mig-transform --set blog --target-version 2.0.0 |
		mig-plan --env dev --migration blog --target-version 2.0.0'
}

@test "a database that lacks, is none, or is locked is 3, and nothing comes out" {
	fails 3 rows
	[ "$(jq -r .code <<< "$output")" = store_missing ]
	assert_not_exists app.db
	echo 'not a database, but more than a header of one would be long' > app.db
	for _ in {1..20}; do cat app.db; done > larger && mv larger app.db
	fails 3 rows
	[ "$(jq -r .code <<< "$output")" = not_a_database ]
	fails 2 mig-extract --store 'sqlite://ada:sesame@host/x'
	[[ $stderr$output != *sesame* ]]
}

@test "the picture is one: rows that are deleted meanwhile are still there" {
	lite "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, s); CREATE TABLE u (id INTEGER PRIMARY KEY);
		WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000) INSERT INTO t SELECT x, printf('%.200c', 'x') FROM c;
		INSERT INTO u SELECT id FROM t" > /dev/null
	# somebody has it open, so that there is a log
	mkfifo hold
	sqlite3 app.db < hold > said &
	exec 7> hold
	echo 'SELECT count(*) FROM t; UPDATE t SET s = s WHERE id = 1; SELECT 1;' >&7
	for _ in $(seq 100); do [ "$(wc -l < said)" = 2 ] && break; sleep 0.05; done
	rows | { IFS= read -r first; echo "$first"; lite 'DELETE FROM t; DELETE FROM u'; cat; } > all
	exec 7>&-
	wait
	whole all
	[ "$(tail -n 1 all | jq .records)" = 40000 ]
	[ "$(lite 'SELECT count(*) FROM t')" = 0 ]
}

@test "a file that is written while it is read without its log is 3: no end" {
	lite "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, s);
		WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000) INSERT INTO t SELECT x, printf('%.200c', 'x') FROM c" > /dev/null
	assert_not_exists app.db-wal
	rows 2> err | { IFS= read -r first; echo "$first"; lite "INSERT INTO t VALUES (-1, 'new')"; cat; } > rest
	[ "$(tail -n 1 rest | jq -r '[.kind, .code, .exit] | join(" ")')" = 'fault locked 3' ]
	run ! grep -q '"kind":"end"' rest
}

@test "who reads rows writes nothing, and can open no file for writing" {
	lite "CREATE TABLE t (id TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b')"
	cp -p app.db before
	rows > all
	cmp app.db before
	[ "$(stat -c %y app.db)" = "$(stat -c %y before)" ]
	[ "$(ls)" = "$(printf 'all\napp.db\nbefore')" ]
	release
	strace -f -o trace -e trace=openat,landlock_restrict_self "$(command -v mig-extract)" --store sqlite:app.db > all
	grep -q 'landlock_restrict_self.* = 0' trace || skip 'no Landlock here'
	sed '1,/landlock_restrict_self.* = 0/d' trace | grep 'O_WRONLY\|O_RDWR\|O_CREAT' > late || true
	[ ! -s late ] || fail "$(cat late)"
}

@test "many rows take no more memory than few" {
	release
	[ -x /usr/bin/time ] || skip 'no time(1)'
	lite "CREATE TABLE i (id INTEGER PRIMARY KEY, s); CREATE TABLE t (id TEXT PRIMARY KEY, s);
		WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 150000) INSERT INTO i SELECT x, printf('%.200c', 'x') FROM c;
		INSERT INTO t SELECT hex(randomblob(16)), s FROM i"
	/usr/bin/time -f %M -o integers mig-extract --store sqlite:app.db --entity i > rows.i
	/usr/bin/time -f %M -o texts mig-extract --store sqlite:app.db --entity t > rows.t
	whole rows.i
	whole rows.t
	# the rows are 40 MB each
	[ "$(cat integers)" -lt 20000 ] || fail "$(cat integers)"
	[ "$(cat texts)" -lt 40000 ] || fail "$(cat texts)"
}

# ---- PostgreSQL ----

@test "values of PostgreSQL are JSON by their types" {
	database
	sql "CREATE TYPE mood AS ENUM ('ok', 'so so'); CREATE DOMAIN price AS numeric CHECK (VALUE > 0)" \
		"CREATE TABLE t (id bigint PRIMARY KEY, b bool, i smallint, n numeric, m numeric(10,2), f real, g float8, j json, jb jsonb, ts timestamp,
			tz timestamptz, d date, t time, u uuid, e mood, y bytea, v varchar, p price, iv interval)" \
		"INSERT INTO t VALUES (1, true, -5, 1.50, 3.00, 0.1, 1e300, '{\"b\": 1, \"a\": 2.0}', '[9223372036854775807]', '2025-01-01 10:00:00.5',
			'2025-01-01 10:00:00.25+02', '2025-01-01', '10:00', '6BA7B811-9dad-11d1-80b4-00c04fd430c8', 'so so', '\\x00ff', 'é\"', 12345678901234567890.5, '1 day 2 hours')" \
		"INSERT INTO t (id, b, n, g, ts, tz, d) VALUES (2, false, 'NaN', 'NaN', 'infinity', '-infinity', '0044-03-15 BC'),
			(3, NULL, 0.0000001, '-Infinity', '0044-03-15 00:00:00 BC', '12025-01-01 00:00:00+00', NULL), (4, NULL, 100000000000000000000, -0.0, NULL, NULL, NULL),
			(5, NULL, -0.1000000000000000055511151231257827, 1e21, NULL, NULL, NULL), (6, NULL, 9223372036854775807, NULL, NULL, NULL, NULL), (7, NULL, 1e400, NULL, NULL, NULL, NULL)"
	pg > all
	whole all
	[ "$(head -n 1 all | jq -r .source)" = postgresql ]
	[ "$(body t/1 < all)" = '{"b":true,"d":"2025-01-01","e":"so so","f":0.1,"g":1e+300,"i":-5,"id":1,"iv":"1 day 02:00:00","j":{"a":2,"b":1},"jb":[9223372036854775807],"m":3,"n":1.5,"p":"12345678901234567890.5","t":"10:00:00","ts":"2025-01-01T10:00:00.5","tz":"2025-01-01T08:00:00.25Z","u":"6ba7b811-9dad-11d1-80b4-00c04fd430c8","v":"é\"","y":{"hex":"00ff"}}' ]
	[ "$(body t/2 < all | jq -c '[.b, .n, .g, .ts, .tz, .d]')" = '[false,"NaN","NaN","infinity","-infinity","0044-03-15 BC"]' ]
	[ "$(body t/3 < all | jq -c '[.g, .ts, .tz]')" = '["-Infinity","0044-03-15 00:00:00 BC","12025-01-01 00:00:00+00"]' ]
	body t/3 < all | grep -q '"n":1e-7,'
	body t/4 < all | grep -q '"g":0,.*"n":100000000000000000000,'
	body t/5 < all | grep -q '"g":1e+21,.*"n":"-0.1000000000000000055511151231257827",'
	body t/6 < all | grep -q '"n":9223372036854775807,'
	[ "$(body t/7 < all | jq -r '.n | length')" = 401 ]
}

@test "arrays of PostgreSQL are arrays of JSON" {
	database
	sql "CREATE DOMAIN price AS numeric; CREATE TYPE mood AS ENUM ('ok', 'bad')" \
		"CREATE TABLE t (id int PRIMARY KEY, i int[], s text[], z timestamptz[], y bytea[], b bool[], j jsonb[], p price[], m mood[], x box[], v int2vector)" \
		"INSERT INTO t VALUES (1, '{1,NULL,-3}', ARRAY['a\"b', 'c,d', NULL, 'NULL', '', '\\', '{}'], ARRAY['2025-01-01 10:00:00+02'::timestamptz],
			ARRAY['\\x00ff'::bytea, ''], '{t,f,NULL}', ARRAY['{\"b\": 1, \"a\": 2}'::jsonb, 'null'], '{1.50,0.12345678901234567891}', '{ok,bad}', '{(1,1),(0,0)}', '1 2'),
			(2, '{{1,2},{3,4}}', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, '[2:3]={7,8}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
	pg > all
	whole all
	[ "$(body t/1 < all)" = '{"b":[true,false,null],"i":[1,null,-3],"id":1,"j":[{"a":2,"b":1},null],"m":["ok","bad"],"p":[1.5,"0.12345678901234567891"],"s":["a\"b","c,d",null,"NULL","","\\","{}"],"v":"1 2","x":["(1,1),(0,0)"],"y":[{"hex":"00ff"},{"hex":""}],"z":["2025-01-01T08:00:00Z"]}' ]
	[ "$(body t/2 < all | jq -c '[.i, .s, .z]')" = '[[[1,2],[3,4]],[],null]' ]
	[ "$(body t/3 < all | jq -c .i)" = '[7,8]' ]
}

@test "EK-11 the same rows in SQLite and in PostgreSQL, in any order, are the same documents" {
	database
	lite "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, r REAL); CREATE TABLE s (id TEXT PRIMARY KEY);
		WITH RECURSIVE c(x) AS (SELECT -700 UNION ALL SELECT x + 1 FROM c WHERE x < 700) INSERT INTO t SELECT x, 'n' || x, x / 3.0 FROM c; INSERT INTO s SELECT 'k' || id FROM t"
	rows | grep '"ref"' > one
	sql 'CREATE TABLE t (id int PRIMARY KEY, name text, r float8); CREATE TABLE s (id varchar PRIMARY KEY)'
	sql "INSERT INTO t SELECT x, 'n' || x, x / 3.0::float8 FROM generate_series(-700, 700) x ORDER BY x * 7919 % 1409; INSERT INTO s SELECT 'k' || id FROM t"
	pg > all
	whole all
	grep '"ref"' all | diff - one
}

@test "keys of PostgreSQL are integers, texts, enums or UUIDs, and --after begins behind each" {
	database
	sql "CREATE TYPE mood AS ENUM ('ok', 'a/b', '%'); CREATE TABLE i (id int PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY); CREATE TABLE u (id uuid PRIMARY KEY)" \
		"CREATE TABLE e (id mood PRIMARY KEY); CREATE TABLE t (id text PRIMARY KEY); CREATE TABLE c (id char(4) PRIMARY KEY)" \
		"INSERT INTO i SELECT generate_series(-12, 12); INSERT INTO b VALUES (9223372036854775807), (-9223372036854775808), (0), (7)" \
		"INSERT INTO u SELECT md5(x::text)::uuid FROM generate_series(1, 9) x; INSERT INTO e VALUES ('ok'), ('a/b'), ('%')" \
		"INSERT INTO t VALUES ('b'), ('a b'), (E'a\\x01'), (E'a\\x7f'), ('é'), ('a%'), ('a/b'), ('a'), (''), ('A'), (E'it''s'), ('\\'), (E'a\\nb'); INSERT INTO c VALUES ('a'), ('b c')"
	tails pg
	[ "$(wc -l < refs)" = 56 ]
	grep -qx 't/a%01' refs
	sql 'CREATE TABLE y (id bytea PRIMARY KEY); CREATE TABLE f (id float8 PRIMARY KEY)'
	fails 4 pg
	no_rows
	[[ $stderr == *'f: its primary key holds neither integers nor texts'* && $stderr == *'y: its primary key'* ]]
	asked '{"y": {"key": "id"}}'
	fails 4 pg --query query
	[[ $stderr == *'query: /y/key: '* ]]
}

@test "a query of PostgreSQL reads views, SELECTs and columns that may be null, and tells where it is wrong" {
	database
	sql 'CREATE TABLE n (id int, v text); CREATE VIEW v AS SELECT id AS k, v FROM n' "INSERT INTO n VALUES (1, 'a'), (NULL, 'b'), (3, 'c')" \
		'CREATE TABLE c (a int, b int, PRIMARY KEY (a, b))' 'CREATE MATERIALIZED VIEW m AS SELECT 5 AS x'
	fails 4 pg
	[[ $stderr == *'c: its primary key is of several columns'* && $stderr == *'n: it has no primary key'* ]]
	asked '{"n": {"key": "id", "where": "v <> '"'a'"' -- more"}, "v": {"key": "k"}, "m": {"key": "x"}, "s": {"sql": "SELECT count(*) AS n, 1 AS id FROM n", "key": "id"}}'
	pg --query query > all
	whole all
	[ "$(refs all | sed -E 's/[0-9a-f]{64}/HASH/' | LC_ALL=C sort | xargs)" = 'm/5 n/3 n/HASH s/1 v/1 v/3 v/HASH' ]
	tails pg --query query
	local place
	while IFS='|' read -r place q; do
		asked "$q"
		fails 4 pg --query query
		no_rows
		[[ $stderr == *"query: $place: "* ]] || fail "$q: $stderr"
	done <<- 'EOF'
		/n/key|{"n": {"key": "x"}}
		/n/columns/0|{"n": {"key": "id", "columns": ["ID"]}}
		/n/where|{"n": {"key": "id", "where": "nope = 1"}}
		/n/where|{"n": {"key": "id", "where": "true; DROP TABLE n"}}
		/n/sql|{"n": {"key": "id", "sql": "DELETE FROM n RETURNING id"}}
		/n/sql|{"n": {"key": "id", "sql": "SELECT 1 AS id; DROP TABLE n"}}
		/n/sql|{"n": {"key": "id", "sql": "SELECT 1 AS id) x; DROP TABLE n; SELECT * FROM (SELECT 1"}}
		/n/key|{"n": {"key": "id", "sql": "SELECT 1 AS other"}}
		/n|{"n": {"key": "id", "sql": "SELECT 1 AS id, 2 AS id"}}
	EOF
	asked '{"n": {"key": "id", "sql": "SELECT id, setval('"'q'"', 5) FROM n"}}'
	sql 'CREATE SEQUENCE q'
	fails 3 pg --query query
	[ "$(sql 'SELECT last_value FROM q')" = 1 ]
	fails 3 pg --entity nope
	[ "$(jq -r .code <<< "$output")" = missing_table ]
}

@test "schemas of ours are none of the rows, and those of others neither" {
	database
	sql 'CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.x (id int PRIMARY KEY); CREATE SCHEMA mig' \
		'CREATE TABLE mig.mig_ledger (seq int PRIMARY KEY); CREATE TABLE system_x (id int PRIMARY KEY); CREATE TABLE auth_x (id int PRIMARY KEY)' \
		'INSERT INTO t VALUES (1); INSERT INTO other.x VALUES (2); INSERT INTO mig.mig_ledger VALUES (3); INSERT INTO system_x VALUES (4); INSERT INTO auth_x VALUES (5)'
	[ "$(pg | refs)" = t/1 ]
	[ "$(pg --entity auth_x | refs)" = auth_x/5 ]
	local name
	for name in system_x mig_ledger x pg_class; do
		fails 3 pg --entity "$name"
	done
}

@test "a row of a partition or of a table that inherits comes once" {
	database
	sql 'CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)' \
		'CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (5), (15)' \
		'CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE heir (more int, PRIMARY KEY (id)) INHERITS (base); INSERT INTO base VALUES (1); INSERT INTO heir VALUES (2, 3)'
	pg > all
	whole all
	[ "$(refs all | xargs)" = 'base/1 heir/2 p/15 p/5' ]
	[ "$(pg --entity p1 | refs)" = p1/5 ]
}

@test "rows that row-level security would hide are not left out in silence: 3" {
	database
	sql 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY' \
		'CREATE POLICY p ON t USING (id = 1); CREATE ROLE low LOGIN; GRANT SELECT ON t TO low'
	fails 3 mig-extract --store "$(store_of low)"
	[ "$(jq -r 'select(.kind == "fault").code' <<< "$output")" = not_permitted ]
	[[ $output != *'"kind":"end"'* ]]
	sql 'DROP OWNED BY low; DROP ROLE low'
}

@test "rows are fetched batch by batch, long ones too, and of one instant" {
	database
	sql 'CREATE TABLE t (id int PRIMARY KEY, s text); CREATE TABLE u (id uuid PRIMARY KEY)' \
		"INSERT INTO t SELECT x, repeat('x', CASE WHEN x % 1000 = 0 THEN 300000 ELSE 200 END) FROM generate_series(1, 6000) x" \
		'INSERT INTO u SELECT md5(x::text)::uuid FROM generate_series(1, 3000) x'
	pg | { IFS= read -r first; echo "$first"; sql 'DELETE FROM t; DELETE FROM u'; cat; } > all
	whole all
	[ "$(tail -n 1 all | jq .records)" = 9000 ]
	[ "$(pg | tail -n 1 | jq .records)" = 0 ]
}

@test "EK-09 an error in the midst of PostgreSQL's rows, or a lost connection, leaves a fault and no end" {
	database
	sql "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT x, x - 4000 FROM generate_series(1, 5000) x"
	asked '{"t": {"where": "10 / n < 11"}}'
	fails 4 pg --query query
	[[ $stderr == *'division by zero'* && $output != *'"kind":"end"'* ]]
	[ "$(tail -n 1 <<< "$output" | jq -r .kind)" = fault ]
	sql "UPDATE t SET n = 1; ALTER TABLE t ADD s text; UPDATE t SET s = repeat('x', 500)"
	pg 2> err | { IFS= read -r first; echo "$first"; sql_in postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$DATABASE'" > ended; cat; } > rest
	[ "$(tail -n 1 rest | jq -r '[.kind, .exit, .code] | join(" ")')" = 'fault 3 connection_lost' ]
	run ! grep -q '"kind":"end"' rest
}

@test "no secret of a PostgreSQL URI is in records, messages or audit" {
	database
	sql 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'
	MIG_RUN_ID=r MIG_AUDIT=file:$PWD/audit mig-extract --store "$(store_of shy sesame)" > all 2> err
	fails 3 mig-extract --store "$(store_of shy wrong-canary)"
	run ! grep -r 'sesame\|canary' all err audit
	[[ $output$stderr != *canary* ]]
}
