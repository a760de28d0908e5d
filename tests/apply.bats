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

# forged_ref REF: the plan of one document says that it is REF, with keys and hashes made true.
forged_ref() {
	local key
	key=$(printf '["dev",null,null,"manifest","%s@1.0.0..1.2.0"]' "$1" | sha256sum | cut -c 1-64)
	sed "s#one/manifest.json#$1#g; s#\(\"idempotency_key\":\"\)[0-9a-f]*#\1$key#g" plan | sealed > forged
	mig-gate --env dev --apply < forged > permits
}

@test "a forged plan cannot reach outside the root, nor into the folder of ours" {
	one && planned
	cp -R site/one outside
	mkdir -p site/.mig/sub && cp site/one/manifest.json site/.mig/sub/
	forged_ref two/manifest.json
	fails 4 mig-apply --store fs:site < permits
	faulted 4 drift
	before=$(tree_hash outside)
	for ref in ../outside/manifest.json "$PWD/outside/manifest.json" one/../../outside/manifest.json one/%2e%2e/%2e%2e/outside/manifest.json \
		.mig/sub/manifest.json one/../.mig/sub/manifest.json one//manifest.json ./one/manifest.json; do
		rc=0
		forged_ref "$ref" 2> err || rc=$?
		[ $rc -ne 0 ] || mig-apply --store fs:site < permits > out 2> err || rc=$?
		[ $rc -eq 2 ] || [ $rc -eq 4 ] || fail "$ref: exit $rc: $(cat err)"
		[ "$before" = "$(tree_hash outside)" ]
		cmp outside/manifest.json site/one/manifest.json
		cmp outside/manifest.json site/.mig/sub/manifest.json
	done
	[ ! -e site/one/manifest.json.backup ]
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

# outside_edits OLD NEW: of the documents below OLD no line is gone in NEW, but for the version's,
# an empty history's, and one in each that got a comma.
outside_edits() {
	diff -r -x .mig -x '*.backup' "$1" "$2" | tr -d '\r' | awk '
		function settle(  line) {
			for (line in gone)
				if (!((line ",") in come) && line !~ /"(schema_version|migration_history)"/)
					print name ": " line
			split("", gone)
			split("", come)
		}
		/^diff / { settle(); name = $NF }
		/^Only in / { print }
		/^< / { gone[substr($0, 3)] = 1; n++ }
		/^> / { come[substr($0, 3)] = 1 }
		END { settle(); if (!n) print "nothing differs" }' > lost
	[ ! -s lost ] || fail "changed outside the edits: $(cat lost)"
}

@test "SG-17 SG-18 of the formatted samples only the lines of the edits differ" {
	manifests site && cp -R site old && migrated
	# the one that is all on one line is another's
	find old site -name manifest.json -exec awk 'END { exit NR >= 3 }' {} \; -exec rm {} +
	outside_edits old site
}

@test "line ends, tabs, a missing final newline, one line and odd spacing survive" {
	printf '%s' '{"schema_version":"1.0.0","job_id":"a","run_id":"b"}' > oneline
	manifest 1.0.0 | sed 's/$/\r/' > crlf
	manifest 1.0.0 | sed 's/^  /\t/' > tabbed
	manifest 1.0.0 | sed 's/^  /     /; s/": /"  :   /' > odd
	printf '%s' "$(manifest 1.0.0)" > nolf
	for f in oneline crlf tabbed odd nolf; do
		mkdir -p site/$f && cp $f site/$f/manifest.json
	done
	cp -R site old && rm -r old/oneline
	migrated
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 5 applied' ]
	# every line of the one that has CRLF ends so, and none elsewhere
	[ "$(grep -c $'\r$' site/crlf/manifest.json)" -eq "$(wc -l < site/crlf/manifest.json)" ]
	[ "$(cat site/oneline/manifest.json site/tabbed/manifest.json site/odd/manifest.json | tr -dc '\r' | wc -c)" -eq 0 ]
	[ "$(wc -l < site/oneline/manifest.json)" -eq 0 ]
	[ "$(tr -d -c ' ' < site/oneline/manifest.json | wc -c)" -lt 40 ]
	[ "$(tail -c 1 site/nolf/manifest.json)" = '}' ]
	[ -z "$(tail -c 1 site/tabbed/manifest.json)" ]
	grep -q $'^\t"inputs_hash": null' site/tabbed/manifest.json
	mig-verify --store fs:site < plan > verdict
	rm -r site/oneline
	outside_edits old site
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
	# shellcheck disable=SC2016 # for the inner shell
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
	released
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
	may_trace
	site && mkdir -p site/job/other && manifest 1.0.0 > site/job/other/manifest.json
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.0.0/manifest.json |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted
	strace -f -y -qq -s 400 -o trace -e trace=%file,%network,getdents64 "$MIG_X/mig-apply" --store fs:site < permits > outcomes
	[ "$(statuses outcomes)" = applied ]
	# absolute names: the loader's and the C library's
	grep -oE '^[0-9]+ +(open|openat|openat2|access|stat|execve)\(.*' trace | grep -oE '"/[^"]*"' | tr -d '"' | sort -u |
		grep -vE '^(/lib|/usr/lib|/etc/(ld\.so|nsswitch\.conf|passwd|ssl|localtime)|/usr/share/zoneinfo|/proc/self|/dev/(null|urandom))|/userdb/|^/$' |
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

# forged OPERATIONS RESULT: the plan of own for site/a.json with other operations, sealed so that all its hashes hold.
forged() {
	local was is
	was=$(jq -r 'select(.steps).steps[0].postconditions[0].hash' plan)
	is=$(jq -c "$2" site/a.json | mig-hash --without /history)
	sed "s/$was/$is/g" plan |
		jq -c --argjson ops "$1" '(.steps[]?.actions[] | select(.op == "patch")).patch = $ops' | sealed > forged
}

@test "an edited plan that would replace a member unseen, by an add or a move onto it, is refused by apply" {
	mkdir site && printf '{"v": "1.0.0", "keep": {"all": ["of", "this"]}, "x": 1}\n' > site/a.json
	set_of own '.y = 2'
	planned_by own
	local version='{"op": "replace", "path": "/v", "value": "2.0.0"}' ops result rule
	while IFS=';' read -r ops result rule; do
		forged "[$ops, $version]" "$result | .v = \"2.0.0\""
		mig-gate --env dev --apply --allow-destructive < forged > permits
		before=$(tree_hash site)
		fails 4 mig-apply --store fs:site < permits
		faulted 4 patch_failed
		[[ $stderr == *"a.json: operation 1, $rule"* ]] || fail "$stderr"
		[ "$before" = "$(tree_hash site)" ]
		[ ! -s site/.mig/ledger.ndjson ]
	done <<- 'END'
		{"op": "add", "path": "/keep", "value": 2};.keep = 2;add /keep: there is such a member already
		{"op": "move", "from": "/x", "path": "/keep"};.keep = .x | del(.x);move /x to /keep: there is such a member already
		{"op": "add", "path": "", "value": {"v": 0}};{};add the root: the whole document would be replaced
		{"op": "replace", "path": "/keep", "value": {}};.keep = {};replace /keep: an object would be replaced as a whole
		{"op": "replace", "path": "", "value": {"v": 0}};{};replace the root: an object would be replaced as a whole
	END
}

@test "operations that no difference has, copy and test, are refused by who reads a plan and by mig-plan" {
	mkdir site && printf '{"v": "1.0.0", "x": 1}\n' > site/a.json
	set_of own '.y = 2'
	planned_by own
	for op in '{"op": "copy", "from": "/x", "path": "/y"}' '{"op": "test", "path": "/x", "value": 1}'; do
		forged "[$op]" .
		for reader in 'mig-gate --env dev --apply' mig-report 'mig-plan --rollback'; do
			# shellcheck disable=SC2086 # a command and its options
			fails 4 $reader < forged
			[[ $stderr == *'an operation of the patch is not add, remove, replace or move'* ]]
		done
		jq -c --argjson op "$op" '(.rollback[]?).undo = [$op]' plan | sealed > forged
		fails 4 mig-gate --env dev --apply < forged
		[[ $stderr == *'an operation of undo is not add, remove, replace or move'* ]]
		for list in patch undo; do
			mig-extract --store fs:site --set own | mig-transform --set own --target-version 2.0.0 |
				jq -cS --argjson op "$op" --arg list "$list" \
					'if .kind == "change" then .[$list] = [$op] | del(.sum) else . end' > edited
			sum=$(head -n 1 edited | mig-hash)
			jq -cS --arg sum "$sum" 'if .kind == "change" then .sum = $sum else . end' edited > changes
			fails 4 mig-plan --env dev --migration own --target-version 2.0.0 < changes
			[[ $stderr == *'an operation of the change is not add, remove, replace or move'* ]]
		done
	done
}
