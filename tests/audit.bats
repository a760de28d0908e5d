#!/usr/bin/env bats
# MIG_AUDIT: every filter leaves one snapshot and one final record, also when it fails.

load helper
load store

setup() {
	mig_setup
	export MIG_AUDIT=file:$PWD/audit MIG_RUN_ID=run-1
	site
}

teardown() {
	! mountpoint -q small || umount small
}

# pairs FILE [N]: N records a stage; each filter has as many finals as snapshots.
pairs() {
	holds 'group_by(.script) | map(map(.stage) | group_by(.) | map(length)) | map(length == 2 and .[0] == .[1]) | all' "$1"
	[ -z "${2-}" ] || [ "$(wc -l < "$1")" -eq $((2 * $2)) ] || fail "$(cat "$1")"
}

# final SCRIPT FILTER: jq's FILTER over the payload of the script's last final record yields true.
final() {
	jq -se --arg script "$1" 'map(select(.script == $script and .stage == "final")) | last | '"$2" audit > /dev/null ||
		fail "not so: $2
$(cat audit)"
}

@test "EK-57 every filter of a run leaves exactly one snapshot and one final record" {
	planned --tenant acme
	mig-gate --env dev --apply --tenant acme < plan > permits
	mig-apply --store fs:site < permits > outcomes
	mig-verify --store fs:site < plan > verdicts
	mig-report < verdicts > page
	mig-hash --check plan
	openssl genpkey -algorithm ed25519 -out key.pem
	mig-approve --digest "$(printf '%064d' 0)" --env dev --approver ada --ticket T-1 --expires-at 2025-01-02T00:00:00Z \
		--key key.pem > approval
	pairs audit 9
	[ "$(jq -r 'select(.stage == "final").script' audit | sort -u | wc -l)" -eq 9 ]
	holds 'map(.runId == "run-1" and .kind == "audit" and .createdAt == "2025-01-01T00:00:00Z") | all' audit
	holds 'map(select(.stage == "final").payload | .ok and .exit == 0 and .code == null) | all' audit
	# lines of canonical JSON, and nothing else
	MIG_AUDIT='' mig-hash --canonical audit > canonical
	cmp audit canonical
	final mig-plan '.payload.digest == "'"$(tail -n 1 plan | jq -r .digest)"'" and .payload.records == 1'
	final mig-extract '.payload.records == 3'
	final mig-apply '.env == "dev" and .tenant == "acme"'
	final mig-verify '.env == "dev" and .tenant == "acme"'
}

@test "EK-57 the options of a filter are in its snapshot, as they were given" {
	planned --tenant acme --max-rejects=3
	holds 'map(select(.script == "mig-plan" and .stage == "snapshot"))[0] | .env == "dev" and .tenant == "acme" and
		.payload.actor == "tester" and .payload.options == {"env": "dev", "max-rejects": "3", "migration": "manifest",
		"target-version": "1.2.0", "tenant": "acme"}' audit
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.0.0/manifest.json --ref job/run-1.1.0/manifest.json > one
	holds 'map(.payload.options.ref // empty)[0] == ["job/run-1.0.0/manifest.json", "job/run-1.1.0/manifest.json"]' audit
	mig-extract --store fs:site --set "$SETS/manifest" --list-versions > one
	holds 'map(.payload.options["list-versions"] // empty) == [true]' audit
	cp plan $'pl\xffn' && mig-hash plan $'pl\xffn' > hashes
	holds 'map(.payload.options.operands // empty) == [["plan", "pl%FFn"]]' audit
}

@test "EK-58 a filter that fails has a final record that says so, whatever the failure" {
	fails 3 mig-extract --store fs:nowhere --set "$SETS/manifest"
	final mig-extract '.payload | .ok == false and .exit == 3 and .code == "store_missing" and .digest == null and .records == null'
	planned
	fails 5 mig-gate --env dev < plan
	final mig-gate '.payload | .ok == false and .exit == 5 and .code != null and .reason != null'
	fails 2 mig-plan --env dev --migration manifest --target-version 1.2.0 <<< garbage
	final mig-plan '.payload | .exit == 2 and .code == "not_json"'
	fails 1 bash -c 'mig-hash plan > /dev/full'
	final mig-hash '.payload | .exit == 1 and .ok == false'
	# what came in as a fault
	rc=0
	mig-extract --store fs:nowhere --set "$SETS/manifest" 2> err | mig-transform --set "$SETS/manifest" --target-version 1.2.0 > out 2> err || rc=$?
	[ $rc -eq 3 ]
	final mig-transform '.payload | .exit == 3 and .ok == false'
	pairs audit
}

@test "EK-58 a program of a set that kills its filter still leaves a final record" {
	set_of own 'def f: 1 + f; . + {n: f}'
	one '{"v": "1.0.0"}'
	mig-extract --store fs:site --set own --ref one/manifest.json > documents
	run --separate-stderr mig-transform --set own --target-version 2.0.0 < documents
	[ "$status" -eq 4 ] || fail "exit $status: $stderr"
	final mig-transform '.payload | .ok == false and .exit == 4 and .code == "died"'
	unset SOURCE_DATE_EPOCH
	before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	run mig-transform --set own --target-version 2.0.0 < documents
	after=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	final mig-transform '.createdAt >= "'"$before"'" and .createdAt <= "'"$after"'"'
	pairs audit
}

@test "EK-58 so does one that runs out of memory" {
	! grep -q __asan_init "$MIG_X/mig-hash" || skip 'a sanitizer needs its memory'
	printf '"%s"' "$(head -c 60000000 /dev/zero | tr '\0' x)" > large
	fails 1 bash -c 'ulimit -v 60000 && mig-hash --canonical large'
	final mig-hash '.payload | .ok == false and .exit == 1 and .code == "died"'
}

@test "EK-60 a sink that cannot be reached is 3 before anything is done" {
	MIG_AUDIT='' planned && MIG_AUDIT='' permitted
	before=$(whole_tree site)
	mkfifo pipe && mkdir folder
	: > closed && chmod 000 closed
	for sink in file:no/such/folder file:folder file:pipe file:/dev/full file:/dev/null file:/; do
		MIG_AUDIT=$sink fails 3 mig-apply --store fs:site < permits
		faulted 3 audit_unreachable
		MIG_AUDIT=$sink fails 3 mig-extract --store fs:site --set "$SETS/manifest"
		faulted 3 audit_unreachable
	done
	[ "$before" = "$(whole_tree site)" ]
	[ ! -e site/.mig ]
	rc=0
	MIG_AUDIT=file:no/such/folder mig-apply --store fs:site < permits 2> err | mig-report > page 2>&1 || rc=$?
	[ $rc -eq 3 ]
}

@test "EK-60 a sink that is full is 3 before anything is done" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can mount'
	MIG_AUDIT='' planned && MIG_AUDIT='' permitted
	mkdir small && mount -t tmpfs -o size=8k none small 2> /dev/null || skip 'no tmpfs here'
	head -c 8192 /dev/zero > small/filler 2> /dev/null || true
	MIG_AUDIT=file:small/audit run -3 --separate-stderr mig-apply --store fs:site < permits
	umount small
	faulted 3 audit_unreachable
	[ ! -e site/.mig ]
}

@test "EK-60 a name that is no sink, or a run without a name, is a usage error" {
	for sink in audit http://log.example/ file: sqlite:; do
		MIG_AUDIT=$sink fails 2 mig-extract --store fs:site --set "$SETS/manifest"
		faulted 2 bad_audit
	done
	for id in '' $'a\nb'; do
		MIG_RUN_ID=$id fails 2 mig-extract --store fs:site --set "$SETS/manifest"
		faulted 2 bad_audit
	done
	[ ! -e audit ]
	# nothing is asked of who wants no audit
	MIG_AUDIT='' MIG_RUN_ID='' mig-extract --store fs:site --set "$SETS/manifest" > out
}

@test "a final record that cannot be written any more makes the run fail with 1" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can mount'
	mkdir small && mount -t tmpfs -o size=8k none small 2> /dev/null || skip 'no tmpfs here'
	head -c 3700 /dev/zero | tr '\0' '\n' > small/audit
	head -c 8192 /dev/zero > small/filler 2> /dev/null || true
	MIG_AUDIT=file:small/audit run --separate-stderr mig-hash - < /dev/null
	umount small
	[ "$status" -eq 1 ] || fail "exit $status: $stderr"
	[[ $stderr == *'the audit has no final record'* ]]
}

@test "two runs at once leave whole lines, and a torn last line spoils none" {
	printf '{"torn":' > audit
	for i in 1 2 3 4 5 6 7 8; do
		(for _ in 1 2 3 4 5; do MIG_RUN_ID=run-$i mig-hash "$MIG_ROOT/README.md" > /dev/null 2>&1 || :; done) &
	done
	wait
	tail -n +2 audit > rest
	[ "$(wc -l < rest)" -eq 80 ]
	holds 'group_by(.runId) | map(length) == [10, 10, 10, 10, 10, 10, 10, 10]' rest
	pairs rest 40
}

@test "an audit works behind every sandbox, with its descriptors closed, and with several processes" {
	planned --batch 1 && permitted
	mig-apply --store fs:site --jobs 2 < permits > outcomes
	pairs audit 5
	final mig-apply '.payload.records == 2'
	for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		rm -f audit
		bash -c "mig-report $closed" > out 2> err < plan || true
		pairs audit 1
		run ! grep -v '"kind":"audit"' audit
	done
}

@test "what is audited gives the same bytes as what is not" {
	planned
	cp plan with
	MIG_AUDIT='' planned
	cmp plan with
}

@test "the front door gives its filters one name of a run" {
	unset MIG_RUN_ID
	mig plan --store fs:site --set "$SETS/manifest" --env dev --migration manifest --target-version 1.2.0 --plan plan > out
	holds '(map(.runId) | unique | length) == 1 and length >= 6' audit
	mig apply --plan plan --store fs:site --env dev --apply > out
	holds '(map(.runId) | unique | length) == 2' audit
	pairs audit
	MIG_RUN_ID=mine mig status --store fs:site > out
	holds 'map(select(.runId == "mine")) | length > 0' audit
}

@test "the make fragment gives its filters one name of a run" {
	unset MIG_RUN_ID
	cat > Makefile <<- END
		MIG_SET = $SETS/manifest
		MIG_STORE_URI = fs:site
		MIG_ENV = dev
		MIG_MIGRATION = manifest
		MIG_TARGET_VERSION = 1.2.0
		include $MIG_ROOT/pipelines/documents.mk
	END
	make -s mig-plan mig-apply MIG_GATE_FLAGS=--apply > out
	holds '(map(.runId) | unique | length) == 1 and length >= 10' audit
	pairs audit
}
