#!/usr/bin/env bats
# shellcheck disable=SC2094 # read whole, then written
# mig-verify --set: are the files beside the documents what the documents record of them?

load helper
load store

# run_dir DIR [SUFFIX [VERSION]]: a run with two inputs, whose manifest records them rightly.
run_dir() {
	mkdir -p "$1/inputs/deep"
	echo '{"brief":1}' > "$1/inputs/brief.json"
	printf 'a b\n' > "$1/inputs/deep/50% notes.txt"
	snapshots=$(cd "$1" && find inputs -type f | sort | while read -r f; do
		printf '{"key":"%s","value":{"path":"%s","sha256":"sha256:%s","bytes":%s}}\n' "${f##*/}" "$f" \
			"$(sha256sum < "$f" | cut -c 1-64)" "$(stat -c %s "$f")"
	done | jq -s 'from_entries')
	hash=$(jq 'map_values(.sha256)' <<< "$snapshots" | mig-hash | cut -c 1-64)
	jq -n --argjson snapshots "$snapshots" --arg hash "$hash" --arg id "${hash:0:32}${2-}" --arg v "${3-1.2.0}" '{
		schema_version: $v, job_id: "press-release", run_id: $id, input_snapshots: $snapshots,
		inputs_hash: ("sha256:" + $hash)}' > "$1/manifest.json"
}

# edit JQ: change the manifest of site/job/run.
edit() {
	jq "$1" site/job/run/manifest.json > t && cp t site/job/run/manifest.json
}

# checked CODE [FLAG..]: verify site by the model set; the records are left in the file verdicts.
checked() {
	local code=$1
	shift
	fails "$code" mig-verify --store fs:site --set "$SETS/manifest" "$@" < /dev/null
	printf '%s\n' "$output" > verdicts
}

# finds RULE REF [JQ]: exactly one finding, of this rule at this place, is an error that ends the stream.
finds() {
	checked 4
	faulted 4 "$1"
	[ "$(jq -s '[.[].findings[]?] | length' verdicts)" -eq 1 ] || fail "$(cat verdicts)"
	jq -se --arg rule "$1" --arg ref "$2" 'first | (.ok | not) and .code == "validation_failed" and .plan_hash == null and .rollback == null
		and (.findings[0] | .rule_id == $rule and .ref == $ref and .severity == "error" and ('"${3-true}"'))' verdicts > t ||
		fail "$(cat verdicts)"
	[[ $stderr == *"mig-verify: $2: "* ]]
}

@test "SG-49 snapshots, their hash and the run id are recomputed, and hold" {
	run_dir site/job/run && run_dir site/job/again -2 && run_dir site/job/often -17
	checked 0 --strict
	holds 'map(.kind) == ["verdict", "end"] and (first | .ok and .code == "ok" and .findings == [] and .plan_hash == null)
		and first.evidence.documents == 3 and first.evidence.files == 6 and first.evidence.unverifiable == 0
		and first.evidence.set.id == "manifest" and last.records == 0' verdicts
	[ -z "$stderr" ]
	# every line is canonical
	cmp verdicts <(mig-hash --canonical < verdicts)
}

@test "SG-49 the sample manifests hold, before they are migrated and after" {
	manifests site
	checked 0
	holds 'first.ok and first.evidence.documents == 127 and first.evidence.files == 42' verdicts
	migrated
	checked 0
	holds 'first.ok and first.evidence.documents == 127 and first.evidence.files == 42' verdicts
}

@test "SG-49 a file with other bytes, of other length or gone is found" {
	run_dir site/job/run
	sed -i s/1/2/ site/job/run/inputs/brief.json
	finds file_changed job/run/inputs/brief.json \
		'.expected == "'"$(printf '{"brief":1}\n' | sha256sum | cut -c 1-64)"'" and .actual == "'"$(printf '{"brief":2}\n' | sha256sum | cut -c 1-64)"'"
		and (.message | endswith("/input_snapshots/brief.json in job/run/manifest.json"))'
	rm site/job/run/inputs/brief.json
	finds file_missing job/run/inputs/brief.json
	run_dir site/job/run
	echo >> 'site/job/run/inputs/deep/50% notes.txt'
	finds file_changed 'job/run/inputs/deep/50%25 notes.txt'
	run_dir site/job/run
	edit '.input_snapshots["brief.json"].bytes += 1'
	finds file_size job/run/inputs/brief.json '.expected == "13" and .actual == "12"'
	edit '.input_snapshots["brief.json"].bytes = 12.5'
	finds file_size job/run/inputs/brief.json
}

@test "SG-49 a large file is hashed and measured without being held" {
	run_dir site/job/run
	head -c 100000 /dev/zero > site/job/run/inputs/brief.json
	edit '.input_snapshots["brief.json"] |= (.bytes = 99999 | .sha256 = "'"$(head -c 100000 /dev/zero | sha256sum | cut -c 1-64)"'")
		| .inputs_hash = null'
	MIG_MAX_RECORD=65536 checked 4
	faulted 4 file_size
	edit '.input_snapshots["brief.json"].bytes = 100000'
	MIG_MAX_RECORD=65536 checked 0
}

@test "SG-49 a hash that is not over the recorded names and hashes is found" {
	run_dir site/job/run
	cp site/job/run/manifest.json good
	edit 'del(.input_snapshots["brief.json"])'
	finds files_hash job/run/manifest.json ".expected == \"$hash\" and .actual != .expected"
	cp good site/job/run/manifest.json
	edit '.input_snapshots |= with_entries(.key |= "x" + .)'
	finds files_hash job/run/manifest.json
	cp good site/job/run/manifest.json
	edit '.input_snapshots = {}'
	finds files_hash job/run/manifest.json '.actual == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"'
	cp good site/job/run/manifest.json
	edit 'del(.input_snapshots)'
	finds files_hash job/run/manifest.json
	# the order of members and the way a hash is spelled do not matter
	cp good site/job/run/manifest.json
	edit '.input_snapshots |= (to_entries | reverse | from_entries) | .inputs_hash |= ltrimstr("sha256:")'
	checked 0 --strict
}

@test "SG-49 a run id is the first 32 digits of the hash, alone or with a number from -2 on" {
	local bad
	run_dir site/job/run
	for bad in -1 -0 -02 -x - -2x -2-3 0 x '-99999999999999999999x' ' '; do
		edit ".run_id = \"${hash:0:32}$bad\""
		finds files_id job/run/manifest.json ".expected == \"${hash:0:32}\" and .actual == \"${hash:0:32}$bad\""
	done
	for bad in "\"${hash:0:31}\"" '"00112233445566778899aabbccddeeff"' null 7 '""' "\"${hash:0:32}\\u0000\"" "\"${hash:0:31}\\u0000\""; do
		edit ".run_id = $bad"
		finds files_id job/run/manifest.json
	done
	for good in '' -2 -9 -10 -99999999999999999999; do
		edit ".run_id = \"${hash:0:32}$good\""
		checked 0 --strict
	done
}

@test "SG-49 a path that leaves the document's folder, is a link or no file is refused, and nothing outside is read" {
	local path
	run_dir site/job/run
	cp site/job/run/manifest.json good
	echo '{"brief":1}' > outside.json && cp outside.json site/job/other.json
	mkfifo site/job/run/fifo
	mkdir site/.mig && cp outside.json site/.mig/brief.json
	ln -s inputs site/job/run/linked && ln -s ../../../outside.json site/job/run/out.json
	for path in ../other.json ../../../outside.json "$PWD/outside.json" inputs/../inputs/brief.json ./inputs/brief.json inputs//brief.json '' . \
		linked/brief.json out.json fifo inputs 'inputs/brief.json\u0000'; do
		cp good site/job/run/manifest.json
		edit '.input_snapshots["brief.json"].path = "'"$path"'"'
		fails 4 timeout 20 mig-verify --store fs:site --set "$SETS/manifest" < /dev/null
		printf '%s\n' "$output" > verdicts
		holds 'first.findings | map(.rule_id) == ["file_refused"]' verdicts || fail "$path: $(cat verdicts)"
	done
}

@test "SG-49 what is recorded in another shape is malformed" {
	local edit
	run_dir site/job/run
	cp site/job/run/manifest.json good
	for edit in '.input_snapshots = []' '.input_snapshots = "x"' '.input_snapshots["brief.json"] = null' '.input_snapshots["brief.json"] = []' \
		'del(.input_snapshots["brief.json"].path)' '.input_snapshots["brief.json"].path = 1' 'del(.input_snapshots["brief.json"].sha256)' \
		'.input_snapshots["brief.json"].sha256 = "sha256:00"' '.input_snapshots["brief.json"].sha256 |= ascii_upcase' \
		'.input_snapshots["brief.json"].sha256 |= "md5:" + .' '.input_snapshots["brief.json"].bytes = "12"' 'del(.input_snapshots["brief.json"].bytes)' \
		'.inputs_hash = 1' '.inputs_hash = ""' '.inputs_hash |= . + "0"'; do
		cp good site/job/run/manifest.json
		edit "$edit"
		finds evidence_malformed job/run/manifest.json
	done
	# a name that is no harm in JSON is none in a message
	cp good site/job/run/manifest.json
	edit '.input_snapshots["a\n\u001b/~%"] = 1'
	finds evidence_malformed job/run/manifest.json '.message == "/input_snapshots/a%0A%1B~1~0%25 names no path"'
}

@test "SG-50 a migrated legacy manifest is reported as legacy_unverifiable, and fails with --strict" {
	mkdir -p site/job/run
	manifest 1.0.0 > site/job/run/manifest.json
	migrated
	holds 'first | .ok' outcomes
	jq -e '.inputs_hash == null and .input_snapshots == {}' site/job/run/manifest.json > t
	checked 0
	holds 'first | .ok and .code == "ok" and .evidence.unverifiable == 1 and (.findings | length) == 1' verdicts
	holds 'first.findings[0] | .rule_id == "legacy_unverifiable" and .severity == "warn" and .ref == "job/run/manifest.json"' verdicts
	[[ $stderr == 'mig-verify: job/run/manifest.json: warning: '* ]]
	checked 4 --strict
	faulted 4 legacy_unverifiable
	holds 'first.findings[0].severity == "error"' verdicts
	# neither null nor nothing, as before the migration
	manifest 1.0.0 > site/job/run/manifest.json
	checked 0
	holds 'first.evidence.unverifiable == 1' verdicts
}

@test "SG-50 files that are recorded without a hash over them are still recomputed" {
	run_dir site/job/run
	edit '.inputs_hash = null | .run_id = "anything"'
	checked 0
	holds 'first | .evidence.files == 2 and .findings[0].rule_id == "legacy_unverifiable"' verdicts
	echo x >> site/job/run/inputs/brief.json
	checked 4
	faulted 4 file_changed
	holds 'first.findings | map(.rule_id) == ["file_changed", "legacy_unverifiable"]' verdicts
}

@test "SG-51 an orphaned symlink is reported wherever it is, and not deleted" {
	run_dir site/job/run
	mkdir site/runs
	ln -s ../job/run site/runs/fine
	ln -s ../job/gone site/runs/orphan
	before=$(whole_tree site)
	finds orphaned_symlink runs/orphan '.message == "a link that leads nowhere, to ../job/gone"'
	[ "$before" = "$(whole_tree site)" ]
	[ -L site/runs/orphan ]
}

@test "SG-51 links that lead to themselves, below a file or out of the store are judged by where they lead" {
	run_dir site/job/run
	ln -s round site/round
	ln -s job/run/manifest.json/x site/below
	ln -s "$PWD" site/outside
	ln -s "$PWD/nowhere" site/nowhere
	ln -s nowhere "$(printf 'site/job/50%% \nx')"
	mkdir site/.mig && ln -s nowhere site/.mig/ours
	checked 4
	holds '[first.findings[] | select(.rule_id == "orphaned_symlink").ref] == ["below", "job/50%25 %0Ax", "nowhere", "round"]' verdicts
}

@test "SG-51 a document that is a link, no JSON or not to be read is an error" {
	run_dir site/job/run
	mkdir site/a site/b site/c && echo '{' > site/a/manifest.json && ln -s ../job/run/manifest.json site/b/manifest.json
	mkfifo site/c/manifest.json
	checked 4
	faulted 4 malformed
	holds 'first.findings | map(.rule_id) == ["malformed", "symlink", "not_regular"]' verdicts
}

@test "CH-25 verify --set leaves every byte and time of the store as it was, and reads no stdin" {
	run_dir site/job/run && run_dir site/job/bad
	echo x >> site/job/bad/inputs/brief.json
	before=$(whole_tree site)
	checked 4
	[ "$before" = "$(whole_tree site)" ]
	assert_not_exists site/.mig
	# whatever is there stays for the next reader
	{ mig-verify --store fs:site --set "$SETS/manifest" > t 2>&1 || :; cat; } <<< left > rest
	[ "$(cat rest)" = left ]
}

@test "verify --set closes a verdict at 500 findings, names twenty errors and twenty warnings, and counts all" {
	local n
	mkdir -p site/many
	for n in {100..620}; do
		mkdir "site/many/$n" && echo '{"inputs_hash":null}' > "site/many/$n/manifest.json"
	done
	for n in {700..730}; do
		mkdir "site/many/$n" && echo '{"inputs_hash":1}' > "site/many/$n/manifest.json"
	done
	checked 4
	holds 'map(select(.kind == "verdict") | .findings | length) == [500, 52] and (map(.evidence.documents // 0) | add) == 552
		and (map(.evidence.unverifiable // 0) | add) == 521 and map(.ok | select(. != null)) == [true, false]' verdicts
	[ "$(grep -c 'is no SHA-256' <<< "$stderr")" -eq 20 ]
	[ "$(grep -c 'warning: from' <<< "$stderr")" -eq 20 ]
	[[ $stderr == *'and 512 more findings'* ]]
}

@test "verify --set gives the same bytes anywhere, and mig-report shows them" {
	run_dir site/job/run && run_dir site/job/bad
	echo x >> site/job/bad/inputs/brief.json
	checked 4
	cp verdicts first
	LC_ALL=C TZ=Asia/Tokyo checked 4
	cmp first verdicts
	fails 4 mig-report --format text < verdicts
	[[ $output == *'VERIFY: FAILED'*'evidence  2 documents, 4 files recomputed, 0 documents unverifiable'*file_changed* ]]
	fails 4 mig-report --format json < verdicts
	jq -e '.verify | .evidence == {documents: 2, files: 4, unverifiable: 0} and .plans == 0 and (.ok | not)' <<< "$output" > t
	rm -r site/job/bad
	checked 0
	mig-report --format text < verdicts > page
	grep -q 'VERIFY: ok' page
	[ "$(grep -c 'Nothing to do' page)" -eq 0 ]
}

@test "CH-37 CH-38 verify --set with plans' options is a usage error; a set or store that is missing is 3" {
	mkdir site
	fails 2 mig-verify --store fs:site --set "$SETS/manifest" --against x
	checked 0
	fails 3 mig-verify --store fs:site --set nowhere
	faulted 3 missing_set
	fails 3 mig-verify --store fs:nowhere --set "$SETS/manifest"
	assert_not_exists nowhere
	fails 4 mig-verify --store fs:site --set "$SETS/config"
	faulted 4 bad_set
	[[ $stderr == *'/evidence: missing'* ]]
}

@test "a set may leave out sizes, the hash and the id" {
	run_dir site/job/run
	cp -R "$SETS/manifest" set
	jq '.evidence |= {files, path, sha256}' "$SETS/manifest/set.json" > set/set.json
	edit '.inputs_hash = 1 | .input_snapshots[].bytes = "many" | .run_id = 1'
	mig-verify --store fs:site --set set --strict > verdicts
	holds 'first | .ok and .evidence.files == 2' verdicts
	edit '.input_snapshots = {}'
	fails 4 mig-verify --store fs:site --set set --strict
}
