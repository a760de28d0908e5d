#!/usr/bin/env bats
# mig-apply on bad days: drift, places that cannot be written, others at work, signals, kills, failing disks.

load helper
load store

# --- drift

# drifts MUTATION [FOUND]: after MUTATION (in the folder of the first document) nothing is applied.
drifts() {
	rm -rf site outside && mkdir outside && site && planned && permitted
	(cd site/job/run-1.0.0 && eval "$1") || fail "cannot: $1"
	before=$(tree_hash site) outside=$(tree_hash outside)
	fails 4 timeout 20 mig-apply --store fs:site < permits
	faulted 4 drift
	printf '%s\n' "$output" > outcomes
	holds '.[0].steps | map(.status) == ["failed", "not_run"]' outcomes
	[[ $stderr == *job/run-1.0.0/manifest.json:*"${2-}"* ]] || fail "stderr: $stderr"
	hinted
	[ "$before" = "$(tree_hash site)" ] || fail "changed after $1"
	[ "$outside" = "$(tree_hash outside)" ] || fail "something outside was changed after $1"
	[ ! -s site/.mig/ledger.ndjson ]
	tidy site
}

@test "a document edited, reformatted, emptied, cut or deleted since the plan is drift, and no other is changed" {
	drifts 'sed -i s/succeeded/failed/ manifest.json' 'expected bytes'
	drifts 'jq -c . manifest.json > t && mv t manifest.json'
	drifts 'printf "\n" >> manifest.json'
	drifts ': > manifest.json'
	drifts 'truncate -s -1 manifest.json'
	drifts 'rm manifest.json' absent
	drifts 'mv manifest.json other.json' absent
}

@test "a document whose raw hash was edited in the stream is planned, and drift at apply" {
	one
	mig-extract --store fs:site --set "$SETS/manifest" | sed -E 's/"raw":"[0-9a-f]{8}/"raw":"00000000/' |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted
	before=$(tree_hash site)
	fails 4 mig-apply --store fs:site < permits
	faulted 4 drift
	[ "$before" = "$(tree_hash site)" ]
}

@test "a document replaced by a link, a fifo, a folder or a device is drift, and the target of a link stays as it is" {
	drifts 'mv manifest.json ../../../outside/ && ln -s ../../../outside/manifest.json manifest.json' 'symbolic link'
	drifts 'cp manifest.json same.json && ln -sf same.json manifest.json' 'symbolic link'
	drifts 'rm manifest.json && ln -s nowhere manifest.json' 'symbolic link'
	drifts 'rm manifest.json && mkfifo manifest.json' 'not a regular file'
	drifts 'rm manifest.json && mkdir manifest.json' 'a folder'
	if [ "$(id -u)" -eq 0 ]; then
		drifts 'rm manifest.json && mknod manifest.json c 1 3 2> /dev/null || mkfifo manifest.json' 'not a regular file'
	fi
}

@test "a folder on the way that was replaced by a link or a file is drift" {
	drifts 'cd .. && mv run-1.0.0 ../../outside/ && ln -s ../../outside/run-1.0.0 run-1.0.0' 'symbolic link'
	drifts 'cd .. && mv run-1.0.0 moved && ln -s moved run-1.0.0' 'symbolic link'
	drifts 'cd .. && rm -r run-1.0.0 && echo file > run-1.0.0'
	drifts 'cd .. && rm -r run-1.0.0' absent
}

@test "a document with another name outside is refused with 4, and both names keep their bytes" {
	site && planned && permitted
	ln site/job/run-1.0.0/manifest.json elsewhere
	before=$(tree_hash site)
	fails 4 mig-apply --store fs:site < permits
	faulted 4 hard_linked
	[ "$before" = "$(tree_hash site)" ]
	[ site/job/run-1.0.0/manifest.json -ef elsewhere ]
	rm elsewhere
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "drift in the last of many plans stops there: what was done stays done, and a rerun goes on" {
	manifests site && planned --batch 40 && permitted
	ref=$(jq -r 'select(.steps).steps[-1].preconditions[0].ref' plan | tail -n 1)
	cp "site/$ref" kept && echo ' ' >> "site/$ref"
	fails 4 mig-apply --store fs:site < permits
	faulted 4 drift
	printf '%s\n' "$output" > outcomes
	holds 'map(select(.kind == "outcome").ok) == [true, true, false]' outcomes
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 80 applied, 1 failed, 34 not_run' ]
	cp kept "site/$ref"
	applied
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 35 applied, 80 skipped' ]
	tidy site && chained site
}

@test "all documents that drifted are named, the first twenty on stderr" {
	manifests site && planned && permitted
	find site -name manifest.json -exec sed -i '$a\ ' {} +
	fails 4 mig-apply --store fs:site < permits
	[ "$(grep -c 'expected bytes' <<< "$stderr")" -eq 20 ]
	[[ $stderr == *'and 95 more'* ]]
	printf '%s\n' "$output" > outcomes
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ')" = ' 115 failed' ]
}

# --- places that cannot be written

# refuses CODE [RULE]: apply ends with CODE and every document is as it was.
refuses() {
	local store=${3:-site}
	before=$(tree_hash "$store")
	fails "$1" mig-apply --store "fs:$store" --lock-timeout 1 < permits
	[ -z "${2-}" ] || faulted "$1" "$2"
	[ "$before" = "$(tree_hash "$store")" ] || fail "documents were changed"
}

@test "CH-52 a store that is not there, or is a file, is a failed precondition" {
	site && planned && permitted
	fails 3 mig-apply --store fs:nowhere < permits
	assert_not_exists nowhere
	fails 3 mig-apply --store fs:permits < permits
	fails 2 mig-apply --store ftp:site < permits
	MIG_STORE=fs:site mig-apply < permits > outcomes
}

@test "CH-52 SG-29 a read-only store is a failed precondition, before anything is written" {
	on_tmpfs size=4m
	site disk/site && plan_manifests disk/site > plan && permitted
	mount -o remount,ro disk || skip 'cannot remount'
	refuses 3 '' disk/site
	mount -o remount,rw disk
	assert_not_exists disk/site/.mig/ledger.ndjson
	mig-apply --store fs:disk/site < permits > outcomes
}

@test "SG-29 a full disk is a failed precondition, and every document keeps its bytes" {
	manifests tree
	# from hopeless to almost enough
	for size in 900k 1m 1100k 1300k 1500k; do
		on_tmpfs size=$size
		cp -R tree disk/site 2> /dev/null || { umount disk && continue; }
		plan_manifests disk/site > plan && permitted
		before=$(tree_hash disk/site)
		rc=0
		mig-apply --store fs:disk/site < permits > outcomes 2> err || rc=$?
		if [ $rc -eq 0 ]; then
			[ "$(statuses outcomes | sort -u)" = applied ]
		else
			[ $rc -eq 3 ] || fail "size $size: exit $rc: $(cat err)"
			[ "$before" = "$(tree_hash disk/site)" ] || fail "size $size: documents were changed"
			echo $size >> refused
		fi
		umount disk
	done
	[ -s refused ]
}

@test "SG-29 a disk without inodes is a failed precondition, and every document keeps its bytes" {
	: > refused
	for inodes in 14 18 22 26 30 200; do
		on_tmpfs nr_inodes=$inodes
		site disk/site
		plan_manifests disk/site > plan && permitted
		before=$(tree_hash disk/site)
		rc=0
		mig-apply --store fs:disk/site < permits > outcomes 2> err || rc=$?
		if [ $rc -eq 0 ]; then
			[ "$(statuses outcomes | sort -u)" = applied ]
		else
			[ $rc -eq 3 ] || fail "$inodes inodes: exit $rc: $(cat err)"
			[ "$before" = "$(tree_hash disk/site)" ] || fail "$inodes inodes: documents were changed"
			echo $inodes >> refused
		fi
		umount disk
	done
	[ "$rc" -eq 0 ]
	[ "$(wc -l < refused)" -ge 2 ]
}

@test "SG-29 a place for backups that cannot be written is a failed precondition, and every document keeps its bytes" {
	site && planned && permitted
	# the folders of ours as a first run makes them
	nothing mig-gate | mig-apply --store fs:site --recover undo
	local folder
	for folder in site/.mig/plans site/.mig/objects site/.mig/tmp site/job/run-1.0.0; do
		chattr +i $folder 2> /dev/null || skip 'cannot chattr'
		refuses 3
		chattr -i $folder
		tidy site
	done
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
	chained site
}

@test "a folder of ours that cannot be written is the one that is named" {
	site && planned && permitted
	chattr +i site/.mig/tmp 2> /dev/null || { mkdir -p site/.mig/tmp && chattr +i site/.mig/tmp 2> /dev/null; } || skip 'cannot chattr'
	refuses 3 not_writable
	chattr -i site/.mig/tmp
	[[ $stderr == *'mig-apply: .mig/tmp: cannot write'* ]] || fail "$stderr"
}

@test "an immutable document is a failed precondition, and no other is changed" {
	site && planned && permitted
	chattr +i site/job/run-1.1.0/manifest.json 2> /dev/null || skip 'cannot chattr'
	refuses 3 not_writable
	chattr -i site/job/run-1.1.0/manifest.json
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "an immutable folder is a failed precondition or undone, and every document keeps its bytes" {
	site && planned && permitted
	chattr +i site/job/run-1.1.0 2> /dev/null || skip 'cannot chattr'
	refuses 3
	chattr -i site/job/run-1.1.0
	tidy site
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "a folder that somebody without rights cannot write is a failed precondition" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root to become somebody else'
	command -v setpriv > /dev/null || skip 'needs setpriv'
	site && planned && permitted
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" . && mkdir -m 1777 temp && export TMPDIR=$PWD/temp
	chown -R 1234:1234 site && chown 0:0 site/job/run-1.1.0
	before=$(tree_hash site)
	setpriv --reuid 1234 --regid 1234 --clear-groups true || skip 'cannot become somebody else'
	setpriv --reuid 1234 --regid 1234 --clear-groups test -r "$PWD/permits" -a -x "$MIG_X/mig-apply" || skip 'cannot reach the folder'
	fails 3 setpriv --reuid 1234 --regid 1234 --clear-groups mig-apply --store fs:site < permits
	[ "$before" = "$(tree_hash site)" ]
}

@test "a ledger that is a link, a folder or a fifo is refused with 3, and what it points at stays as it is" {
	site && planned && permitted
	mkdir site/.mig && : > elsewhere
	ln -s "$PWD/elsewhere" site/.mig/ledger.ndjson
	refuses 3 foreign_state
	[ ! -s elsewhere ]
	rm site/.mig/ledger.ndjson && mkdir site/.mig/ledger.ndjson
	refuses 3 foreign_state
	rmdir site/.mig/ledger.ndjson && mkfifo site/.mig/ledger.ndjson
	before=$(tree_hash site)
	fails 3 timeout 20 mig-apply --store fs:site < permits
	[ "$before" = "$(tree_hash site)" ]
}

@test "folders of ours that are links are refused with 3" {
	site && planned && permitted && mkdir outside
	ln -s "$PWD/outside" site/.mig
	refuses 3
	rm site/.mig
	for name in plans objects tmp conflicts; do
		mkdir site/.mig && ln -s "$PWD/outside" site/.mig/$name
		refuses 3 foreign_state
		rm -r site/.mig
	done
	mkdir site/.mig && ln -s "$PWD/outside/lock" site/.mig/lock
	refuses 3 foreign_state
	[ -z "$(ls -A outside)" ]
}

@test "a ledger that cannot be written is a failed precondition" {
	site && planned --batch 1 && permitted
	head -n 1 plan | sealed > first
	mig-gate --env dev --apply < first | mig-apply --store fs:site > /dev/null
	cp site/.mig/ledger.ndjson kept
	chattr +i site/.mig/ledger.ndjson 2> /dev/null || skip 'cannot chattr'
	before=$(tree_hash site)
	rc=0
	mig-apply --store fs:site < permits > out 2> err || rc=$?
	chattr -i site/.mig/ledger.ndjson
	[ $rc -eq 3 ] || fail "exit $rc: $(cat err)"
	cmp kept site/.mig/ledger.ndjson
	[ "$before" = "$(tree_hash site)" ]
}

@test "a torn last line of the ledger is cut off with a warning, and the chain goes on" {
	site && planned && permitted && applied
	cp site/.mig/ledger.ndjson whole
	printf '{"actor":"te' >> site/.mig/ledger.ndjson
	rolled_back 2> err
	grep -q 'torn' err
	[ "$(head -n 2 site/.mig/ledger.ndjson)" = "$(cat whole)" ]
	chained site
}

@test "a ledger whose last entry was edited is refused with 4 and a hint" {
	site && planned && permitted && applied
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	sed -i '$s/"tester"/"nobody"/' site/.mig/ledger.ndjson
	refuses 4 ledger_broken
	hinted
}

@test "CH-52 with nothing to write to, the first write never happens: the plan is not stored and no backup is made" {
	site && planned && permitted && : > site/.mig
	refuses 3
	[ ! -s site/.mig ]
	[ -z "$(find site -name '*.backup')" ]
}

# --- locks, several at once, signals

@test "a lock held by another run is 3 with the holder's name, after --lock-timeout" {
	command -v flock > /dev/null || skip 'needs flock'
	site && planned && permitted
	locked_by '{"actor":"ada","host":"h1","pid":42,"since":"2025-01-01T00:00:00Z"}'
	before=$(tree_hash site)
	start=$(date +%s%N)
	fails 3 mig-apply --store fs:site --lock-timeout 1 < permits
	waited=$((($(date +%s%N) - start) / 1000000))
	released
	faulted 3 locked
	[[ $stderr == *'"actor":"ada"'*'"pid":42'* ]]
	[ $waited -ge 900 ] && [ $waited -lt 8000 ] || fail "waited $waited ms"
	[ "$before" = "$(tree_hash site)" ]
	# nobody holds it any more
	applied --lock-timeout 0
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "apply waits for the lock and goes on when its holder dies" {
	command -v flock > /dev/null || skip 'needs flock'
	site && planned && permitted
	locked_by holder
	mig-apply --store fs:site --lock-timeout 30 < permits > outcomes 3>&- &
	mine=$!
	sleep 0.2
	kill -0 $mine
	[ ! -s outcomes ]
	released KILL
	wait $mine
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "the lock names who holds it: actor, host, process and time" {
	site && migrated
	[ "$(jq -c 'keys' site/.mig/lock)" = '["actor","host","pid","since"]' ]
	[ "$(jq -r '.actor + " " + .since' site/.mig/lock)" = 'tester 2025-01-01T00:00:00Z' ]
}

@test "two applies of the same permits at once both end well, and each document is migrated once" {
	manifests site && planned --batch 20 && permitted
	for i in 1 2 3; do
		mig-apply --store fs:site --lock-timeout 60 < permits > out.$i 2> err.$i 3>&- &
		pids[i]=$!
	done
	for i in 1 2 3; do
		wait "${pids[$i]}" || fail "the run $i: $(cat err.$i)"
	done
	[ "$(statuses out.1 out.2 out.3 | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 115 applied, 230 skipped' ] ||
		[ "$(cat out.1 out.2 out.3 | jq -r 'select(.kind == "outcome").steps[].status' | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 115 applied, 230 skipped' ]
	[ "$(find site -name manifest.json -exec jq '[.migration_history[]? | select(.applied_at == "2025-01-01T00:00:00Z")] | length' {} + | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 12 0, 115 1' ]
	[ "$(jq -r .event site/.mig/ledger.ndjson | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 6 begin, 6 commit' ]
	chained site && tidy site
}

# traced WHAT COMMAND..: run under strace with one call changed.
traced() {
	local inject=$1
	shift
	strace -f -qq -o /dev/null -e "trace=${inject%%:*}" -e "inject=$inject" "$@"
}

@test "SIGINT, SIGTERM or the SIGHUP of a lost terminal in the middle undoes the plan, and a rerun completes it" {
	may_trace
	for signal in INT TERM HUP; do
		for call in linkat:when=1 renameat2:when=1 renameat2:when=2; do
			[ $signal = TERM ] || [ $call = renameat2:when=1 ] || continue
			rm -rf site && site && planned && permitted
			before=$(tree_hash site)
			rc=0
			traced "${call%:*}:signal=$signal:${call#*:}" mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
			if [ $rc -eq 0 ]; then
				# after the last exchange there is nothing left to interrupt
				[ "$call" = renameat2:when=2 ] || fail "$signal at $call was not noticed"
			else
				[ $rc -eq 1 ] || fail "$signal at $call: exit $rc: $(cat err)"
				[ "$before" = "$(tree_hash site)" ] || fail "$signal at $call: documents were changed"
				holds 'last | .kind == "fault" and .code == "interrupted"' outcomes
			fi
			tidy site
			applied
			mig-verify --store fs:site < plan > verdict
			chained site
		done
	done
}

@test "SIGTERM ends an apply that waits for its input or for the lock, and nothing is written" {
	command -v flock > /dev/null || skip 'needs flock'
	site && planned && permitted && mkfifo pipe
	before=$(whole_tree site)
	mig-apply --store fs:site < pipe > out 2> err 3>&- &
	mine=$!
	exec 9> pipe
	head -c 100 permits >&9
	sleep 0.2
	kill -TERM $mine
	for _ in {1..100}; do
		kill -0 $mine 2> /dev/null || break
		sleep 0.05
	done
	gone=0
	kill -0 $mine 2> /dev/null || gone=1
	exec 9>&-
	wait $mine && fail 'exit 0'
	[ $gone -eq 1 ] || fail 'still there after five seconds'
	[ "$before" = "$(whole_tree site)" ]
	locked_by holder
	mig-apply --store fs:site --lock-timeout 30 < permits > out 2> err 3>&- &
	mine=$!
	sleep 0.3
	kill -TERM $mine
	for _ in {1..100}; do
		kill -0 $mine 2> /dev/null || break
		sleep 0.05
	done
	gone=0
	kill -0 $mine 2> /dev/null || gone=1
	released
	wait $mine && fail 'exit 0'
	[ $gone -eq 1 ] || fail 'still waiting for the lock after five seconds'
}

@test "SG-30 killed between any two system calls, every document is old or new and a rerun completes it" {
	[ -x "$MIG_ROOT/tests/crash/kill.sh" ] || skip 'no tests/crash/kill.sh'
	"$MIG_ROOT/tests/crash/kill.sh" --quick > tap 2>&1 || fail "$(grep -v '^ok' tap)"
	run ! grep -q '^not ok' tap
	! grep -q '# SKIP' tap || skip "$(grep -o 'SKIP.*' tap)"
}

@test "SG-30 killed before and after the exchange, a rerun completes the plan and nothing is left lying about" {
	may_trace
	for n in 1 2; do
		rm -rf site old && site && cp -R site old && planned && permitted
		rc=0
		traced renameat2:signal=KILL:when=$n mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
		[ $rc -eq 137 ] || fail "exit $rc: $(cat err)"
		for v in 1.0.0 1.1.0; do
			cmp -s old/job/run-$v/manifest.json site/job/run-$v/manifest.json ||
				[ "$(jq -r .schema_version site/job/run-$v/manifest.json)" = 1.2.0 ]
		done
		applied
		mig-verify --store fs:site < plan > verdict
		for v in 1.0.0 1.1.0; do
			cmp old/job/run-$v/manifest.json site/job/run-$v/manifest.json.backup
		done
		[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c commit)" -eq 1 ]
		tidy site && chained site
	done
}

# --- whoever else is at work, and disks that fail

# meanwhile COMMAND: apply in the folder site, and run COMMAND between its checks and its first exchange.
meanwhile() {
	local mine
	strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=1500000:when=1 \
		mig-apply --store fs:site < permits > outcomes 2> err 3>&- &
	mine=$!
	for _ in {1..200}; do
		[ "$(find site/.mig/tmp -type f 2> /dev/null | wc -l)" -lt 2 ] || break
		sleep 0.02
	done
	sleep 0.3
	(cd site/job/run-1.0.0 && eval "$1")
	rc=0
	wait $mine || rc=$?
}

@test "an editor that replaces a document in the moment of the exchange loses nothing, and apply stops with 4" {
	may_trace
	for harm in 'echo mine > t && mv t manifest.json' 'echo mine > manifest.json'; do
		rm -rf site && site && cp -R site old && planned && permitted
		meanwhile "$harm"
		[ $rc -eq 4 ] || fail "exit $rc: $(cat err)"
		holds 'last | .kind == "fault" and .exit == 4' outcomes
		# what the editor wrote is in its place or kept, and named
		kept=$(grep -rlx mine site | head -n 1)
		[ -n "$kept" ] || fail "what the editor wrote is gone: $(cat err)"
		grep -q 'job/run-1.0.0/manifest.json' err
		if [ "$kept" != site/job/run-1.0.0/manifest.json ]; then
			grep -qF "${kept#site/}" err
			[ "$(jq -r 'select(.event == "conflict").kept' site/.mig/ledger.ndjson)" = "${kept#site/}" ]
			grep -q 'hint: look at both: then put theirs back and plan again, or apply the same plan again' err
			rm -rf again && cp -R site again
			mig-apply --store fs:again < permits > outcomes
			[ "$(grep -L '"1.2.0"' again/job/*/manifest.json | wc -l)" -eq 0 ]
			chained again
		fi
		# nothing else was changed
		cmp old/job/run-1.1.0/manifest.json site/job/run-1.1.0/manifest.json
		chained site
		rm -r old
	done
}

@test "a document removed in the moment of the exchange is drift, and the others are put back" {
	may_trace
	site && cp -R site old && planned && permitted
	meanwhile 'rm manifest.json'
	[ $rc -eq 4 ] || fail "exit $rc: $(cat err)"
	assert_not_exists site/job/run-1.0.0/manifest.json
	cmp old/job/run-1.1.0/manifest.json site/job/run-1.1.0/manifest.json
	chained site
}

@test "where files cannot be exchanged they are renamed, and where they cannot be linked they are copied" {
	may_trace
	for fault in renameat2:error=EINVAL linkat:error=EPERM; do
		rm -rf site && site && cp -R site old && planned && permitted
		traced "$fault" mig-apply --store fs:site < permits > outcomes
		[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
		for v in 1.0.0 1.1.0; do
			cmp old/job/run-$v/manifest.json site/job/run-$v/manifest.json.backup
			cmp old/job/run-$v/manifest.json "site/.mig/objects/$(sha256sum < old/job/run-$v/manifest.json | cut -c 1-64)"
		done
		mig-verify --store fs:site < plan > verdict
		tidy site && chained site
		rolled_back
		[ "$(tree_hash old)" = "$(tree_hash site)" ]
		rm -r old
	done
}

@test "a disk that does not confirm the new bytes is 1: undone before the exchange, told exactly after it" {
	may_trace
	site && planned && permitted
	before=$(tree_hash site)
	rc=0
	traced syncfs:error=EIO:when=1 mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
	[ $rc -eq 1 ] || fail "exit $rc: $(cat err)"
	[ "$before" = "$(tree_hash site)" ]
	rc=0
	traced syncfs:error=EIO:when=2 mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
	[ $rc -eq 1 ] || fail "exit $rc: $(cat err)"
	holds '.[0] | (.ok | not) and .code == "general_error" and ([.steps[].status] | unique) == ["failed"]' outcomes
	[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c commit)" -eq 0 ]
	applied
	mig-verify --store fs:site < plan > verdict
	[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c commit)" -eq 1 ]
	tidy site && chained site
}

@test "a document that cannot be read again is kept aside and nobody is blamed for it" {
	may_trace
	local n seen=0
	for n in $(seq 1 30); do
		rm -rf site && site && planned && permitted && cp -R site before
		traced "pread64:error=EIO:when=$n+" mig-apply --store fs:site < permits > outcomes 2> err && break
		diff -r --exclude=.mig --exclude='*.backup' before site || fail "pread64 $n"
		rm -rf before
		[[ $(< err) != *somebody* ]] || fail "pread64 $n: $(< err)"
		grep -q 'what was displaced is in .mig/conflicts/[^ ]*, the original is in its place' err || continue
		seen=$((seen + 1))
		grep -q 'cannot check what was displaced: Input/output error' err
	done
	[ $seen -gt 0 ]
}

@test "an undo that fails as well leaves the plan begun, and says what is left and which commands finish it" {
	may_trace
	local how
	for how in complete undo; do
		rm -rf site before && site && manifest 1.0.0 > site/job/run-1.2.0/manifest.json
		planned && permitted && cp -R site before
		# the second exchange fails, and so does putting the first original back
		fails 1 strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:error=EIO:when=2+ \
			mig-apply --store fs:site < permits
		printf '%s\n' "$output" > outcomes
		[ "$(statuses outcomes | paste -sd ' ')" = 'failed failed not_run' ]
		[[ $stderr == *'1 document still has its new bytes, the originals are in .mig/objects: apply the same plan again to complete it, or undo it with --recover undo'* ]]
		[ "$(grep -l '"1.2.0"' site/job/*/manifest.json | wc -l)" -eq 1 ]
		[ "$(jq -r .event site/.mig/ledger.ndjson | paste -sd ' ')" = begin ]
		mig status --store fs:site > page
		grep -q '1 begun and not committed' page
		if [ $how = complete ]; then
			applied
			[ "$(grep -L '"1.2.0"' site/job/*/manifest.json | wc -l)" -eq 0 ]
		else
			mig recover --store fs:site --apply > outcomes
			diff -r --exclude=.mig before site
		fi
		tidy site && chained site
	done
}

@test "undoes that fail in several processes leave each its plan begun" {
	may_trace
	local i
	for i in 1 2 3 4 5 6; do mkdir -p "site/$i" && manifest 1.0.0 "\"meta\": {\"n\": $i}" > "site/$i/manifest.json"; done
	planned --batch 3 && permitted && cp -R site before
	fails 1 strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:error=EIO:when=2+ \
		mig-apply --store fs:site --jobs 2 < permits
	new=$(grep -l '"1.2.0"' site/*/manifest.json | wc -l)
	[ "$new" -ge 1 ]
	[ "$(grep -c '1 document still has its new bytes' <<< "$stderr")" -eq "$new" ]
	run ! grep -E '"event":"(undo|commit)"' site/.mig/ledger.ndjson
	mig recover --store fs:site --apply > outcomes
	diff -r --exclude=.mig before site
	tidy site && chained site
}

@test "a killed run is told to whoever applies another plan, and its leftovers are put away" {
	may_trace
	site && planned && permitted && cp permits first
	rc=0
	traced renameat2:signal=KILL:when=2 mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
	[ $rc -eq 137 ]
	site && planned --tenant b && mig-gate --env dev --apply --tenant b < plan > permits
	rc=0
	applied 2> err || rc=$?
	grep -q "plan $(jq -r 'select(.plan).plan.plan_hash' first) was begun and never committed" err || fail "$(cat err)"
	tidy site && chained site
}

@test "what somebody put into .mig/tmp is left alone with a warning" {
	site && planned && permitted
	mkdir -p site/.mig/tmp && echo note > site/.mig/tmp/note.txt
	applied 2> err
	grep -q 'note.txt' err
	[ "$(cat site/.mig/tmp/note.txt)" = note ]
}

@test "a backup whose name would be too long is refused before anything is changed" {
	mkdir -p site && name=$(printf '%0245d' 0)
	printf '{"a": 1}\n' > "site/$name.json"
	set_of own '. + {b: 2}' '{}' '{backup_suffix: ".before"}'
	planned_by own && permitted
	before=$(tree_hash site)
	rc=0
	mig-apply --store fs:site < permits > out 2> err || rc=$?
	[ $rc -eq 3 ] || [ $rc -eq 4 ] || fail "exit $rc: $(cat err)"
	[ "$before" = "$(tree_hash site)" ]
	tidy site
}
