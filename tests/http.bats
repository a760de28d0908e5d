#!/usr/bin/env bats
# Rows over HTTP, from a server of ours on loopback that stands in for the real ones (tests/standin/server).

load helper
load store
load standin/standin

setup_file() {
	standin_start
}

teardown_file() {
	standin_stop
}

setup() {
	mig_setup
	echo '{"tags": {}, "notes": {}}' > query
}

# domain MODE [FLAG..]: the rows of acme that the domain endpoint gives in that mode.
domain() {
	local mode=$1
	shift
	mig-extract --store "$(at "$mode")" --tenant acme --env dev --query query --retries "${tries-2}" "$@"
}

# instant MODE [FLAG..]: the rows of the app big.
instant() {
	local mode=$1
	shift
	MIG_TOKEN=${MIG_TOKEN-sesame-open-now} mig-extract --store instantdb:big --api "$(at "$mode")" \
		--tenant acme --env dev --query query --retries "${tries-2}" "$@"
}

# no_dataset: after fails, nothing came out that could be taken for one: no record but a fault.
no_dataset() {
	[ "$(jq -r .kind <<< "$output")" = fault ] || fail "more than a fault: $output"
}

# release: skip where the leak checker cannot run, or memory is not the filter's own.
release() {
	command -v strace > /dev/null || skip 'no strace'
	! grep -q __asan_init "$MIG_X/mig-extract" || skip 'a build with sanitizers'
}

# refs FILE: the references of its documents.
refs() {
	jq -r 'select(.kind == "document").ref' "$1"
}

@test "EK-01 one tenant is asked for, and nothing of another is read" {
	domain plain > rows
	asked plain > log
	[ "$(grep -c POST log)" -eq 1 ]
	run ! grep -v '^GET$\|^POST acme ' log
	holds '[.[] | select(.kind == "document").body.title | endswith(" of acme")] | length == 25 and all' rows
	mig-hash --check rows
}

@test "EK-01 rows that nobody asked for are refused" {
	for mode in extra lacking scalar nodata; do
		fails 4 domain $mode
		faulted 4 bad_answer
		no_dataset
	done
	for mode in extra lacking scalar list many; do
		fails 4 instant $mode
		faulted 4 bad_answer
		no_dataset
	done
}

@test "EK-02 without a tenant, or an env, or a question, it is a usage error" {
	fails 2 mig-extract --store "$(at plain)" --env dev --query query
	[[ $stderr == *'--tenant is required'* ]]
	fails 2 mig-extract --store "$(at plain)" --tenant acme --query query
	[[ $stderr == *'--env is required'* ]]
	fails 2 mig-extract --store "$(at plain)" --tenant acme --env dev
	[[ $stderr == *'--query is required'* ]]
	fails 2 mig-extract --store "$(at plain)" --tenant acme --env qa --query query
	fails 2 mig-extract --store "$(at plain)" --tenant acme --env dev --query query --set "$SETS/manifest"
	fails 2 mig-extract --store fs:. --set "$SETS/manifest" --query query
	[ -z "$(asked plain | tr -d '\n')" ]
}

@test "EK-02 a query that asks for nothing is refused before anybody is asked" {
	fails 3 mig-extract --store "$(at plain)" --tenant acme --env dev --query no-such-file
	faulted 3 missing_query
	for bad in '' '[]' '{}' '{"a": 1}' '{"a": {}} x'; do
		printf '%s' "$bad" > query
		fails 4 domain plain
		faulted 4 bad_query
	done
	echo '{"a": {}}' > query
	fails 4 domain plain --entity b
	echo '{"notes": {"$": {"limit": 3}}}' > query
	fails 4 instant plain
	[[ $output == *'the query has a limit of its own'* ]]
	[ -z "$(asked plain | tr -d '\n')" ]
}

@test "EK-03 an app without an id or a token is 3: missing_instant_credentials" {
	export MIG_TOKEN=
	fails 3 instant plain
	faulted 3 missing_instant_credentials
	hinted
	export MIG_TOKEN=sesame-open-now
	fails 3 mig-extract --store instantdb: --tenant acme --env dev --query query --api "$(at plain)"
	faulted 3 missing_instant_credentials
	[ -z "$(asked plain | tr -d '\n')" ]
}

@test "EK-04 EK-05 what an endpoint says of itself is compared as it comes from mig-extract" {
	domain plain > rows
	jq -c 'select(.kind == "snapshot").descriptor.schema | .entities.notes.attrs.due = {valueType: "date"}
		| del(.entities.voids)' rows > to.json
	mig-plan --descriptor to.json --env dev --migration notes --target-version 1.0.0 < rows > plan
	holds '.[0].steps | map(.actions[0].target + " " + .findings[0].severity) ==
		["notes.due safe", "voids.id critical", "voids.n critical", "voids.title critical"]' plan
	# the endpoint failed: so does all behind it
	tries=0
	fails 1 domain s500
	printf '%s\n' "$output" > failed
	fails 1 mig-plan --descriptor to.json --env dev --migration notes --target-version 1.0.0 < failed
}

@test "EK-05 a domain endpoint's descriptor is kept with the rows, and they make a whole stream" {
	domain plain > rows
	holds '.[0] | .kind == "snapshot" and .source == "domain" and .app == null and
		(.descriptor.schema.entities | keys) == ["notes", "tags", "voids"]' rows
	holds '.[-1].kind == "end" and .[-1].records == 25' rows
	holds '[.[] | select(.kind == "document") | .version == "0.0.0" and .raw == .hash and .ref == .entity + "/" + .body.id] | all' rows
	mig-hash --check rows
	mig-report < rows > page
	# the base is enough, and so is the whole
	mig-extract --store "$(at plain)/.well-known/ekairos/v1/domain" --tenant acme --env dev --query query | cmp - rows
	mig-extract --store "$(at plain)///" --tenant acme --env dev --query query | cmp - rows
}

@test "EK-06 a truncated answer is 4: dataset_truncated, which names entity, returned and total" {
	fails 4 mig-extract --store "$(at plain)" --tenant big --env dev --query query
	faulted 4 dataset_truncated
	no_dataset
	[[ $stderr == *'notes: 50 of 60 rows returned'* ]]
	[[ $stderr != *tags* ]]
	hinted
	for mode in vague untold; do
		fails 4 domain $mode
		no_dataset
	done
}

@test "EK-07 the admin interface gives all rows, page by page" {
	instant plain --page 7 > rows
	holds 'map(select(.kind == "document")) | length == 75 and (map(.ref) | unique | length) == 75' rows
	holds '.[0].source == "instantdb" and .[0].app == "big" and .[0].descriptor == null' rows
	[ "$(asked plain | grep -c POST)" -gt 12 ]
	mig-hash --check rows
	for page in 2 59 60 61 500; do
		instant plain --page $page | cmp - rows
	done
	# a server that gives less than it was asked for does not make it less
	instant short | cmp - rows
	echo '{"voids": {}}' > query
	instant plain > rows
	holds '.[-1].records == 0' rows
}

@test "EK-07 rows that come or go between two pages are noticed" {
	fails 4 instant shift --page 7
	faulted 4 dataset_changed
	no_dataset
}

@test "EK-07 the options of a query go along with its pages" {
	echo '{"tags": {"$": {"where": {"open": true}}, "owner": {}}}' > query
	instant plain --page 50 > rows
	asked plain | grep -qF '{"tags": {"$": {"limit": 50, "offset": 0, "where": {"open": true}}, "owner": {}}}' ||
		fail "$(asked plain)"
}

@test "EK-08 a refused login is 3, and its token is nowhere" {
	for code in 401 403; do
		fails 3 env MIG_TOKEN=canary-token mig-extract --store "$(at s$code)" --tenant acme --env dev --query query
		faulted 3 unauthorized
		no_dataset
		[[ $output$stderr != *canary* ]]
	done
	fails 3 domain auth
	MIG_TOKEN=sesame-open-now domain auth > rows
	run ! grep -q sesame rows
}

@test "EK-09 any other status is 1, is named, and leaves no dataset" {
	for code in 400 418 500 501 307; do
		fails 1 domain s$code
		faulted 1 http_status
		no_dataset
		[[ $stderr == *"HTTP status $code"* ]]
		fails 1 instant s$code
		no_dataset
	done
	fails 3 domain s404
	faulted 3 store_missing
	# what a server says may repeat what it was sent
	fails 1 env MIG_TOKEN=canary-token mig-extract --store "$(at s500)" --tenant acme --env dev --query query
	[[ $output$stderr != *canary* ]]
}

@test "EK-10 the snapshot names tenant, env, app and query; its time is in the audit alone" {
	MIG_AUDIT=file:audit MIG_RUN_ID=run-1 instant plain > rows
	echo '{"notes":{},"tags":{}}' > canonical
	query=$(tr -d '\n' < canonical | sha256sum | cut -c 1-64)
	holds '.[0] | .kind == "snapshot" and .tenant == "acme" and .env == "dev" and .app == "big" and
		.query_hash == "'"$query"'" and (has("time") or has("createdAt") | not)' rows
	holds 'map(.createdAt == "2025-01-01T00:00:00Z" and .tenant == "acme" and .env == "dev") | length == 2 and all' audit
	SOURCE_DATE_EPOCH=1 instant plain | cmp - rows
}

@test "EK-11 the same rows in another order are the same bytes, sorted by entity and id" {
	instant plain > rows
	instant reverse | cmp - rows
	instant reverse --page 4 | cmp - rows
	refs rows > got
	LC_ALL=C sort -u got | cmp - got
	golden extract/rows < rows
}

@test "EK-11 rows with one id are 4, whatever else they hold" {
	fails 4 domain twice
	faulted 4 duplicate_row
}

@test "a row without an id, or too large, is a reject, and odd names make references that can be told apart" {
	export MIG_MAX_RECORD=4096
	jq -nc '{"ok": true, "truncated": null, "data": {"a/b": [{id: "c"}], "a": [{id: "b/c"}, {id: "%\u0000é"}, {n: 1}, {id: 7}, {id: ""},
		{id: "big", text: ("x" * 2000)}]}}' |
		mig-extract --store response:domain --tenant acme --env dev > rows
	holds 'map(select(.kind == "document").ref) == ["a%2Fb/c", "a/%25%00é", "a/b/c"]' rows
	holds 'map(select(.kind == "reject").code) | sort == ["no_id", "no_id", "no_id", "too_large"]' rows
	holds '.[-1].records == 7' rows
	mig-hash --check rows
}

@test "--after gives what comes behind a reference, in a stream of its own" {
	instant plain > rows
	refs rows > all
	for n in 1 30 75; do
		instant plain --after "$(sed -n ${n}p all)" > rest
		tail -n +$((n + 1)) all | diff - <(refs rest)
		holds '.[-1].records == '$((75 - n)) rest
		holds '.[0].after != null' rest
		mig-hash --check rest
	done
	instant plain --after notes > rest
	[ "$(refs rest | wc -l)" -eq 75 ]
}

@test "an answer that was saved gives the rows that the endpoint gave" {
	base=$(at plain)
	curl -s -d '{"orgId": "acme", "query": {"notes": {}, "tags": {}}}' "$base/.well-known/ekairos/v1/domain" > answer
	domain plain | grep -v '"kind":"snapshot"' > rows
	mig-extract --store response:domain --tenant acme --env dev --query query < answer | grep -v '"kind":"snapshot"' | cmp - rows
	curl -s -H 'app-id: acme' -d '{"query": {"notes": {}, "tags": {}}}' "$base/admin/query" > answer
	mig-extract --store response:instantdb --tenant acme --env dev < answer | grep -v '"kind":"snapshot"' | cmp - rows
	fails 3 mig-extract --store response:domain --tenant acme --env dev < /dev/null
	fails 4 mig-extract --store response:domain --tenant acme --env dev < answer
	fails 4 mig-extract --store response:domain --tenant acme --env dev <<< '{"ok": true,'
	fails 2 mig-extract --store response:other --tenant acme --env dev < answer
}

@test "the stream of rows goes through the filters behind it" {
	domain plain > rows
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < <(grep -v '"kind":"document"' rows) > out
	holds 'map(.kind) == ["snapshot", "end"]' out
	echo '{"voids": {}}' > query
	domain plain > none
	mig-plan --env dev --migration m --target-version 1.0.0 < none > plan
	holds 'map(.kind) == ["end"] and .[0].records == 0' plan
	fails 2 mig-gate --env dev < rows
	sed '1s/acme/evil/' none > edited
	fails 4 mig-hash --check edited
	fails 4 mig-report < edited
	fails 4 mig-plan --env dev --migration m --target-version 1.0.0 < edited
	faulted 4 sum_mismatch
}

@test "what may pass is tried again: a busy server, an answer cut off" {
	domain plain > rows
	for mode in flaky once lost; do
		domain $mode | cmp - rows
	done
	instant plain > rows
	for mode in flaky once lost; do
		instant $mode --page 9 | cmp - rows
	done
}

@test "tries are counted: after the last one it is over, and what does not pass is tried once" {
	tries=1 fails 1 domain s503
	[ "$(asked s503 | wc -l)" -eq 2 ]
	tries=0 fails 1 domain cut
	faulted 1 connection_lost
	[ "$(asked cut | wc -l)" -eq 1 ]
	for mode in s500 s400 s501; do
		tries=3 fails 1 domain $mode
		[ "$(asked $mode | wc -l)" -eq 1 ]
	done
	fails 3 mig-extract --store http://127.0.0.1:1/ --tenant acme --env dev --query query --retries 1
	faulted 3 unreachable
}

@test "a slow server is 1 after the time that was set, also one that drips" {
	for mode in slow drip; do
		start=$SECONDS
		tries=5 fails 1 domain $mode --timeout 2
		faulted 1 timed_out
		[ $((SECONDS - start)) -lt 8 ]
	done
}

@test "an answer larger than a record is 4, and is not read to its end" {
	MIG_MAX_RECORD=100000 fails 4 domain endless
	faulted 4 answer_too_large
}

@test "an answer that is no JSON is 4, as is one that repeats the token" {
	for mode in words blank list notok; do
		fails 4 domain $mode
		faulted 4 bad_answer
		no_dataset
	done
	MIG_TOKEN=sesame-open-now fails 4 domain auth+echo
	faulted 4 token_echoed
	[[ $output$stderr != *sesame* ]]
}

@test "a redirect is not followed" {
	fails 1 domain redirect
	[ "$(asked redirect | wc -l)" -eq 1 ]
}

@test "EK-65 a token comes from the environment or a file of one's own, and is in no argument, record, message or audit" {
	export MIG_AUDIT=file:audit MIG_RUN_ID=run-1
	umask 077
	echo sesame-open-now > token
	domain auth --token-file token > rows 2> err
	MIG_TOKEN=canary domain auth --token-file token > rows
	chmod 640 token && domain auth --token-file token > rows
	for mode in 644 602 660; do
		chmod $mode token
		fails 3 domain auth --token-file token
		faulted 3 bad_token
	done
	chmod 600 token
	printf 'two words\n' > other
	fails 3 domain auth --token-file other
	: > other
	fails 3 domain auth --token-file other
	fails 3 domain auth --token-file no-such-file
	fails 3 domain auth --token-file .
	MIG_TOKEN=$'canary\nX-Evil: 1' fails 3 domain auth
	run ! grep -rq 'sesame\|canary' rows err audit
	mig-extract --help > help
	run ! grep -q -- '--token ' help
}

@test "EK-65 no token goes in the clear to another machine, and no URL holds a secret" {
	export MIG_TOKEN=sesame-open-now
	for url in http://example.com/ http://127.evil.example/ http://localhost.example/ http://10.0.0.1/ ftp://127.0.0.1/ \
		https://ada:canary@example.com/ 'https://example.com/?token=canary' 'https://example.com/#x' 'https://' \
		'https://exa mple.com/' 'http://127.0.0.1:1@example.com/' 'http://localhost\@example.com/' 'http://localhost:x/' \
		'http://[::1].example/' https://example.com:123456/; do
		fails 2 mig-extract --store "instantdb:app" --api "$url" --tenant acme --env dev --query query
		[[ $stderr$output != *canary* ]] || fail "$url: $stderr"
		# nothing of what the message says is taken for a secret
		[[ $stderr$output != *'[redacted]'* ]] || fail "$url: $stderr"
	done
	fails 2 mig-extract --store http://example.com/ --tenant acme --env dev --query query
	fails 2 mig-extract --store 'instantdb:a b' --tenant acme --env dev --query query
	# a proxy is not told what is for this machine
	http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 domain plain > rows
}

@test "a certificate is always verified" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 2> /dev/null
	openssl req -x509 -newkey rsa:2048 -nodes -keyout other.pem -out wrong.pem -days 2 -subj /CN=example.com \
		-addext subjectAltName=DNS:example.com 2> /dev/null
	plain=$STANDIN_PORT plain_pid=$STANDIN_PID
	domain plain > rows
	exec 8>&9
	standin_start cert.pem key.pem
	local url
	url=$(at plain https)
	fails 3 mig-extract --store "$url" --tenant acme --env dev --query query
	faulted 3 tls_failed
	fails 3 mig-extract --store "$url" --tenant acme --env dev --query query --ca wrong.pem
	fails 3 mig-extract --store "$url" --tenant acme --env dev --query query --ca no-such-file
	mig-extract --store "$url" --tenant acme --env dev --query query --ca cert.pem | cmp - rows
	# trusted, but for another name
	mig-extract --store "${url/127.0.0.1/localhost}" --tenant acme --env dev --query query --ca cert.pem > out 2> err && fail 'a wrong name'
	standin_stop
	exec 9>&8 8>&-
	STANDIN_PORT=$plain STANDIN_PID=$plain_pid
}

@test "who asks a server can open no file for writing, and nothing at all once it has its rows" {
	release
	strace -f -o trace -e trace=prlimit64,openat,socket,landlock_restrict_self "$(command -v mig-extract)" --store "$(at plain)" \
		--tenant acme --env dev --query query > rows
	grep -q 'RLIMIT_NOFILE, {rlim_cur=0, rlim_max=0}' trace || skip 'a build without the sandbox'
	[ "$(grep -c 'landlock_restrict_self.* = 0' trace)" -ne 1 ]
	sed '1,/RLIMIT_NOFILE, {rlim_cur=0/d' trace | grep 'openat\|socket' > late || true
	[ ! -s late ] || fail "$(cat late)"
}

@test "a filter that speaks no HTTP does not load libcurl" {
	release
	site
	strace -f -o trace -e trace=openat "$(command -v mig-extract)" --store fs:site --set "$SETS/manifest" > rows
	run ! grep -q libcurl trace
}

@test "100 pages take no more memory than one" {
	release
	[ -x /usr/bin/time ] || skip 'no time(1)'
	echo '{"notes": {}}' > query
	MIG_TOKEN=x /usr/bin/time -f %M -o few mig-extract --store instantdb:acme --api "$(at plain)" --tenant a --env dev --query query > rows
	MIG_TOKEN=x /usr/bin/time -f %M -o many mig-extract --store instantdb:huge --api "$(at plain)" --tenant a --env dev --query query --page 201 > rows
	holds '.[-1].records == 20000' rows
	[ "$(cat many)" -lt $(($(cat few) + 20000)) ] || fail "$(cat few) $(cat many)"
}
