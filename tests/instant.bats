#!/usr/bin/env bats
# Plans of rows applied to an InstantDB app: a server of ours stands in for it (tests/standin/server, app.py).

load helper
load store
load standin/standin
load instant

setup_file() {
	standin_start
}

teardown_file() {
	standin_stop
}

# three: six rows in three batches, planned and permitted; what they are to be is the file wanted.
three() {
	people 3 | planned --batch 2
	permitted
	APP=${APP-}w state=$PWD/elsewhere
	MIG_TOKEN=x mig-apply --store instantdb:live --state "$state" --api "$(app plain)" < permits > /dev/null
	dump > wanted
	unset APP
	[ "$(wc -l < wanted)" -eq 6 ]
}

# old: what is there before: user 1 under another name with a member of its own, and a post by somebody else.
old() {
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"old\",\"age\":7}],[\"update\",\"users\",\"$(id 9 1)\",{\"name\":\"nine\"}],
		[\"update\",\"posts\",\"$(id 1 2)\",{\"title\":\"old title\"}],[\"link\",\"posts\",\"$(id 1 2)\",{\"author\":\"$(id 9 1)\"}],
		[\"link\",\"posts\",\"$(id 1 2)\",{\"tags\":[\"$(id 5 3)\",\"$(id 6 3)\"]}]]"
	dump > before
}

@test "EK-41 EK-50 a plan of rows is done batch by batch, with its links, and doing it again does nothing" {
	three
	fails 0 apply plain
	[ "$(steps)" = 'applied applied applied' ]
	[ "$(messages | head -n 1)" = '2 rows: 2 new, 0 changed, 0 the same' ]
	same wanted
	settled 3
	[ "$(requests plain)" -eq 9 ]
	holds() { jq -e "$1" outcomes > /dev/null; }
	[ "$(jq -r 'select(.kind == "outcome").ledger.head' outcomes)" = "$(ledger .hash | tail -n 1)" ]
	mig-report < outcomes > page
	apply plain > again
	[ "$(steps)" = 'skipped skipped skipped' ]
	[ "$(requests plain)" -eq 9 ]
	settled 3
}

@test "EK-41 rows that are there are changed in what the plan names, and nothing is sent of what is as it should be" {
	old
	people 3 | planned --batch 6
	permitted
	apply plain
	[ "$(messages)" = '6 rows: 4 new, 2 changed, 0 the same; 4 links made or cut' ]
	dump | grep -qF "[\"users\", \"$(id 1 1)\", {\"age\": 7, \"name\": \"user 1\"}, {}]"
	# the link to the author was replaced, the tags are not named
	dump | grep -qF "{\"title\": \"post 1\"}, {\"author\": [\"$(id 1 1)\"], \"tags\": [\"$(id 5 3)\", \"$(id 6 3)\"]}"
	# the same under another name: nothing to do, and nothing sent
	cp lines same && records < same | mig-transform --set blog --target-version 2.0.0 |
		mig-plan --env dev --migration again --target-version 2.0.0 > plan
	permitted
	sent=$(curl -s "$(app plain)/log" | grep -c '\["update"')
	apply plain
	[ "$(messages)" = '6 rows: 0 new, 0 changed, 6 the same' ]
	[ "$(curl -s "$(app plain)/log" | grep -c '\["update"')" -eq "$sent" ]
}

@test "EK-45 a dry run asks, tells what it would do, and writes nothing anywhere" {
	old
	{ people 2 && gone users "$(id 9 1)" && gone users "$(id 8 1)"; } | planned --batch 3
	mig-gate --env dev --dry-run < plan > permits
	fails 0 apply plain
	[ "$(steps)" = 'skipped skipped skipped' ]
	messages | diff - <(cat <<- 'END'
		3 rows: would be 1 new, 2 changed, 0 the same; 2 links made or cut
		1 row: would be 1 new, 0 changed, 0 the same; 1 link made or cut
		2 rows: would be 1 deleted, 1 not there
	END
	)
	[ ! -e state ]
	same before
	[ "$(curl -s "$(app plain)/log" | grep -c '\["update"')" -eq 1 ] # old's own
	[ "$(jq -r 'select(.kind == "outcome").dry_run' outcomes)" = true ]
	# also with what a run before it left
	permitted --allow-destructive
	apply plain > /dev/null
	find state -type f -exec sha256sum {} + | sort > files
	mig-plan --rollback < plan | mig-gate --env dev --dry-run > permits
	fails 0 apply plain
	messages | grep -qF '3 rows: would be 0 new, 2 changed, 0 the same; would be 1 deleted, 0 not there'
	find state -type f -exec sha256sum {} + | sort | cmp - files
}

@test "EK-47 EK-48 a delete without its flag or its backup is refused with 5, whatever the permit says" {
	old
	gone users "$(id 9 1)" | planned
	fails 5 permitted
	permitted --allow-destructive
	# a permit that lacks the flag
	jq -c 'if .kind == "permit" then .grant.allow_destructive = false else . end' permits > forged && mv forged permits
	fails 5 apply plain
	faulted 5 destructive_flag
	[[ $stderr == *'1 row is deleted'* ]]
	same before
	[ ! -e state/ledger.ndjson ] || [ ! -s state/ledger.ndjson ]
}

@test "EK-49 rows are deleted behind a backup that holds their links, and come back with them" {
	old
	{ gone posts "$(id 1 2)" && gone users "$(id 9 1)" && gone users "$(id 4 1)"; } | planned --batch 2
	permitted --allow-destructive
	apply plain
	messages | diff - <(printf '%s\n' '2 rows: 1 deleted, 1 not there' '1 row: 1 deleted, 0 not there')
	dump | jq -r '.[0]' | sort | uniq -c | grep -q '1 users'
	ledger 'select(.event == "step").backups[] | .hash + "  state/backups/" + .file' > sums
	[ "$(wc -l < sums)" -eq 2 ]
	sha256sum -c --quiet sums
	# what the post's author was shows in the backup of either end that still had it
	cat state/backups/*.ndjson | grep -qF "\"links\":{\"author\":[\"$(id 9 1)\"],\"tags\":[\"$(id 5 3)\",\"$(id 6 3)\"]}" ||
		cat state/backups/*.ndjson | grep -qF "\"links\":{\"posts\":[\"$(id 1 2)\"]}"
	back
	apply plain
	same before
}

@test "EK-51 what may pass is tried again, and the outcome says how often" {
	three
	for APP in flaky lost late once; do
		rm -rf state
		fails 0 apply $APP
		[ "$(steps)" = 'applied applied applied' ]
		[[ $(messages) == *'at attempt '* ]] || fail "$(messages)"
		same wanted
		settled 3
	done
}

@test "EK-51 tries are counted, and when they are used up the run ends with 1 and changes nothing more" {
	three
	fails 1 apply s503 --retries 2
	faulted 1 http_status
	[ "$(requests s503)" -eq 3 ]
	[ "$(steps)" = 'failed not_run not_run' ]
	[[ $(messages) == *'HTTP status 503; attempt 3'* ]]
	hinted
	fails 1 apply s429 --retries 0
	[ "$(requests s429)" -eq 1 ]
	[ -z "$(dump)" ]
	start=$SECONDS
	fails 1 apply slow --retries 1 --timeout 1
	faulted 1 timed_out
	[ $((SECONDS - start)) -lt 8 ]
	# nobody there
	fails 3 env MIG_TOKEN=x mig-apply --store instantdb:live --state state --api http://127.0.0.1:1/ --retries 1 < permits
	faulted 3 unreachable
	fails 0 apply plain
	same wanted
	[ "$(ledger .event | grep -c begin)" -eq 1 ]
}

@test "EK-52 a batch that fails for good stops the run, and the next one goes on just there" {
	three
	# the transaction of the second batch is the fifth request
	for mode in s400at5 s500at5; do
		APP=$mode
		rm -rf state
		fails 1 apply $mode
		faulted 1 http_status
		[ "$(steps)" = 'applied failed not_run' ]
		[ "$(requests $mode)" -eq 5 ]
		[ "$(dump | wc -l)" -eq 2 ]
		fails 0 apply plain
		[ "$(steps)" = 'skipped applied applied' ]
		[ "$(requests plain)" -eq 6 ]
		same wanted
		settled 3
	done
}

@test "EK-52 EK-53 a row that the app refuses stops its batch as a whole, and those behind it" {
	{ user 1 && user 2 && post 1 1 && post 2 2 forbidden && post 3 1; } | planned --batch 2
	permitted
	fails 1 apply plain
	[ "$(steps)" = 'applied failed not_run' ]
	[ "$(dump | wc -l)" -eq 2 ]
	fails 1 apply plain
	[ "$(steps)" = 'skipped failed not_run' ]
	[ "$(ledger .event | xargs)" = 'begin step' ]
}

@test "EK-52 a login that is refused in the middle is 3, and the run goes on with one that is not" {
	three
	fails 3 apply s401at5
	faulted 3 unauthorized
	[ "$(steps)" = 'applied failed not_run' ]
	fails 0 apply plain
	same wanted
	settled 3
}

@test "EK-53 EK-56 a server that says 200 and does nothing, or something else, is found out: 4" {
	three
	for mode in liar swap; do
		APP=$mode
		rm -rf state
		fails 4 apply $mode
		faulted 4 rows_differ
		[ "$(steps)" = 'failed not_run not_run' ]
		[ "$(ledger .event | xargs)" = begin ]
		fails 0 apply plain
		same wanted
		settled 3
	done
}

@test "EK-56 an answer that is not what was asked for is 4, and nothing is sent" {
	three
	for mode in words blank list extra lacking twice scalar; do
		old
		fails 4 apply $mode
		faulted 4 bad_answer
		same before
	done
}

# verify MODE: compare the app with the plans on stdin.
verify() {
	MIG_TOKEN=x mig-verify --store instantdb:live --state state --api "$(app "$1")"
}

@test "EK-55 EK-56 mig-verify compares an app with a plan, row by row, and with its rollback" {
	three
	old
	mkdir state
	fails 4 verify plain < plan
	faulted 4 not_applied
	apply plain > /dev/null
	fails 0 verify plain < plan
	fails 0 verify flaky < outcomes
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"user 2\"}],[\"update\",\"users\",\"$(id 2 1)\",{\"name\":\"user 1\"}]]"
	fails 4 verify plain < plan
	faulted 4 drift
	[[ $stderr == *"users/$(id 1 1)"* ]]
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"user 1\"}],[\"update\",\"users\",\"$(id 2 1)\",{\"name\":\"user 2\"}]]"
	fails 0 verify plain < plan
	told plain "[[\"unlink\",\"posts\",\"$(id 3 2)\",{\"author\":\"$(id 3 1)\"}]]"
	fails 4 verify plain < plan
	faulted 4 drift
	told plain "[[\"link\",\"posts\",\"$(id 3 2)\",{\"author\":\"$(id 3 1)\"}]]"
	back
	fails 4 verify plain < back
	apply plain > /dev/null
	fails 0 verify plain < back
	fails 4 verify plain < plan
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"edited\"}]]"
	fails 4 verify plain < back
	faulted 4 not_restored
}

@test "EK-54 killed at any request, before it is done or after, the run is repeated to the same end" {
	three
	for word in kill dead; do
		for ((n = 1; n <= 9; n++)); do
			APP=$word$n
			rm -rf state
			old
			permitted
			fatal $word$n
			[ "$code" -eq 137 ] || fail "$word$n: not killed"
			fatal $word$((n > 4 ? 2 : 1))
			fails 0 apply plain
			[ "$(dump | grep -c .)" -eq 7 ]
			settled 3
			# nothing lost, nothing doubled; and the backup is what was there first
			back
			apply plain > /dev/null
			same before || fail "$word$n"
		done
	done
}

@test "EK-54 killed before any write, sync or name of ours, the run is repeated to the same end" {
	may_trace
	three
	local call n
	for call in write fsync fdatasync renameat; do
		for ((n = 1; n <= 12; n++)); do
			APP=$call$n
			rm -rf state
			old
			fatal plain strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n"
			[ "$code" -eq 137 ] || break
			permitted
			fails 0 apply plain
			settled 3
			back
			apply plain > /dev/null
			same before || fail "$call $n"
			permitted
		done
		[ "$n" -gt 3 ] || fail "$call: only $n"
	done
}

@test "EK-54 whatever call of ours fails, the run says so and the next one comes to the same end" {
	may_trace
	three
	(umask 077 && echo sesame-open-now > token)
	local call n
	for call in write:ENOSPC fsync:EIO fdatasync:EIO renameat:EROFS; do
		for ((n = 1; n <= 12; n++)); do
			APP=${call/:/}$n
			rm -rf state
			old
			code=0
			strace -f -qq -o /dev/null -e "trace=${call%:*}" -e "inject=${call%:*}:error=${call#*:}:when=$n" \
				"$MIG_X/mig-apply" --store instantdb:live --state state --api "$(app plain)" --token-file token \
				< permits > outcomes 2> said || code=$?
			[ "$code" -ne 0 ] || break
			[ "$code" -eq 1 ] || [ "$code" -eq 3 ] || fail "$call $n: exit $code: $(cat said)"
			fails 0 apply plain
			settled 3
			back
			apply plain > /dev/null
			same before || fail "$call $n"
			permitted
		done
		[ "$n" -gt 3 ] || fail "$call: only $n"
	done
}

@test "EK-54 a rollback that is killed at any request is repeated to the same end" {
	three
	for word in kill dead; do
		for ((n = 1; n <= 12; n++)); do
			APP=back$word$n
			rm -rf state
			old
			permitted
			apply plain > /dev/null
			back
			fatal $word$n
			[ "$code" -eq 137 ] || fail "$word$n: not killed"
			fails 0 apply plain
			same before || fail "$word$n"
			[ "$(ledger .event | sort | uniq -c | xargs)" = '2 begin 1 commit 1 rollback 6 step' ] || fail "$(ledger .event)"
		done
	done
}

@test "EK-54 two runs at once: one has the lock, the other is 3 with its name" {
	three
	apply busy > /dev/null &
	for _ in $(seq 100); do
		[ ! -s state/lock ] || break
		sleep 0.05
	done
	fails 3 env MIG_TOKEN=x mig-apply --store instantdb:live --state state --api "$(app plain)" --lock-timeout 0 < permits
	faulted 3 locked
	[[ $stderr == *'"actor":"tester"'* ]]
	wait
	same wanted
	settled 3
}

@test "a signal lets the batch at hand be finished, and the next run goes on behind it" {
	three
	MIG_TOKEN=x mig-apply --store instantdb:live --state state --api "$(app busy)" < permits > outcomes 2> said &
	local pid=$!
	for _ in $(seq 100); do
		[ "$(requests busy)" -lt 2 ] || break
		sleep 0.05
	done
	kill $pid
	wait $pid && fail 'not interrupted'
	[ "$(steps)" = 'applied not_run not_run' ] || [ "$(steps)" = 'applied applied not_run' ]
	fails 0 apply plain
	same wanted
	settled 3
}

@test "--batch-delay rests between batches, and not before the first" {
	three
	start=$(date +%s%N)
	apply plain --batch-delay 400 > /dev/null
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -ge 800 ]
	fails 2 apply plain --batch-delay 3600001
	fails 2 apply plain --retries 101
}

@test "ids that are no UUIDs, and what an app could not hold, are 4 before anything is sent" {
	[ -d blog ] || blog
	while read -r rule record; do
		echo "$record" | planned
		permitted
		fails 4 apply plain
		faulted 4 "$rule"
		[ "$(steps)" = failed ]
	done <<- END
		bad_id {"entity":"users","id":"7","data":{"name":"x"}}
		bad_id {"entity":"posts","id":"$(id 1 2)","data":{},"links":{"tags":"seven"}}
		bad_data {"entity":"users","id":"$(id 1 1)","data":{"name":"x","id":"$(id 2 1)"}}
		bad_data {"entity":"users","id":"$(id 1 1)","data":{"name":"x","\$":1}}
		bad_data {"entity":"posts","id":"$(id 1 2)","data":{"tags":1},"links":{"tags":"$(id 1 3)"}}
		inexact_number {"entity":"users","id":"$(id 1 1)","data":{"name":"x","n":[9007199254740993]}}
	END
	[ "$(requests plain)" -eq 0 ]
	# one row by two spellings of its id
	{ echo '{"entity":"users","id":"0000000a-0000-4000-8000-000000000001","data":{"name":"x"}}' &&
		echo '{"entity":"users","id":"0000000A-0000-4000-8000-000000000001","data":{"name":"y"}}'; } | planned
	permitted
	fails 4 apply plain
	faulted 4 bad_id
	[ "$(requests plain)" -eq 0 ]
}

@test "an id in capitals and a member that is the id are the row's own" {
	echo '{"entity":"users","id":"0000000A-0000-4000-8000-000000000001","data":{"name":"x","id":"0000000A-0000-4000-8000-000000000001","no":null}}' | planned
	permitted
	apply plain
	[ "$(dump)" = '["users", "0000000a-0000-4000-8000-000000000001", {"name": "x"}, {}]' ]
}

@test "a rollback puts back what was named and deletes what was new; what others changed stays" {
	three
	old
	apply plain > /dev/null
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"age\":8}],[\"update\",\"users\",\"$(id 7 1)\",{\"name\":\"seven\"}]]"
	back
	apply plain
	[ "$(steps)" = 'applied applied applied' ]
	sed "s/\"age\": 7/\"age\": 8/" before > wanted
	dump | grep -v "$(id 7 1)" | diff - wanted
	apply plain > /dev/null
	[ "$(steps)" = 'skipped skipped skipped' ]
	# and forth again: with a permit of its own and backups of its own
	permitted
	apply plain > /dev/null
	[ "$(steps)" = 'applied applied applied' ]
	[ "$(find state/backups -type f | wc -l)" -eq 6 ]
}

@test "a member that was not there is null after the rollback, as there is no unset" {
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"age\":7}]]"
	user 1 | planned
	permitted
	apply plain > /dev/null
	back
	apply plain
	[ "$(curl -s "$(app plain)/log" | tail -n 2 | head -n 1)" = \
		"POST live with a token [[\"update\", \"users\", \"$(id 1 1)\", {\"name\": null}]]" ]
}

@test "drift under one batch means that none is rolled back: 4" {
	three
	apply plain > /dev/null
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"edited\"}]]"
	dump > drifted
	back
	for _ in 1 2; do
		fails 4 apply plain
		faulted 4 drift
		same drifted
	done
	[ "$(ledger .event | grep -c begin)" -eq 1 ]
	[ "$(steps)" = 'not_run not_run failed' ]
	told plain "[[\"update\",\"users\",\"$(id 1 1)\",{\"name\":\"user 1\"}]]"
	fails 0 apply plain
	[ -z "$(dump)" ]
}

@test "a plan that stopped is rolled back as far as it came" {
	three
	old
	fails 1 apply s400at8
	[ "$(steps)" = 'applied applied failed' ]
	fails 3 apply plain --recover undo
	faulted 3 not_supported
	fails 0 apply s400at8 --recover redo < /dev/null || true
	APP='' && unset APP
	rm -rf state && told plain "[[\"delete\",\"users\",\"$(id 1 1)\",null],[\"delete\",\"users\",\"$(id 2 1)\",null],
		[\"delete\",\"users\",\"$(id 3 1)\",null],[\"delete\",\"posts\",\"$(id 1 2)\",null],[\"delete\",\"posts\",\"$(id 2 2)\",null],
		[\"delete\",\"posts\",\"$(id 3 2)\",null]]"
	old
	fails 1 apply s400at5
	back
	fails 0 apply plain
	[ "$(steps)" = 'skipped applied applied' ] || [ "$(steps)" = 'skipped skipped applied' ]
	same before
	[ "$(ledger .event | xargs | sed 's/step //g')" = 'begin begin undo rollback' ]
	# nobody calls it unfinished any more
	permitted
	fails 0 apply plain
	[[ $stderr != *'never committed'* ]]
}

@test "while a rollback is not ended its plan is not applied: 3" {
	three
	apply plain > /dev/null
	back
	fails 1 apply s400at5
	permitted
	fails 3 apply plain
	faulted 3 rollback_begun
	back
	fails 0 apply plain
	[ -z "$(dump)" ]
}

@test "a backup that was changed is 4, and one that is gone 3; nothing is put back" {
	three
	old
	apply plain > /dev/null
	back
	dump > after
	file=$(find state/backups -name '*batch-00001*')
	cp "$file" kept
	sed -i 's/old/new/' "$file"
	fails 4 apply plain
	faulted 4 backup_damaged
	rm "$file"
	fails 3 apply plain
	faulted 3 backup_missing
	same after
	cp kept "$file"
	fails 0 apply plain
	same before
}

@test "without --state, a token or an app it is 3, and no store of another kind takes these options" {
	three
	fails 3 env MIG_TOKEN=x mig-apply --store instantdb:live --api "$(app plain)" < permits
	faulted 3 no_state
	fails 3 mig-apply --store instantdb:live --state state --api "$(app plain)" < permits
	faulted 3 missing_instant_credentials
	hinted
	fails 3 env MIG_TOKEN=x mig-apply --store instantdb: --state state --api "$(app plain)" < permits
	faulted 3 missing_instant_credentials
	fails 2 env MIG_TOKEN=x mig-apply --store 'instantdb:a b' --state state < permits
	fails 2 env MIG_TOKEN=x mig-apply --store instantdb:live --state state --api http://example.com/ < permits
	fails 2 env MIG_TOKEN=x mig-apply --store instantdb:live --state state --api "$(app plain)" --jobs 2 < permits
	fails 2 mig-apply --store fs:. --api "$(app plain)" < permits
	fails 3 mig-verify --store instantdb:live --state nowhere --ledger
	faulted 3 state_missing
	fails 3 mig-extract --store instantdb:live --applied
	faulted 3 no_state
	[ "$(requests plain)" -eq 0 ]
}

@test "a plan of another kind is 4, and a plan of rows in a folder, too" {
	site
	plan_manifests site > plan
	permitted
	fails 4 apply plain
	faulted 4 foreign_plan
	mkdir -p state
	fails 4 verify plain < plan
	faulted 4 foreign_plan
	user 1 | planned
	permitted
	fails 4 mig-apply --store fs:site < permits
}

@test "what was done is told by the folder alone: history, applied plans, verdicts" {
	three
	apply plain > /dev/null
	mig-extract --store instantdb:live --state state --applied > applied
	grep '"kind":"plan"' applied | cmp - <(grep '"kind":"plan"' plan)
	mig-plan --rollback < applied | cmp - <(mig-plan --rollback < plan)
	mig-extract --store instantdb:live --state state --ledger --event step > entries
	[ "$(grep -c '"event":"step"' entries)" -eq 3 ]
	mig-report < entries > page
	jq -nc --arg h "$(jq -r 'select(.kind == "plan").plan_hash' plan)" \
		'{code: "ok", findings: [], kind: "verdict", ok: true, plan_hash: $h, rollback: null}' | mig-hash --canonical > verdicts
	printf '{"digest":"%s","kind":"end","records":1,"tool":"mig-verify"}\n' \
		"$(jq -j .plan_hash verdicts | cat - <(echo) | sha256sum | cut -d ' ' -f 1)" >> verdicts
	fails 0 mig-apply --store instantdb:live --state state < verdicts
	[ "$(ledger .event | tail -n 1)" = verify ]
	sed -i 's/"actor":"tester"/"actor":"nobody"/' state/ledger.ndjson
	fails 4 mig-verify --store instantdb:live --state state --ledger
	fails 4 apply plain
	faulted 4 ledger_broken
}

@test "permits must be signed where the folder trusts keys" {
	three
	mkdir -p state/trust
	openssl genpkey -algorithm ed25519 -out key.pem 2> /dev/null
	openssl pkey -in key.pem -pubout -out state/trust/key.pem
	fails 5 apply plain
	faulted 5 unsigned_permit
	permitted --sign key.pem
	fails 0 apply plain
	back
	permitted --sign key.pem
	mig-gate --env dev --apply --allow-destructive --sign key.pem < back > permits
	apply plain > /dev/null
	permitted --sign key.pem
	fails 0 apply plain
}

@test "who applies to an app writes nothing outside of its folder" {
	may_trace
	! grep -q __asan_init "$MIG_X/mig-apply" || skip 'a build with sanitizers'
	three
	MIG_TOKEN=x strace -f -o trace -e trace=openat,mkdirat,mkdir,renameat,unlinkat,landlock_restrict_self \
		"$(command -v mig-apply)" --store instantdb:live --state state --api "$(app plain)" < permits > outcomes
	grep -q 'landlock_restrict_self.* = 0' trace || skip 'a kernel without landlock'
	[ "$(grep 'O_CREAT' trace | grep -vc 'lock"\|ledger.ndjson"\|\.tmp"\|O_TMPFILE')" -eq 0 ] || fail "$(grep O_CREAT trace)"
	# the folder is not made by a run that was refused
	rm -rf state
	MIG_TOKEN=x fails 5 mig-apply --store instantdb:live --state state --api "$(app plain)" < plan
	[ ! -e state ]
}

@test "the front door applies, tells the history and the status of an app, and rolls back its last run" {
	three
	umask 077
	echo sesame-open-now > token
	door() { mig "$@" --store instantdb:live --state state; }
	reach=(--api "$(app plain)" --token-file token)
	fails 0 door apply --plan plan --env dev --apply --retries 2 --batch-delay 1 "${reach[@]}" --out reports
	same wanted
	[ -s reports/migration_blog_2.0.0_report.json ]
	fails 0 door status
	[[ $output == *blog* ]]
	fails 0 door history --format json
	[ "$(jq -r 'select(.kind == "entry").event' <<< "$output" | xargs)" = 'begin step step step commit' ]
	fails 0 door rollback --env dev --apply --allow-destructive --reason test "${reach[@]}"
	[ -z "$(dump)" ]
	fails 3 mig history --store instantdb:live
	fails 2 mig status --store fs:. --state state
}
