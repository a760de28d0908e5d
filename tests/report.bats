# mig-report: pages about streams.
load helper

# The end of a stream of plans that holds none.
no_plans() {
	echo '{"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","kind":"end","records":0,"tool":"mig-plan"}'
}

# fits: the page on stdin holds at most two screens.
fits() {
	local lines columns
	read -r lines columns < <(wc -lL)
	if [ "$lines" -gt 48 ] || [ "$columns" -gt 100 ]; then
		fail "$lines lines, $columns columns"
	fi
}

# things N: a set and a folder whose N documents all change in a different way.
things() {
	mkdir -p set/1.0.0..2.0.0 things
	cat > set/set.json <<- 'EOF'
		{"id": "things", "entity": "thing", "mode": "document", "match": ["**/*.json"], "additive": false,
		 "version": {"pointer": "/v"}, "required": [], "immutable": [], "history": null}
	EOF
	cat > set/1.0.0..2.0.0/hop.json <<- 'EOF'
		{"from": "1.0.0", "to": "2.0.0", "type": "data", "description": "fold", "changes": ["fold"],
		 "levers": ["stop the writer, token=hunter2"], "breaking": true,
		 "data_safety": {"reversible": false, "note": "old is gone for good"}}
	EOF
	echo '.v = "2.0.0" | .["k\(.n)"] = {password: "hunter2"} | del(.old)' > set/1.0.0..2.0.0/up.jq
	local i
	for i in $(seq "$1"); do
		printf '{"v":"1.0.0","n":%d,"old":{"api_token":"hunter2"}}\n' "$i" > "things/$i.json"
	done
}

plan_things() {
	mig-extract --store fs:things --set set | mig-transform --set set --target-version 2.0.0 |
		mig-plan --env prod --migration things --target-version 2.0.0 --batch 7 "$@"
}

# applied: the outcomes of the sample manifests in tree, and their plans in plans.
applied() {
	manifests tree
	plan_manifests tree > plans
	mig-gate --env dev --apply < plans | mig-apply --store fs:tree > outcomes
}

# The first manifest that changes.
first=artifacts/brand-claims-check/291221a5dc87cfa2f02cd0b4c43f83e7/manifest.json

damage() {
	sed -i '0,/{/s//{"tampered": true,/' "$1/$first"
}

# canonical FILE: it holds canonical JSON.
canonical() {
	mig-hash --canonical "$1" | cmp - "$1"
}

@test "SG-32 versions are counted with percent, sorted, with latest and those that need migration" {
	manifests tree
	troubled tree
	mig-extract --store fs:tree --set "$SETS/manifest" --list-versions > versions
	mig-report < versions | golden report/versions.txt
	mig-report --format json < versions > page.json
	canonical page.json
	golden report/versions.json < page.json
	run jq -r '.versions.versions[] | "\(.version) \(.count)"' page.json
	assert_output "$(jq -r '.versions.versions | sort_by(.version)[] | "\(.version) \(.count)"' page.json)"
}

@test "SG-32 percent of no documents at all is zero" {
	mkdir empty
	mig-extract --store fs:empty --set "$SETS/manifest" --list-versions | mig-report > page
	grep -q '^  total  *0$' page
}

@test "SG-33 totals add up: 127 = 115 migrated + 12 already current" {
	applied
	# the ledger's head depends on the permit's nonce
	mig-report < outcomes | sed -E 's/(ledger +)[0-9a-f]{64}/\1HEAD/' | golden report/outcome.txt
	mig-report --format json < outcomes > page.json
	canonical page.json
	sed -E 's/("head":")[0-9a-f]{64}/\1HEAD/' page.json | golden report/outcome.json
	run jq -c '.outcome.totals | [.total, .migrated, .already_current, .failed]' page.json
	assert_output '[127,115,12,0]'
}

@test "SG-33 the snapshot is counted once, however many plans there are" {
	manifests tree
	plan_manifests tree --batch 10 | mig-gate --env dev --apply | mig-apply --store fs:tree | mig-report --format json > page.json
	run jq -c '.outcome | [.plans.count, .totals.total, .totals.migrated]' page.json
	assert_output '[12,127,115]'
}

@test "SG-33 a second apply shows 115 skipped" {
	applied
	mig-gate --env dev --apply < plans | mig-apply --store fs:tree | mig-report --format json > page.json
	run jq -c '.outcome.totals | [.total, .migrated, .skipped]' page.json
	assert_output '[127,0,115]'
}

@test "SG-34 a rejected document counts as failed and is named with its path and error" {
	manifests tree
	mkdir tree/broken
	printf '{"run_id": ' > tree/broken/manifest.json
	plan_manifests tree --max-rejects 1 | mig-gate --env dev --apply | mig-apply --store fs:tree > outcomes
	mig-report < outcomes > page
	grep -q '^    migrated  *115$' page
	grep -q '^    failed  *1  (1 of them rejected before the plan)$' page
	grep -q '^    broken/manifest.json: line 1, column 12: ' page
}

@test "SG-34 too many rejects: the page names them and exits 4" {
	manifests tree
	troubled tree
	plan_manifests tree > stream 2> /dev/null || true
	fails 4 mig-report < stream
	assert_line --partial 'REJECTED 11'
	assert_line --partial 'FAILED: mig-plan'
	refute_line --partial 'APPROVE'
	golden report/rejects.txt <<< "$output"
}

@test "SG-35 the same stream gives the same bytes in every format" {
	manifests tree
	plan_manifests tree > plans
	for format in text json html; do
		mig-report --format $format < plans > one
		TZ=Asia/Tokyo LC_ALL=C mig-report --format $format < plans > two
		cmp one two
	done
}

@test "SG-35 intended actions stand in the order of their paths" {
	manifests tree
	plan_manifests tree | mig-gate --env dev --dry-run | mig-apply --store fs:tree > outcomes
	mig-report < outcomes | golden report/dry-run.txt
	mig-report --format json < outcomes > page.json
	jq -r '.outcome.intended.first[].step_id' page.json > got
	LC_ALL=C sort -c got
	[ "$(wc -l < got)" = 20 ]
	[ "$(jq .outcome.intended.count page.json)" = 115 ]
}

@test "SG-39 a tree of mixed versions is a page, not an error" {
	manifests tree
	mig-extract --store fs:tree --set "$SETS/manifest" | mig-report | golden report/documents.txt
	changes tree > changed
	mig-report < changed | golden report/changes.txt
	mig-report --format json < changed > page.json
	canonical page.json
	golden report/changes.json < page.json
}

@test "CH-24 drift is shown with path, expected, actual, difference and the recommended rollback" {
	applied
	damage tree
	mig-verify --store fs:tree < outcomes > verdicts 2> /dev/null || true
	fails 4 mig-report < verdicts
	golden report/drift.txt <<< "$output"
	fails 4 mig-report --format json < verdicts
	golden report/drift.json <<< "$output"
}

@test "CH-24 a store as promised is shown as ok" {
	applied
	mig-verify --store fs:tree < outcomes | mig-report | golden report/verified.txt
}

@test "CH-44 an outcome shows header, hash, steps, code, rollback and ledger head" {
	applied
	mig-report < outcomes > page
	hash=$(jq -r 'select(.kind == "outcome").plan_hash' outcomes)
	grep -q "^  plan_hash $hash$" page
	grep -q "^  ${hash:0:12} ok: 115 applied" page
	grep -q "^  ledger    $(jq -r 'select(.kind == "outcome").ledger.head' outcomes), entry" page
	grep -q '^  how       mig-plan --rollback ' page
}

@test "CH-44 a ticket and a scope are shown" {
	manifests tree
	changes tree | mig-plan --env prod --migration manifest --target-version 1.2.0 --tenant acme --project site |
		mig-gate --env prod --apply --prod-override T-1 --tenant acme --project site > permits
	mig-report < permits | golden report/permit.txt
	mig-report --format json < permits > page.json
	canonical page.json
	[ "$(jq -r .plan.grant.ticket page.json)" = T-1 ]
	mig-apply --store fs:tree < permits | mig-report > page
	grep -q 'ticket T-1' page
	grep -q 'tenant acme, project site' page
}

@test "CH-45 a failed step is shown with its class, the others as not run" {
	manifests tree
	plan_manifests tree > plans
	damage tree
	mig-gate --env dev --apply < plans | mig-apply --store fs:tree > outcomes 2> /dev/null || true
	fails 4 mig-report < outcomes
	golden report/failed.txt <<< "$output"
	fails 4 mig-report --format json < outcomes
	[ "$(jq -c '.outcome | [.code, .ok, .totals.failed, .totals.not_run]' <<< "$output")" = '["validation_failed",false,1,114]' ]
}

@test "CH-45 plans that were not reached count as not run" {
	manifests tree
	plan_manifests tree --batch 10 > plans
	damage tree
	mig-gate --env dev --apply < plans | mig-apply --store fs:tree > outcomes 2> /dev/null || true
	fails 4 mig-report --format json < outcomes
	[ "$(jq -c '.outcome.totals | [.total, .failed, .not_run]' <<< "$output")" = '[127,1,114]' ]
}

@test "CH-48 plans have fixed lines" {
	manifests tree
	plan_manifests tree > plans
	hash=$(jq -r 'select(.kind == "plan").plan_hash' plans)
	run mig-report --lines < plans
	assert_output "migration-tool plan
env=dev migration=manifest target=1.2.0
plan_hash=$hash steps=115 rollback=115"
	plan_manifests tree --tenant acme --project site --batch 100 | mig-report --lines > lines
	[ "$(sed -n 3p lines)" = scope=acme/site ]
	[ "$(wc -l < lines)" = 5 ]
}

@test "CH-48 outcomes have fixed lines" {
	applied
	hash=$(jq -r 'select(.kind == "outcome").plan_hash' outcomes)
	run mig-report --lines < outcomes
	assert_output "migration-tool apply
env=dev migration=manifest target=1.2.0
plan_hash=$hash ok=true code=ok outcomes=115"
}

@test "CH-48 verdicts have one fixed line" {
	applied
	mig-verify --store fs:tree < outcomes > verdicts
	run mig-report --lines < verdicts
	assert_output 'verify ok'
	manifests before
	changes before | mig-plan --env staging --migration manifest --target-version 1.2.0 > others
	sed 's/"env":"dev"/"env":"prod"/' plans > edited
	mig-verify --store fs:tree --against others < plans > verdicts 2> /dev/null || true
	fails 4 mig-report --lines < verdicts
	assert_output 'verify validation_failed plan_hash_mismatch'
	mig-verify --store fs:tree < edited > verdicts 2> /dev/null || true
	fails 4 mig-report --lines < verdicts
	assert_output 'verify validation_failed plan_hash_integrity_failed'
	mig-verify --store fs:nowhere < plans > verdicts 2> /dev/null || true
	fails 3 mig-report --lines < verdicts
	assert_output 'verify precondition_failed store_missing'
}

@test "CH-48 nothing to change has one fixed line" {
	run mig-report --lines < <(no_plans)
	assert_success
	assert_output 'nothing to do'
}

@test "CH-54 secrets are redacted on pages and in JSON" {
	things 3
	plan_things > plans
	grep -q hunter2 plans # else there is nothing to prove
	for format in text json html; do
		mig-report --format $format < plans > page
		grep -q '\[redacted\]' page
		run grep hunter2 page
		assert_failure
	done
	mig-extract --store fs:things --set set | mig-transform --set set --target-version 2.0.0 > changed
	mig-report --format json < changed > page
	run grep hunter2 page
	assert_failure
}

@test "CH-54 passwords in texts and URIs are redacted" {
	things 1
	plan_things | mig-plan --rollback --reason \
		"postgresql://me:hunter2@db/x?password=hunter2 Authorization: Bearer hunter2 apiToken = hunter2, 'private-key':'hunter2 hunter2' {\"SECRET\":\"hunter2\"} secretary=fine" > plans
	for format in text json html; do
		mig-report --format $format < plans > page
		run grep hunter2 page
		assert_failure
	done
	run jq -r .plan.header.reason < <(mig-report --format json < plans)
	assert_output "postgresql://me:[redacted]@db/x?password=[redacted] Authorization: [redacted] apiToken = [redacted], 'private-key':'[redacted]' {\"SECRET\":\"[redacted]\"} secretary=fine"
}

@test "the reviewer's page of one document" {
	mkdir tree
	manifest 1.0.0 > tree/manifest.json
	plan_manifests tree > plans
	mig-report < plans | tee page | golden report/plan-1.txt
	fits < page
}

@test "the reviewer's page of three documents" {
	mkdir -p tree/a tree/b tree/c tree/d
	manifest 1.0.0 > tree/a/manifest.json
	manifest 1.1.0 '"input_snapshots": {}' > tree/b/manifest.json
	manifest 1.0.0 '"inputs_hash": null' > tree/c/manifest.json
	manifest 1.2.0 > tree/d/manifest.json
	plan_manifests tree --tenant acme > plans
	mig-report < plans | tee page | golden report/plan-3.txt
	fits < page
	mig-report --format json < plans > page.json
	canonical page.json
	golden report/plan-3.json < page.json
	mig-report --format html < plans | golden report/plan-3.html
}

@test "the reviewer's page of 10,000 documents" {
	mkdir one
	manifest 1.0.0 > one/manifest.json
	changes one | head -n 1 > change
	# ten thousand changes from one: another ref and its sum, then an end
	python3 - change > changed <<- 'EOF'
		import hashlib, json, sys
		change = json.loads(open(sys.argv[1]).read())
		total = hashlib.sha256()
		for i in range(10000):
		    change["ref"] = "job-%05d/manifest.json" % i
		    change.pop("sum", None)
		    text = json.dumps(change, sort_keys=True, separators=(",", ":"))
		    change["sum"] = hashlib.sha256(text.encode()).hexdigest()
		    print(json.dumps(change, sort_keys=True, separators=(",", ":")))
		    total.update(("%s\0%s\n" % (change["ref"], change["before"])).encode())
		print(json.dumps({"digest": total.hexdigest(), "kind": "end", "records": 10000, "tool": "mig-extract"},
		                 sort_keys=True, separators=(",", ":")))
	EOF
	mig-plan --env dev --migration manifest --target-version 1.2.0 < changed | mig-report | tee page |
		golden report/plan-10000.txt
	fits < page
}

@test "the reviewer's page fits two screens with 200 kinds of change" {
	things 200
	plan_things --tenant "it's \$(me)" --project 'p q' > plans
	mig-report < plans | tee page | golden report/plan-200-kinds.txt
	fits < page
	mig-gate --env prod --dry-run --tenant "it's \$(me)" --project 'p q' < plans | mig-report | fits
	mig-plan --rollback --reason "$(printf 'why %.0s' {1..60})" < plans > back
	mig-report < back | fits
	sed '$d' back > unended
	fails 3 mig-report < unended
	fits <<< "$output"
}

@test "the reviewer's page of a rollback says what it undoes and why" {
	mkdir tree
	manifest 1.0.0 > tree/manifest.json
	plan_manifests tree | mig-plan --rollback --reason 'readers broke' | mig-report | golden report/rollback.txt
}

@test "plans of several migrations are called mixed" {
	mkdir tree
	manifest 1.0.0 > tree/manifest.json
	plan_manifests tree | head -n 1 > plans
	changes tree | mig-plan --env prod --migration other --target-version 1.2.0 | head -n 1 >> plans
	printf '{"digest":"%s","kind":"end","records":2,"tool":"mig-extract"}\n' \
		"$(jq -r .plan_hash plans | sha256sum | cut -d ' ' -f 1)" >> plans
	run mig-report < plans
	assert_success
	assert_line '  MIXED     1 of the plans are others, such as other to 1.2.0 in prod'
}

@test "characters that hide or turn text are shown as escapes" {
	things 1
	printf '{"v":"1.0.0","n":1,"old":"\xe2\x80\xae\x7f\xc2\x9b<&>"}\n' > things/1.json
	plan_things > plans
	mig-report < plans | grep -F '"\u202e\u007f\u009b<&>"'
	mig-report --format html < plans | grep -F '\u202e\u007f\u009b&lt;&amp;&gt;'
}

@test "a stream without plans says that there is nothing to do" {
	run mig-report < <(no_plans)
	assert_success
	assert_output 'Nothing to do'
}

@test "a stream cut short is a page that says so, and 3" {
	manifests tree
	plan_manifests tree > plans
	sed '$d' plans > unended
	fails 3 mig-report < unended
	assert_line 'INCOMPLETE: stdin: the stream stops without its end (exit 3)'
	assert_line 'DO NOT APPROVE: the stream of plans is not whole'
	refute_line --partial 'digest  '
	refute_line --partial 'next  '
	head -c 5000 plans > torn
	fails 3 mig-report < torn
	assert_line --partial 'INCOMPLETE: line 1: torn last line'
	fails 3 mig-report --format json < unended
	[ "$(jq -c '[.whole, .trouble.code]' <<< "$output")" = '[false,"stream_incomplete"]' ]
	fails 3 mig-report < /dev/null
	assert_output --partial 'INCOMPLETE: stdin: no stream'
	fails 3 mig-report --lines < unended
}

@test "an edited stream is a page that says so, and 4" {
	manifests tree
	plan_manifests tree --batch 60 > plans
	changes tree > changed
	sed 's/brand-claims/brand-blames/' plans > edited
	fails 4 mig-report < edited
	assert_line --partial 'BROKEN: line 1'
	refute_line --partial 'next  '
	sed 1d plans > fewer
	fails 4 mig-report < fewer
	assert_line --partial 'MISSING   these are 1 of the 2 parts'
	assert_line --partial 'BROKEN: stdin'
	refute_line --partial 'next  '
	sed '1s/"destructive":false/"destructive":true/' changed > edited
	fails 4 mig-report < edited
	assert_line --partial 'BROKEN: line 1'
	assert_line --partial 'the record was edited'
	sed 1d changed > fewer
	fails 4 mig-report < fewer
	sed '$p' changed > after
	fails 4 mig-report < after
}

@test "a line that is no record is 2" {
	fails 2 mig-report <<< 'hello'
	fails 2 mig-report <<< '[]'
	fails 2 mig-report <<< '{"kind":"outcome"}'
	fails 2 mig-report <<< '{"kind":"verdict","code":"ok","findings":[],"ok":true,"plan_hash":"x","rollback":null}'
}

@test "a fault is the last thing on the page and decides the exit code" {
	for code in 1 2 3 4 5; do
		fails $code mig-report <<< '{"code":"no_path","exit":'$code',"kind":"fault","reason":"no way","ref":"a/b","tool":"mig-transform"}'
		assert_line "FAILED: mig-transform: a/b: no way (exit $code)"
		refute_line --partial 'Nothing to do'
	done
}

@test "permits of another stream are refused" {
	manifests tree
	plan_manifests tree --batch 60 | mig-gate --env dev --apply > permits
	sed '1s/"digest":"./"digest":"f/;1s/"digest":"ff/"digest":"fe/' permits > mixed
	cmp -s permits mixed && fail 'nothing was changed'
	fails 4 mig-report < mixed
	assert_line --partial 'BROKEN'
}

@test "headings are bold on a terminal only, and not with NO_COLOR" {
	no_plans > stream
	run script -qec 'mig-report < stream' /dev/null
	assert_output --partial $'\033[1mNothing to do'
	NO_COLOR=1 run script -qec 'mig-report < stream' /dev/null
	refute_output --partial $'\033'
	run mig-report < stream
	refute_output --partial $'\033'
}

@test "flags that do not fit are 2" {
	fails 2 mig-report --format yaml < /dev/null
	fails 2 mig-report --lines --format json < /dev/null
	fails 2 mig-report file < /dev/null
}
