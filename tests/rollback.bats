#!/usr/bin/env bats
# There and back: plans undone from the objects that apply keeps.

load helper
load store

# undone: the documents are as in old, and no backup is left.
undone() {
	[ "$(tree_hash old)" = "$(tree_hash site)" ] || fail "not as before: $(diff -r old site | head)"
	tidy site
	chained site
}

@test "CH-22 a rollback brings every byte back and removes the backups; the ledger keeps the record" {
	manifests site && cp -R site old && migrated --batch 50
	[ "$(find site -name '*.backup' | wc -l)" -eq 115 ]
	rolled_back
	[ "$(statuses outcomes | sort | uniq -c | tr -s ' ')" = ' 115 applied' ]
	undone
	[ "$(jq -r .event site/.mig/ledger.ndjson | paste -sd ' ')" = \
		'begin commit begin commit begin commit begin rollback begin rollback begin rollback' ]
	[ "$(jq -r 'select(.event == "rollback").undoes' site/.mig/ledger.ndjson)" = \
		"$(jq -r 'select(.steps).plan_hash' plan | tac)" ]
	[ "$(jq -r 'select(.event == "rollback").reason' site/.mig/ledger.ndjson | sort -u)" = test ]
}

@test "CH-22 without a rebuild: the rollback plan needs neither the set nor a change stream" {
	cp -R "$SETS/manifest" set
	site && cp -R site old
	mig-extract --store fs:site --set set | mig-transform --set set --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 > plan
	permitted && applied
	rm -r set
	rolled_back
	undone
}

@test "CH-20 a rollback plan runs the last step first, names what it undoes, and repeats the header" {
	site && migrated --batch 1
	mig-plan --rollback --reason 'went wrong' < plan > back
	[ "$(jq -r 'select(.steps).header.undoes' back)" = "$(jq -r 'select(.steps).plan_hash' plan | tac)" ]
	holds 'map(select(.steps)) | all(.header.mode == "rollback" and .header.reason == "went wrong" and .rollback == [])' back
	[ "$(jq -c 'select(.steps).header | del(.mode, .reason, .undoes, .part)' back | sort -u)" = \
		"$(jq -c 'select(.steps).header | del(.mode, .part)' plan | sort -u)" ]
	[ "$(jq -r 'select(.steps).steps[].step_id' back)" = "$(jq -r 'select(.steps).steps[].step_id' plan | tac)" ]
}

@test "SG-10 a rollback applied twice is skipped the second time" {
	site && cp -R site old && migrated && rolled_back
	before=$(wc -l < site/.mig/ledger.ndjson)
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 skipped' ]
	holds '.[0] | .ok and ([.steps[].message] | unique) == ["already restored"]' outcomes
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$before" ]
	undone
}

@test "a rollback of what was never applied has nothing to do" {
	site && cp -R site old && planned
	rolled_back
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 skipped' ]
	[ "$(tree_hash old)" = "$(tree_hash site)" ]
}

@test "apply, rollback and apply again end where the first apply did" {
	manifests site && cp -R site old && migrated
	after=$(tree_hash site)
	rolled_back
	undone
	permitted && applied
	[ "$(statuses outcomes | sort -u)" = applied ]
	[ "$after" = "$(tree_hash site)" ]
	rolled_back
	undone
}

@test "CH-45 drift between apply and rollback is refused with 4, and nothing is changed" {
	site && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	cp site/job/run-1.0.0/manifest.json kept
	for harm in "sed -i s/succeeded/failed/ manifest.json" "rm manifest.json" "echo {} > manifest.json" "echo x > manifest.json" \
		"mv manifest.json x && ln -s x manifest.json"; do
		(cd site/job/run-1.0.0 && eval "$harm")
		before=$(tree_hash site) entries=$(wc -l < site/.mig/ledger.ndjson)
		fails 4 mig-apply --store fs:site < permits
		faulted 4 drift
		[ "$before" = "$(tree_hash site)" ] || fail "changed after $harm"
		[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$entries" ]
		rm -f site/job/run-1.0.0/{x,manifest.json} && cp kept site/job/run-1.0.0/manifest.json
	done
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "a document that was only reformatted since is restored to its original bytes" {
	site && cp -R site old && migrated
	jq -S . site/job/run-1.0.0/manifest.json > t && cp t site/job/run-1.0.0/manifest.json
	rolled_back
	undone
}

@test "SG-43 a document damaged and put right by hand is restored: the bytes are those whose hash was planned" {
	site && cp -R site old && migrated
	echo garbage > site/job/run-1.0.0/manifest.json
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	fails 4 mig-apply --store fs:site < permits
	# the backup beside it is the original, and its hash is the plan's
	raw=$(sha256sum < site/job/run-1.0.0/manifest.json.backup | cut -c 1-64)
	[ "$raw" = "$(jq -r 'select(.steps).steps[0].preconditions[0].raw' plan)" ]
	cp site/job/run-1.0.0/manifest.json.backup site/job/run-1.0.0/manifest.json
	applied
	[ "$(statuses outcomes | sort | paste -sd ' ')" = 'applied skipped' ]
	undone
}

@test "CH-55 a missing object is a failed precondition: the step is named, none is run" {
	site && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	raw=$(sha256sum < site/job/run-1.0.0/manifest.json.backup | cut -c 1-64)
	mv "site/.mig/objects/$raw" kept
	before=$(tree_hash site)
	fails 3 mig-apply --store fs:site < permits
	faulted 3 object_missing
	printf '%s\n' "$output" > outcomes
	holds '.[0] | .code == "precondition_failed" and ([.steps[].status] | sort) == ["failed", "not_run"]' outcomes
	[[ $stderr == *'job/run-1.0.0/manifest.json: '*"$raw"* ]]
	[ "$before" = "$(tree_hash site)" ]
	mv kept "site/.mig/objects/$raw"
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "SG-44 a damaged object is refused with 4, and nothing is changed" {
	site && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	raw=$(sha256sum < site/job/run-1.0.0/manifest.json.backup | cut -c 1-64)
	for harm in 'echo >> object' 'truncate -s 5 object' ': > object' 'sed -i s/succeeded/SUCCEEDED/ object'; do
		cp "site/.mig/objects/$raw" kept && cp kept object
		eval "$harm"
		rm -f "site/.mig/objects/$raw" && cp object "site/.mig/objects/$raw"
		before=$(tree_hash site)
		fails 4 mig-apply --store fs:site < permits
		faulted 4 object_damaged
		[ "$before" = "$(tree_hash site)" ] || fail "changed after $harm"
		rm "site/.mig/objects/$raw" && cp kept "site/.mig/objects/$raw"
	done
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "SG-44 an object that is a link is refused, and not followed" {
	site && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	raw=$(sha256sum < site/job/run-1.0.0/manifest.json.backup | cut -c 1-64)
	cp "site/.mig/objects/$raw" elsewhere
	ln -sf "$PWD/elsewhere" "site/.mig/objects/$raw"
	before=$(tree_hash site)
	fails 3 mig-apply --store fs:site < permits
	[ "$before" = "$(tree_hash site)" ]
}

@test "SG-28 a backup that was edited since is left alone with a warning" {
	site && cp -R site old && migrated
	rm site/job/run-1.0.0/manifest.json.backup
	echo mine > site/job/run-1.0.0/manifest.json.backup
	rolled_back 2> err
	[ "$(cat site/job/run-1.0.0/manifest.json.backup)" = mine ]
	grep -q 'warning: .*backup' err
	rm site/job/run-1.0.0/manifest.json.backup
	undone
}

@test "SG-45 two migrations are undone in turn, each from its own backup" {
	one && cp -R site old
	changes site 1.1.0 | mig-plan --env dev --migration manifest --target-version 1.1.0 > plan
	cp plan first && permitted && applied && cp -R site middle && rm -r middle/.mig
	planned && permitted && applied
	[ "$(find site -name '*.backup*' | wc -l)" -eq 2 ]
	# the first cannot be undone while the second stands
	fails 4 mig-apply --store fs:site < <(mig-plan --rollback < first | mig-gate --env dev --apply)
	faulted 4 drift
	rolled_back
	[ "$(tree_hash middle)" = "$(tree_hash site)" ]
	cp first plan && rolled_back
	undone
}

@test "CH-32 what was removed comes back byte for byte" {
	mkdir -p site
	printf '{\n\t"a": 1.0,\n\t"gone": [1e3, "\\u00e9", {"x":  9007199254740993}],\n\t"z": null\n}' > site/a.json
	cp -R site old
	set_of own 'del(.gone)'
	planned_by own
	permitted --allow-destructive && applied
	run ! grep -q gone site/a.json
	rolled_back
	undone
}

@test "an irreversible plan is rolled back only with --allow-destructive" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	cp -R site old
	set_of own '. + {b: 2}' '{data_safety: {reversible: false, note: "readers cache it"}}'
	planned_by own
	permitted --allow-destructive && applied
	mig-plan --rollback < plan > back
	fails 5 mig-gate --env dev --apply < back
	faulted 5 irreversible_flag
	rolled_back --allow-destructive
	undone
}

@test "CH-42 a dry run of a rollback names what it would restore and changes nothing" {
	site && migrated
	mig-plan --rollback < plan | mig-gate --env dev --dry-run > permits
	before=$(whole_tree site)
	applied
	holds '.[0] | .dry_run and ([.steps[].status] | unique) == ["skipped"]
		and (.steps[0].message | startswith("would restore ") and contains("remove its backup"))' outcomes
	[ "$before" = "$(whole_tree site)" ]
}

@test "a rollback plan cannot be rolled back, and a rollback in another env or scope is refused" {
	site && changes site | mig-plan --env dev --migration manifest --target-version 1.2.0 --tenant a > plan
	mig-gate --env dev --apply --tenant a < plan > permits && applied
	mig-plan --rollback < plan > back
	fails 4 mig-plan --rollback < back
	fails 4 mig-gate --env staging --apply --tenant a < back
	fails 4 mig-gate --env dev --apply < back
	fails 4 mig-gate --env dev --apply --tenant b < back
	mig-gate --env dev --apply --tenant a < back > permits
	applied
	[ "$(statuses outcomes | uniq -c | tr -s ' ')" = ' 2 applied' ]
}

@test "CH-06 a rollback plan that was edited is refused, hashes made true or not" {
	site && migrated && mig-plan --rollback < plan > back
	fails 4 mig-gate --env dev --apply < <(sed 's/undo: manifest/Undo: manifest/' back)
	faulted 4 plan_hash_integrity_failed
	before=$(tree_hash site)
	other=$(printf '%064d' 1)
	for edit in '.steps |= reverse' '.steps[0].actions[0].raw = "'"$other"'"' '.steps[0].idempotency_key = "'"$other"'"' \
		'.header.mode = "forward"' 'del(.header.undoes)' '.rollback = .steps' '.steps[0].preconditions[0].hash = "'"$other"'"' \
		'.steps[0] |= (.postconditions[0].raw, .actions[0].raw) = "'"$other"'"'; do
		jq -c "select(.steps) | $edit" back | sealed > edited
		run -4 --separate-stderr bash -c 'mig-gate --env dev --apply < edited | mig-apply --store fs:site' ||
			[ "$status" -eq 2 ] || [ "$status" -eq 3 ] || fail "exit $status: $edit"
		[ "$before" = "$(tree_hash site)" ] || fail "changed: $edit"
	done
}

@test "CH-12 a rollback that was stopped halfway is completed by the next run" {
	may_trace
	site && cp -R site old && migrated
	mig-plan --rollback < plan | mig-gate --env dev --apply > permits
	rc=0
	strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=2 \
		mig-apply --store fs:site < permits > outcomes 2> err || rc=$?
	[ $rc -eq 137 ] || fail "exit $rc: $(cat err)"
	applied
	undone
	[ "$(jq -r .event site/.mig/ledger.ndjson | grep -c rollback)" -eq 1 ]
}

@test "CH-22 owners, modes and times of what was not touched stay as they were, there and back" {
	manifests site
	find site -type f -name 'manifest.json' -exec chmod 604 {} +
	find site -path site/.mig -prune -o -type f ! -name 'manifest.json*' -printf '%p %T@ %i\n' | sort > earlier
	migrated && rolled_back
	find site -path site/.mig -prune -o -type f ! -name 'manifest.json*' -printf '%p %T@ %i\n' | sort | cmp earlier -
	[ "$(find site -name manifest.json -printf '%m\n' | sort -u)" = 604 ]
	[ "$(find site -path site/.mig -prune -o -type f -links +1 -print | grep -c 'manifest.json$')" -eq 0 ]
}

# suffixed SUFFIX: in plan, stands a well-sealed plan for two documents with the same bytes whose backups end so.
suffixed() {
	manifests site && mkdir twin set && cp -R "$SETS/manifest/." set
	cp "$(find site -name manifest.json | sort | head -n 1)" twin/a && cp twin/a twin/ab
	jq -c '.match = ["a", "ab"] | del(.evidence)' "$SETS/manifest/set.json" > set/set.json
	mig-extract --store fs:twin --set set | mig-transform --set set --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 |
		jq -c --arg s "$1" '(.. | objects | select(.op == "backup" or .op == "unbackup")).suffix |= ($s | fromjson)' |
		sealed > plan
}

@test "a plan whose backup would be another of its documents is refused, there and back: undoing would remove it" {
	suffixed '"b"'
	holds '.[0].steps | length == 2' plan
	fails 4 mig-gate --env dev --apply < plan
	[[ $stderr == *"the backup of a document would be another of its documents"* ]]
	jq -c 'select(.kind == "plan") | .header.undoes = .plan_hash | .header.mode = "rollback" |
		.steps = [.rollback[]] | .rollback = []' plan | sealed > back
	fails 4 mig-gate --env dev --apply < back
	[[ $stderr == *"the backup of a document would be another of its documents"* ]]
	fails 4 mig-plan --rollback < plan
	fails 4 mig-report < plan
	[[ $stderr == *"the backup of a document would be another of its documents"* ]]
}

@test "a backup suffix that ends its name early is no suffix: the rollback would remove the document" {
	suffixed '"\u0000"'
	fails 2 mig-gate --env dev --apply < plan
	[[ $stderr == *"backup action: ref, suffix or version is malformed"* ]]
	[ -f twin/a ]
}

# backups EVENT: what the ledger's entries of that event say of the backups.
backups() {
	jq -c --arg event "$1" 'select(.event == $event).backups' site/.mig/ledger.ndjson
}

@test "the ledger names the backups that apply is about to make and has made, and nothing where none are kept" {
	site && migrated
	[ "$(backups begin)" = '["job/run-1.0.0/manifest.json.backup","job/run-1.1.0/manifest.json.backup"]' ]
	[ "$(backups commit)" = "$(backups begin)" ]
	rolled_back
	[ "$(backups rollback)" = null ]
	rm -r site && mkdir site && echo '{"v": "1.0.0"}' > site/a.json
	set_of own '.y = 2'
	planned_by own && permitted && applied
	[ "$(backups begin)$(backups commit)" = nullnull ]
}

@test "a copy that stood under the backup's name before apply is used, but no rollback removes it" {
	site
	cp site/job/run-1.0.0/manifest.json{,.backup}
	ln site/job/run-1.1.0/manifest.json site/job/run-1.1.0/manifest.json.backup.1.1.0
	echo other > site/job/run-1.1.0/manifest.json.backup
	cp -R site old
	migrated
	[ "$(backups commit)" = '[]' ]
	rolled_back 2> err
	[ "$(grep -c 'the ledger does not say that apply made' err)" -eq 2 ]
	undone
}

@test "a copy that was made after a rollback is not taken for the backup of the next apply" {
	site && migrated && rolled_back
	cp site/job/run-1.0.0/manifest.json{,.backup}
	cp -R site old && rm -r old/.mig
	permitted && applied
	[ "$(backups commit | tail -n 1)" = '["job/run-1.1.0/manifest.json.backup"]' ]
	rolled_back 2> err
	grep -q 'the ledger does not say' err || fail "$(cat err)"
	undone
}

@test "a document of another part that has the backup's name stays, also when its bytes are the restored ones" {
	mkdir -p site set && cp -R "$SETS/manifest/." set
	manifest 1.0.0 > site/a && cp site/a site/ab && cp -R site old
	jq -c '.match = ["a", "ab"] | del(.evidence)' "$SETS/manifest/set.json" > set/set.json
	mig-extract --store fs:site --set set | mig-transform --set set --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 --batch 1 |
		jq -c '(.. | objects | select(.op == "backup" or .op == "unbackup")).suffix = "b"' | sealed > plan
	permitted && applied
	rolled_back 2> err
	cmp old/a site/a && cmp old/ab site/ab
}

@test "a run that was killed among its backups knows them for its own: the rollback leaves nothing beside the documents" {
	local n
	for n in 2 3 4; do
		rm -rf site old && site
		cp site/job/run-1.1.0/manifest.json{,.backup}
		cp -R site old && planned && permitted
		{
			strace -f -qq -o /dev/null -e trace=linkat -e "inject=linkat:signal=KILL:when=$n" \
				mig-apply --store fs:site < permits > outcomes || true
		} 2> /dev/null
		[ "$(jq -r .event site/.mig/ledger.ndjson | tail -n 1)" = begin ]
		applied
		[ "$(backups commit)" = '["job/run-1.0.0/manifest.json.backup"]' ]
		rolled_back
		undone
	done
}

@test "killed between its exchanges a run is completed or undone, by itself or by several processes, without a backup left" {
	local how
	for how in '' '--jobs 2' '--recover undo' '--recover undo --jobs 2'; do
		rm -rf site old && site && cp -R site old && planned && permitted
		{
			strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=2 \
				mig-apply --store fs:site < permits > outcomes || true
		} 2> /dev/null
		[ "$(find site -name '*.backup' | wc -l)" -eq 2 ]
		# shellcheck disable=SC2086 # options
		applied $how
		mig-plan --rollback < plan | mig-gate --env dev --apply > permits
		applied --jobs 2
		undone
	done
}

@test "what an entry of an earlier version does not say of backups is not removed" {
	local prev=0000000000000000000000000000000000000000000000000000000000000000 line
	site && migrated
	while IFS= read -r line; do
		line=$(jq -cS --arg prev "$prev" 'del(.backups, .hash) | .prev = $prev' <<< "$line")
		prev=$(mig-hash <<< "$line")
		jq -cS --arg hash "$prev" '.hash = $hash' <<< "$line"
	done < site/.mig/ledger.ndjson > ledger
	cp ledger site/.mig/ledger.ndjson
	chained site
	rolled_back 2> err
	[ "$(grep -c 'the ledger does not say that apply made' err)" -eq 2 ]
	[ "$(find site -name '*.backup' | wc -l)" -eq 2 ]
}
