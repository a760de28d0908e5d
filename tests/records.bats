#!/usr/bin/env bats
# Rows: what a set of mode records makes of them, how they are planned, judged, counted and compared.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper
load rows

# A set of people who write posts, and what its program makes of a row.
setup() {
	mig_setup
	mkdir -p blog/1.0.0..2.0.0
	blog '{"users": {"key": "text", "required": ["/name"]}, "posts": {"links": {"author": "users", "tags": "tags"},
		"optional": ["tags"], "outside": ["tags"]}}'
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["split"]}' > blog/1.0.0..2.0.0/hop.json
	cat > blog/1.0.0..2.0.0/up.jq <<- 'EOF'
		.id as $id | .data
		| if .gone then {op: "delete", entity: "users", id: $id} else {entity: "users", id: $id, data: {name}} end,
		  (.posts // [] | .[] | {entity: "posts", id, data: {title}, links: {author: (.author // $id), tags}})
	EOF
}

# blog TARGETS [MEMBERS]: write its set.json
blog() {
	printf '{"id":"blog","mode":"records","version":{"default":"1.0.0"}%s,"targets":%s}\n' "${2-}" "$1" > blog/set.json
}

# people N: N people, the odd ones with a post
people() {
	local i
	for ((i = 1; i <= $1; i++)); do
		if ((i % 2)); then
			printf 'people %06d {"name":"P%d","posts":[{"id":"p%06d","title":"T%d"}]}\n' "$i" "$i" "$i" "$i"
		else
			printf 'people %06d {"name":"P%d"}\n' "$i" "$i"
		fi
	done | rows
}

transform() { mig-transform --set blog --target-version 2.0.0; }
plan() { mig-plan --env dev --migration blog --target-version 2.0.0 "$@"; }
threads() { mig-transform --set "$SETS/threads" --target-version 2.0.0 < "${1:-$SAMPLES/threads/stories.ndjson}"; }
plan_threads() { mig-plan --env dev --migration threads --target-version 2.0.0 "$@"; }

# forged JQ < PLANS: the plans after a change, with hashes and end that hold again
forged() {
	local line hash
	: > forged.hashes
	grep '"kind":"plan"' | jq -c "$1" | while IFS= read -r line; do
		hash=$(mig-hash --without /plan_hash <<< "$line")
		echo "$hash" >> forged.hashes
		jq -c --arg h "$hash" '.plan_hash = $h' <<< "$line" | mig-hash --canonical
	done
	printf '{"digest":"%s","kind":"end","records":%d,"tool":"mig-plan"}\n' "$(sha256sum < forged.hashes | cut -d ' ' -f 1)" \
		"$(wc -l < forged.hashes)"
}

# holds KIND FILTER [FILE]: there is a record of the kind, and the filter is true of each
holds() {
	[ "$(jq -c "select(.kind == \"$1\") | $2" "${3:--}" | sort -u)" = true ]
}

# ---- mig-transform ----

@test "EK-33 a row gives any number of records, each a change with its data, links and source row" {
	rows > docs <<- 'EOF'
		people 1 {"name":"Ada","posts":[{"id":"z","title":"Z","tags":["b","a","b"]},{"id":3,"title":"three"}]}
		people 2 {"name":"Bob"}
	EOF
	transform < docs > changes
	jq -c 'select(.kind == "change") | [.ref, .op, .from.ref, .from.index, .from.of, .data, .links]' changes > got
	diff got - <<- 'EOF'
		["posts/3","put","people/1",1,3,{"title":"three"},{"author":{"entity":"users","ids":["1"]}}]
		["posts/z","put","people/1",2,3,{"title":"Z"},{"author":{"entity":"users","ids":["1"]},"tags":{"entity":"tags","ids":["a","b"],"outside":true}}]
		["users/1","put","people/1",3,3,{"name":"Ada"},{}]
		["users/2","put","people/2",1,1,{"name":"Bob"},{}]
	EOF
	# after is the hash of what is put, and the sums hold
	jq -c 'select(.kind == "change") | {data, links}' changes | mig-hash | diff - <(jq -r 'select(.after) | .after' changes)
	mig-hash --check changes
	[ "$(tail -n 1 changes)" = "$(tail -n 1 docs)" ]
}

@test "EK-33 integers beyond 2^53 come through a program as they are" {
	rows > docs <<< 'people 1 {"name":"Ada","posts":[{"id":9007199254740993,"title":9223372036854775807}]}'
	transform < docs | grep -q '"data":{"title":9223372036854775807}.*"ref":"posts/9007199254740993"'
}

@test "EK-33 a second hop takes each record of the first one" {
	mkdir blog/2.0.0..3.0.0
	echo '{"from":"2.0.0","to":"3.0.0","type":"data","description":"d","changes":["upper"]}' > blog/2.0.0..3.0.0/hop.json
	echo 'if .entity == "users" then .data.name |= ascii_upcase else ., (.id += "-copy") end' > blog/2.0.0..3.0.0/up.jq
	people 1 | mig-transform --set blog --target-version 3.0.0 > changes
	[ "$(jq -r 'select(.ref) | .ref' changes | xargs)" = 'posts/p000001 posts/p000001-copy users/000001' ]
	[ "$(jq -r 'select(.entity == "users") | .data.name' changes)" = P1 ]
	[ "$(jq -c 'select(.entity == "users") | .hops' changes)" = '["1.0.0..2.0.0","2.0.0..3.0.0"]' ]
}

@test "EK-33 rows on which two paths give other records are named with the difference" {
	local hop
	for hop in 1.0.0..1.5.0 1.5.0..2.0.0; do
		mkdir "blog/$hop"
		echo "{\"from\":\"${hop%..*}\",\"to\":\"${hop#*..}\",\"type\":\"data\",\"description\":\"d\",\"changes\":[]}" > "blog/$hop/hop.json"
	done
	cp blog/1.0.0..2.0.0/up.jq blog/1.0.0..1.5.0/
	echo . > blog/1.5.0..2.0.0/up.jq
	people 3 > docs
	transform < docs > one
	mig-transform --set blog --target-version 2.0.0 --check-paths < docs | cmp - one
	echo 'if .entity == "users" then .data.name += "!" else . end' > blog/1.5.0..2.0.0/up.jq
	fails 4 mig-transform --set blog --target-version 2.0.0 --check-paths < docs
	[[ $stderr == *'people/000001: the paths 1.0.0..2.0.0 and 1.0.0..1.5.0 1.5.0..2.0.0 lead to different documents: ~ /0/data/name "P1" -> "P1!"'* ]]
}

@test "EK-34 a row that lacks id, link or convertible value is a reject with its reason and source row" {
	echo '.data' > blog/1.0.0..2.0.0/up.jq
	rows > docs <<- 'EOF'
		r 01 7
		r 02 {"entity":"users","id":"1","data":{"name":"A"},"more":1}
		r 03 {"id":"1","data":{"name":"A"}}
		r 04 {"entity":"nobody","id":"1","data":{}}
		r 05 {"entity":"users","data":{"name":"A"}}
		r 06 {"entity":"users","id":null,"data":{"name":"A"}}
		r 07 {"entity":"users","id":"","data":{"name":"A"}}
		r 08 {"entity":"users","id":1.5,"data":{"name":"A"}}
		r 09 {"entity":"users","id":"a\nb","data":{"name":"A"}}
		r 10 {"entity":"users","id":"1"}
		r 11 {"entity":"users","id":"1","data":[1]}
		r 12 {"entity":"users","id":"1","data":{"name":null}}
		r 13 {"entity":"users","id":"1","data":{"name":"A"},"links":{"friend":"2"}}
		r 14 {"entity":"posts","id":"1","data":{}}
		r 15 {"entity":"posts","id":"1","data":{},"links":{"author":null}}
		r 16 {"entity":"posts","id":"1","data":{},"links":{"author":[]}}
		r 17 {"entity":"posts","id":"1","data":{},"links":{"author":{"id":"1"}}}
		r 18 {"entity":"posts","id":"1","data":{},"links":"1"}
		r 19 {"entity":"users","id":"1","data":{"name":"A"},"op":"merge"}
		r 20 {"entity":"users","id":"1","data":{"name":"A"},"op":"delete"}
		r 21 {"entity":"users","id":"1","data":{"name":"A"}}
	EOF
	transform < docs > changes
	jq -r 'select(.kind == "reject") | .ref + " " + .code' changes > got
	diff got - <<- 'EOF'
		r/01 bad_row
		r/02 bad_row
		r/03 unknown_entity
		r/04 unknown_entity
		r/05 missing_id
		r/06 missing_id
		r/07 missing_id
		r/08 bad_id
		r/09 bad_id
		r/10 bad_data
		r/11 bad_data
		r/12 required_missing
		r/13 unknown_link
		r/14 missing_link
		r/15 missing_link
		r/16 missing_link
		r/17 bad_link
		r/18 bad_link
		r/19 bad_row
		r/20 bad_row
	EOF
	[ "$(jq -r 'select(.ref == "r/14") | .reason' changes)" = 'record 1 (posts): it has no link author' ]
	# every reject has the hash of its row, and in = out + rejected
	diff <(jq -r 'select(.kind == "reject") | .hash' changes) <(head -n 20 hashes)
	plan --max-rejects 20 < changes > plans
	[ "$(jq -c 'select(.kind == "plan") | .header.snapshot | del(.digest)' plans)" = '{"changes":1,"current":0,"records":21,"rejects":20}' ]
}

@test "EK-34 a program's own errors and predicates reject a row, and one bad record rejects the whole row" {
	cat > blog/1.0.0..2.0.0/up.jq <<- 'EOF'
		{entity: "users", id: .id, data: {name: .data.name}}, (.data.age | select(. != null) | tonumber | {entity: "users", id: "age", data: {name: .}})
	EOF
	jq -c '.after = [{jq: ".data.name != \"Mallory\"", message: "not her"}]' blog/1.0.0..2.0.0/hop.json > hop && mv hop blog/1.0.0..2.0.0/hop.json
	rows > docs <<- 'EOF'
		people 1 {"name":"Ada","age":"x"}
		people 2 {"name":"Mallory"}
		people 3 {"name":null,"age":"3"}
		people 4 {"name":"Bob","age":"3"}
	EOF
	transform < docs > changes
	[ "$(jq -r 'select(.kind == "reject") | .code' changes | xargs)" = 'jq_error after_failed required_missing' ]
	[ "$(jq -r 'select(.kind == "change") | .ref' changes | xargs)" = 'users/4 users/age' ]
}

@test "EK-34 a row that gives nothing is a reject, unless the set says that rows may be left out" {
	echo 'select(.data.name != "Bob") | {entity: "users", id, data: {name: .data.name}}' > blog/1.0.0..2.0.0/up.jq
	rows > docs <<< $'people 1 {"name":"Ada"}\npeople 2 {"name":"Bob"}'
	[ "$(transform < docs | jq -r 'select(.kind == "reject") | .code')" = no_record ]
	blog '{"users":{}}' ',"skips":true'
	transform < docs > changes
	[ "$(jq -r .kind changes | xargs)" = 'change current end' ]
	plan < changes | holds plan '.header.snapshot | .changes == 1 and .current == 1 and .records == 2'
}

@test "EK-34 a record of a row that is missing, doubled, moved or edited is noticed before anything is planned" {
	people 3 | transform > changes # five lines and an end: posts and users of 1, users of 2, posts and users of 3
	fails 4 plan <<< "$(sed 1d changes)"
	fails 4 plan <<< "$(sed 2d changes)"
	fails 4 plan <<< "$(sed 5d changes)"
	fails 4 plan <<< "$(sed 2p changes)"
	fails 4 plan <<< "$(sed '1{h;d};2G' changes)"
	fails 4 plan <<< "$(sed 3d changes)"
	fails 4 plan <<< "$(sed '1s/"title":"T1"/"title":"T2"/' changes)"
	# with a sum that holds, after does not
	sed 1q changes | jq -c '.data.title = "T2" | del(.sum)' | mig-hash --canonical > first
	hash=$(mig-hash first)
	{
		jq -c --arg h "$hash" '.sum = $h' first
		sed 1d changes
	} > edited
	fails 4 plan < edited
	[[ $stderr == *'after is not the hash of its data and links'* ]]
	plan < changes > /dev/null
}

@test "EK-35 more rejects than allowed stop the plan with 4" {
	rows > docs <<< $'people 1 {"name":"Ada"}\npeople 2 {"name":null}'
	transform < docs > changes
	fails 4 plan < changes
	[ "$(jq -r .kind <<< "$output" | xargs)" = 'reject fault' ]
	plan --max-rejects 1 < changes | holds plan '.header.snapshot.rejects == 1'
}

@test "EK-36 the same rows give the same bytes under another clock, and a program that asks it is refused" {
	people 20 > docs
	transform < docs > one
	TZ=Asia/Kathmandu SOURCE_DATE_EPOCH=1 transform < docs | cmp - one
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 env -u SOURCE_DATE_EPOCH faketime '2040-02-29 12:00:00' \
		mig-transform --set blog --target-version 2.0.0 < docs | cmp - one
	echo '{entity: "users", id, data: {name: .data.name, at: now}}' > blog/1.0.0..2.0.0/up.jq
	fails 4 transform < docs
	[[ $stderr == *'the program calls now'* ]]
}

@test "EK-36 a split stream gives the same bytes at any block and number of jobs" {
	local block
	people 200 > docs
	transform < docs > one
	for block in 2K 9K; do
		parallel --pipe -k --block "$block" -j 3 mig-transform --set blog --target-version 2.0.0 < docs | cmp - one
	done
}

@test "EK-37 two records with the same entity and id are an error that names both rows, or the last one counts" {
	rows > docs <<- 'EOF'
		people 1 {"name":"Ada","posts":[{"id":"p","title":"first"}]}
		people 2 {"name":"Bob","posts":[{"id":"p","title":"second"}]}
		people 3 {"name":"Eve","posts":[{"id":"p","title":"third"}]}
	EOF
	transform < docs > changes
	fails 4 plan < changes
	[[ $stderr == *'posts/p: made 3 times, first from people/1, last from people/3'* ]]
	[ "$(jq -r .kind <<< "$output" | xargs)" = fault ]
	jq -c '.duplicates = "last"' blog/set.json > set.json && mv set.json blog/
	transform < docs > changes
	plan < changes > plans 2> said
	grep -q 'posts/p: warning: made 3 times: the last counts, from people/3' said
	grep -q '2 rows gave way' said
	[ "$(jq -r 'select(.kind == "plan").steps[].actions[] | select(.entity == "posts").data.title' plans)" = third ]
	holds plan '.header.rows | .duplicates == 2 and .puts == 4' plans
	mig-report < plans | grep -q 'duplicate 2 rows gave way'
}

@test "EK-38 an id that is no UUID becomes the version 5 UUID of its entity and id, in links as well" {
	local space=7d1f3c52-8a0b-4c86-9a2f-0f5c3b8e6d41 want
	blog '{"users":{"key":"uuid"},"posts":{"links":{"author":"users"}}}' ",\"uuid\":{\"entities\":[\"users\"],\"namespace\":\"$space\"}"
	echo '{entity: "users", id, data: {}}, {entity: "posts", id, data: {}, links: {author: .id}}' > blog/1.0.0..2.0.0/up.jq
	rows > docs <<< $'r 7D1F3C52-8a0b-4c86-9a2f-0f5c3b8e6d42 {}\nr ümlaut/7 {}'
	transform < docs > changes
	# by other means: section 4.3 of RFC 4122 as Python has it
	want=$(python3 -c 'import sys, uuid; print(uuid.uuid5(uuid.UUID(sys.argv[1]), "users/ümlaut/7"))' "$space")
	jq -r 'select(.entity == "users") | .ref' changes | diff - <(printf 'users/%s\n' 7d1f3c52-8a0b-4c86-9a2f-0f5c3b8e6d42 "$want")
	jq -r 'select(.entity == "posts") | .links.author.ids[]' changes | diff - <(printf '%s\n' 7d1f3c52-8a0b-4c86-9a2f-0f5c3b8e6d42 "$want")
}

@test "EK-38 an id that is no UUID is a reject where nothing says how to make one, never left out" {
	blog '{"users":{"key":"uuid"}}'
	echo '{entity: "users", id, data: {}}' > blog/1.0.0..2.0.0/up.jq
	rows > docs <<< $'r 7 {}\nr 7d1f3c52-8a0b-4c86-9a2f-0f5c3b8e6d4 {}\nr 7d1f3c52-8a0b-4c86-9a2f-0f5c3b8e6d42 {}'
	transform < docs > changes
	[ "$(jq -r '.kind + " " + (.code // "")' changes | xargs)" = 'reject not_a_uuid reject not_a_uuid change end' ]
	[[ $(jq -r 'select(.ref == "r/7") | .reason' changes) == *'its id is no UUID: 7' ]]
}

# ---- the model set ----

@test "EK-39 stories become threads: each entity where the table says, ids kept, byte for byte" {
	threads > changes
	jq -r 'select(.kind == "change") | .from.entity + " " + .entity' changes | sort | uniq -c | sed 's/^ *//' > got
	diff got - <<- 'EOF'
		3 context_contexts thread_contexts
		3 context_contexts thread_threads
		12 context_events thread_items
		6 story_executions thread_executions
		24 story_parts thread_parts
		12 story_steps thread_steps
	EOF
	# ids kept, but for the threads, which had none
	jq -r 'select(.kind == "change" and .entity != "thread_threads") | select((.from.ref | sub(".*/"; "")) != (.ref | sub(".*/"; "")))' changes > got
	[ ! -s got ]
	golden records/threads.changes.ndjson < changes
	plan_threads --batch 25 < changes > plans
	golden records/threads.plans.ndjson < plans
	mig-report < plans | golden records/threads.txt
	mig-hash --canonical < plans | cmp - plans
}

@test "EK-40 rows of threads without their links, and links that lead to no row, are refused" {
	local member n=0
	# what a row must link to, taken away: a reject that names the link
	while read -r entity member label; do
		jq -c "if .entity == \"$entity\" then del(.body.$member) else . end" "$SAMPLES/threads/stories.ndjson" |
			grep "\"entity\":\"$entity\"" | head -n 1 > row
		hash=$(jq -c .body row | mig-hash)
		jq -c --arg h "$hash" '.hash = $h | .raw = $h' row | mig-transform --set "$SETS/threads" --target-version 2.0.0 > got
		[ "$(jq -r .code got)" = missing_link ] || fail "$entity: $(cat got)"
		[[ $(jq -r .reason got) == *"it has no link $label" ]]
		n=$((n + 1))
	done <<- 'EOF'
		context_events context context
		story_executions context context
		story_steps execution execution
		story_parts step step
	EOF
	[ "$n" -eq 4 ]
	# each entity's rows taken out of the stream: what leads to them dangles
	while read -r entity want; do
		grep -v "\"entity\":\"$entity\"" "$SAMPLES/threads/stories.ndjson" | grep -v '"kind":"end"' > docs
		printf '{"digest":"%s","kind":"end","records":%d,"tool":"mig-extract"}\n' \
			"$(jq -j '.ref + "\u0000" + .hash + "\n"' docs | sha256sum | cut -d ' ' -f 1)" "$(wc -l < docs)" >> docs
		threads docs > changes
		fails 4 plan_threads < changes
		[[ $stderr == *"$want"* ]] || fail "$entity: $stderr"
		[ "$(jq -r .code <<< "$output")" = dangling_link ]
	done <<- 'EOF'
		context_contexts leads to thread_contexts/
		context_events leads to thread_items/
		story_executions leads to thread_executions/
		story_steps leads to thread_steps/
	EOF
}

@test "EK-40 an item in another thread than its context breaks the set's invariant" {
	cp -R "$SETS/threads" broken
	sed -i 's/links: {context: $row.context, thread: thread_of($row.context)}}/links: {context: $row.context, thread: thread_of("other")}}/' broken/1.0.0..2.0.0/up.jq
	mig-transform --set broken --target-version 2.0.0 < "$SAMPLES/threads/stories.ndjson" > got
	[ "$(jq -r 'select(.kind == "reject") | .code + " " + .reason' got | sort | uniq -c | sed 's/^ *//')" = \
		'12 after_failed the item is in another thread than its context' ]
}

@test "the page about changes of rows counts them by op and entity" {
	threads > changes
	mig-report < changes > page
	grep -q '24 x put thread_parts 0 -> 2.0.0, the values differ' page
	grep -q 'CHANGES of 6 kinds' page
}

# ---- mig-plan ----

@test "EK-41 batches are upserts by stable ids, and say so; planning twice gives the same bytes" {
	people 30 | transform > changes
	plan --batch 20 < changes > plans
	plan --batch 20 < changes | cmp - plans
	holds plan '.header.dialect == "rows" and .header.mode == "forward"' plans
	holds plan '.steps | all(.description | test("upsert by entity and id"))' plans
	[ "$(jq -r 'select(.kind == "plan").steps[].step_id' plans | xargs)" = \
		'batch-00001:put@0..2.0.0 batch-00002:put@0..2.0.0 batch-00003:put@0..2.0.0' ]
	want=$(printf '["dev",null,null,"blog","batch-00001:put@0..2.0.0"]' | sha256sum | cut -d ' ' -f 1)
	[ "$(jq -r 'select(.kind == "plan").steps[0].idempotency_key' plans)" = "$want" ]
	holds plan '.steps | all(.actions[0] == {name: (.step_id | sub(":.*"; "")), op: "backup_rows"})' plans
	mig-hash --check plans
}

@test "EK-42 450 rows at 200 a batch are 200, 200 and 50" {
	people 300 | transform | plan --batch 200 > plans
	[ "$(jq -c 'select(.kind == "plan") | [.steps[].actions | length - 1]' plans)" = '[200,200,50]' ]
	[ "$(jq -c 'select(.kind == "plan") | [.steps[].postconditions | map(.entity + " \(.count)")]' plans)" = \
		'[["users 200"],["posts 100","users 100"],["posts 50"]]' ]
}

@test "EK-42 batches depend on the rows alone, not on the order in which their source rows came" {
	people 40 | transform | plan --batch 7 | jq -c 'select(.kind == "plan") | .steps' > one
	for i in {40..1}; do
		j=$((41 - i))
		[ $((i % 2)) = 1 ] && posts=",\"posts\":[{\"id\":\"p$(printf %06d "$i")\",\"title\":\"T$i\"}]" || posts=
		printf 'back %06d {"id":"%06d","name":"P%d"%s}\n' "$j" "$i" "$i" "$posts"
	done | rows > docs
	sed -i 's/^.id as $id/.data.id as $id/' blog/1.0.0..2.0.0/up.jq
	transform < docs | plan --batch 7 | jq -c 'select(.kind == "plan") | .steps' | cmp - one
}

@test "EK-42 a plan is closed at 500 batches, and a batch at 4 MiB" {
	people 400 | transform | plan --batch 1 > plans
	[ "$(jq -c 'select(.kind == "plan") | [.header.part.index, .header.part.of, (.steps | length)]' plans | xargs)" = '[1,2,500] [2,2,100]' ]
	[ "$(jq -r 'select(.kind == "plan").steps[-1].step_id' plans | tail -n 1)" = batch-00600:put@0..2.0.0 ]
	mig-gate --env dev --apply < plans | mig-report > /dev/null
	# four rows of 1.5 MiB
	big=$(head -c 1500000 /dev/zero | tr '\0' x)
	for i in 1 2 3 4; do echo "people $i {\"name\":\"$big\"}"; done | rows > docs
	transform < docs | plan > plans
	[ "$(jq -c 'select(.kind == "plan") | [.steps[].actions | length - 1]' plans | xargs)" = '[2,2]' ]
}

@test "EK-43 a batch of no rows, of too many or of a word is a usage error" {
	people 1 | transform > changes
	fails 2 plan --batch 0 < changes
	fails 2 plan --batch 10001 < changes
	fails 2 plan --batch ten < changes
	stdout_empty
}

@test "EK-50 links are always planned, and what they lead to is put before them" {
	threads | plan_threads --batch 1 > plans
	[ "$(jq '[.rows.links, .rows.outside] | add' <(jq -c 'select(.kind == "plan").header' plans))" -eq 86 ]
	[ "$(jq -s '[.[].steps[]?.actions[] | select(.links).links[].ids | length] | add' plans)" -eq 86 ]
	# walk the plan: every link leads to a row that was put before
	jq -e -s 'reduce (.[].steps[]?.actions[] | select(.op == "put")) as $a ({seen: {}, bad: 0};
		.bad += ([$a.links[] | .entity as $e | .ids[] | "\($e)/\(.)"] - (.seen | keys) | length)
		| .seen["\($a.entity)/\($a.id)"] = true) | .bad == 0 and (.seen | length) == 60' plans
}

@test "EK-50 entities that lead to each other in a circle, or to themselves, are still planned" {
	blog '{"a":{"links":{"b":"b"}},"b":{"links":{"c":"c"}},"c":{"links":{"b":"b","c":"c"}}}'
	echo '{entity: "a", id, data: {}, links: {b: .id}}, {entity: "b", id, data: {}, links: {c: .id}}, {entity: "c", id, data: {}, links: {b: .id, c: .id}}' > blog/1.0.0..2.0.0/up.jq
	rows > docs <<< 'r 1 {}'
	transform < docs | plan > plans
	[ "$(jq -r 'select(.kind == "plan").steps[].actions[].entity // empty' plans | xargs)" = 'b a c' ]
}

@test "documents and rows are not planned together, and a row without its source is refused" {
	mkdir tree && manifest 1.0.0 > tree/manifest.json
	{
		changes tree | sed '$d'
		people 1 | transform
	} > mixed
	fails 4 plan < mixed
	people 1 | transform | jq -c 'del(.from)' > bare
	fails 4 plan < bare
}

# ---- mig-gate ----

@test "EK-44 a put or delete without its entity, id or op is refused with 4, whatever the hash says" {
	local change
	people 2 | transform | plan > plans
	for change in 'del(.steps[0].actions[1].entity)' 'del(.steps[0].actions[1].id)' 'del(.steps[0].actions[1].op)' \
		'.steps[0].actions[1].op = "merge"' '.steps[0].actions[1].id = ""' '.steps[0].actions[1].id = 7' \
		'.steps[0].actions[1].more = 1' 'del(.steps[0].actions[1].data)' '.steps[0].actions[1].links = {a: "1"}' \
		'.steps[0].actions[1].links = {a: {entity: "b", ids: []}}' '.steps[0].actions[0].name = "batch-00002"' \
		'.steps[0].actions |= .[:1]' '.steps[0].actions |= .[1:]' ; do
		forged "$change" < plans > bad
		run --separate-stderr mig-gate --env dev --apply < bad
		[ "$change" = '.steps[0].actions |= .[1:]' ] && want=5 || want=4
		[ "$status" -eq "$want" ] || fail "$change: $status $stderr"
		[[ $stderr == *'step 1: '* || $want = 5 ]] || fail "$change: $stderr"
	done
	forged . < plans | mig-gate --env dev --apply > /dev/null
}

@test "EK-44 a plan whose counts, digests, order, totals or rollback were changed is refused with 4" {
	local change
	people 4 | transform | plan > plans
	for change in '.steps[0].postconditions[0].count = 9' '.steps[0].postconditions[0].digest = ("0" * 64)' \
		'.steps[0].postconditions |= .[:1]' '.steps[0].actions |= [.[0], .[2], .[1]] + .[3:]' \
		'.steps[0].actions += [.steps[0].actions[1]]' '.steps[0].actions[1].data.title = "other"' \
		'.steps[0].type = "cleanup"' '.rollback[0].type = "data"' '.rollback = []' \
		'.rollback[0].actions[0].name = "batch-00009"' '.rollback[0].preconditions[0].count = 3' \
		'.header.rows.puts = 7' 'del(.header.rows)' 'del(.header.dialect)' '.header.dialect = "cobol"' \
		'.steps[0].preconditions = [{"check":"rows"}]'; do
		forged "$change" < plans > bad
		run --separate-stderr mig-gate --env dev --apply < bad
		[[ $status = [24] ]] || fail "$change: $status $stderr"
		[ "$(jq -r .kind <<< "$output" | sort -u)" = fault ] || fail "$change: $output"
	done
}

@test "EK-47 deletes are refused with 5 and their count, unless the flag is given" {
	for i in {1..7}; do echo "people $i {\"gone\":$([ "$i" -lt 5 ] && echo true || echo false),\"name\":\"N\"}"; done | rows > docs
	transform < docs | plan --batch 3 > plans
	[ "$(jq -c 'select(.kind == "plan").steps[] | [.step_id, .type, (.actions | length - 1), .postconditions[0].count]' plans | xargs)" = \
		'[batch-00001:put@0..2.0.0,data,3,3] [batch-00002:delete@0..2.0.0,cleanup,3,0] [batch-00003:delete@0..2.0.0,cleanup,1,0]' ]
	fails 5 mig-gate --env dev --apply < plans
	[[ $stderr == *'4 rows are deleted: requires --allow-destructive'* ]]
	mig-gate --env dev --apply --allow-destructive < plans | holds permit '.grant.allow_destructive'
	mig-gate --env dev --dry-run < plans > /dev/null
	mig-report < plans > page
	grep -q 'DELETE 4 rows, batches: 2' page
	grep -q 'DESTROYS  steps that remove data: 2' page
}

@test "EK-48 a delete that names no backup is refused with 5, also with the flag" {
	rows > docs <<< 'people 1 {"gone":true}'
	transform < docs | plan > plans
	forged '.steps[0].actions |= .[1:]' < plans > bare
	fails 5 mig-gate --env dev --apply --allow-destructive < bare
	[[ $stderr == *'batch-00001:delete: 1 step names no backup artifact of the rows that it deletes'* ]]
	mig-gate --env dev --apply --allow-destructive < plans > /dev/null
}

@test "a rollback of rows puts back what was there, and is destructive where it deletes what a put made" {
	rows > docs <<< $'people 1 {"gone":true}\npeople 2 {"name":"Bob"}'
	transform < docs | plan > plans
	mig-plan --rollback --reason why < plans > back
	[ "$(jq -c 'select(.kind == "plan").steps[] | [.step_id, .type, .actions[0].op, .actions[0].name, .postconditions[0].check]' back | xargs)" = \
		'[batch-00002:delete@0..2.0.0,data,restore_rows,batch-00002,restored] [batch-00001:put@0..2.0.0,cleanup,restore_rows,batch-00001,restored]' ]
	holds plan '.header | .dialect == "rows" and .mode == "rollback" and .rows.puts == 1' back
	fails 5 mig-gate --env dev --apply < back
	mig-gate --env dev --apply --allow-destructive < back > permits
	mig-report < permits | grep -q 'undo 1 batches that put 1 rows, 1 that deleted 1'
	fails 4 mig-plan --rollback < back
}

@test "levers, notes and what cannot be undone stand in the plan of rows and on its page" {
	jq -c '. + {levers: ["stop the writer"], data_safety: {reversible: false, note: "ids are made anew"}}' blog/1.0.0..2.0.0/hop.json > hop
	mv hop blog/1.0.0..2.0.0/hop.json
	people 1 | transform | plan > plans
	holds plan '.rollback[0] | .levers == ["stop the writer"] and .data_safety == {note: "ids are made anew", reversible: false}' plans
	fails 5 mig-gate --env dev --apply < plans
	[[ $stderr == *'cannot be undone'* ]]
	mig-report < plans | grep -q 'lever     stop the writer'
}

@test "a folder of documents refuses plans of rows, and nothing is written" {
	mkdir store
	people 1 | transform | plan > plans
	mig-gate --env dev --apply < plans > permits
	fails 4 mig-apply --store fs:store < permits
	[[ $stderr == *'a plan of rows: this store holds documents'* ]]
	holds outcome '.ok == false and .steps[0].status == "not_run"' <<< "$output"
	fails 4 mig-verify --store fs:store < plans
	mig-plan --rollback < plans | mig-gate --env dev --apply --allow-destructive > permits
	fails 4 mig-apply --store fs:store < permits
	[ -z "$(find store -path store/.mig -prune -o -type f -print)" ]
}

@test "a database without the tables refuses plans of rows, does not rehearse them, and is left alone" {
	sqlite3 app.db 'CREATE TABLE people (id TEXT)'
	cp app.db before
	people 1 | transform | plan > plans
	mig-gate --env dev --apply < plans > permits
	fails 3 mig-apply --store sqlite:app.db < permits
	holds outcome '.ok == false and .steps[0].status == "failed" and .findings[0].rule_id == "missing_table"' <<< "$output"
	mig-gate --env dev --dry-run < plans > look
	fails 3 mig-apply --store sqlite:app.db < look
	fails 4 mig-verify --store sqlite:app.db < plans
	fails 2 mig-verify --store sqlite:app.db --rehearse < plans
	[[ $stderr == *'mig-gate --dry-run'* ]]
	mig-plan --rollback < plans | mig-gate --env dev --apply --allow-destructive > permits
	fails 3 mig-apply --store sqlite:app.db < permits
	cmp app.db before
}

@test "rows of a saved answer are transformed and planned, their ids as they were" {
	echo '.id |= ascii_upcase' > blog/1.0.0..2.0.0/up.jq
	blog '{"people":{}}'
	echo '{"people":[{"id":"b/1","name":"Bob"},{"id":"a%","name":"Ada"}]}' |
		mig-extract --store response:instantdb --tenant acme --env dev > docs
	transform < docs > changes
	[ "$(jq -r 'select(.kind == "change") | .ref + " from " + .from.ref' changes | xargs)" = \
		'people/A%25 from people/a%25 people/B/1 from people/b/1' ]
	plan < changes > plans
	holds plan '.steps[0].actions[1:] | map([.id, .data.id]) == [["A%", "a%"], ["B/1", "b/1"]]' plans
	mig-report < plans | grep -q '2 x people'
}

@test "rows that came as files of a folder are transformed by the same kind of set" {
	mkdir -p files/people
	jq -c '. + {entity: "person", match: ["people/*.json"], version: {pointer: "/v", default: "1.0.0"}}' blog/set.json > set.json && mv set.json blog/
	echo '{"name":"Ada","v":"1.0.0"}' > files/people/ada.json
	mig-extract --store fs:files --set blog | transform > changes
	[ "$(jq -r 'select(.ref) | .ref + " from " + .from.ref' changes)" = 'users/people/ada.json from people/ada.json' ]
	blog '{"users":{}}'
	fails 4 mig-extract --store fs:files --set blog
	[[ $stderr == *'/match: missing, so it names no documents'* ]]
}

# ---- the balance ----

@test "EK-55 the balance of changes, plans and permits is the same, and so is that of rows taken as they are" {
	echo '.' > blog/1.0.0..2.0.0/up.jq
	blog '{"people":{}}'
	people 50 > docs
	transform < docs > changes
	plan --batch 7 < changes > plans
	mig-hash --balance docs > from
	[ "$(wc -l < from)" -eq 1 ]
	[[ $(cat from) == *'  50  people' ]]
	mig-hash --balance changes | cmp - from
	mig-hash --balance < plans | cmp - from
	mig-gate --env dev --apply < plans | mig-hash --balance | cmp - from
	# the header says the same, and the halves add up
	jq -r 'select(.kind == "plan").header.rows.balance[] | "\(.digest)  \(.count)  \(.entity)"' plans | cmp - from
	head -n 20 docs > some
	tail -n +21 docs > rest
	mig-hash --balance rest some | cmp - from
	mig-hash --balance --format json docs | jq -r '"\(.digest)  \(.count)  \(.entity)"' | cmp - from
}

@test "EK-56 a swapped pair of values, a lost row and a doubled one each change the balance" {
	rows > docs <<< $'r 1 {"a":1,"b":2}\nr 2 {"a":3,"b":4}'
	mig-hash --balance docs > one
	rows <<< $'r 1 {"a":3,"b":2}\nr 2 {"a":1,"b":4}' | mig-hash --balance > swapped
	rows <<< $'r 1 {"a":2,"b":1}\nr 2 {"a":3,"b":4}' | mig-hash --balance > within
	rows <<< $'r 1 {"a":3,"b":4}\nr 2 {"a":1,"b":2}' | mig-hash --balance > ids
	cut -d ' ' -f 3- one | tee >(cmp - <(cut -d ' ' -f 3- swapped) >&2) > /dev/null
	[ "$(sort -u one swapped within ids | wc -l)" -eq 4 ]
	mig-hash --balance docs docs | grep -q '  4  r$'
	# a row's own id in its data counts for nothing, another member does
	rows <<< $'r 2 {"a":3,"b":4,"id":2}\nr 1 {"a":1,"b":2,"id":"1"}' | mig-hash --balance | cmp - one
	rows <<< $'r 1 {"a":1,"b":2,"id":"2"}\nr 2 {"a":3,"b":4}' | mig-hash --balance > other
	run ! cmp -s one other
}

@test "EK-56 the digest is the sum of the hashes of the rows' items, computed by other means" {
	rows <<< $'r 1 {"a":1}\nr ä {"b":[2]}' > docs
	want=$(python3 -c '
import hashlib
items = ["[\"r\",\"1\",{\"a\":1},{}]", "[\"r\",\"ä\",{\"b\":[2]},{}]"]
print("%064x" % (sum(int(hashlib.sha256(i.encode()).hexdigest(), 16) for i in items) % 2**256))')
	[ "$(mig-hash --balance docs)" = "$want  2  r" ]
}

@test "a balance is not made of documents' patches, of what is no record, or with other modes" {
	mkdir tree && manifest 1.0.0 > tree/manifest.json
	changes tree > patches
	fails 4 mig-hash --balance patches
	stdout_empty
	fails 2 mig-hash --balance <<< '{"a":1}'
	fails 2 mig-hash --balance --check patches
	fails 2 mig-hash --balance --without /a patches
}

@test "EK-65 secrets in rows are left out of reasons and of the reviewer's page" {
	rows > docs <<< $'people 1 {"name":"Ada","posts":[{"id":"p","title":{"password":"hunter2"}}]}\npeople 2 {"name":null,"token":"hunter2"}'
	echo '.data | if .token then error("no \(.token)") else {entity: "users", id: "1", data: {name, deep: .posts}} end' > blog/1.0.0..2.0.0/up.jq
	blog '{"users":{}}'
	transform < docs > changes
	run ! grep -q hunter2 <(jq -c 'select(.kind == "reject")' changes)
	plan --max-rejects 1 < changes 2> said | tee plans | mig-report > page
	run ! grep hunter2 page said
	grep -q redacted page
}

# shown MARK: the display of mig-stream(5) behind the comment, as one line of canonical JSON
shown() {
	MARK=$1 awk '
	$0 == ".\\\" example: " ENVIRON["MARK"] { near = 1; next }
	near && /^\.Bd / { inside = 1; next }
	inside && /^\.Ed/ { exit }
	inside { gsub(/\\e/, "\\"); print }' "$MIG_ROOT/docs/man/mig-stream.5" | mig-hash --canonical
}

@test "the change, the step and the rollback entry that mig-stream shows of rows are what the filters write" {
	threads > changes
	plan_threads --tenant acme --batch 1 < changes > plans
	shown row-change | cmp - <(grep '"entity":"thread_parts"' changes | head -n 1)
	shown row-step | cmp - <(jq -c 'select(.kind == "plan").steps[-1]' plans | mig-hash --canonical)
	shown row-entry | cmp - <(jq -c 'select(.kind == "plan").rollback[0]' plans | mig-hash --canonical)
}
