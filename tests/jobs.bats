#!/usr/bin/env bats
# mig-apply --jobs: several processes, and what one would have left.

load helper
load store

# crowd N: a site of N small manifests, each a plan of its own, and permits for them.
crowd() {
	local i
	for ((i = 1; i <= $1; i++)); do
		mkdir -p "site/$((i + 100))"
		manifest 1.0.0 "\"meta\": {\"n\": $i}" > "site/$((i + 100))/manifest.json"
	done
	planned --batch 1
	permitted
}

# same_store A B: the same bytes, .mig as well but for the order of the ledger's entries and the lock's pid.
same_store() {
	diff -r --exclude=.mig "$1" "$2"
	diff -r "$1/.mig/objects" "$2/.mig/objects"
	diff -r "$1/.mig/plans" "$2/.mig/plans"
	diff <(events_of "$1" | sort) <(events_of "$2" | sort)
	tidy "$2"
}

events_of() {
	jq -c '[.event, .plan_hash, .written]' "$1/.mig/ledger.ndjson"
}

# plain FILE: outcomes without what differs from run to run.
plain() {
	jq -c 'del(.ledger)' "$1"
}

# order EVENT DIR: the plans of the ledger's entries of that kind are in the order of the file plan.
in_plan_order() {
	diff <(jq -r 'select(.kind == "plan").plan_hash' plan | head -n "$(grep -c "\"event\":\"$1\"" "$2/.mig/ledger.ndjson")") \
		<(jq -r "select(.event == \"$1\").plan_hash" "$2/.mig/ledger.ndjson")
}

@test "two jobs leave the bytes, the outcomes and the entries that one leaves" {
	crowd 30
	cp -R site one
	cp -R site two
	mig-apply --store fs:one < permits > by-one
	for n in 2 5 64; do
		rm -rf two && cp -R site two
		mig-apply --store fs:two --jobs "$n" < permits > by-many
		diff <(plain by-one) <(plain by-many)
		same_store one two
		chained two
		in_plan_order begin two
		in_plan_order commit two
	done
	mig-verify --store fs:two < by-many > verdicts
}

@test "CH-23 several jobs write how long each plan took, and so a deadline has its pace" {
	unset SOURCE_DATE_EPOCH
	crowd 6
	mig-apply --store fs:site --jobs 2 < permits > outcomes
	[ "$(jq -r 'select(.event == "commit").duration_ms >= 1' site/.mig/ledger.ndjson | sort | uniq -c | tr -s ' ')" = ' 6 true' ]
	chained site
	mig-apply --store fs:site --jobs 2 --deadline 600 < permits > outcomes 2> err
	[ "$(statuses outcomes | sort -u)" = skipped ]
	[ ! -s err ]
}

@test "CH-22 a rollback by two jobs leaves the original bytes, without a backup" {
	crowd 12
	cp -R site before
	applied --jobs 3
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	applied --jobs 2
	diff -r --exclude=.mig before site
	holds 'map(select(.kind == "outcome")) | length == 12 and all(.ok)' outcomes
	chained site && tidy site
}

@test "CH-12 SG-10 a second run by two jobs skips every step and writes no entry" {
	crowd 10
	applied --jobs 2
	before=$(tree_hash site) entries=$(wc -l < site/.mig/ledger.ndjson)
	applied --jobs 2
	[ "$(statuses outcomes | sort -u)" = skipped ]
	[ "$before" = "$(tree_hash site)" ]
	[ "$entries" -eq "$(wc -l < site/.mig/ledger.ndjson)" ]
}

@test "a dry run by two jobs writes nothing, not even a folder of ours" {
	crowd 8
	mig-gate --env dev --dry-run < plan > permits
	before=$(whole_tree site)
	mig-apply --store fs:site < permits > by-one
	applied --jobs 2
	[ "$before" = "$(whole_tree site)" ]
	cmp by-one outcomes
}

# drifted N: the document of plan N was changed by somebody.
drifted() {
	echo >> "site/$(($1 + 100))/manifest.json"
}

@test "CH-45 a plan with drift stops those behind it, whatever the number of jobs, and those ahead stay" {
	crowd 12
	drifted 5
	cp -R site one
	fails 4 mig-apply --store fs:one < permits
	plain /dev/stdin <<< "$output" > by-one
	for n in 2 3 8; do
		rm -rf two && cp -R site two
		fails 4 mig-apply --store fs:two --jobs "$n" < permits
		faulted 4 drift
		diff by-one <(plain /dev/stdin <<< "$output")
		same_store one two
		chained two
	done
}

@test "a plan that fails in the middle is undone, and so is what had begun behind it; the run has its code" {
	needs_strace
	crowd 24
	planned --batch 3
	permitted
	local n committed left open
	# the 5th exchange of one of the workers: in the middle of its second plan
	for n in 2 5 8; do
		rm -rf two && cp -R site two
		fails 1 strace -f -qq -o /dev/null -e trace=renameat2 -e "inject=renameat2:error=EIO:when=$n" \
			mig-apply --store fs:two --jobs 3 < permits
		faulted 1 io_failed
		tidy two && chained two
		committed=$(grep -c '"event":"commit"' two/.mig/ledger.ndjson) || committed=0
		[ "$committed" -eq 0 ] || in_plan_order commit two
		# it is the call of every worker, so it may be one that undoes: then what is left is said, and stays begun
		read -r left open < <(awk '/ still (has its|have their) new bytes/ { n += $3; open++ } END { print n + 0, open + 0 }' <<< "$stderr")
		[ "$(grep -l '"1.2.0"' two/*/manifest.json | wc -l)" -eq $((committed * 3 + left)) ]
		[ "$(grep -c '"event":"begin"' two/.mig/ledger.ndjson)" -eq $((committed + open + $(grep -c '"event":"undo"' two/.mig/ledger.ndjson))) ]
		mig-apply --store fs:two --jobs 3 < permits > outcomes
		holds 'map(select(.kind == "outcome")) | length == 8 and all(.ok)' outcomes
	done
}

@test "EK-52 on a full disk what is committed is the first plans, and the next run does the rest" {
	crowd 40
	local size committed
	for size in 200k 260k 320k; do
		on_tmpfs size=8m
		cp -R site disk/site
		mount -o "remount,size=$size" disk 2> /dev/null || { umount disk; continue; }
		mig-apply --store fs:disk/site --jobs 2 < permits > outcomes 2> said && code=0 || code=$?
		[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || [ "$code" -eq 1 ] || fail "exit $code: $(cat said)"
		committed=$(grep -c '"event":"commit"' disk/site/.mig/ledger.ndjson 2> /dev/null) || committed=0
		[ "$(grep -l '"1.2.0"' disk/site/*/manifest.json | wc -l)" -eq "$committed" ] || fail "$size: $committed committed: $(cat said)"
		[ "$committed" -eq 0 ] || in_plan_order commit disk/site
		mount -o remount,size=8m disk
		mig-apply --store fs:disk/site --jobs 2 < permits > outcomes
		[ "$(grep -L '"1.2.0"' disk/site/*/manifest.json | wc -l)" -eq 0 ]
		tidy disk/site && chained disk/site
		umount disk
	done
}

@test "plans that share a document are done one after the other, each with its own outcome" {
	site
	planned && permitted && applied
	mig-plan --rollback < plan > back
	# forward again and back, in one stream: each must see what the one before has left
	local plans
	plans=$(grep -h '"kind":"plan"' back plan back plan back)
	{
		echo "$plans"
		ending "$(jq -r .plan_hash <<< "$plans")"
	} > stream
	mig-gate --env dev --apply < stream > permits
	cp -R site one
	mig-apply --store fs:one < permits > by-one
	applied --jobs 4
	diff <(plain by-one) <(plain outcomes)
	diff -r --exclude=.mig one site
	diff <(jq -r .event one/.mig/ledger.ndjson) <(jq -r .event site/.mig/ledger.ndjson)
}

# crew: the ids of the worker processes of mig-apply $1.
crew() {
	cat "/proc/$1/task/$1/children" 2> /dev/null
}

# begun: an apply of a crowd by four jobs, caught at work; $pid is its process.  What it can do at once is not caught.
begun() {
	strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=300000 \
		mig-apply --store fs:site --jobs 4 < permits > outcomes 2> said &
	strace=$!
	for _ in {1..200}; do
		pid=$(cat "/proc/$strace/task/$strace/children" 2> /dev/null)
		pid=${pid%% *}
		[ -z "$pid" ] || [ "$(crew "$pid" | wc -w)" -lt 4 ] || [ ! -s site/.mig/ledger.ndjson ] || return 0
		sleep 0.02
	done
	return 1
}

needs_strace() {
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	[[ ${ASAN_OPTIONS-} != *detect_leaks=1* ]] || skip 'the leak checker cannot work in a traced process'
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
}

@test "CH-13 the lock of a parent that was killed is free only when its workers are gone, and they go at once" {
	needs_strace
	crowd 12
	begun || skip 'too fast to be caught'
	local workers w
	workers=$(crew "$pid")
	kill -KILL "$pid"
	# the next run gets the lock; by then nobody else can write
	mig-apply --store fs:site < permits > again
	for w in $workers; do
		[ ! -d "/proc/$w" ] || [ "$(awk '{ print $3 }' "/proc/$w/stat")" = Z ] || fail "worker $w is alive"
	done
	wait "$strace" || :
	[ "$(grep -L '"1.2.0"' site/*/manifest.json | wc -l)" -eq 0 ]
	tidy site && chained site
}

@test "a worker that is killed fails its plan with 1, and the next run says what it found and completes it" {
	needs_strace
	crowd 12
	begun || skip 'too fast to be caught'
	local workers
	read -ra workers <<< "$(crew "$pid")"
	kill -KILL "${workers[1]}"
	code=0
	wait "$strace" || code=$?
	[ "$code" -eq 1 ] || fail "exit $code"
	grep -q 'was ended' said
	grep -q ': hint: ' said
	chained site
	fails 0 mig-apply --store fs:site --jobs 2 < permits
	# it may have waited for its turn
	grep -q 'before it began' said || [[ $stderr == *'was begun and never committed'* ]] || fail "$stderr"
	[ "$(grep -L '"1.2.0"' site/*/manifest.json | wc -l)" -eq 0 ]
	tidy site && chained site
}

@test "SIGTERM lets the documents at hand be finished, undoes the plans at work, and exits with 1" {
	needs_strace
	crowd 12
	begun || skip 'too fast to be caught'
	kill -TERM "$pid"
	code=0
	wait "$strace" || code=$?
	[ "$code" -eq 1 ] || fail "exit $code: $(cat said)"
	tidy site && chained site
	[ "$(grep -l '"1.2.0"' site/*/manifest.json | wc -l)" -eq "$(grep -c '"event":"commit"' site/.mig/ledger.ndjson)" ]
	[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c begin)" -eq "$(jq -r .event site/.mig/ledger.ndjson | grep -c -e commit -e undo)" ]
}

@test "several jobs come to an end also where the ends of their pipes are not closed" {
	needs_strace
	crowd 6
	local n code before
	# what is closed before the store is opened: the libraries, for the most part
	cp -R site other
	strace -o trace -e trace=close,openat2 mig-apply --store fs:other < permits > outcomes
	before=$(awk '/^openat2/ { exit } { n++ } END { print n + 0 }' trace)
	for n in 5 9 13; do
		code=0
		# strace lets a call fail without making it: from the nth on, all of them
		timeout -s KILL 60 strace -f -qq -o /dev/null -e trace=close -e "inject=close:error=EIO:when=$((before + n))+" \
			mig-apply --store fs:site --jobs 3 < permits > outcomes 2> said || code=$?
		[ "$code" -eq 1 ] || [ "$code" -eq 0 ] || fail "exit $code: $(cat said)"
	done
	applied --jobs 3
	[ "$(grep -L '"1.2.0"' site/*/manifest.json | wc -l)" -eq 0 ]
	tidy site && chained site
}

@test "SG-52 the sandbox holds in every worker: none opens anything outside its store" {
	needs_strace
	crowd 8
	strace -f -qq -o trace -e trace=open,openat,openat2,socket,connect,execve mig-apply --store fs:site --jobs 3 \
		< permits > outcomes
	# behind the landlock of the parent, whose forks have it too
	awk '/clone|fork/ { next } /\.mig\/plans|plans"/ { on = 1 } on' trace > later
	run ! grep -E '"(/|\.\.)' later
	run ! grep -E "socket|connect|execve" later
}

@test "--jobs is from 1 to 64" {
	site
	for n in 0 65 -1 two 1e1 ''; do
		fails 2 mig-apply --store fs:site "--jobs=$n" < /dev/null
		stdout_empty
	done
}

@test "the front door passes --jobs on" {
	crowd 6
	mig apply --store fs:site --plan plan --env dev --apply --jobs 2 > outcomes
	[ "$(statuses outcomes | sort -u)" = applied ]
}

@test "a plan that fails among several processes takes its backups back, too" {
	local i
	for i in 1 2 3 4 5 6; do
		mkdir -p "site/$i"
		manifest 1.0.0 "\"meta\": {\"n\": $i}" > "site/$i/manifest.json"
	done
	cp -R site old
	planned --batch 3 && permitted
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	fails 1 strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:error=EIO:when=2 \
		mig-apply --store fs:site --jobs 2 < permits
	[ "$(jq -r .event site/.mig/ledger.ndjson | tail -n 1)" = undo ]
	[ "$(tree_hash old)" = "$(tree_hash site)" ] || fail "$(diff -r old site)"
}
