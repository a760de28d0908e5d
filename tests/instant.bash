# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # the suites call these with arguments
# instant.bash -- what the suites of an InstantDB app share:  load instant  (after helper and standin/standin)
#
#	people 6 | planned --batch 4 && permitted
#	apply plain
#	[ "$(dump)" = "$(cat wanted)" ]

# id N [KIND]: the UUID of row N; KIND is one digit that tells entities apart.
id() {
	printf '0000000%s-0000-4000-8000-%012d' "${2-0}" "$1"
}

# a set of people who write posts: users, posts and tags have UUIDs
blog() {
	mkdir -p blog/1.0.0..2.0.0
	cat > blog/set.json <<- 'EOF'
		{"id": "blog", "mode": "records", "version": {"default": "1.0.0"}, "targets": {
		  "users": {"required": ["/name"]}, "tags": {},
		  "posts": {"links": {"author": "users", "tags": "tags"}, "optional": ["author", "tags"], "outside": ["tags"]}}}
	EOF
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["split"]}' > blog/1.0.0..2.0.0/hop.json
	echo '.data' > blog/1.0.0..2.0.0/up.jq
}

# records: lines of JSON, each what .data of a row is, as the stream that mig-extract makes of rows
records() {
	local n=0 line
	: > lines
	while IFS= read -r line; do
		printf '%s\n' "$line" >> lines
	done
	mig-hash --canonical lines > canonical
	mig-hash lines > hashes
	while IFS= read -r line <&3 && read -r hash <&4; do
		printf '{"body":%s,"entity":"r","hash":"%s","kind":"document","raw":"%s","ref":"r/%06d","version":"0.0.0"}\n' \
			"$line" "$hash" "$hash" $((++n))
	done 3< canonical 4< hashes > documents
	cat documents
	printf '{"digest":"%s","kind":"end","records":%d,"tool":"mig-extract"}\n' \
		"$(jq -r '.ref + " " + .hash' documents | tr ' ' '\0' | sha256sum | cut -d ' ' -f 1)" "$n"
}

# user N [NAME], post N AUTHOR [TITLE] [TAGS]: a record
user() { printf '{"entity":"users","id":"%s","data":{"name":"%s"}}\n' "$(id "$1" 1)" "${2-user $1}"; }
post() {
	printf '{"entity":"posts","id":"%s","data":{"title":"%s"},"links":{"author":"%s"}}\n' \
		"$(id "$1" 2)" "${3-post $1}" "$(id "$2" 1)"
}
gone() { printf '{"op":"delete","entity":"%s","id":"%s"}\n' "$1" "$2"; }

# people N: N users, each with a post
people() {
	local i
	for ((i = 1; i <= $1; i++)); do
		user "$i"
		post "$i" "$i"
	done
}

# planned [PLAN FLAG..] < RECORDS: the file plan.
planned() {
	[ -d blog ] || blog
	records | mig-transform --set blog --target-version 2.0.0 |
		mig-plan --env dev --migration blog --target-version 2.0.0 "$@" > plan
}

# permitted [GATE FLAG..]: permits for the file plan, as the file permits.
permitted() { mig-gate --env dev --apply "$@" < plan > permits; }

# app MODE [RUN]: the base URL of this test's app in that mode; $APP tells several of a test apart.
app() { echo "http://127.0.0.1:$STANDIN_PORT/$1/$BATS_TEST_NUMBER${APP+x$APP}${2+.$2}"; }

# apply MODE [APPLY FLAG..]: use the file permits; what came of it is in the file outcomes, too.
apply() {
	local mode=$1 code=0
	shift
	MIG_TOKEN=sesame-open-now mig-apply --store instantdb:live --state state --api "$(app "$mode")" "$@" < permits > outcomes || code=$?
	cat outcomes
	return "$code"
}

FATAL=0 # runs that were to be killed

# fatal MODE CALL.. : apply, with the process's own pid in the mode; CALL.. is a command to run it by.  Its code in $code.
fatal() {
	local mode=$1
	shift
	code=0
	{
		# shellcheck disable=SC2016 # that shell's $$ is mig-apply's pid
		MIG_TOKEN=sesame-open-now "$@" bash -c 'exec mig-apply --store instantdb:live --state state --api "${0/PID/pid$$}"' \
			"$(app "$mode+PID" "$((FATAL += 1))")" < permits > outcomes 2> said || code=$?
	} 2> /dev/null
	[ "$code" -eq 137 ] || [ "$code" -eq 0 ] || fail "$mode: exit $code: $(cat said)"
}

# told MODE STEPS: a transaction of somebody else.
told() { curl -sf -H 'app-id: live' -d "{\"steps\":$2}" "$(app "$1")/admin/transact" > /dev/null; }

# back [PLAN FLAG..]: permits for the rollback of the file plan, as the file permits.
back() { mig-plan --rollback --reason test < plan > back && mig-gate --env dev --apply --allow-destructive < back > permits; }

# dump: all that is in the app, a row a line.
dump() { curl -sf "$(app plain)/dump"; }

# requests MODE [RUN]: how many of them this test made in that mode.
requests() { curl -sf "$(app "$@")/log" | grep -c POST || true; }

# ledger FILTER: what jq makes of each entry.
ledger() { jq -r "$1" state/ledger.ndjson; }

# steps [FILE]: the status of each step in the outcomes.
steps() { jq -r 'select(.kind == "outcome").steps[].status' outcomes | xargs; }
messages() { jq -r 'select(.kind == "outcome").steps[].message' outcomes; }

# settled BATCHES: the plan was begun once, each batch noted once, and it was committed.
settled() {
	[ "$(ledger .event | sort | uniq -c | xargs)" = "1 begin 1 commit $1 step" ] || fail "$(ledger .event | xargs)"
	mig-verify --store instantdb:live --state state --ledger > verdict
}

# same FILE: all that is in the app is as FILE has it.
same() { dump | diff - "$1"; }
