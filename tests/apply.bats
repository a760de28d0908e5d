#!/usr/bin/env bats
# mig-apply: exactly what was permitted, or nothing.

load helper
load store

# unwritten: nothing has been written to site, not even a folder of ours.
unwritten() {
	[ "$(whole_tree site)" = "$before" ] || fail "site was changed: $(find site -newer permits)"
	assert_not_exists site/.mig
}

# history REF: the last entry of its history, as jq prints it.
history() {
	jq -cS '.migration_history | last' "site/$1"
}

# --- permits

@test "CH-08 a plan instead of a permit is blocked with 5 and changes no byte" {
	site && planned
	before=$(whole_tree site)
	fails 5 mig-apply --store fs:site < plan
	faulted 5 no_permit
	[[ $stderr == *'apply mode requires --apply'* ]]
	hinted
	unwritten
}

# granted JQ CODE RULE: a permit whose grant was changed by JQ is refused, and nothing is written.
granted() {
	jq -c "if .grant then .grant |= ($1) else . end" original > permits
	before=$(whole_tree site)
	fails "$2" mig-apply --store fs:site < permits
	faulted "$2" "$3"
	unwritten
}

@test "CH-08 CH-09 CH-59 apply judges by the gate's rules again, whatever the grant says of itself" {
	site && planned && permitted && cp permits original
	granted '.apply = false' 5 apply_flag
	granted '.env = "prod"' 4 env_match
	granted '.env = "staging"' 4 env_match
	granted '.scope = {"tenant": "b"}' 4 scope_match
	granted '.scope = {"project": "b"}' 4 scope_match
	granted '.extra = 1' 2 bad_record
	granted 'del(.nonce)' 2 bad_record
	granted '.apply = "true"' 2 bad_record
	granted '.digest = "'"$(printf '%064d' 1)"'"' 4 foreign_permit
	changes site | mig-plan --env prod --migration manifest --target-version 1.2.0 > plan
	mig-gate --env prod --apply --prod-override T-1 < plan > original
	granted 'del(.ticket)' 5 prod_ticket
	granted '.ticket = " "' 5 prod_ticket
}

@test "CH-32 a destructive step needs the flag in the grant as well" {
	mkdir -p site && printf '{"a": 1, "b": 2}\n' > site/a.json
	set_of own 'del(.b)'
	planned_by own
	permitted --allow-destructive && cp permits original
	granted '.allow_destructive = false' 5 destructive_flag
	cp original permits && applied
	[ "$(jq -c 'del(.history)' site/a.json)" = '{"a":1,"v":"2.0.0"}' ]
}

@test "CH-06 whichever member of a permitted plan is changed, apply refuses and writes nothing" {
	one && planned && permitted
	before=$(whole_tree site)
	end=$(tail -n 1 permits)
	# shellcheck disable=SC2016 # $p is jq's
	jq -c 'select(.plan) | . as $all | [paths(type != "object" and type != "array")][] as $p | select($p[0] == "plan")
		| $all | setpath($p; getpath($p) | if type == "string" then . + "x" elif type == "number" then . + 1
			elif type == "boolean" then not else "x" end)' permits > changed
	[ "$(wc -l < changed)" -gt 60 ]
	while read -r line; do
		rc=0
		mig-apply --store fs:site > out 2> err < <(printf '%s\n%s\n' "$line" "$end") || rc=$?
		[ $rc -eq 4 ] || { [ $rc -eq 2 ] && grep -q 'kind' err; } || fail "exit $rc: $(cat err): $line"
	done < changed
	unwritten
}

@test "CH-06 one byte of a step changed is reported with both hashes" {
	site && planned && permitted
	sed -i 's/manifest 1.0.0 to 1.2.0/manifest 1.0.0 to 1.2.O/' permits
	before=$(whole_tree site)
	fails 4 mig-apply --store fs:site < permits
	faulted 4 plan_hash_integrity_failed
	[[ $stderr =~ expected_hash\ [0-9a-f]{64},\ actual_hash\ [0-9a-f]{64} ]]
	unwritten
}

@test "CH-06 a stream of permits cut at any byte writes nothing" {
	one && planned && permitted
	before=$(whole_tree site)
	size=$(stat -c %s permits)
	for ((n = 0; n < size; n += n < size - 120 ? 211 : 1)); do
		rc=0
		head -c $n permits | mig-apply --store fs:site > out 2> err || rc=$?
		[ $rc -eq 3 ] || fail "cut at $n: exit $rc: $(cat err)"
	done
	unwritten
	applied
	[ "$(statuses outcomes)" = applied ]
}

@test "CH-06 permits missing, doubled, reordered or of two streams are refused before anything is written" {
	site && planned --batch 1 && permitted
	before=$(whole_tree site)
	sed 1d permits | fails 4 mig-apply --store fs:site
	fails 4 mig-apply --store fs:site < <(sed 1d permits)
	faulted 4 stream_incomplete
	fails 4 mig-apply --store fs:site < <(sed '1{h;d};2{G}' permits)
	fails 4 mig-apply --store fs:site < <(sed 1p permits)
	fails 4 mig-apply --store fs:site < <(cat permits permits)
	faulted 4 after_end
	cp permits first
	one && planned --batch 1 && permitted
	before=$(whole_tree site)
	fails 4 mig-apply --store fs:site < <(head -n 1 first && sed 1d permits)
	faulted 4 foreign_permit
	fails 4 mig-apply --store fs:site < <(head -n 2 first && tail -n 1 permits)
	faulted 4 stream_incomplete
	unwritten
}

@test "CH-39 CH-40 what is not JSON, a kind apply does not know, and unknown members are usage errors" {
	site && planned && permitted
	before=$(whole_tree site)
	fails 2 mig-apply --store fs:site <<< 'hello'
	faulted 2 not_json
	fails 2 mig-apply --store fs:site < <(printf '{"kind":"mystery"}\n' && cat permits)
	faulted 2 unexpected_kind
	fails 2 mig-apply --store fs:site < <(sed '1s/^{/{"extra":1,/' permits)
	faulted 2 bad_record
	fails 2 mig-apply --store fs:site < <(sed '1s/$/ {}/' permits)
	fails 2 mig-apply --store fs:site < <(sed '1s/^{/{"kind":"permit",/' permits)
	fails 2 mig-apply --store fs:site < <(mig-extract --store fs:site --set "$SETS/manifest")
	faulted 2 unexpected_kind
	unwritten
}

@test "CH-56 a forged patch that misses its postcondition is refused with 4 and writes nothing" {
	site && planned && cp plan original
	for edit in '.steps[0].actions[1].patch[0].value = 1' '.steps[0].actions[1].patch += [{op: "add", path: "/x", value: 1}]' \
		'.steps[0].actions[1].patch = []' '.steps[1].actions[1].patch[0].path = "/y"'; do
		jq -c "select(.kind == \"plan\") | $edit" original | sealed > plan
		permitted
		before=$(tree_hash site)
		fails 4 mig-apply --store fs:site < permits
		faulted 4 postcondition_failed
		[ "$before" = "$(tree_hash site)" ]
		# the other step was not run
		printf '%s\n' "$output" > outcomes
		holds '.[0] | (.ok | not) and .code == "validation_failed" and ([.steps[].status] | sort) == ["failed", "not_run"]' outcomes
	done
	tidy site
	[ ! -s site/.mig/ledger.ndjson ]
}

# --- what is written

@test "SG-24 SG-53 the last history entry names versions, time, changes and both checksums" {
	site && planned && permitted
	applied
	[ "$(history job/run-1.1.0/manifest.json | jq -c keys)" = \
		'["applied_at","changes","checksum_after","checksum_before","from_version","to_version"]' ]
	[ "$(history job/run-1.1.0/manifest.json | jq -r '.from_version, .to_version, .applied_at' | paste -sd ' ')" = \
		'1.1.0 1.2.0 2025-01-01T00:00:00Z' ]
}

@test "SG-25 both checksums of the history can be recomputed from the files by mig-hash" {
	manifests site && cp -R site old && migrated
	while read -r ref; do
		history "$ref" > entry
		[ "$(jq -r .checksum_before entry)" = "sha256:$(mig-hash --without /migration_history < "old/$ref" | cut -c 1-64)" ]
		[ "$(jq -r .checksum_after entry)" = "sha256:$(mig-hash --without /migration_history < "site/$ref" | cut -c 1-64)" ]
	done < <(jq -r 'select(.steps).steps[3,40,110].preconditions[0].ref' plan)
}

@test "SG-26 the history holds one list of changes a hop, in order" {
	cp -R "$SETS/manifest" set && rm -r set/1.0.0..1.2.0
	one
	mig-extract --store fs:site --set set | mig-transform --set set --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted && applied
	[ "$(history one/manifest.json | jq -c .changes)" = \
		"$(jq -cs 'map(.changes)' set/1.0.0..1.1.0/hop.json set/1.1.0..1.2.0/hop.json)" ]
}

@test "SG-27 an old history is appended to, and its entries keep their bytes" {
	old='"migration_history": [
    {"to_version":  "1.0.0" , "applied_at":"\u0032019", "n": 1.0, "x": null}
  ]'
	mkdir -p site/one
	manifest 1.0.0 "$old" > site/one/manifest.json
	migrated
	grep -Fq '{"to_version":  "1.0.0" , "applied_at":"\u0032019", "n": 1.0, "x": null}' site/one/manifest.json
	[ "$(jq '.migration_history | length' site/one/manifest.json)" -eq 2 ]
	[ "$(history one/manifest.json | jq -r .to_version)" = 1.2.0 ]
}

@test "SG-28 the backup beside a document is the original to the byte, and so is its object" {
	site && cp -R site old && migrated
	for v in 1.0.0 1.1.0; do
		cmp old/job/run-$v/manifest.json site/job/run-$v/manifest.json.backup
		cmp old/job/run-$v/manifest.json "site/.mig/objects/$(sha256sum < old/job/run-$v/manifest.json | cut -c 1-64)"
	done
	assert_not_exists site/job/run-1.2.0/manifest.json.backup
	[ "$(find site/.mig/objects -type f | wc -l)" -eq 2 ]
}

@test "SG-45 each of two migrations keeps its backup" {
	one && cp site/one/manifest.json v1.0.0
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 > plan
	permitted && applied
	cp site/one/manifest.json v1.1.0
	planned && permitted && applied
	cmp v1.0.0 site/one/manifest.json.backup
	cmp v1.1.0 site/one/manifest.json.backup.1.1.0
	[ "$(jq -c '[.migration_history[] | .from_version, .to_version]' site/one/manifest.json)" = '["1.0.0","1.1.0","1.1.0","1.2.0"]' ]
	mig-verify --store fs:site < plan > verdict
}

@test "SG-28 a backup that somebody else made is never overwritten, and when all names are taken nothing is changed" {
	one && echo theirs > site/one/manifest.json.backup
	cp site/one/manifest.json original
	migrated
	[ "$(cat site/one/manifest.json.backup)" = theirs ]
	cmp original site/one/manifest.json.backup.1.0.0
	rm -rf site && one
	echo theirs > site/one/manifest.json.backup
	echo theirs > site/one/manifest.json.backup.1.0.0
	planned && permitted
	before=$(tree_hash site)
	fails 3 mig-apply --store fs:site < permits
	faulted 3 backup_exists
	[ "$before" = "$(tree_hash site)" ]
	tidy site
	chained site
}

@test "SG-28 a backup from the same bytes is used again" {
	one && cp site/one/manifest.json site/one/manifest.json.backup
	migrated
	assert_not_exists site/one/manifest.json.backup.1.0.0
	[ "$(jq -r .schema_version site/one/manifest.json.backup)" = 1.0.0 ]
}

@test "SG-21 SG-22 SG-23 inputs, outputs and whatever else stands beside keep bytes, times and inodes" {
	manifests site
	mkdir -p site/artifacts/more/outputs && echo out > site/artifacts/more/outputs/text.md
	echo '{"schema_version": "1.0.0"}' > site/artifacts/more/doctrine.resolved.json
	[ "$(find site -type f ! -name 'manifest.json*' | wc -l)" -gt 2 ]
	seen() {
		find site -path site/.mig -prune -o -type f ! -name 'manifest.json*' -printf '%p %i %T@ %C@ %m %n\n' | sort
		find site -path site/.mig -prune -o -type f ! -name 'manifest.json*' -print0 | sort -z | xargs -0 sha256sum
	}
	seen > earlier
	migrated
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ')" = ' 115 applied' ]
	seen | cmp earlier -
}

@test "SG-22 a doctrine block stays as it is" {
	mkdir -p site/one/inputs
	manifest 1.0.0 '"doctrine": {"id":"d1", "sha256":  "00ff", "rules": [1.0, "\u0041"]}' > site/one/manifest.json
	echo '{"doctrine": 1}' > site/one/inputs/doctrine.resolved.json
	sum=$(sha256sum site/one/inputs/doctrine.resolved.json)
	migrated
	grep -Fq '"doctrine": {"id":"d1", "sha256":  "00ff", "rules": [1.0, "\u0041"]},' site/one/manifest.json
	[ "$sum" = "$(sha256sum site/one/inputs/doctrine.resolved.json)" ]
}

@test "owner, mode, attributes and ACL of a document stay as they were" {
	one
	chmod 640 site/one/manifest.json
	[ "$(id -u)" -ne 0 ] || chown 1234:4321 site/one/manifest.json
	attributes=0
	if command -v setfattr && setfattr -n user.origin -v import site/one/manifest.json; then attributes=1; fi
	if command -v setfacl && setfacl -m u:1235:r site/one/manifest.json; then attributes=$((attributes + 2)); fi
	stat -c '%u %g %a' site/one/manifest.json > earlier
	[ $((attributes & 2)) -eq 0 ] || getfacl -nc site/one/manifest.json >> earlier
	umask 077
	migrated
	[ "$(statuses outcomes)" = applied ]
	stat -c '%u %g %a' site/one/manifest.json > later
	[ $((attributes & 2)) -eq 0 ] || getfacl -nc site/one/manifest.json >> later
	diff earlier later
	[ $((attributes & 1)) -eq 0 ] || [ "$(getfattr --only-values -n user.origin site/one/manifest.json)" = import ]
	rolled_back
	stat -c '%u %g %a' site/one/manifest.json > later
	[ $((attributes & 2)) -eq 0 ] || getfacl -nc site/one/manifest.json >> later
	diff earlier later
	[ $((attributes & 1)) -eq 0 ] || [ "$(getfattr --only-values -n user.origin site/one/manifest.json)" = import ]
}

# outside_edits OLD NEW: every line of OLD is in NEW as it was, but for the version's, an empty history's, and one that got a comma.
outside_edits() {
	diff "$1" "$2" | grep '^<' | sed 's/^< //' > gone || true
	grep -vE 'schema_version|migration_history' gone > others || true
	[ "$(wc -l < others)" -le 1 ] || fail "changed outside the edits: $(cat others)"
	while IFS= read -r line; do
		line=${line%$'\r'}
		grep -Fq -- "$line," "$2" || fail "lost: $line"
	done < others
}

@test "SG-17 SG-18 of the formatted samples only the lines of the edits differ" {
	manifests site && cp -R site old && migrated
	while read -r ref; do
		[ "$(wc -l < "old/$ref")" -lt 3 ] || outside_edits "old/$ref" "site/$ref"
	done < <(jq -r 'select(.steps).steps[].preconditions[0].ref' plan)
}

@test "line ends, tabs, a missing final newline, one line and odd spacing survive" {
	printf '%s' '{"schema_version":"1.0.0","job_id":"a","run_id":"b"}' > flat
	manifest 1.0.0 | sed 's/$/\r/' > crlf
	manifest 1.0.0 | sed 's/^  /\t/' > tabs
	manifest 1.0.0 | sed 's/^  /     /; s/": /"  :   /' > odd
	printf '%s' "$(manifest 1.0.0)" > cut
	for f in flat crlf tabs odd cut; do
		mkdir -p site/$f && cp $f site/$f/manifest.json
	done
	migrated
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 5 applied' ]
	# every line of the one that has CRLF ends so, and none elsewhere
	[ "$(grep -c $'\r$' site/crlf/manifest.json)" -eq "$(wc -l < site/crlf/manifest.json)" ]
	[ "$(cat site/flat/manifest.json site/tabs/manifest.json site/odd/manifest.json | tr -dc '\r' | wc -c)" -eq 0 ]
	[ "$(wc -l < site/flat/manifest.json)" -eq 0 ]
	[ "$(tr -d -c ' ' < site/flat/manifest.json | wc -c)" -lt 40 ]
	[ "$(tail -c 1 site/cut/manifest.json)" = '}' ]
	[ -n "$(tail -c 1 site/cut/manifest.json)" ] && [ -z "$(tail -c 1 site/tabs/manifest.json)" ]
	grep -q $'^\t"inputs_hash": null' site/tabs/manifest.json
	for f in crlf tabs odd cut; do outside_edits $f site/$f/manifest.json; done
	mig-verify --store fs:site < plan > verdict
}

@test "SG-18 unknown members keep their spelling: big integers, reals, escapes, duplicates of characters" {
	odd='"n": [9223372036854775807, -9223372036854775808, 9007199254740993, 1.0, 1e3, -0, 0.10], "\u00e9\t": "\/ \u00E9 é"'
	mkdir -p site/one
	manifest 1.0.0 "$odd" > site/one/manifest.json
	migrated
	[ "$(statuses outcomes)" = applied ]
	grep -Fq "  $odd," site/one/manifest.json
}

@test "SG-33 the 127 samples: 115 are applied, 12 are left alone, none fails" {
	manifests site && migrated
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ')" = ' 115 applied' ]
	holds 'map(select(.kind == "outcome"))[0] | .ok and .header.snapshot.records == 127 and .header.snapshot.changes == 115
		and .header.snapshot.current == 12 and .header.snapshot.rejects == 0' outcomes
	[ "$(find site -name manifest.json -exec jq -r .schema_version {} + | sort | uniq -c | tr -s ' ')" = ' 127 1.2.0' ]
	tidy site && chained site
}

@test "SG-35 two runs in folders made in another order give the same bytes and the same records" {
	manifests a
	mkdir -p b && (cd a && find . -type f | sort -r | cpio -pdm ../b 2> /dev/null || find . -type f | sort -r | tar -c -T - | tar -x -C ../b)
	plan_manifests a | mig-gate --env dev --apply > permits # one nonce, which the ledger keeps
	for d in a b; do
		plan_manifests $d > $d.plan
		mig-apply --store fs:$d < permits | jq -c 'del(.duration_ms)' > $d.outcomes
		mig-verify --store fs:$d < $d.plan > $d.verdicts
	done
	cmp a.plan b.plan
	cmp a.outcomes b.outcomes
	cmp a.verdicts b.verdicts
	[ "$(tree_hash a)" = "$(tree_hash b)" ]
	jq -r 'select(.kind == "outcome").steps[].step_id' a.outcomes | LC_ALL=C sort -c
}

@test "SG-34 rejects within --max-rejects are forwarded to the end and the rest is migrated" {
	manifests site && troubled site
	plan_manifests site --max-rejects 99 > plan
	permitted && applied
	n=$(find site/troubled -name manifest.json | wc -l)
	cmp <(grep '"kind":"reject"' plan) <(grep '"kind":"reject"' outcomes)
	[ "$(grep -c '"kind":"reject"' outcomes)" -eq "$n" ]
	[ "$(statuses outcomes | grep -c applied)" -eq 115 ]
	diff -r "$SAMPLES/manifests/troubled" site/troubled
	mig-report --format json < outcomes > report
}

@test "SG-34 a document with a duplicate key is a reject and stays as it is" {
	site && mkdir site/twice && manifest 1.0.0 '"status": "failed"' > site/twice/manifest.json
	cp site/twice/manifest.json twice
	before=$(tree_hash site)
	changes site | fails 4 mig-plan --env dev --migration manifest --target-version 1.2.0
	fails 4 plan_manifests site
	fails 4 mig-gate --env dev --apply <<< "$output"
	fails 4 mig-apply --store fs:site <<< "$output"
	[ "$before" = "$(tree_hash site)" ]
	planned --max-rejects 1 && permitted && applied
	cmp twice site/twice/manifest.json
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "SG-38 SG-39 --ref changes only that file, and the mixed tree verifies" {
	site && cp -R site old
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.0.0/manifest.json |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted && applied
	[ "$(jq -r .schema_version site/job/run-1.0.0/manifest.json)" = 1.2.0 ]
	cmp old/job/run-1.1.0/manifest.json site/job/run-1.1.0/manifest.json
	cmp old/job/run-1.2.0/manifest.json site/job/run-1.2.0/manifest.json
	mig-verify --store fs:site < plan > verdict
	mig-extract --store fs:site --set "$SETS/manifest" > documents
	holds 'map(select(.kind == "document").version) == ["1.2.0", "1.1.0", "1.2.0"]' documents
}

@test "SG-37 a document that is asked for and not there is 3 all the way, and nothing is written" {
	site
	before=$(whole_tree site)
	run -3 --separate-stderr bash -c 'mig-extract --store fs:site --set "$SETS/manifest" --ref no/manifest.json |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 | mig-gate --env dev --apply | mig-apply --store fs:site'
	: > permits
	unwritten
}

@test "SG-47 the files' way needs no database: no variable of one, no client library" {
	site && planned && permitted
	env -u DATABASE_URL -u MIG_STORE PGHOST=/nowhere mig-apply --store fs:site < permits > outcomes
	mig-verify --store fs:site < outcomes > verdict
	if command -v ldd > /dev/null; then
		for tool in mig-extract mig-transform mig-plan mig-gate; do
			ldd "$MIG_X/$tool" > libs
			run ! grep -E 'libpq|sqlite' libs
		done
	fi
}

# --- once

@test "CH-12 SG-10 a plan applied twice is skipped the second time: no byte, no entry, no backup" {
	site && migrated
	before=$(whole_tree site)
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 skipped' ]
	holds '.[0] | .ok and .code == "ok" and ([.steps[].message] | unique) == ["already applied"]' outcomes
	# only the lock's file is written anew
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq 2 ]
	rm site/.mig/lock
	find site -newer outcomes -type f > newer
	[ ! -s newer ]
}

@test "SG-09 SG-10 documents at their target get no plan, no history, no backup and no folder of ours" {
	mkdir -p site/one && manifest 1.2.0 > site/one/manifest.json
	before=$(whole_tree site)
	migrated
	holds 'map(.kind) == ["end"] and .[0].records == 0' outcomes
	unwritten
}

@test "SG-10 a migrated site planned again yields nothing to do" {
	manifests site && migrated
	before=$(whole_tree site)
	planned
	holds 'map(.kind) == ["end"]' plan
	permitted && applied
	[ "$before" = "$(whole_tree site)" ]
}

@test "CH-13 every single step is applied alone, and twice" {
	site && planned --batch 1 && permitted && applied
	[ "$(statuses outcomes | paste -sd ' ')" = 'applied applied' ]
	after=$(tree_hash site)
	applied
	[ "$(statuses outcomes | paste -sd ' ')" = 'skipped skipped' ]
	[ "$after" = "$(tree_hash site)" ]
	# a step of another plan with the same effect finds its work done
	planned --batch 500
	holds 'map(.kind) == ["end"]' plan
	[ "$(jq -r .event site/.mig/ledger.ndjson | paste -sd ' ')" = 'begin commit begin commit' ]
	chained site
}

@test "CH-12 a plan half of which is done already does the other half" {
	site && planned && permitted && cp permits all
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.1.0/manifest.json |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted && applied
	cp all permits && applied
	[ "$(statuses outcomes | paste -sd ' ')" = 'applied skipped' ]
	[ "$(jq '.migration_history | length' site/job/run-1.1.0/manifest.json)" -eq 1 ]
}

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
	[ $rc -eq 0 ]
	[ "$(wc -l < refused)" -ge 2 ]
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
	chmod 755 . .. && chown -R 1234:1234 site && chown 0:0 site/job/run-1.1.0
	before=$(tree_hash site)
	setpriv --reuid 1234 --regid 1234 --clear-groups true || skip 'cannot become somebody else'
	setpriv --reuid 1234 --regid 1234 --clear-groups test -r "$PWD/permits" -a -x "$MIG_X/mig-apply" || skip 'cannot reach the folder'
	fails 3 setpriv --reuid 1234 --regid 1234 --clear-groups mig-apply --store fs:site < permits
	[ "$before" = "$(tree_hash site)" ]
}

@test "a ledger that is a link, a folder or a fifo is refused with 3, and what it points at stays as it is" {
	site && planned && permitted
	mkdir site/.mig && : > elsewhere
	ln -s "$PWD/elsewhere" site/.mig/ledger.ndjson && refuses 3 foreign_state
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

@test "a ledger whose last entry was edited is refused with 3 and a hint" {
	site && planned && permitted && applied
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	sed -i '$s/"tester"/"nobody"/' site/.mig/ledger.ndjson
	refuses 3 ledger_broken
	hinted
}

# --- locks, several at once, signals

# locked_by HOLDER: a process that holds the lock of site, with its id in $holder.
locked_by() {
	mkdir -p site/.mig
	printf '%s\n' "$1" > site/.mig/lock
	flock site/.mig/lock sleep 60 3>&- &
	holder=$!
	for _ in {1..100}; do
		flock -n site/.mig/lock true || return 0
		sleep 0.02
	done
	fail 'nobody holds the lock'
}

@test "a lock held by another run is 3 with the holder's name, after --lock-timeout" {
	command -v flock > /dev/null || skip 'needs flock'
	site && planned && permitted
	locked_by '{"actor":"ada","host":"h1","pid":42,"since":"2025-01-01T00:00:00Z"}'
	before=$(tree_hash site)
	start=$(date +%s%N)
	fails 3 mig-apply --store fs:site --lock-timeout 1 < permits
	waited=$((($(date +%s%N) - start) / 1000000))
	pkill -P $holder || true
	wait $holder || true
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
	pkill -KILL -P $holder
	wait $mine
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
	wait $holder || true
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
		wait "${pids[i]}" || fail "the run $i: $(cat err.$i)"
	done
	[ "$(statuses out.1 out.2 out.3 | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 115 applied, 230 skipped' ] ||
		[ "$(cat out.1 out.2 out.3 | jq -r 'select(.kind == "outcome").steps[].status' | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 115 applied, 230 skipped' ]
	[ "$(find site -name manifest.json -exec jq '[.migration_history[]? | select(.applied_at == "2025-01-01T00:00:00Z")] | length' {} + | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 12 0, 115 1' ]
	[ "$(jq -r .event site/.mig/ledger.ndjson | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 6 begin, 6 commit' ]
	chained site && tidy site
}

# traced WHAT COMMAND..: run under strace with one call changed; skips where it may not trace.
traced() {
	local inject=$1
	shift
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	strace -f -qq -o /dev/null -e "trace=${inject%%:*}" -e "inject=$inject" "$@"
}

@test "SIGINT or SIGTERM in the middle undoes the plan, and a rerun completes it" {
	command -v strace > /dev/null || skip 'needs strace'
	for signal in INT TERM; do
		for call in linkat:when=1 renameat2:when=1 renameat2:when=2; do
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
	unwritten
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
	pkill -P $holder || true
	wait $mine && fail 'exit 0'
	[ $gone -eq 1 ] || fail 'still waiting for the lock after five seconds'
	wait $holder || true
}

@test "SG-30 killed between any two system calls, every document is old or new and a rerun completes it" {
	[ -x "$MIG_ROOT/tests/crash/kill.sh" ] || skip 'no tests/crash/kill.sh'
	"$MIG_ROOT/tests/crash/kill.sh" --quick > tap 2>&1 || fail "$(grep -v '^ok' tap)"
	run ! grep -q '^not ok' tap
	! grep -q '# SKIP' tap || skip "$(grep -o 'SKIP.*' tap)"
}

@test "SG-30 killed before and after the exchange, a rerun completes the plan and nothing is left lying about" {
	command -v strace > /dev/null || skip 'needs strace'
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

# --- dry run

@test "CH-42 CH-43 SG-31 a dry run writes nothing, not even a folder of ours, and lists what it would do" {
	site && planned
	before=$(whole_tree site)
	for flags in '--dry-run' '--dry-run --apply'; do
		# shellcheck disable=SC2086 # two flags
		mig-gate --env dev $flags < plan > permits
		applied
		[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 skipped' ]
		holds '.[0] | .ok and .dry_run and .ledger == null and (.steps[0].message
			| contains("would patch") and contains("/migration_history") and contains("manifest.json.backup"))' outcomes
		unwritten
	done
	[ "$(jq -r .schema_version site/job/run-1.0.0/manifest.json)" = 1.0.0 ]
}

@test "CH-42 a dry run of a drifted store fails as the run would, and still writes nothing" {
	site && planned && mig-gate --env dev --dry-run < plan > permits
	rm site/job/run-1.0.0/manifest.json
	before=$(whole_tree site)
	fails 4 mig-apply --store fs:site < permits
	faulted 4 drift
	unwritten
}

@test "CH-42 a dry run of a store that cannot be written fails as the run would, and needs no lock" {
	on_tmpfs size=4m
	site disk/site && plan_manifests disk/site > plan
	mig-gate --env dev --dry-run < plan > permits
	mount -o remount,ro disk || skip 'cannot remount'
	fails 3 mig-apply --store fs:disk/site < permits
	faulted 3 store_readonly
	mount -o remount,rw disk
	command -v flock > /dev/null || skip 'needs flock'
	cp -R disk/site site && locked_by holder
	mig-apply --store fs:site < permits > outcomes
	pkill -P $holder || true
	wait $holder || true
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 skipped' ]
}

# --- outcomes and the ledger

@test "CH-44 the outcome holds header, hash, steps, code, findings, rollback, actor, time and the ledger's head" {
	site && migrated
	holds '.[0] | .kind == "outcome" and .ok and .code == "ok" and .findings == [] and .actor == "tester"
		and .ticket == null and .started_at == "2025-01-01T00:00:00Z" and (.duration_ms | type) == "number"
		and .rollback == {plan_hash} and ([.steps[] | [.index, .status]] == [[1, "applied"], [2, "applied"]])
		and (.steps[0] | keys) == ["index", "message", "status", "step_id"]' outcomes
	[ "$(jq -c 'select(.header).header' plan)" = "$(jq -c 'select(.header).header' outcomes)" ]
	[ "$(jq -r 'select(.plan_hash).plan_hash' plan)" = "$(jq -r 'select(.plan_hash).plan_hash' outcomes)" ]
	[ "$(jq -c 'select(.ledger) | [.ledger.seq, .ledger.head]' outcomes)" = "$(jq -c '[.seq, .hash]' site/.mig/ledger.ndjson | tail -n 1)" ]
	mig-hash --check outcomes
}

@test "CH-45 a failed outcome names the class, the step, the rollback and the steps that were not run" {
	site && planned && permitted
	echo ' ' >> site/job/run-1.1.0/manifest.json
	fails 4 mig-apply --store fs:site < permits
	printf '%s\n' "$output" > outcomes
	holds '.[0] | (.ok | not) and .code == "validation_failed" and .rollback.plan_hash == .plan_hash
		and [.steps[].status] == ["not_run", "failed"] and (.steps[1].message | startswith("expected bytes"))
		and (.findings[0] | .rule_id == "drift" and .severity == "error" and .component == "mig-apply"
			and .ref == "job/run-1.1.0/manifest.json")' outcomes
}

@test "CH-46 the ledger says who, what, where and when, and its chain can be recomputed" {
	site && changes site | mig-plan --env prod --migration manifest --target-version 1.2.0 --tenant acme --project p1 > plan
	MIG_ACTOR=ada mig-gate --env prod --apply --prod-override T-7 --tenant acme --project p1 < plan > permits
	applied
	[ "$(jq -r .event site/.mig/ledger.ndjson | paste -sd ' ')" = 'begin commit' ]
	jq -se --arg user "$(id -un)" 'all(.actor == "ada" and .user == $user and .env == "prod" and .tenant == "acme" and .project == "p1"
		and .migration_id == "manifest" and .target_version == "1.2.0" and .ticket == "T-7" and .time == "2025-01-01T00:00:00Z")' \
		site/.mig/ledger.ndjson
	[ "$(jq -r .plan_hash site/.mig/ledger.ndjson | sort -u)" = "$(jq -r 'select(.steps).plan_hash' plan)" ]
	[ "$(jq -r 'select(.written).written[]' site/.mig/ledger.ndjson)" = \
		"$(sha256sum site/job/run-1.[01].0/manifest.json | cut -c 1-64)" ]
	chained site
	sed -i '1s/"T-7"/"T-8"/' site/.mig/ledger.ndjson
	run ! chained site
}

@test "CH-46 the stored plan is the plan that was read, to the byte" {
	site && migrated
	hash=$(jq -r 'select(.steps).plan_hash' plan)
	[ "$(head -n 1 plan)" = "$(cat "site/.mig/plans/$hash.json")" ]
	mig-hash --check "site/.mig/plans/$hash.json"
}

@test "SG-53 the time is the clock's, unless --now or SOURCE_DATE_EPOCH say otherwise" {
	one && planned && permitted
	applied --now 2031-02-03T04:05:06Z
	[ "$(history one/manifest.json | jq -r .applied_at)" = 2031-02-03T04:05:06Z ]
	[ "$(jq -r .time site/.mig/ledger.ndjson | sort -u)" = 2031-02-03T04:05:06Z ]
	holds '.[0].started_at == "2031-02-03T04:05:06Z"' outcomes
	rm -rf site && one
	SOURCE_DATE_EPOCH=86400 applied
	[ "$(history one/manifest.json | jq -r .applied_at)" = 1970-01-02T00:00:00Z ]
	rm -rf site && one
	unset SOURCE_DATE_EPOCH
	earliest=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	applied
	latest=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	at=$(history one/manifest.json | jq -r .applied_at)
	[[ ! $at < $earliest && ! $at > $latest ]] || fail "$at is not from $earliest to $latest"
	for time in yesterday 2025-01-01 2025-01-01T00:00:00 2025-01-01T00:00:00+01:00; do
		fails 2 mig-apply --store fs:site --now $time < permits
	done
	SOURCE_DATE_EPOCH=now fails 2 mig-apply --store fs:site < permits
}

@test "SG-53 with the same time two applies of equal stores write the same bytes" {
	manifests a && cp -R a b
	plan_manifests a > plan && permitted
	mig-apply --store fs:a < permits > a.outcomes
	mig-apply --store fs:b < permits > b.outcomes
	cmp a.outcomes b.outcomes
	[ "$(tree_hash a)" = "$(tree_hash b)" ]
	cmp a/.mig/ledger.ndjson b/.mig/ledger.ndjson
}

# --- what apply reads

@test "CH-51 apply opens nothing but the plan's documents, its own folder and the system's libraries" {
	command -v strace > /dev/null || skip 'needs strace'
	strace -qq -o /dev/null true 2> /dev/null || skip 'strace may not trace here'
	site && mkdir -p site/job/other && manifest 1.0.0 > site/job/other/manifest.json
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.0.0/manifest.json |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted
	strace -f -y -qq -s 400 -o trace -e trace=%file,%network,getdents64 "$MIG_X/mig-apply" --store fs:site < permits > outcomes
	[ "$(statuses outcomes)" = applied ]
	# absolute names: the loader's and the C library's
	grep -oE '^[0-9]+ +(open|openat|openat2|access|stat|execve)\(.*' trace | grep -oE '"/[^"]*"' | tr -d '"' | sort -u |
		grep -vE '^(/lib|/usr/lib|/etc/(ld\.so|nsswitch\.conf|passwd|ssl|localtime)|/usr/share/zoneinfo|/proc/self|/dev/(null|urandom))' |
		grep -vxF -e "$MIG_X/mig-apply" -e "$TMPDIR" > others || true
	[ ! -s others ] || fail "opened: $(cat others)"
	# below the root: the document, its folder, ours
	grep -oE '"[^"/][^"]*"' trace | tr -d '"' | sort -u | grep -E 'run-1\.[12]|other|artifacts' > others || true
	[ ! -s others ] || fail "looked at: $(cat others)"
	# no folder of documents is listed
	grep getdents64 trace | grep -v "/\.mig" > others || true
	[ ! -s others ] || fail "listed: $(cat others)"
	grep -E '(socket|connect)\(' trace | grep -v AF_UNIX > others || true
	[ ! -s others ] || fail "connected: $(cat others)"
	[ "$(grep -cE 'O_(RDONLY|RDWR).*manifest\.json|manifest\.json.*O_RDONLY' trace)" -ge 1 ]
}

@test "CH-52 with nothing to write to, the first write never happens: the plan is not stored and no backup is made" {
	site && planned && permitted && : > site/.mig
	refuses 3
	[ ! -s site/.mig ]
	[ -z "$(find site -name '*.backup')" ]
}

@test "a closed or full stdout is a general error, and the documents are whole" {
	site && planned && permitted
	fails 1 bash -c 'mig-apply --store fs:site < permits > /dev/full'
	[ "$(jq -r .schema_version site/job/run-1.0.0/manifest.json)" = 1.2.0 ] ||
		[ "$(jq -r .schema_version site/job/run-1.0.0/manifest.json)" = 1.0.0 ]
	applied
	mig-verify --store fs:site < plan > verdict
	tidy site && chained site
}

@test "odd names: spaces, line feeds, percent signs, quotes, bytes that are no UTF-8" {
	n=0
	for name in 'a b' $'line\nfeed' '100%' 'quo"te' $'\xff\xfe' 'ünï' '-rf' '@1.0.0..2.0.0' 'back\slash'; do
		mkdir -p "site/$name" 2> /dev/null || continue
		manifest 1.0.0 > "site/$name/manifest.json"
		n=$((n + 1))
	done
	cp -R site old
	migrated
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = " $n applied" ]
	mig-verify --store fs:site < outcomes > verdict
	rolled_back
	[ "$(tree_hash old)" = "$(tree_hash site)" ]
}
