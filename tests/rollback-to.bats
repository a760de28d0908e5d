#!/usr/bin/env bats
# Going back by what the ledger says: the last run, a named plan, a version; as a whole, and in time.

load helper
load store

# climbed: the manifests taken to 1.1.0 and from there to 1.2.0, in plans of 50; old, middle and top keep the trees.
climbed() {
	manifests site && cp -R site old
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 --batch 50 --max-rejects 12 > plan.1
	mig-gate --env dev --apply < plan.1 | mig-apply --store fs:site > outcomes
	mkdir middle && cp -R site/* middle/
	plan_manifests site --batch 50 > plan.2
	mig-gate --env dev --apply < plan.2 | mig-apply --store fs:site > outcomes
	mkdir top && cp -R site/* top/
}

at() {
	[ "$(tree_hash "$1")" = "$(tree_hash site)" ] || fail "not as $1: $(diff -r -x .mig "$1" site | head)"
}

# back OPTION..: a rollback by the front door, to the file outcomes.
back() {
	mig rollback --store fs:site --env dev --apply "$@" > outcomes 2> err || { code=$? && cat err && return "$code"; }
}

# permits_back OPTION..: the permits of a rollback of what mig-extract --applied OPTION.. gives.
permits_back() {
	mig-extract --store fs:site --applied "$@" | mig-plan --rollback --reason test | mig-gate --env dev --apply
}

@test "CH-22 without a plan the last run is undone, then the one before it, then there is nothing to do" {
	climbed
	back --reason 'went wrong'
	at middle
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ')" = ' 115 applied' ]
	[ "$(jq -r 'select(.event == "rollback").reason' site/.mig/ledger.ndjson | sort -u)" = 'went wrong' ]
	back
	at old
	back
	[ "$(jq -r .kind outcomes)" = end ]
	at old
	tidy site && chained site
}

@test "CH-22 back to a version: several runs in reverse in one stream, the last part first" {
	climbed
	permits_back --to 1.0.0 > permits
	[ "$(jq -r 'select(.plan).plan.header.undoes' permits)" = "$(cat plan.1 plan.2 | jq -r 'select(.steps).plan_hash' | tac)" ]
	back --to 1.1.0
	at middle
	back --to 1.1.0
	[ "$(jq -r .kind outcomes)" = end ]
	at middle
	back --to 1.0.0
	at old
	tidy site && chained site
}

@test "CH-22 two runs undone at once, and once more with the same permits" {
	climbed
	permits_back --to 1.0.0 > permits
	applied
	at old
	[ "$(statuses outcomes | sort -u)" = applied ]
	entries=$(wc -l < site/.mig/ledger.ndjson)
	applied
	[ "$(statuses outcomes | sort -u)" = skipped ]
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
	at old
	# there again, and back again
	mig-gate --env dev --apply < plan.1 | mig-apply --store fs:site > outcomes
	at middle
	mig-gate --env dev --apply < plan.2 | mig-apply --store fs:site > outcomes
	at top
	back --to 1.0.0
	at old
	chained site
}

@test "CH-22 a named plan is undone; one that is not applied is 3" {
	climbed
	hash=$(jq -r 'select(.steps).plan_hash' plan.2 | tail -n 1)
	back --plan-hash "$hash"
	[ "$(jq -r 'select(.header).header.undoes' outcomes)" = "$hash" ]
	[ "$(diff -rq -x .mig -x '*.backup*' top site | wc -l)" -eq 15 ]
	fails 3 mig rollback --store fs:site --env dev --apply --plan-hash "$hash"
	faulted 3 not_applied
	fails 2 mig rollback --store fs:site --env dev --apply --plan-hash nonsense
	# what is left of the run
	back
	at middle
}

@test "CH-45 drift under one plan of a rollback changes nothing under any of them" {
	climbed
	last=$(jq -r 'select(.steps).steps[0].actions[0].ref' plan.2 | head -n 1) # undone by the last plan of the run
	sed -i 's/"succeeded"/"lost"/; s/"failed"/"lost"/' "site/$last"
	before=$(tree_hash site) entries=$(wc -l < site/.mig/ledger.ndjson)
	for way in '' '--to 1.1.0' '--to 1.0.0'; do
		# shellcheck disable=SC2086 # two words
		fails 4 mig rollback --store fs:site --env dev --apply $way
		faulted 4 drift
		printf '%s\n' "$output" > outcomes
		holds "map(select(.kind == \"outcome\")) | length == 1 and all(.ok == false) and
			([.[0].steps[] | select(.status == \"failed\").step_id] == [\"$last@1.1.0..1.2.0\"])" outcomes
		[[ $stderr == *"$last: expected content "* ]]
		[[ $stderr == *"hint: mig history --store STORE --ref $last tells"* ]]
		[ "$before" = "$(tree_hash site)" ] || fail "changed: $way"
		[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
	done
	tidy site
}

@test "CH-22 CH-45 several jobs undo several runs as one does: as a whole, or not at all" {
	climbed && cp -R site again
	back --to 1.0.0 --jobs 4
	at old
	[ "$(statuses outcomes | sort -u)" = applied ]
	tidy site && chained site
	rm -r site && mv again site
	ref=$(jq -r 'select(.steps).steps[0].actions[0].ref' plan.1 | head -n 1) # undone by the last of all plans
	sed -i 's/"succeeded"/"lost"/; s/"failed"/"lost"/' "site/$ref"
	before=$(tree_hash site) entries=$(wc -l < site/.mig/ledger.ndjson)
	fails 4 mig rollback --store fs:site --env dev --apply --to 1.0.0 --jobs 4
	faulted 4 drift
	[ "$before" = "$(tree_hash site)" ]
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
}

@test "CH-22 a rollback over two runs that were pruned is refused before its first write" {
	climbed
	permits_back --to 1.0.0 > permits
	before=$(tree_hash site)
	mig-apply --store fs:site --prune --before 2099-01-01 --apply > record
	entries=$(wc -l < site/.mig/ledger.ndjson)
	for jobs in 1 4; do
		fails 3 mig-apply --store fs:site --jobs $jobs < permits
		faulted 3 pruned
		[ "$before" = "$(tree_hash site)" ]
		[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
	done
}

@test "SG-44 an object that the second run needs is missed before the first is undone" {
	climbed
	ref=$(jq -r 'select(.steps).steps[0].actions[0].ref' plan.1 | tail -n 1)
	raw=$(sha256sum < "old/$ref" | cut -c 1-64)
	before=$(tree_hash site)
	mv "site/.mig/objects/$raw" kept
	fails 3 mig rollback --store fs:site --env dev --apply --to 1.0.0
	faulted 3 object_missing
	hinted
	[ "$before" = "$(tree_hash site)" ]
	echo x > "site/.mig/objects/$raw"
	fails 4 mig rollback --store fs:site --env dev --apply --to 1.0.0
	faulted 4 object_damaged
	[ "$before" = "$(tree_hash site)" ]
	mv kept "site/.mig/objects/$raw"
	back --to 1.0.0
	at old
}

@test "CH-45 what was edited between two runs is noticed before the first is undone" {
	one && cp -R site old
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 > plan
	permitted && applied
	sed -i s/succeeded/failed/ site/one/manifest.json
	planned && permitted && applied
	before=$(tree_hash site)
	fails 4 mig rollback --store fs:site --env dev --apply --to 1.0.0
	faulted 4 drift
	[ "$before" = "$(tree_hash site)" ]
	back # the last run alone can be undone
	grep -q failed site/one/manifest.json
}

@test "CH-42 a dry run over two runs says what both would restore, and writes nothing" {
	one && cp -R site old
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 > plan
	permitted && applied
	planned && permitted && applied
	before=$(whole_tree site)
	mig rollback --store fs:site --env dev --dry-run --to 1.0.0 --format json > outcomes 2> err
	[ "$(jq -r 'select(.steps).steps[].message' outcomes | grep -c '^would restore')" -eq 2 ]
	[ "$before" = "$(whole_tree site)" ]
	fails 5 mig rollback --store fs:site --env dev --to 1.0.0
	[ "$before" = "$(whole_tree site)" ]
}

@test "CH-12 a rollback over two runs, killed at each exchange, is completed by the same permits or by the same command" {
	command -v strace > /dev/null || skip 'needs strace'
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	site && cp -R site old
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 --batch 1 --max-rejects 1 > plan
	permitted && applied
	planned --batch 1 && permitted && applied
	cp -R site begin
	permits_back --to 1.0.0 > permits
	exchanges=$(jq -s '[.[].plan.steps[]?] | length' permits)
	[ "$exchanges" -eq 3 ]
	for ((n = 1; n <= exchanges; n++)); do
		for again in same asked; do
			rm -rf site && cp -a begin site
			rc=0
			strace -f -qq -o /dev/null -e trace=renameat2 -e "inject=renameat2:signal=KILL:when=$n" \
				mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
			[ $rc -eq 137 ] || fail "exit $rc: $(cat err)"
			if [ $again = same ]; then applied; else back --to 1.0.0; fi
			[ "$(tree_hash old)" = "$(tree_hash site)" ] || fail "exchange $n, $again: $(diff -r -x .mig old site)"
			tidy site && chained site
		done
	done
}

@test "an irreversible step among several runs is named, and needs --allow-destructive" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json && cp -R site old
	set_of own '. + {b: 2}' '{data_safety: {reversible: false, note: "readers cache it"}}'
	planned_by own
	permitted --allow-destructive && applied
	before=$(tree_hash site)
	fails 5 mig rollback --store fs:site --env dev --apply
	faulted 5 irreversible_flag
	[[ $stderr == *'a.json: the step cannot be undone'* ]]
	[ "$before" = "$(tree_hash site)" ]
	back --allow-destructive
	at old
}

@test "a version means one migration: two of them are told apart by --migration, env and scope by theirs" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	cp -R site old
	set_of own '. + {b: 2}'
	planned_by own && permitted && applied
	mkdir -p site/one && manifest 1.0.0 > site/one/manifest.json && cp site/one/manifest.json old.json
	changes site | mig-plan --env dev --tenant acme --migration manifest --target-version 1.2.0 > plan
	mig-gate --env dev --tenant acme --apply < plan > permits && applied
	fails 2 mig rollback --store fs:site --env dev --apply --to 1.0.0
	faulted 2 ambiguous
	mig rollback --store fs:site --env dev --tenant acme --apply --to 1.0.0 > outcomes
	cmp old.json site/one/manifest.json
	mig-gate --env dev --tenant acme --apply < plan > permits && applied
	back --to 1.0.0 --migration own
	cmp old/a.json site/a.json
	# what is left is another tenant's
	fails 4 mig rollback --store fs:site --env dev --apply
	mig rollback --store fs:site --env staging --apply > outcomes
	[ "$(jq -r .kind outcomes)" = end ]
}

@test "CH-22 the ways to name a rollback exclude each other, and wrong ones are usage errors" {
	site && migrated
	at=(mig rollback --store fs:site --env dev --apply)
	fails 2 "${at[@]}" --plan plan --to 1.0.0
	[[ $stderr == *'exclude each other'* ]]
	fails 2 "${at[@]}" --plan-hash a --to 1.0.0
	fails 2 "${at[@]}" --to latest
	fails 2 mig-extract --store fs:site --applied --to ''
	[[ $stderr == *'--to: empty'* ]]
	fails 2 "${at[@]}" --deadline 0
	fails 2 "${at[@]}" --deadline soon
	fails 2 "${at[@]}" --deadline 99999999999
	fails 2 mig rollback --store fs:site --apply
	fails 3 mig rollback --store fs:nowhere --env dev --apply
	fails 3 "${at[@]}" --plan nothing
}

# paced MS [BEGUN ENDED]: the ledger's commits say that each took MS, and all begins and commits when that was.
paced() {
	sed -E "s/\"duration_ms\":[0-9]+/\"duration_ms\":$1/" site/.mig/ledger.ndjson > t
	if [ $# -eq 3 ]; then
		sed -Ei "/\"event\":\"begin\"/s/\"time\":\"[^\"]*\"/\"time\":\"$2\"/
			/\"event\":\"commit\"/s/\"time\":\"[^\"]*\"/\"time\":\"$3\"/" t
	fi
	local line hash prev
	prev=$(printf '%064d' 0)
	while IFS= read -r line; do
		line=$(jq -c --arg prev "$prev" 'del(.hash) | .prev = $prev' <<< "$line" | mig-hash --canonical)
		prev=$(printf '%s' "$line" | sha256sum | cut -c 1-64)
		jq -c --arg hash "$prev" '.hash = $hash' <<< "$line" | mig-hash --canonical
	done < t > site/.mig/ledger.ndjson
}

@test "CH-23 a rollback that would not be done by its deadline fails with 1 before its first write" {
	unset SOURCE_DATE_EPOCH
	site && cp -R site old && migrated
	mig-verify --store fs:site --ledger > verdict
	[ "$(jq -r 'select(.event == "commit").duration_ms > 0' site/.mig/ledger.ndjson)" = true ]
	paced 60000 # two documents a minute
	before=$(tree_hash site) entries=$(wc -l < site/.mig/ledger.ndjson)
	fails 1 mig rollback --store fs:site --env dev --apply --deadline 59 --jobs 4
	faulted 1 deadline
	fails 1 mig rollback --store fs:site --env dev --apply --deadline 59
	faulted 1 deadline
	[[ $stderr == *'2 documents, at the 0.033 a second that the ledger shows'* ]]
	[[ $stderr == *'would take about 60 s, 59 are allowed'* ]]
	hinted
	[ "$before" = "$(tree_hash site)" ]
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
	back --deadline 60
	[ "$(tree_hash old)" = "$(tree_hash site)" ]
}

# late JOBS DEADLINE [SECONDS]: that many processes would be late, by an estimate of SECONDS; or would not.
late() {
	local permits
	permits=$(permits_back --last)
	if [ $# -eq 3 ]; then
		fails 1 mig-apply --store fs:site --jobs "$1" --deadline "$2" <<< "$permits"
		faulted 1 deadline
		[[ $stderr == *"would take about $3 s, $2 are allowed"* ]] || fail "$stderr"
	else
		rm -rf again && cp -R site again
		fails 0 mig-apply --store fs:again --jobs "$1" --deadline "$2" <<< "$permits"
	fi
}

@test "CH-23 several jobs are taken to be faster as far as the ledger shows it: plans that were at work together" {
	unset SOURCE_DATE_EPOCH
	site && planned --batch 1 && permitted && applied --jobs 2
	# two plans, a minute each, in the same minute
	paced 60000 2025-01-01T12:00:00Z 2025-01-01T12:01:00Z
	late 2 60 61
	late 2 61
	late 1 119 120
	late 1 120
	# there are two plans: more processes than these have nothing to do
	late 64 60 61
	# one after the other: then two are not known to be faster than one
	paced 60000 2025-01-01T12:00:00Z 2025-01-01T12:02:00Z
	late 2 119 120
	late 2 120
	# a clock that went back shows nothing
	paced 60000 2025-01-01T12:00:00Z 2025-01-01T11:00:00Z
	late 2 119 120
	[ "$(ls site/.mig/tmp)" = '' ] && mig-verify --store fs:site --ledger > verdict
}

@test "CH-23 what runs of few plans took does not make many jobs faster: each process does its share of all plans" {
	unset SOURCE_DATE_EPOCH
	local i
	for i in 1 2 3 4; do mkdir -p "site/$i" && manifest 1.0.0 > "site/$i/manifest.json"; done
	planned --batch 1 && permitted && applied --jobs 4
	# four at once took a minute for all; two would have done two each
	paced 60000 2025-01-01T12:00:00Z 2025-01-01T12:01:00Z
	late 4 60 61
	late 4 61
	late 2 119 120
	late 1 239 240
}

@test "CH-23 without a pace in the ledger a rollback starts, and says that it could not tell" {
	site && cp -R site old && migrated # the clock is fixed: how long it took is not known
	[ "$(jq -r 'select(.event == "commit").duration_ms' site/.mig/ledger.ndjson)" = 0 ]
	back --deadline 60
	grep -q 'warning: cannot tell how long it will take' err
	[ "$(tree_hash old)" = "$(tree_hash site)" ]
}

@test "CH-23 a rollback that was not done by its deadline fails with 1, and is done" {
	command -v strace > /dev/null || skip 'needs strace'
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	site && cp -R site old && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	# the leak checker does not work under another tracer
	ASAN_OPTIONS=detect_leaks=0:$ASAN_OPTIONS run -1 --separate-stderr strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=1600000 \
		mig-apply --store fs:site --deadline 1 < permits
	faulted 1 deadline_missed
	[ "$(tree_hash old)" = "$(tree_hash site)" ]
	applied --deadline 1
	[ "$(statuses outcomes | sort -u)" = skipped ]
}

@test "a rollback that finds nothing applied is 0 and says so" {
	site && migrated
	before=$(whole_tree site)
	for way in '--migration other' '--tenant nobody' '--to 9.0.0'; do
		# shellcheck disable=SC2086 # two words
		fails 0 mig rollback --store fs:site --env dev --apply $way
		[[ $stderr == *'mig-extract: warning: no plan that is applied matches'* ]] || fail "$way: $stderr"
	done
	[ "$before" = "$(whole_tree site)" ]
}
