#!/usr/bin/env bats
# What a killed run leaves, and what the next one makes of it: completed, or undone.

load helper
load store

setup() {
	mig_setup
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	# the leak checker cannot work in a traced process
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
}

# killed CALL N [APPLY FLAG..]: apply the file permits to site, killed before the Nth call of that name.
killed() {
	local call=$1 n=$2 code=0
	shift 2
	{
		strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
			mig-apply --store fs:site "$@" < permits > outcomes 2> said || code=$?
	} 2> /dev/null
	[ "$code" -eq 137 ] || fail "not killed: exit $code: $(cat said)"
}

# half: a site of three documents to change, whose apply was killed behind the first exchange.
half() {
	site && manifest 1.0.0 > site/job/run-1.2.0/manifest.json
	planned && permitted
	cp -R site before
	killed renameat2 2
	[ "$(grep -l '"1.2.0"' site/job/*/manifest.json | wc -l)" -eq 1 ]
}

as_before() {
	diff -r --exclude=.mig before site
	tidy site && chained site
}

unfinished() {
	[[ $stderr == *"plan $(jq -r 'select(.kind == "plan").plan_hash' plan) was begun and never committed"* ]] ||
		fail "$stderr"
}

last_event() {
	tail -n 1 site/.mig/ledger.ndjson | jq -r .event
}

@test "CH-13 the next run names a plan that was begun, and what it has removed, and completes it" {
	half
	fails 0 mig-apply --store fs:site < permits
	unfinished
	[[ $stderr == *'a killed run left'*'temporary file'* ]]
	holds 'map(select(.kind == "outcome"))[0] | .ok and (.findings | map(.rule_id) | index("unfinished") != null)' \
		/dev/stdin <<< "$output"
	[ "$(grep -L '"1.2.0"' site/job/*/manifest.json | wc -l)" -eq 0 ]
	[ "$(last_event)" = commit ]
	fails 0 mig-apply --store fs:site < permits
	[ -z "$stderr" ]
}

@test "CH-22 --recover undo puts every original back, ends the plan in the ledger, and then applies what came" {
	half
	fails 0 mig-apply --store fs:site --recover undo < permits
	[[ $stderr == *'what was done of it is undone'* ]] || fail "$stderr"
	[ "$(jq -r .event site/.mig/ledger.ndjson | tr '\n' ' ')" = 'begin undo begin commit ' ]
	holds 'map(select(.kind == "outcome"))[0].steps | map(.status) == ["applied", "applied", "applied"]' \
		/dev/stdin <<< "$output"
	tidy site && chained site
}

# crowded N: N documents, each a plan of its own, whose apply by two jobs was killed when some had their new bytes.
crowded() {
	local i
	for ((i = 1; i <= $1; i++)); do
		mkdir -p "site/$i"
		manifest 1.0.0 "\"meta\": {\"n\": $i}" > "site/$i/manifest.json"
	done
	planned --batch 1 && permitted
	cp -R site before
	# the second exchange of one of the workers; the parent finds it gone
	code=0
	{
		strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=3 \
			mig-apply --store fs:site --jobs 2 < permits > outcomes 2> said || code=$?
	} 2> /dev/null
	[ "$code" -eq 1 ] || [ "$code" -eq 137 ] || fail "exit $code: $(cat said)"
	[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c begin)" -gt "$(jq -r .event site/.mig/ledger.ndjson | grep -c commit)" ]
}

@test "CH-22 --recover undo and --jobs together: what was begun is undone first, then several processes apply all" {
	local begun
	crowded 8
	begun=$(jq -rs 'map(select(.event == "begin").plan_hash) - map(select(.event == "commit").plan_hash) | .[]' site/.mig/ledger.ndjson)
	[ -n "$begun" ]
	fails 0 mig-apply --store fs:site --jobs 2 --recover undo < permits
	[ "$(grep -c 'what was done of it is undone' <<< "$stderr")" -eq "$(wc -l <<< "$begun")" ]
	holds 'map(select(.kind == "outcome")) | length == 8 and all(.ok)' /dev/stdin <<< "$output"
	[ "$(grep -L '"1.2.0"' site/*/manifest.json | wc -l)" -eq 0 ]
	# undone was what was open, and nothing else; and then each was committed, once
	diff <(sort <<< "$begun") <(jq -r 'select(.event == "undo").plan_hash' site/.mig/ledger.ndjson | sort)
	[ "$(jq -r 'select(.event == "commit").plan_hash' site/.mig/ledger.ndjson | sort -u | wc -l)" -eq 8 ]
	[ "$(jq -r 'select(.event == "commit").plan_hash' site/.mig/ledger.ndjson | wc -l)" -eq 8 ]
	tidy site && chained site
}

@test "CH-24 where an undo is refused, several processes do not begin either" {
	crowded 8
	local ref entries
	# one whose bytes are new, and whose plan is open
	ref=$(jq -rs 'map(select(.event == "begin").plan_hash) - map(select(.event == "commit").plan_hash) | .[0]' site/.mig/ledger.ndjson)
	ref=$(jq -r .steps[0].actions[0].ref "site/.mig/plans/$ref.json")
	echo '{"mine": 1}' > "site/$ref"
	entries=$(grep -c begin site/.mig/ledger.ndjson)
	# first what the killed run has left is kept, as it may be somebody's
	mig-apply --store fs:site --jobs 2 --recover undo < permits > outcomes 2> said && code=0 || code=$?
	[ "$code" -eq 4 ] || fail "exit $code"
	fails 4 mig-apply --store fs:site --jobs 2 --recover undo < permits
	faulted 4 drift
	[ "$(cat "site/$ref")" = '{"mine": 1}' ]
	[ "$(grep -c begin site/.mig/ledger.ndjson)" -eq "$entries" ]
}

@test "a stream of no permits is enough to undo" {
	half
	nothing mig-gate > none
	fails 0 mig-apply --store fs:site --recover undo < none
	as_before
	[ "$(last_event)" = undo ]
	holds '.[-1] | .actor == "tester" and .plan_hash == "'"$(jq -r 'select(.kind == "plan").plan_hash' plan)"'"' site/.mig/ledger.ndjson
	[ "$(jq -r .kind <<< "$output")" = end ]
	fails 0 mig-apply --store fs:site --recover undo < none
	[ -z "$stderr" ]
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq 2 ]
}

@test "a stream that was cut short undoes nothing" {
	half
	before=$(tree_hash site)
	fails 3 mig-apply --store fs:site --recover undo < /dev/null
	[ "$before" = "$(tree_hash site)" ]
	[ "$(last_event)" = begin ]
}

@test "a stream of no permits without --recover, or with redo, changes no document" {
	half
	before=$(tree_hash site)
	nothing mig-gate > none
	fails 0 mig-apply --store fs:site < none
	[ -z "$stderr" ]
	fails 0 mig-apply --store fs:site --recover redo < none
	unfinished
	[ "$before" = "$(tree_hash site)" ]
	tidy site
}

@test "mig recover undoes with --apply, and is blocked without" {
	half
	fails 5 mig recover --store fs:site
	[ "$(last_event)" = begin ]
	fails 0 mig recover --store fs:site --apply
	as_before
}

@test "CH-24 an undo refuses a document that somebody has changed since, and leaves all as it is" {
	half
	local new
	new=$(grep -l '"1.2.0"' site/job/*/manifest.json)
	echo '{"mine": 1}' > "$new"
	before=$(tree_hash site)
	nothing mig-gate > none
	fails 4 mig-apply --store fs:site --recover undo < none
	faulted 4 drift
	hinted
	[[ $stderr == *'hint: plan '*' is not undone: see to what is named'* ]]
	[ "$before" = "$(tree_hash site)" ]
	[ "$(last_event)" = begin ]
	cp "before/${new#site/}" "$new"
	fails 0 mig-apply --store fs:site --recover undo < none
	as_before
}

@test "a plan whose originals are gone is not undone (3), and says which" {
	half
	rm -f site/.mig/objects/*
	# the temporary file still holds the one that was displaced: without it there is no other copy
	rm -f site/.mig/tmp/*
	nothing mig-gate > none
	fails 3 mig-apply --store fs:site --recover undo < none
	faulted 3 object_missing
	[ "$(last_event)" = begin ]
}

@test "a rollback that was killed is undone: the bytes that it displaced are back" {
	site && manifest 1.0.0 > site/job/run-1.2.0/manifest.json
	planned && permitted && applied
	cp -R site before
	mig-plan --rollback < plan > back
	mig-gate --env dev --apply < back > permits
	killed renameat2 3
	run -1 diff -rq --exclude=.mig before site
	nothing mig-gate > none
	fails 0 mig-apply --store fs:site --recover undo < none
	as_before
	[ "$(jq -r .event site/.mig/ledger.ndjson | tr '\n' ' ')" = 'begin commit begin undo ' ]
	applied
	[ "$(last_event)" = rollback ]
}

@test "a rollback whose bytes the ledger does not know is not undone (3), and can be completed" {
	half
	fails 0 mig-apply --store fs:site < permits # the first document was skipped: its bytes are not in the ledger
	mig-plan --rollback < plan > back
	mig-gate --env dev --apply < back > permits
	killed syncfs 2
	nothing mig-gate > none
	fails 3 mig-apply --store fs:site --recover undo < none
	faulted 3 not_undoable
	applied
	diff -r --exclude=.mig before site
	tidy site && chained site
}

@test "several plans that were begun are undone, the last one first" {
	local i
	for i in 1 2 3 4 5 6; do
		mkdir -p "site/$i"
		manifest 1.0.0 "\"meta\": {\"n\": $i}" > "site/$i/manifest.json"
	done
	planned --batch 3 && permitted
	cp -R site before
	# each waits before its first link, so that both have begun before the parent's first sync, its last call
	local begun code=0
	{
		strace -f -qq -o /dev/null -e trace=linkat,syncfs -e inject=linkat:delay_enter=300000:when=1 \
			-e inject=syncfs:signal=KILL:when=1 mig-apply --store fs:site --jobs 2 < permits || code=$?
	} > /dev/null 2>&1
	[ "$code" -eq 137 ]
	begun=$(jq -r 'select(.event == "begin").plan_hash' site/.mig/ledger.ndjson)
	[ "$(wc -l <<< "$begun")" -eq 2 ]
	nothing mig-gate > none
	fails 0 mig-apply --store fs:site --recover undo < none
	[ "$(tac <<< "$begun")" = "$(jq -r 'select(.event == "undo").plan_hash' site/.mig/ledger.ndjson)" ] || fail "$(jq -r .event site/.mig/ledger.ndjson)"
	as_before
}

@test "an undo that is killed too is taken up by the next run, either way" {
	local n
	half
	nothing mig-gate > none
	cp -R site first
	for n in 1 2 3; do
		for call in renameat2 linkat unlinkat syncfs; do
			rm -rf site && cp -a first site
			{
				strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
					mig-apply --store fs:site --recover undo < none > out 2>&1 || :
			} 2> /dev/null
			rm -rf again && cp -a site again
			fails 0 mig-apply --store fs:site --recover undo < none
			as_before
			fails 0 mig-apply --store fs:again < permits
			[ "$(grep -L '"1.2.0"' again/job/*/manifest.json | wc -l)" -eq 0 ]
			tidy again && chained again
		done
	done
}

@test "what a killed run left and cannot be read for once stays where it is, and is nobody's conflict" {
	half
	cp -R site first
	local n call code read=0
	for call in pread64 getdents64; do
		for n in 1 2 3 4 5 6 7 8 9 10; do
			rm -rf site && cp -a first site
			code=0
			strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:error=EIO:when=$n" \
				mig-apply --store fs:site < permits > outcomes 2> said || code=$?
			[ "$code" -ne 4 ] || fail "$call $n: $(cat said)"
			[ -z "$(ls site/.mig/conflicts)" ]
			! grep -q 'cannot read' said || read=$((read + 1))
			applied
			[ "$(grep -L '"1.2.0"' site/job/*/manifest.json | wc -l)" -eq 0 ]
			tidy site && chained site
		done
	done
	[ "$read" -ge 4 ]
}

@test "a dry run does not undo" {
	half
	before=$(whole_tree site)
	mig-gate --env dev --dry-run < plan > dry
	fails 0 mig-apply --store fs:site --recover undo < dry
	[ "$before" = "$(whole_tree site)" ]
}

@test "--recover is redo or undo" {
	site
	fails 2 mig-apply --store fs:site --recover maybe < /dev/null
	fails 2 mig apply --store fs:site --plan plan --env dev --recover
}
