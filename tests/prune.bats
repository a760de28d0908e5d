#!/usr/bin/env bats
# mig-apply --prune, mig prune: what no open rollback needs is dropped, and the ledger says so.

load helper
load store

# at DAY: from now on it is that day of January 2025.
at() {
	SOURCE_DATE_EPOCH=$(date -u -d "2025-01-$1" +%s)
	export SOURCE_DATE_EPOCH
}

# two_runs: on the 1st run-1.0.0 goes to 1.1.0, on the 10th everything to 1.2.0.  Plans: first, plan.
two_runs() {
	site
	rm -r site/job/run-1.2.0
	at 01
	changes site 1.1.0 | mig-plan --env "${1:-dev}" --migration manifest --target-version 1.1.0 > first
	mig-gate --env "${1:-dev}" --apply --prod-override T-1 < first | mig-apply --store fs:site > outcomes
	cp -R site between
	at 10
	changes site | mig-plan --env "${1:-dev}" --migration manifest --target-version 1.2.0 > plan
	mig-gate --env "${1:-dev}" --apply --prod-override T-1 < plan | mig-apply --store fs:site > outcomes
	at 20
}

hash_of() {
	jq -r 'select(.kind == "plan").plan_hash' "$1"
}

objects() {
	find site/.mig/objects -type f | wc -l
}

pruned() {
	mig-apply --store fs:site --prune "$@" > record
}

# rollback PLAN: its permits.
rollback() {
	mig-plan --rollback < "$1" | mig-gate --env dev --apply
}

@test "prune without --apply shows what would go, and changes nothing" {
	two_runs
	before=$(whole_tree site)
	pruned --before 2025-01-05
	[ "$before" = "$(whole_tree site)" ]
	holds '.[0] | .kind == "prune" and .applied == false and .objects == 1 and .bytes > 100 and .ledger == null and
		.before == "2025-01-05T00:00:00Z" and .plans == ["'"$(hash_of first)"'"]' record
	holds '.[1] | .kind == "end" and .records == 0' record
	mig-report < record > page
}

@test "prune drops the plans that ended before a time and the originals that only they needed, with an entry" {
	two_runs
	[ "$(objects)" -eq 3 ]
	pruned --before 2025-01-05 --apply
	[ "$(objects)" -eq 2 ]
	[ "$(find site/.mig/plans -type f)" = "site/.mig/plans/$(hash_of plan).json" ]
	chained site
	tail -n 1 site/.mig/ledger.ndjson > entry
	holds '.[0] | .event == "prune" and .before == "2025-01-05T00:00:00Z" and .objects == 1 and .bytes > 100 and
		.actor == "tester" and .plan_hash == null and .plans == ["'"$(hash_of first)"'"] and .time == "2025-01-20T00:00:00Z"' entry
	[ "$(jq -r .hash entry)" = "$(jq -r 'select(.kind == "prune").ledger.head' record)" ]
	# again: nothing left to do, no entry
	pruned --before 2025-01-05 --apply
	holds '.[0] | .plans == [] and .objects == 0 and .ledger == null' record
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq 5 ]
}

@test "CH-22 what was not pruned can be rolled back, what was is refused with 3 and says so" {
	two_runs
	pruned --before 2025-01-05 --apply
	rollback plan | mig-apply --store fs:site > outcomes
	diff -r --exclude=.mig between site
	before=$(tree_hash site)
	rollback first > permits
	fails 3 mig-apply --store fs:site < permits
	faulted 3 pruned
	[[ $stderr == *"$(hash_of first)"*'was pruned'* ]]
	fails 3 mig-apply --store fs:site --jobs 2 < permits
	[ "$before" = "$(tree_hash site)" ]
	# a dry run says the same
	mig-plan --rollback < first | mig-gate --env dev --dry-run > dry
	fails 3 mig-apply --store fs:site < dry
	faulted 3 pruned
}

@test "a rollback of a pruned plan is refused also where its originals are there for another plan's sake" {
	mkdir -p site/a
	manifest 1.0.0 > site/a/manifest.json
	at 01
	migrated
	cp plan first
	mkdir site/b
	manifest 1.0.0 > site/b/manifest.json
	at 10
	migrated
	at 20
	[ "$(objects)" -eq 1 ]
	pruned --before 2025-01-05 --apply
	holds '.[0] | (.plans | length) == 1 and .objects == 0' record
	[ "$(objects)" -eq 1 ]
	rollback first > permits
	fails 3 mig-apply --store fs:site < permits
	faulted 3 pruned
}

@test "a plan that is applied again behind its prune can be rolled back again" {
	two_runs
	pruned --before 2025-01-30 --apply
	[ "$(objects)" -eq 0 ]
	rm -rf site/job && cp -R between/job site/
	mig-gate --env dev --apply < plan | mig-apply --store fs:site > outcomes
	rollback plan | mig-apply --store fs:site > outcomes
	diff -r --exclude=.mig between site
}

@test "a plan that was rolled back counts from its rollback" {
	two_runs
	at 12
	rollback plan | mig-apply --store fs:site > outcomes
	at 20
	pruned --before 2025-01-11 --apply
	holds '.[0].plans == ["'"$(hash_of first)"'"]' record
	pruned --before 2025-01-13 --apply
	holds '.[0].plans | length == 2' record
	[ "$(objects)" -eq 0 ]
	[ -z "$(find site/.mig/plans -type f)" ]
}

@test "a plan that was begun and never ended is kept, and can still be undone" {
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	site
	cp -R site before
	at 01
	planned && permitted
	{ strace -f -qq -o /dev/null -e inject=renameat2:signal=KILL:when=2 mig-apply --store fs:site < permits || :; } > /dev/null 2>&1
	at 20
	pruned --before 2025-01-30 --apply 2> said
	grep -q 'never committed' said
	holds '.[0].plans == []' record
	nothing mig-gate | mig-apply --store fs:site --recover undo
	diff -r --exclude=.mig before site
}

@test "CH-09 plans of prod are pruned with a ticket only, and the ledger has it" {
	two_runs prod
	before=$(whole_tree site)
	fails 5 mig-apply --store fs:site --prune --before 2025-01-05 --apply
	faulted 5 prod_ticket
	hinted
	fails 5 mig-apply --store fs:site --prune --before 2025-01-05 --apply --prod-override ' '
	[ "$(objects)" -eq 3 ]
	fails 0 mig-apply --store fs:site --prune --before 2025-01-05
	pruned --before 2025-01-05 --apply --prod-override T-9
	[ "$(tail -n 1 site/.mig/ledger.ndjson | jq -r .ticket)" = T-9 ]
	[ "$(objects)" -eq 2 ]
}

@test "a ledger whose chain is broken prunes nothing (4)" {
	two_runs
	sed -i '2s/"actor":"tester"/"actor":"nobody"/' site/.mig/ledger.ndjson
	fails 4 mig-apply --store fs:site --prune --before 2025-01-30 --apply
	faulted 4 ledger_broken
	[ "$(objects)" -eq 3 ]
}

@test "a prune that is killed has its entry, and the next one removes the rest" {
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	two_runs
	rm -rf first.site && cp -a site first.site
	for n in 1 2 3 4 5; do
		rm -rf site && cp -a first.site site
		{ strace -f -qq -o /dev/null -e inject=unlinkat:signal=KILL:when=$n \
			mig-apply --store fs:site --prune --before 2025-01-30 --apply || :; } > /dev/null 2>&1
		[ "$(tail -n 1 site/.mig/ledger.ndjson | jq -r .event)" = prune ]
		rollback plan > permits
		fails 3 mig-apply --store fs:site < permits
		faulted 3 pruned
		pruned --before 2025-01-30 --apply
		[ "$(objects)" -eq 0 ] && [ -z "$(find site/.mig/plans -type f)" ]
		chained site
	done
}

@test "prune of a store without a ledger finds nothing, and what is not ours stays" {
	site
	pruned --before 2025-01-30
	holds '.[0].plans == []' record
	assert_not_exists site/.mig
	two_runs
	echo mine > site/.mig/objects/README
	echo mine > site/.mig/plans/README
	pruned --before 2025-01-30 --apply
	assert_exists site/.mig/objects/README
	assert_exists site/.mig/plans/README
}

@test "CH-37 prune needs a time, and its options go with nothing else" {
	site
	fails 2 mig-apply --store fs:site --prune
	for when in yesterday 2025 2025-13-01 2025-01-01T00:00 2025-01-01T00:00:00+01:00 ''; do
		fails 2 mig-apply --store fs:site --prune --before "$when"
		stdout_empty
	done
	fails 2 mig-apply --store fs:site --before 2025-01-01 < /dev/null
	fails 2 mig-apply --store fs:site --apply < /dev/null
	fails 2 mig-apply --store fs:site --prune --before 2025-01-01 --jobs 2
	fails 2 mig-apply --store fs:site --prune --before 2025-01-01 --trust ops.pub
	fails 2 mig-apply --store fs:site --prune --before 2025-01-01 --recover undo
}

@test "mig prune: the front door shows, and with --apply prunes" {
	two_runs
	fails 0 mig prune --store fs:site --before 2025-01-05
	[ "$(objects)" -eq 3 ]
	[[ $stderr == *'OK code=0'* ]]
	fails 0 mig prune --store fs:site --before 2025-01-05 --apply
	[ "$(objects)" -eq 2 ]
	fails 2 mig prune --store fs:site
	fails 3 mig prune --store fs:nowhere --before 2025-01-05
}

@test "CH-46 history has what was pruned, and status and history still read the whole ledger" {
	two_runs
	pruned --before 2025-01-05 --apply
	mig-extract --store fs:site --ledger > entries
	mig-hash --check < entries > /dev/null
	[ "$(jq -r 'select(.kind == "entry").event' entries | paste -sd ' ')" = 'begin commit begin commit prune' ]
	[ "$(mig-extract --store fs:site --ledger --event prune | jq -c 'select(.seq) | [.plan_hash, .plans]')" = \
		"[null,[\"$(hash_of first)\"]]" ]
	mig history --store fs:site > page
	grep -q ' prune    -  *1 plan and 1 original: tester' page
	mig history --store fs:site --format text | grep -q '^seq=5 .* event=prune .*before=2025-01-05T00:00:00Z plans=1 objects=[1-9]'
	mig status --store fs:site > page
	mig-verify --store fs:site --ledger > verdict
}

@test "CH-46 a document's history says how many pruned plans it cannot speak of" {
	two_runs
	ref=$(jq -r 'select(.kind == "plan").steps[0].preconditions[0].ref' first)
	mig history --store fs:site --ref "$ref" > page 2> err
	[ "$(grep -c warning err)" -eq 0 ]
	pruned --before 2025-01-05 --apply
	mig history --store fs:site --ref "$ref" > page 2> err
	grep -q "^mig-extract: $ref: warning: 1 plan of the ledger cannot be read" err
}

@test "CH-22 the last run can be undone when an older one was pruned, and the older one by no way to name it (3)" {
	two_runs
	pruned --before 2025-01-05 --apply
	before=$(whole_tree site)
	for way in '--to 1.0.0' "--plan-hash $(hash_of first)"; do
		for jobs in 1 2; do
			# shellcheck disable=SC2086 # two words
			fails 3 mig rollback --store fs:site --env dev --apply --jobs $jobs $way
			faulted 3 pruned
			[[ $stderr == *"$(hash_of first): this plan was pruned: it can no longer be rolled back"* ]]
			refute_output --partial '"kind":"outcome"'
		done
	done
	[[ $way == --plan-hash* ]]
	fails 3 mig rollback --store fs:site --env dev --apply --to 1.0.0
	[[ $stderr == *'hint: --to 1.1.0 takes only what led beyond it'* ]]
	fails 3 mig-extract --store fs:site --applied
	faulted 3 pruned
	[ "$before" = "$(whole_tree site)" ]
	mig rollback --store fs:site --env dev --apply > outcomes
	diff -r --exclude=.mig between site
	# now it is the last one
	fails 3 mig rollback --store fs:site --env dev --apply
	faulted 3 pruned
	diff -r --exclude=.mig between site
}

@test "CH-22 the hint of a refused rollback is a command that works" {
	two_runs
	pruned --before 2025-01-05 --apply
	mig rollback --store fs:site --env dev --apply --to 1.1.0 > outcomes
	diff -r --exclude=.mig between site
}

# offered WHAT: status names a command for it, on the page and in JSON.
offered() {
	mig status --store fs:site --format text | sed -z 's/ \\\n */ /g' | grep -F "$1"
}

@test "status counts what was pruned, and names no rollback that would be refused" {
	two_runs
	offered 'undo the last run'
	offered 'undo what came later'
	pruned --before 2025-01-05 --apply
	mig status --store fs:site > page
	grep -q '^STATUS: 2 plans applied' page
	[ "$(grep -c 'pruned, not to be rolled back any more: 1 plan' page)" -eq 1 ]
	# the last run, and the way back to where the pruned one led, are still there; both work
	offered 'undo the last run    mig rollback --store STORE --env dev --apply'
	offered 'undo what came later mig rollback --store STORE --env dev --migration manifest --to 1.1.0'
	mig status --store fs:site --format json | jq -e '.status.applied | map(.pruned) == [0, 1] and all(.next != null)'
	cp -R site kept
	pruned --before 2025-01-15 --apply
	run ! offered 'mig rollback'
	mig status --store fs:site --format json | jq -e '.status.applied | map([.pruned, .next]) == [[1, null], [1, null]]'
	# undone and applied again: what was pruned since is no longer what counts
	rm -r site && mv kept site
	mig rollback --store fs:site --env dev --apply > outcomes
	run ! offered 'mig rollback'
	mig-gate --env dev --apply < plan | mig-apply --store fs:site > outcomes
	offered 'undo the last run'
	mig rollback --store fs:site --env dev --apply > outcomes
	diff -r --exclude=.mig between site
}

@test "status offers the last run where only an earlier one to the same version was pruned" {
	one
	at 01
	migrated
	mkdir site/b
	manifest 1.0.0 > site/b/manifest.json
	at 10
	migrated
	at 20
	pruned --before 2025-01-05 --apply
	offered 'undo the last run'
	mig status --store fs:site --format json | jq -e '.status.applied | map([.plans, .pruned]) == [[2, 1]]'
	mig status --store fs:site | grep -q '^ *2025-01-10T00:00:00Z manifest to 1.2.0 in dev'
	mig rollback --store fs:site --env dev --apply > outcomes
	cmp site/b/manifest.json <(manifest 1.0.0)
	# what is told is when, and by whom, what still counts was applied
	mig status --store fs:site | grep -q '^ *2025-01-01T00:00:00Z manifest to 1.2.0 in dev'
	run ! offered 'mig rollback'
}

@test "CH-22 what an open rollback undoes is not pruned: it can be completed, and undone" {
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	site && cp -R site before
	at 01
	migrated
	cp -R site after
	at 10
	rollback plan > permits
	{ strace -f -qq -o /dev/null -e inject=renameat2:signal=KILL:when=2 mig-apply --store fs:site < permits || :; } > /dev/null 2>&1
	at 20
	pruned --before 2025-01-15 --apply
	holds '.[0].plans == [] and .[0].objects == 0' record
	cp -R site again
	mig-apply --store fs:site < permits > outcomes
	diff -r --exclude=.mig before site
	rm -r site && mv again site
	nothing mig-gate | mig-apply --store fs:site --recover undo
	diff -r --exclude=.mig after site
	# undone, the plan stands as it did, from that day on
	pruned --before 2025-01-19 --apply
	holds '.[0].plans == []' record
	mig rollback --store fs:site --env dev --apply > outcomes
	diff -r --exclude=.mig before site
}
