#!/usr/bin/env bats
# A ledger that cannot be written stops whatever would write to the store, before its first write.

load helper
load store

# done_once: a site of two plans, the first of them applied.  What comes next, each as a file: forward, back, none (permits), verdicts.
done_once() {
	[ -d site ] || site
	planned --batch 1 && permitted && mv permits forward
	head -n 1 plan | sealed > first
	mig-gate --env dev --apply < first | mig-apply --store fs:site > outcomes
	mig-plan --rollback < first | mig-gate --env dev --apply > back
	nothing mig-gate > none
	mig-verify --store fs:site < first > verdicts
}

# kept: one hash over everything in site but the lock, which whoever asks for it writes his name into.
kept() (
	cd site || exit
	{
		find . ! -path ./.mig/lock -printf '%y %p %l %U %G %m %T@ %s\n' | sort
		find . ! -path ./.mig/lock -type f -print0 | sort -z | xargs -0r sha256sum
	} | sha256sum
)

# shut [RULE [COMMAND..]]: apply, rollback, undo, prune and the recording of verdicts are refused (3, by RULE), and nothing is changed.
shut() {
	local rule=${1-} before in
	shift $(($# > 0))
	for in in forward back none verdicts prune; do
		set_of_flags "$in"
		before=$(kept)
		fails 3 "$@" mig-apply --store fs:site "${flags[@]}" < "$file"
		[ -z "$rule" ] || faulted 3 "$rule"
		refute_output --partial '"kind":"outcome"'
		refute_output --partial '"kind":"prune"'
		[ "$before" = "$(kept)" ] || fail "$in: the store was changed"
	done
	before=$(kept)
	fails 3 "$@" mig-apply --store fs:site --jobs 2 < forward
	[ "$before" = "$(kept)" ]
}

# set_of_flags WHAT: the flags of mig-apply, and the file it reads.
set_of_flags() {
	flags=() file=$1
	case $1 in
	none) flags=(--recover undo) ;;
	prune) flags=(--prune --before 2099-01-01 --apply) file=/dev/null ;;
	esac
}

# opened: with the ledger as it should be, what was refused is done.
opened() {
	mig-apply --store fs:site < forward > outcomes
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 1 applied, 1 skipped' ]
	chained site && tidy site
}

# other COMMAND..: as somebody without rights of his own.
other() {
	TMPDIR=$PWD/temp setpriv --reuid 1234 --regid 1234 --clear-groups "$@"
}

may_be_other() {
	mkdir -m 1777 temp
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" .
	setpriv --reuid 1234 --regid 1234 --clear-groups true 2> /dev/null || skip 'cannot become somebody else'
	other test -x "$MIG_X/mig-apply" -a -r "$PWD/plan" || skip 'cannot reach the folder'
}

@test "CH-52 a ledger that cannot be written stops apply, rollback, undo, prune and verdicts with 3" {
	done_once
	chattr +i site/.mig/ledger.ndjson 2> /dev/null || skip 'cannot chattr'
	shut
	chattr -i site/.mig/ledger.ndjson
	opened
}

@test "CH-52 a ledger that is a link stops all of them, and what it leads to stays as it is" {
	done_once
	mv site/.mig/ledger.ndjson elsewhere && ln -s "$PWD/elsewhere" site/.mig/ledger.ndjson
	cp elsewhere as-it-was
	shut foreign_state
	cmp elsewhere as-it-was
	rm site/.mig/ledger.ndjson && mv elsewhere site/.mig/ledger.ndjson
	opened
}

@test "CH-52 a ledger on a file system that is read-only stops all of them" {
	mkdir site
	mount -t tmpfs -o size=8m migtools site 2> /dev/null || skip 'cannot mount a tmpfs'
	site && done_once
	mount -o remount,ro site
	shut store_readonly
	mount -o remount,rw site
	opened
	umount site
}

@test "CH-52 a ledger that belongs to somebody else, or stands in a folder that does, stops all of them" {
	done_once
	may_be_other
	chown -R 1234:1234 site
	chown root site/.mig/ledger.ndjson && chmod 444 site/.mig/ledger.ndjson
	shut not_writable other
	chown -R root site/.mig && chmod -R a+rX site/.mig
	shut not_writable other
	chown -R 1234 site/.mig && chmod 600 site/.mig/ledger.ndjson
	opened
}

@test "CH-52 the front door says so too: rollback and prune end with 3, status and history still read" {
	done_once
	chattr +i site/.mig/ledger.ndjson 2> /dev/null || skip 'cannot chattr'
	before=$(kept)
	fails 3 mig rollback --store fs:site --env dev --apply
	fails 3 mig prune --store fs:site --before 2099-01-01 --apply
	fails 3 mig recover --store fs:site --apply
	fails 0 mig status --store fs:site
	fails 0 mig history --store fs:site
	fails 0 mig-verify --store fs:site --ledger
	[ "$before" = "$(kept)" ]
	chattr -i site/.mig/ledger.ndjson
}

teardown() {
	chattr -i site/.mig/ledger.ndjson 2> /dev/null || true
	umount site 2> /dev/null || true
}
