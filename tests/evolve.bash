# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154 # what is shared is used, given and set elsewhere
# evolve.bash -- the cases of schema evolution that hold on every kind of database; schema-sqlite.bats and
# schema-pg.bats run them.  Each one goes forward, looks at the data, goes back, and compares all.

email=$(field 1 email email)
name=$(field 2 name single-line-text)

add_required_with_default() {
	migrate "$(table 1 users "$email")"
	q "INSERT INTO users (email) VALUES ('a@b')"
	migrate "$(table 1 users "$email$(field 2 name single-line-text '"required":true,"default":""')")"
	is "SELECT email, name FROM users" 'a@b|'
	refuses "INSERT INTO users (email, name) VALUES ('c@d', NULL)"
	undo
}

add_optional() {
	migrate "$(table 1 products "$(field 1 title single-line-text)")"
	q "INSERT INTO products (title) VALUES ('A'), ('B')"
	migrate "$(table 1 products "$(field 1 title single-line-text)$(field 2 description long-text)")"
	is "SELECT count(*) FROM products WHERE description IS NULL" 2
	undo
}

add_select() {
	migrate "$(table 1 tasks "$(field 1 title single-line-text)")"
	q "INSERT INTO tasks (title) VALUES ('A')"
	migrate "$(table 1 tasks "$(field 1 title single-line-text)$(field 2 priority single-select '"options":["low","medium","high"]')")"
	accepts "INSERT INTO tasks (title, priority) VALUES ('B', 'high')"
	refuses "INSERT INTO tasks (title, priority) VALUES ('B', 'critical')"
	undo
}

add_decimal() {
	migrate "$(table 1 orders "$(field 1 number single-line-text)")"
	q "INSERT INTO orders (number) VALUES ('1'), ('2')"
	migrate "$(table 1 orders "$(field 1 number single-line-text)$(field 2 total decimal '"default":0')")"
	is "SELECT total FROM orders" $'0\n0'
	accepts "INSERT INTO orders (number, total) VALUES ('3', 9.5)"
	undo
}

add_deleted_at() {
	migrate "$(table 1 tasks "$(field 1 id integer '"required":true')$(field 2 title single-line-text)" '"primaryKey":{"type":"composite","fields":["id"]}')"
	q "INSERT INTO tasks (id, title) VALUES (1, 'A'), (2, 'B'), (3, 'C')"
	migrate "$(table 1 tasks "$(field 1 id integer '"required":true')$(field 2 title single-line-text)$(field 3 deleted_at deleted-at '"indexed":true')" '"primaryKey":{"type":"composite","fields":["id"]}')"
	is "SELECT count(*) FROM tasks WHERE deleted_at IS NULL" 3
	accepts "UPDATE tasks SET deleted_at = '2025-01-01 00:00:00' WHERE id = 1"
	live -e '.tables[0].indexes[] | select(.name == "idx_tasks_deleted_at")' > /dev/null
	undo
}

remove_field() {
	migrate "$(table 1 contacts "$email$(field 2 phone phone-number)$(field 3 note long-text)")"
	q "INSERT INTO contacts (email, phone, note) VALUES ('a@b', '123', 'x'), ('c@d', NULL, 'y')"
	fails_with 5 "$(table 1 contacts "$email$(field 3 note long-text)")"
	migrate "$(table 1 contacts "$email$(field 3 note long-text)" '"allowDestructive":true')"
	is "SELECT email, note FROM contacts ORDER BY id" $'a@b|x\nc@d|y'
	refuses "SELECT phone FROM contacts"
	undo
	is "SELECT phone FROM contacts WHERE email = 'a@b'" 123
}

remove_middle() {
	migrate "$(table 1 t "$(field 1 a integer)$(field 2 b integer)$(field 3 c integer)$(field 4 d integer)")"
	q "INSERT INTO t (a, b, c, d) VALUES (1, 2, 3, 4)"
	migrate "$(table 1 t "$(field 1 a integer)$(field 3 c integer)$(field 4 d integer)")"
	is "SELECT a, c, d FROM t" '1|3|4'
	live -c '.tables[0].columns | map(.name) | .[-3:]' | diff - <(echo '["a","c","d"]')
	undo
}

remove_indexed() {
	migrate "$(table 1 tasks "$(field 1 title single-line-text)$(field 2 status status '"options":["a","b"],"indexed":true')")"
	q "INSERT INTO tasks (title, status) VALUES ('A', 'a')"
	migrate "$(table 1 tasks "$(field 1 title single-line-text)")"
	[ -z "$(live -r '.tables[0].indexes[].name | select(. == "idx_tasks_status")')" ]
	undo
}

author() {
	table 1 users "$email"
	printf ,
	table 2 posts "$(field 1 title single-line-text)$1"
}

remove_foreign_key() {
	migrate "$(author "$(field 2 author relationship '"relatedTable":"users"')")"
	q "INSERT INTO users (email) VALUES ('a@b')"
	q "INSERT INTO posts (title, author) VALUES ('A', 1)"
	migrate "$(author "")"
	is "SELECT title FROM posts" A
	live -e '.tables[] | select(.name == "posts").foreign_keys == []' > /dev/null
	undo
}

rename_field() {
	migrate "$(table 1 users "$(field 1 email email '"unique":true')")"
	q "INSERT INTO users (email) VALUES ('a@b')"
	migrate "$(table 1 users "$(field 1 email_address email '"unique":true')")"
	is "SELECT email_address FROM users" 'a@b'
	refuses "INSERT INTO users (email_address) VALUES ('a@b')"
	! steps | grep -E 'drop_column|add_column'
	undo
}

rename_indexed() {
	migrate "$(table 1 products "$(field 1 sku single-line-text)" '"indexes":[{"name":"idx_products_sku","fields":["sku"]}]')"
	q "INSERT INTO products (sku) VALUES ('s')"
	migrate "$(table 1 products "$(field 1 product_code single-line-text)" '"indexes":[{"name":"idx_products_sku","fields":["product_code"]}]')"
	live -r '.tables[0].indexes[] | select(.name == "idx_products_sku").definition' | grep product_code
	undo
}

rename_foreign_key() {
	migrate "$(author "$(field 2 customer_id relationship '"relatedTable":"users"')")"
	q "INSERT INTO users (email) VALUES ('a@b')"
	q "INSERT INTO posts (title, customer_id) VALUES ('A', 1)"
	migrate "$(author "$(field 2 client_id relationship '"relatedTable":"users"')")"
	is "SELECT client_id FROM posts" 1
	refuses "INSERT INTO posts (title, client_id) VALUES ('B', 999)"
	live -e '.tables[] | select(.name == "posts").foreign_keys | length == 1' > /dev/null
	undo
}

rename_select() {
	migrate "$(table 1 tasks "$(field 1 status single-select '"options":["open","done"]')")"
	q "INSERT INTO tasks (status) VALUES ('open')"
	migrate "$(table 1 tasks "$(field 1 state single-select '"options":["open","done"]')")"
	accepts "INSERT INTO tasks (state) VALUES ('done')"
	refuses "INSERT INTO tasks (state) VALUES ('gone')"
	undo
}

rename_table() {
	migrate "$(table 1 users "$(field 1 email email '"unique":true')")"
	q "INSERT INTO users (email) VALUES ('a@b'), ('c@d')"
	migrate "$(table 1 customers "$(field 1 email email '"unique":true')")"
	is "SELECT count(*) FROM customers" 2
	refuses "INSERT INTO customers (email) VALUES ('a@b')"
	refuses "SELECT * FROM users"
	! steps | grep -E 'drop_table|create_table'
	undo
}

posts_and_comments() {
	table 1 "$1" "$(field 1 title single-line-text)"
	printf ,
	table 2 comments "$(field 1 body long-text)$(field 2 post_id relationship "\"relatedTable\":\"$1\"")"
}

rename_referenced_table() {
	migrate "$(posts_and_comments posts)"
	q "INSERT INTO posts (title) VALUES ('A')"
	q "INSERT INTO comments (body, post_id) VALUES ('B', 1)"
	migrate "$(posts_and_comments articles)"
	is "SELECT title, body FROM comments JOIN articles ON articles.id = post_id" 'A|B'
	refuses "INSERT INTO comments (body, post_id) VALUES ('C', 999)"
	undo
}

rename_constrained_table() {
	local fields
	fields="$(field 1 sku single-line-text '"unique":true')$(field 2 price decimal '"min":0')"
	migrate "$(table 1 products "$fields")"
	q "INSERT INTO products (sku, price) VALUES ('a', 1)"
	migrate "$(table 1 items "$fields")"
	refuses "INSERT INTO items (sku, price) VALUES ('a', 1)"
	refuses "INSERT INTO items (sku, price) VALUES ('b', -1)"
	undo
}

rename_onto_existing() {
	migrate "$(table 1 users "$email")"
	q "INSERT INTO users (email) VALUES ('a@b')"
	q "CREATE TABLE customers (x INTEGER)"
	fails_with 4 "$(table 1 customers "$email")"
	[[ $stderr == *customers* ]]
	is "SELECT email FROM users" 'a@b'
}

retype() { # FROM TO VALUE [MEMBERS]: one column, one value
	migrate "$(table 1 t "$(field 1 v "$1")$(field 2 x integer)")"
	q "INSERT INTO t (v) VALUES ('$3'), (NULL)"
	migrate "$(table 1 t "$(field 1 v "$2")$(field 2 x integer)")"
}

text_to_long_text() {
	retype single-line-text long-text hello
	accepts "INSERT INTO t (v) VALUES ('$(printf '%01000d' 0)')"
	undo
}

long_text_to_text() {
	retype long-text single-line-text "$(printf '%0100d' 7)"
	is "SELECT v FROM t WHERE v IS NOT NULL" "$(printf '%0100d' 7)"
	undo
}

integer_to_decimal() {
	retype integer decimal 100
	is "SELECT v FROM t WHERE v IS NOT NULL" 100
	accepts "INSERT INTO t (v) VALUES (199.99)"
	undo
}

text_to_integer() {
	retype long-text integer 1500
	is "SELECT v + 1 FROM t WHERE v IS NOT NULL" 1501
	undo
}

text_to_datetime() {
	migrate "$(table 1 t "$(field 1 v single-line-text)")"
	q "INSERT INTO t (v) VALUES ('2025-01-01T10:00:00Z'), ('2025-06-01T10:00:00Z')"
	migrate "$(table 1 t "$(field 1 v datetime)")"
	is "SELECT count(*) FROM t WHERE v > '2025-03-01T00:00:00Z'" 1
	undo
	rehearsed "$(table 1 t "$(field 1 v datetime)")"
}

text_to_integer_spelled() {
	migrate "$(table 1 t "$(field 1 v long-text)")"
	q "INSERT INTO t (v) VALUES ('007'), ('+8'), ('9'), (NULL)"
	rehearsed "$(table 1 t "$(field 1 v integer)")"
	migrate "$(table 1 t "$(field 1 v integer)")"
	is "SELECT v FROM t WHERE v IS NOT NULL ORDER BY id" $'7\n8\n9'
	safety_of t 'come back from a backup'
	undo
	migrate "$(table 1 t "$(field 1 v integer)")"
	q "UPDATE t SET v = 70 WHERE v = 7"
	back
	is "SELECT v FROM t WHERE v IS NOT NULL ORDER BY id" $'70\n+8\n9'
}

day_of_time() {
	migrate "$(table 1 t "$(field 1 v datetime)")"
	q "INSERT INTO t (v) VALUES ('2025-01-01 10:00:00'), ('2025-06-01 11:00:00'), (NULL)"
	fails_with 5 "$(table 1 t "$(field 1 v date)")"
	rehearsed "$(table 1 t "$(field 1 v date)")"
	migrate "$(table 1 t "$(field 1 v date)")"
	q "UPDATE t SET v = '2025-07-01' WHERE id = 2"
	back
	is "SELECT substr(CAST(v AS TEXT), 1, 19) FROM t WHERE id = 1" '2025-01-01 10:00:00'
	is "SELECT substr(CAST(v AS TEXT), 1, 10) FROM t WHERE id = 2" 2025-07-01
	safety_of t 'come back where nothing was written since'
}

text_to_integer_fails() {
	migrate "$(table 1 t "$(field 1 v long-text)")"
	q "INSERT INTO t (v) VALUES ('not-a-number'), ('12')"
	fails_with 4 "$(table 1 t "$(field 1 v integer)")"
	[[ $stderr == *'cannot be converted'*not-a-number* ]] || fail "$stderr"
}

priced() { table 1 products "$(field 1 price decimal "$1")"; }

range_added() {
	migrate "$(priced)"
	q "INSERT INTO products (price) VALUES (5)"
	migrate "$(priced '"min":0,"max":10000')"
	accepts "INSERT INTO products (price) VALUES (10000)"
	refuses "INSERT INTO products (price) VALUES (-10)"
	refuses "INSERT INTO products (price) VALUES (15000)"
	undo
}

range_widened() {
	migrate "$(priced '"min":0,"max":100')"
	migrate "$(priced '"min":0,"max":1000')"
	accepts "INSERT INTO products (price) VALUES (500), (1000)"
	refuses "INSERT INTO products (price) VALUES (1500)"
	[ "$(severity add_check)" = safe ]
	undo
}

range_broken() {
	migrate "$(priced)"
	q "INSERT INTO products (price) VALUES (-5), (5)"
	fails_with 4 "$(priced '"min":0')"
	[[ $stderr == *check_price_range*-5* ]] || fail "$stderr"
}

range_removed() {
	migrate "$(priced '"min":0,"max":100')"
	migrate "$(priced)"
	accepts "INSERT INTO products (price) VALUES (150), (-25)"
	undo
}

prioritised() { table 1 tasks "$(field 1 title single-line-text)$(field 2 priority single-line-text "$1")"; }

default_added() {
	migrate "$(prioritised)"
	q "INSERT INTO tasks (title) VALUES ('A')"
	migrate "$(prioritised '"default":"medium"')"
	q "INSERT INTO tasks (title) VALUES ('B')"
	is "SELECT title, priority FROM tasks ORDER BY title" $'A|\nB|medium'
	q "DELETE FROM tasks WHERE title = 'B'"
	undo
}

default_changed() {
	migrate "$(prioritised '"default":"draft"')"
	q "INSERT INTO tasks (title) VALUES ('A')"
	migrate "$(prioritised '"default":"pending"')"
	q "INSERT INTO tasks (title) VALUES ('B')"
	is "SELECT priority FROM tasks ORDER BY title" $'draft\npending'
	q "DELETE FROM tasks WHERE title = 'B'"
	undo
}

default_removed() {
	migrate "$(prioritised '"default":"draft"')"
	migrate "$(prioritised)"
	live -e '.tables[0].columns[] | select(.name == "priority").default == null' > /dev/null
	undo
}

optioned() { table 1 products "$(field 1 kind single-select "\"options\":[$1]")"; }

option_added() {
	migrate "$(optioned '"draft","active"')"
	q "INSERT INTO products (kind) VALUES ('draft')"
	migrate "$(optioned '"draft","active","archived"')"
	accepts "INSERT INTO products (kind) VALUES ('archived')"
	refuses "INSERT INTO products (kind) VALUES ('invalid')"
	[ "$(severity add_check)" = safe ]
	undo
}

option_removed() {
	migrate "$(optioned '"books","furniture"')"
	q "INSERT INTO products (kind) VALUES ('books')"
	fails_with 5 "$(optioned '"books"')"
	migrate "$(optioned '"books"')"
	refuses "INSERT INTO products (kind) VALUES ('furniture')"
	[ "$(severity drop_option)" = critical ]
	undo
}

option_in_use() {
	migrate "$(optioned '"low","medium"')"
	q "INSERT INTO products (kind) VALUES ('medium')"
	app "$(optioned '"low"')"
	state > before
	fails 4 through --allow-destructive
	[[ $stderr == *check_kind_enum*medium* ]] || fail "$stderr"
	state | diff before -
}

tagged() { table 1 notes "$(field 1 title single-line-text)$(field 2 tags multi-select "\"options\":[$1]")"; }

# tags A B: a list of them, as the dialect spells it
tags() {
	local IFS=,
	if [ "$DIALECT" = sqlite ]; then
		printf "'[\"%s\"]'" "${*//,/\",\"}"
	else
		printf "'{%s}'" "$*"
	fi
}

multi_select() {
	migrate "$(tagged '"work","personal"')"
	q "INSERT INTO notes (title, tags) VALUES ('A', $(tags work))"
	migrate "$(tagged '"work","personal","urgent","later"')"
	accepts "INSERT INTO notes (title, tags) VALUES ('B', $(tags urgent))"
	refuses "INSERT INTO notes (title, tags) VALUES ('B', $(tags Work))"
	undo
}

required() { table 1 tasks "$(field 1 title single-line-text)$(field 2 status single-line-text "$1")"; }

required_empty() {
	migrate "$(required)"
	migrate "$(required '"required":true')"
	refuses "INSERT INTO tasks (title) VALUES ('A')"
	undo
}

required_nulls() {
	migrate "$(required)"
	q "INSERT INTO tasks (title) VALUES ('A')"
	fails_with 4 "$(required '"required":true')"
	[[ $stderr == *'column status contains null values'* ]] || fail "$stderr"
}

required_backfill() {
	migrate "$(required)"
	q "INSERT INTO tasks (title, status) VALUES ('A', NULL), ('B', 'done')"
	rehearsed "$(required '"required":true,"default":"pending"')"
	migrate "$(required '"required":true,"default":"pending"')"
	is "SELECT status FROM tasks ORDER BY title" $'pending\ndone'
	refuses "INSERT INTO tasks (title, status) VALUES ('C', NULL)"
	safety_of tasks 'lack a value again where they still have it'
	undo
}

# safety_of TABLE WORDS: what the way back of its changes says of its values.
safety_of() {
	jq -r --arg t "$1" 'select(.kind == "plan").rollback[] | select(.step_id | startswith($t)).data_safety |
		select(.reversible).note' last | grep -F "$2"
}

back() { mig-plan --rollback < last | gated --allow-destructive "$@" | applied > outcome || fail "$(cut -c 1-500 outcome)"; }

required_written_since() {
	migrate "$(required)"
	q "INSERT INTO tasks (title, status) VALUES ('A', NULL), ('B', NULL), ('C', 'pending'), ('D', NULL)"
	migrate "$(required '"required":true,"default":"pending"')"
	q "UPDATE tasks SET status = 'done' WHERE title = 'B'"
	q "DELETE FROM tasks WHERE title = 'D'"
	q "INSERT INTO tasks (title) VALUES ('E')"
	back
	is "SELECT title, status FROM tasks ORDER BY title" $'A|\nB|done\nC|pending\nE|pending'
}

# No row lacks a value: there is nothing to keep, and no folder to keep it in.
required_without_state() {
	local store=(--store "$STORE")
	migrate "$(required)"
	q "INSERT INTO tasks (title, status) VALUES ('A', 'x')"
	state > before
	rm -rf state ./*.mig
	app "$(required '"required":true,"default":"pending"')"
	schema | plan_schema | tee last | gated | mig-apply "${store[@]}" > outcome
	mig-plan --rollback < last | gated --allow-destructive | mig-apply "${store[@]}" > outcome
	state | diff before -
	[ ! -e state ] && [ ! -e app.db.mig ]
}

moment() { table 1 tasks "$(field 1 title single-line-text)$(field 2 due datetime "$1")"; }

# Of a default that is another one each time nobody knows whether it still stands.
required_now() {
	migrate "$(moment)"
	q "INSERT INTO tasks (title, due) VALUES ('A', NULL), ('B', '2025-01-01 10:00:00')"
	rehearsed "$(moment '"required":true,"default":"NOW()"')"
	migrate "$(moment '"required":true,"default":"NOW()"')"
	is "SELECT count(due) FROM tasks" 2
	safety_of tasks 'also where one was written since'
	undo
}

# One step or two: the type and the NULLs of the same column.
required_retyped() {
	migrate "$(table 1 t "$(field 1 v long-text)$(field 2 x integer)")"
	q "INSERT INTO t (v) VALUES (NULL), ('007'), ('8'), (NULL)"
	rehearsed "$(table 1 t "$(field 1 n integer '"required":true,"default":5')$(field 2 x integer)")"
	migrate "$(table 1 t "$(field 1 n integer '"required":true,"default":5')$(field 2 x integer)")"
	is "SELECT n FROM t ORDER BY id" $'5\n7\n8\n5'
	undo
	migrate "$(table 1 t "$(field 1 n integer '"required":true,"default":5')$(field 2 x integer)")"
	q "UPDATE t SET n = 6 WHERE id IN (1, 2)"
	back
	is "SELECT coalesce(v, 'none') FROM t ORDER BY id" $'6\n6\n8\nnone'
}

required_no_more() {
	migrate "$(required '"required":true')"
	migrate "$(required)"
	accepts "INSERT INTO tasks (title) VALUES ('A')"
	undo
}

unique() { table 1 users "$(field 1 username single-line-text "$1")$(field 2 tenant integer)" "$2"; }

unique_added() {
	migrate "$(unique)"
	q "INSERT INTO users (username) VALUES ('a'), ('b')"
	migrate "$(unique '"unique":true')"
	refuses "INSERT INTO users (username) VALUES ('a')"
	live -e '.tables[0].uniques[] | select(.name == "users_username_key")' > /dev/null
	undo
}

unique_broken() {
	migrate "$(unique)"
	q "INSERT INTO users (username) VALUES ('a'), ('a')"
	fails_with 4 "$(unique '"unique":true')"
	[[ $stderr == *'duplicate values found'* ]] || fail "$stderr"
	is "SELECT count(*) FROM users" 2
}

unique_removed() {
	migrate "$(unique '"unique":true')"
	q "INSERT INTO users (username) VALUES ('a')"
	migrate "$(unique)"
	accepts "INSERT INTO users (username) VALUES ('a')"
	undo
}

unique_pair() {
	migrate "$(unique '"unique":true')"
	q "INSERT INTO users (username, tenant) VALUES ('a', 1)"
	migrate "$(unique '' '"uniqueConstraints":[{"name":"users_once","fields":["username","tenant"]}]')"
	refuses "INSERT INTO users (username, tenant) VALUES ('a', 1)"
	accepts "INSERT INTO users (username, tenant) VALUES ('a', 2)"
	undo
}

indexes() { live -r '.tables[0].indexes[] | select(.name | test("deleted_at") | not) | .name' | tr '\n' ' '; }

indexed() { table 1 people "$(field 1 first single-line-text "$1")$(field 2 last single-line-text)" "$2"; }

index_added() {
	migrate "$(indexed)"
	migrate "$(indexed '"indexed":true')"
	[ "$(indexes)" = 'idx_people_first ' ]
	undo
}

index_composite() {
	migrate "$(indexed '"indexed":true')"
	migrate "$(indexed '' '"indexes":[{"name":"idx_names","fields":["last","first"]}]')"
	[ "$(indexes)" = 'idx_names ' ]
	live -r '.tables[0].indexes[].definition' | tr -d '"' | grep '(last, first)'
	undo
}

index_removed() {
	migrate "$(indexed '"indexed":true')"
	migrate "$(indexed)"
	[ -z "$(indexes)" ]
	undo
}

index_to_unique() {
	migrate "$(indexed '' '"indexes":[{"name":"idx_first","fields":["first"]}]')"
	q "INSERT INTO people (first) VALUES ('a')"
	migrate "$(indexed '' '"indexes":[{"name":"idx_first","fields":["first"],"unique":true}]')"
	refuses "INSERT INTO people (first) VALUES ('a')"
	undo
}

viewed() { table 1 users "$(field 1 name single-line-text)$(field 2 active checkbox)$(field 3 role single-line-text)" "$1"; }

active_users='"views":[{"id":"active_users","name":"Active","query":"SELECT id, name FROM users WHERE active"}]'

view_added() {
	migrate "$(viewed)"
	q "INSERT INTO users (name, active) VALUES ('a', TRUE), ('b', TRUE), ('c', FALSE)"
	migrate "$(viewed "$active_users")"
	is "SELECT count(*) FROM active_users" 2
	refuses "INSERT INTO active_users (name) VALUES ('x')"
	refuses "UPDATE active_users SET name = 'x'"
	refuses "DELETE FROM active_users"
	undo
}

view_removed() {
	migrate "$(viewed "$active_users")"
	q "INSERT INTO users (name, active) VALUES ('a', TRUE)"
	migrate "$(viewed)"
	refuses "SELECT * FROM active_users"
	is "SELECT count(*) FROM users" 1
	[ -z "$(jq -r 'select(.kind == "plan").steps[].type | select(. == "cleanup")' plan)" ]
	undo
}

view_changed() {
	migrate "$(viewed "$active_users")"
	migrate "$(viewed '"views":[{"id":"active_users","name":"Active","query":"SELECT id, name, role FROM users WHERE active"}]')"
	accepts "SELECT id, name, role FROM active_users"
	undo
}

view_with_reader() {
	migrate "$(viewed "$active_users")"
	q "CREATE VIEW by_hand AS SELECT name FROM active_users"
	migrate "$(viewed)"
	refuses "SELECT * FROM active_users"
	refuses "SELECT * FROM by_hand"
	steps | grep by_hand:drop_view
	undo
	accepts "SELECT * FROM by_hand"
}

drop_table() {
	migrate "$(table 1 users "$email")" "$(table 2 notes "$(field 1 body long-text '"indexed":true')")"
	q "INSERT INTO notes (body) VALUES ('x'), ('it''s')"
	fails_with 5 "$(table 1 users "$email")"
	migrate "$(table 1 users "$email")"
	refuses "SELECT * FROM notes"
	[ "$(severity drop_table)" = critical ]
	undo
	is "SELECT body FROM notes ORDER BY id" $'x\nit\'s'
}

rename_both() {
	migrate "$(table 1 users "$(field 1 email email)$(field 2 age integer)")"
	q "INSERT INTO users (email, age) VALUES ('a@b', 7)"
	migrate "$(table 1 people "$(field 1 mail email)$(field 2 age integer)")"
	is "SELECT mail, age FROM people" 'a@b|7'
	! steps | grep -E 'drop|add'
	undo
}

swap_fields() {
	migrate "$(table 1 t "$(field 1 a single-line-text)$(field 2 b single-line-text)$(field 3 c single-line-text)")"
	q "INSERT INTO t (a, b, c) VALUES ('1', '2', '3')"
	migrate "$(table 1 t "$(field 1 b single-line-text)$(field 2 a single-line-text)$(field 3 c single-line-text)")"
	is "SELECT a, b, c FROM t" '2|1|3'
	undo
	migrate "$(table 1 t "$(field 1 b single-line-text)$(field 2 c single-line-text)$(field 3 a single-line-text)")"
	is "SELECT a, b, c FROM t" '3|1|2'
	undo
}

swap_tables() {
	migrate "$(table 1 a "$(field 1 x integer)")" "$(table 2 b "$(field 1 x integer)")"
	q "INSERT INTO a (x) VALUES (1)"
	q "INSERT INTO b (x) VALUES (2)"
	migrate "$(table 1 b "$(field 1 x integer)")" "$(table 2 a "$(field 1 x integer)")"
	is "SELECT a.x, b.x FROM a, b" '2|1'
	undo
}

order_only() {
	migrate "$(table 1 t "$(field 1 a integer)$(field 2 b integer)")"
	migrate "$(table 1 t "$(field 2 b integer)$(field 1 a integer)")"
	[ "$(steps)" = schema:record ]
	jq -r 'select(.kind == "plan").steps[0].description' plan | grep 'metadata only'
}

circular() {
	migrate "$(table 1 users "$(field 1 name single-line-text)$(field 2 home relationship '"relatedTable":"homes"')")" \
		"$(table 2 homes "$(field 1 street single-line-text)$(field 2 owner relationship '"relatedTable":"users"')")"
	refuses "INSERT INTO users (name, home) VALUES ('a', 99)"
	refuses "INSERT INTO homes (street, owner) VALUES ('a', 99)"
	undo
}

many_to_many() {
	local students courses
	students=$(table 1 students "$(field 1 name single-line-text)$(field 2 courses relationship '"relatedTable":"courses","relationType":"many-to-many"')")
	courses=$(table 2 courses "$(field 1 title single-line-text)")
	migrate "$students" "$courses"
	q "INSERT INTO students (name) VALUES ('a')"
	q "INSERT INTO courses (title) VALUES ('b')"
	q "INSERT INTO students_courses (student_id, course_id) VALUES (1, 1)"
	refuses "INSERT INTO students_courses (student_id, course_id) VALUES (1, 1)"
	refuses "INSERT INTO students_courses (student_id, course_id) VALUES (1, 9)"
	migrate "${students//students/pupils}" "$courses"
	is "SELECT pupil_id, course_id FROM pupils_courses" '1|1'
	! steps | grep drop_table
	undo
}

missing_table() {
	migrate "$(table 1 users "$email")" "$(table 2 notes "$(field 1 body long-text)")"
	q "DROP TABLE notes"
	migrate "$(table 1 users "$email")" "$(table 2 notes "$(field 1 body long-text)")"
	steps | grep -x notes:create_table
	accepts "SELECT body FROM notes"
}

hostile() {
	local evil="O'Brien\\\"; DROP TABLE users; --"
	local json='O'"'"'Brien\\\"; DROP TABLE users; --'
	migrate "$(table 1 users "$(field 1 kind single-select "\"options\":[\"$json\",\"%s %n\",\"\$1\"],\"default\":\"$json\"")")"
	q "INSERT INTO users (tenant) VALUES (1)" 2> /dev/null || q "INSERT INTO users (created_at) VALUES ('2025-01-01')"
	is "SELECT kind FROM users" "$evil"
	accepts "INSERT INTO users (kind) VALUES ('%s %n')"
	migrate "$(table 1 users "$(field 1 kind single-select "\"options\":[\"$json\",\"%s %n\",\"\$1\",\"é\"],\"default\":\"é\"")")"
	accepts "INSERT INTO users (kind) VALUES ('é')"
	undo
}

# chain_tables COMMAND..: with the three tables of the chain, as its variables say.
chain_tables() {
	"$@" "$(table 1 "$people" "$(printf '%s' "${person[@]}")" "$people_more")" \
		"$(table 2 "$goods" "$(printf '%s' "${good[@]}")" "$goods_more")" \
		"$(table 3 deals "$(printf '%s' "${deal[@]}")" "$deals_more")"
}

chain_to() { chain_tables migrate; }
chain_fails() { chain_tables fails_with 4; }

# One database through every family of changes, one plan after the other, with its rows; then back to the first version.
chain() {
	local people=users goods=products people_more='"allowDestructive":true' goods_more='"allowDestructive":true'
	local deals_more='"allowDestructive":true' first
	local -A person good deal
	person=([1]=$(field 1 email email '"unique":true') [2]=$(field 2 name single-line-text) [3]=$(field 3 age integer))
	good=([1]=$(field 1 sku single-line-text) [2]=$(field 2 price decimal)
		[3]=$(field 3 state single-select '"options":["a","b","c"]') [4]=$(field 4 note long-text))
	deal=([1]=$(field 1 number single-line-text) [2]=$(field 2 customer relationship '"relatedTable":"users"'))
	chain_to
	q "INSERT INTO users (email, name, age) VALUES ('a@b', 'Ada', 36), ('c@d', 'Bob', 40)"
	q "INSERT INTO products (sku, price, state, note) VALUES ('t', 4.5, 'a', 'x'), ('m', 12, 'b', NULL)"
	q "INSERT INTO deals (number, customer) VALUES ('1', 1), ('2', 2), ('3', 1)"
	first=$(state)

	# ALTER-ADD
	person[4]=$(field 4 city single-line-text) deal[3]=$(field 3 total decimal '"default":0')
	chain_to
	is "SELECT count(*) FROM deals WHERE total = 0" 3
	# ALTER-REMOVE
	unset 'person[4]' 'good[4]'
	chain_to
	refuses 'SELECT note FROM products'
	# ALTER-RENAME
	person[1]=$(field 1 email_address email '"unique":true')
	deal[2]=$(field 2 client relationship '"relatedTable":"users"')
	chain_to
	is "SELECT d.number, u.email_address FROM deals d JOIN users u ON u.id = d.client ORDER BY 1" $'1|a@b\n2|c@d\n3|a@b'
	# RENAME-TABLE
	people=people goods=goods deal[2]=$(field 2 client relationship '"relatedTable":"people"')
	chain_to
	refuses "INSERT INTO deals (number, client) VALUES ('9', 999)"
	# MODIFY-TYPE
	person[3]=$(field 3 age decimal) good[1]=$(field 1 sku long-text)
	chain_to
	accepts "UPDATE people SET age = 36.5 WHERE id = 1"
	# MODIFY-CONSTRAINTS
	good[2]=$(field 2 price decimal '"min":0,"max":100')
	chain_to
	refuses "UPDATE goods SET price = 101"
	# MODIFY-DEFAULT, MODIFY-OPTIONS
	good[3]=$(field 3 state single-select '"options":["a","b","d"],"default":"d"')
	chain_to
	refuses "UPDATE goods SET state = 'c'"
	accepts "INSERT INTO goods (sku) VALUES ('x')"
	# MODIFY-REQUIRED, MODIFY-FIELD-UNIQUE
	person[2]=$(field 2 name single-line-text '"required":true,"unique":true')
	chain_to
	refuses "INSERT INTO people (email_address) VALUES ('e@f')"
	refuses "INSERT INTO people (email_address, name) VALUES ('e@f', 'Ada')"
	# MODIFY-INDEX, MODIFY-UNIQUE
	good[1]=$(field 1 sku long-text '"indexed":true')
	deals_more+=',"uniqueConstraints":[{"name":"deals_once","fields":["number","client"]}]'
	chain_to
	refuses "INSERT INTO deals (number, client) VALUES ('1', 1)"
	# VIEW
	people_more+=',"views":[{"id":"grown_up","name":"Grown up","query":"SELECT id, name FROM people WHERE age > 37"}]'
	chain_to
	is 'SELECT name FROM grown_up' Bob
	# what cannot be leaves all as it is: ERROR, CONSTRAINT
	q "UPDATE deals SET number = '1' WHERE id = 2"
	good[2]=$(field 2 price decimal '"min":5,"max":100')
	chain_fails
	good[2]=$(field 2 price decimal '"min":0,"max":100') good[3]=$(field 3 state INVALID_TYPE)
	chain_fails
	good[3]=$(field 3 state single-select '"options":["a","b","d"],"default":"d"')
	deal[1]=$(field 1 number single-line-text '"unique":true')
	chain_fails
	q "UPDATE deals SET number = '2' WHERE id = 2"

	mig-extract --store "$STORE" --applied --to 1 | mig-plan --rollback | gated --allow-destructive | applied > outcome ||
		fail "$(cut -c 1-500 outcome)"
	state | diff <(echo "$first") - || fail 'the first version is not as it was'
	mig-verify --store "$STORE" --drift > verdicts
	mig-verify --store "$STORE" --ledger > verdicts
}
