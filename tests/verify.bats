#!/usr/bin/env bats
# mig-verify: does the store hold what the plans promise?

load helper
load store

# verdicts CODE [FLAG..]: verify the file plan; the records are left in the file verdicts.
verdicts() {
	local code=$1
	shift
	fails "$code" mig-verify --store fs:site "$@" < plan
	printf '%s\n' "$output" > verdicts
}

# finding JQ: the first finding of the first verdict satisfies JQ.
finding() {
	holds ".[0].findings[0] | $1" verdicts
}

@test "CH-26 a store that holds what was planned verifies from plan, permit and outcome alike" {
	site && planned && permitted && applied
	for input in plan permits outcomes; do
		mig-verify --store fs:site < $input > verdicts
		holds 'map(.kind) == ["verdict", "end"] and (.[0] | .ok and .code == "ok" and .findings == [])' verdicts
		[ "$(jq -r 'select(.kind == "verdict").plan_hash' verdicts)" = "$(jq -r 'select(.kind == "plan").plan_hash' plan)" ]
	done
}

@test "SG-39 the 127 samples verify after apply, in many plans as in one" {
	manifests site && migrated --batch 25
	mig-verify --store fs:site < plan > verdicts
	holds 'map(select(.kind == "verdict").ok) == [true, true, true, true, true] and last.records == 5' verdicts
}

@test "CH-24 drift is told with path, expected, actual, the diff and the rollback to take" {
	site && migrated
	sed -i 's/"succeeded"/"failed"/' site/job/run-1.0.0/manifest.json
	verdicts 4
	faulted 4 drift
	after=$(jq -r 'select(.kind == "plan").steps[0].postconditions[0].hash' plan)
	holds '.[0] | (.ok | not) and .code == "validation_failed" and .rollback == {plan_hash} and (.findings | length) == 1' verdicts
	finding '.rule_id == "drift" and .severity == "error" and .component == "mig-verify" and .ref == "job/run-1.0.0/manifest.json"
		and .expected == "'"$after"'" and .actual == "'"$(mig-hash --without /migration_history < site/job/run-1.0.0/manifest.json | cut -c 1-64)"'"
		and .diff == [{op: "replace", path: "/status", value: "failed"}]'
	[[ $stderr == *'job/run-1.0.0/manifest.json: '* ]]
}

@test "CH-24 a member added, removed or retyped shows in the diff, at most twenty operations" {
	one && migrated && cp site/one/manifest.json good
	jq '.extra = 1 | del(.status) | .inputs_hash = false' good > site/one/manifest.json
	verdicts 4
	finding '(.diff | map(.op + .path) | sort) == ["add/extra", "remove/status", "replace/inputs_hash"]'
	jq '. + ([range(100)] | map({key: "k\(.)", value: .}) | from_entries)' good > site/one/manifest.json
	verdicts 4
	finding '(.diff | length) == 20'
}

@test "CH-24 a document that is gone, a link, no JSON or empty is drift" {
	one && migrated && cp site/one/manifest.json good
	for harm in 'rm manifest.json' 'mv manifest.json x && ln -s x manifest.json' 'echo hello > manifest.json' ': > manifest.json' \
		'rm manifest.json && mkfifo manifest.json' 'rm -r ../one'; do
		(cd site/one && eval "$harm")
		fails 4 timeout 20 mig-verify --store fs:site < plan
		faulted 4 drift
		printf '%s\n' "$output" > verdicts
		finding '.rule_id == "drift" and .ref == "one/manifest.json" and has("expected")'
		rm -rf site/one && mkdir site/one && cp good site/one/manifest.json
	done
	verdicts 0
}

@test "CH-24 all findings are in the verdict, the first twenty on stderr" {
	manifests site && migrated
	find site -name manifest.json -exec sed -i 's/"job_id"/"job_idd"/' {} +
	verdicts 4
	holds '.[0].findings | length == 115' verdicts
	[ "$(grep -c 'manifest.json: ' <<< "$stderr")" -eq 20 ]
	[[ $stderr == *'and 95 more findings'* ]]
}

@test "CH-24 a document that is still as before the plan is not_applied" {
	site && planned && permitted
	verdicts 4
	faulted 4 not_applied
	holds '.[0].findings | map(.rule_id) == ["not_applied", "not_applied"]' verdicts
	applied
	cp site/job/run-1.0.0/manifest.json.backup site/job/run-1.0.0/manifest.json
	verdicts 4
	holds '.[0].findings | map(.rule_id) == ["not_applied"]' verdicts
	finding '.actual == "'"$(mig-hash --without /migration_history < site/job/run-1.0.0/manifest.json.backup | cut -c 1-64)"'"'
}

@test "equal content in other bytes is the warning rewritten, and a failure with --strict" {
	site && migrated
	jq -S . site/job/run-1.0.0/manifest.json > t && cp t site/job/run-1.0.0/manifest.json
	verdicts 0
	holds '.[0] | .ok and .code == "ok"' verdicts
	finding '.rule_id == "rewritten" and .severity == "warn" and .actual == "'"$(sha256sum < t | cut -c 1-64)"'"'
	[[ $stderr == *'warning: '* ]]
	verdicts 4 --strict
	faulted 4 rewritten
	finding '.severity == "error"'
}

@test "SG-24 SG-25 a history entry that is missing or was changed is found" {
	one && migrated && cp site/one/manifest.json good
	for edit in '.migration_history = []' 'del(.migration_history)' '.migration_history[0].from_version = "0.9.0"' \
		'.migration_history[0].checksum_before = "sha256:00"' '.migration_history[0].checksum_after |= ascii_upcase' \
		'.migration_history[0].changes = []' '.migration_history += [{}]' '.migration_history = "none"' 'del(.migration_history[0].to_version)'; do
		jq "$edit" good > site/one/manifest.json
		verdicts 4
		finding '.rule_id == "history" and .ref == "one/manifest.json"' || fail "not found: $edit"
	done
	# older entries are nobody's promise
	jq '.migration_history = [{old: 1}] + .migration_history' good > site/one/manifest.json
	verdicts 0
}

@test "a plan of documents is not rehearsed: 2, and what is done instead" {
	one && migrated
	fails 2 mig-verify --store fs:site --rehearse < plan
	faulted 2 no_rehearsal
	[[ $stderr == *'is tried with a dry run: mig-gate --dry-run | mig-apply'* ]]
}

@test "CH-24 an error behind more than twenty warnings is named, and decides" {
	manifests site && migrated
	find site -name manifest.json | while read -r f; do
		mig-hash --canonical "$f" > t && cp t "$f"
	done
	last=$(jq -r 'select(.steps).steps[-1].preconditions[0].ref' plan)
	sed -i 's/"job_id"/"job_idd"/' "site/$last"
	verdicts 4
	faulted 4 drift
	[ "$(grep -c 'warning: the bytes' <<< "$stderr")" -eq 20 ]
	[[ $stderr == *"mig-verify: $last: neither"* && $stderr == *'and 94 more findings'* ]]
}

# quiet CODE INPUT [FLAG..]: verify writes nothing: no name, byte or time below site changes.
quiet() {
	local code=$1 input=$2
	shift 2
	before=$(whole_tree site)
	fails "$code" mig-verify --store fs:site "$@" < "$input"
	[ "$before" = "$(whole_tree site)" ] || fail "the store was changed"
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "CH-25 verify leaves every byte and time of the store as it was, whatever it finds" {
	site && planned && permitted
	quiet 4 plan
	assert_not_exists site/.mig
	applied
	quiet 0 plan
	quiet 0 outcomes --strict
	sed -i 's/"succeeded"/"failed"/' site/job/run-1.0.0/manifest.json
	quiet 4 plan
	quiet 4 outcomes
	printf '{"torn' >> site/.mig/ledger.ndjson
	rm site/job/run-1.1.0/manifest.json
	quiet 4 permits
}

@test "CH-25 verify works on a store that cannot be written, and opens nothing for writing" {
	on_tmpfs size=4m
	site disk/site && plan_manifests disk/site > plan && permitted
	mig-apply --store fs:disk/site < permits > outcomes
	mount -o remount,ro disk || skip 'cannot remount'
	mig-verify --store fs:disk/site < outcomes > verdicts
	holds '.[0].ok' verdicts
	may_trace
	strace -f -qq -o trace -e trace=open,openat,openat2,rename,renameat2,unlink,unlinkat,mkdirat,linkat,ftruncate \
		mig-verify --store fs:disk/site < outcomes > verdicts
	grep -q 'O_RDONLY' trace
	run ! grep -E 'O_WRONLY|O_RDWR|O_CREAT|rename|unlink|mkdir|link\(|truncate' trace
}

@test "CH-06 an edited plan, permit or stored plan is a hash that does not hold" {
	site && migrated
	for input in plan permits; do
		sed 's/manifest 1.0.0 to 1.2.0/manifest 1.0.0 to 1.2.O/' $input > edited
		quiet 4 edited
		faulted 4 plan_hash_integrity_failed
		[[ $stderr =~ expected_hash\ [0-9a-f]{64},\ actual_hash\ [0-9a-f]{64} ]]
	done
	sed -i 's/manifest 1.0.0 to 1.2.0/manifest 1.0.0 to 1.2.O/' site/.mig/plans/*.json
	quiet 4 outcomes
	faulted 4 plan_hash_integrity_failed
}

@test "CH-38 an outcome whose plan this store does not have is a failed precondition" {
	site && migrated
	site other
	fails 3 mig-verify --store fs:other < outcomes
	faulted 3 missing_plan
	rm site/.mig/plans/*.json
	fails 3 mig-verify --store fs:site < outcomes
	faulted 3 missing_plan
}

@test "CH-38 no plan at all, and a store that is not there, are failed preconditions" {
	site && migrated
	fails 3 mig-verify --store fs:site < /dev/null
	fails 3 mig-verify --store fs:nowhere < plan
	assert_not_exists nowhere
}

@test "CH-07 --against the same plans is fine, against others a mismatch with both hashes" {
	site && migrated
	cp plan same
	mig-verify --store fs:site --against same < plan > verdicts
	mig-verify --store fs:site --against same < outcomes > verdicts
	changes site | mig-plan --env staging --migration manifest --target-version 1.2.0 > /dev/null
	site fresh
	plan_manifests fresh --tenant b > other
	verdicts 4 --against other
	faulted 4 plan_hash_mismatch
	finding '.rule_id == "plan_hash_mismatch" and .expected == "'"$(jq -r 'select(.steps).plan_hash' other)"'"
		and .actual == "'"$(jq -r 'select(.steps).plan_hash' plan)"'"'
}

@test "CH-07 --against more, fewer or reordered plans is a mismatch" {
	site && migrated --batch 1
	cp plan wanted
	mig-verify --store fs:site --against wanted < plan > verdicts
	head -n 1 wanted > first
	fails 4 mig-verify --store fs:site --against first < wanted
	faulted 4 plan_hash_mismatch
	cat wanted first > longer
	fails 4 mig-verify --store fs:site --against longer < wanted
	faulted 4 plan_hash_mismatch
	sed '1{h;d};2{G}' wanted > swapped
	fails 4 mig-verify --store fs:site --against swapped < wanted
	faulted 4 plan_hash_mismatch
	: > none
	fails 4 mig-verify --store fs:site --against none < wanted
}

@test "CH-38 CH-39 CH-06 --against a file that is missing, no JSON or edited: 3, 2 and 4" {
	site && migrated
	verdicts 3 --against nowhere
	faulted 3 missing_plan_file
	verdicts 3 --against .
	echo hello > text
	verdicts 2 --against text
	faulted 2 not_json
	sed 's/manifest 1.0.0 to 1.2.0/manifest 1.0.0 to 1.2.O/' plan > edited
	verdicts 4 --against edited
	faulted 4 plan_hash_integrity_failed
}

@test "CH-39 CH-40 what is not JSON or of an unknown kind is a usage error" {
	site && migrated
	fails 2 mig-verify --store fs:site <<< 'hello'
	faulted 2 not_json
	fails 2 mig-verify --store fs:site <<< '{"kind":"mystery"}'
	fails 2 mig-verify --store fs:site < <(changes site && cat plan)
	fails 2 mig-verify --store fs:site < <(sed '1s/^{/{"extra":1,/' plan)
	fails 2 mig-verify --store fs:site < <(sed '1s/^{/{"kind":"plan",/' plan)
}

@test "CH-06 plans missing, doubled or cut off the stream fail, whatever the store holds" {
	site && migrated --batch 1
	fails 4 mig-verify --store fs:site < <(sed 1d plan)
	faulted 4 stream_incomplete
	fails 4 mig-verify --store fs:site < <(sed 1p plan)
	fails 3 mig-verify --store fs:site < <(head -n 2 plan)
	fails 3 mig-verify --store fs:site < <(head -c -20 plan)
}

@test "a plan that is being undone: its rollback is not applied, then holds, and the plan itself no longer does" {
	site && migrated
	mig-plan --rollback < plan > back
	fails 4 mig-verify --store fs:site < back
	faulted 4 not_applied
	rolled_back
	mig-verify --store fs:site < back > verdicts
	holds '.[0] | .ok and .rollback == null' verdicts
	verdicts 4
	faulted 4 not_applied
	echo ' ' >> site/job/run-1.0.0/manifest.json
	fails 4 mig-verify --store fs:site < back
	faulted 4 drift
}

@test "SG-34 rejects are forwarded, and a fault upstream sets the exit code" {
	manifests site && troubled site
	plan_manifests site --max-rejects 99 > plan
	permitted && applied
	mig-verify --store fs:site < outcomes > verdicts
	cmp <(grep '"kind":"reject"' plan) <(grep '"kind":"reject"' verdicts)
	sed -i 's/"succeeded"/"failed"/' "$(find site/artifacts -name manifest.json | sort | head -n 1)"
	fails 4 mig-verify --store fs:site < plan
	fails 4 mig-report --format text <<< "$output"
}

@test "CH-54 what stands under password, token, secret, authorization or private_key is redacted in verdicts and messages" {
	mkdir -p site/one
	manifest 1.0.0 '"password": "pa55word", "api_token": "t0ken", "nested": {"private_key": {"pem": "BEGIN0"}}' > site/one/manifest.json
	migrated
	jq '.password = "0ther-pass" | .api_token = "0ther-token" | .nested.private_key.pem = "0ther-key" | .nested.secret = {"x": "0ther-secret"}
		| .more = {"authorization": "Bearer 0ther-auth"} | .status = "failed"' site/one/manifest.json > t && cp t site/one/manifest.json
	verdicts 4
	run ! grep -E 'pa55word|t0ken|BEGIN0|0ther-' verdicts
	[[ $stderr != *0ther-* ]]
	finding '.diff | map(select(.path == "/status").value) == ["failed"]'
	finding '.diff | map(.path) | index("/password") != null'
	mig-report --format text < verdicts > page || [ $? -eq 4 ]
	run ! grep -E 'pa55word|t0ken|BEGIN0|0ther-' page
	mig-report --format text < plan > page
	run ! grep -E 'pa55word|t0ken|BEGIN0' page
	mig-report --format json < plan > page
	run ! grep -E 'pa55word|t0ken|BEGIN0' page
	run ! grep -E 'pa55word|t0ken|BEGIN0' outcomes
	run ! grep -rE 'pa55word|t0ken|BEGIN0' site/.mig/ledger.ndjson
}

@test "the same store and plans give the same verdicts, byte for byte, in any locale and time zone" {
	manifests site && migrated
	sed -i 's/"job_id"/"job_idd"/' "$(find site/artifacts -name manifest.json | sort | head -n 1)"
	fails 4 mig-verify --store fs:site < plan
	first=$output
	LC_ALL=C TZ=Asia/Tokyo fails 4 mig-verify --store fs:site < plan
	[ "$first" = "$output" ]
}

@test "verify stands at the end of the pipe that applies, on a store that had no .mig before" {
	site && planned && permitted
	mig-apply --store fs:site < permits | mig-verify --store fs:site > verdicts
	jq -es 'map(select(.kind == "verdict")) | length == 1 and all(.ok)' verdicts
}
