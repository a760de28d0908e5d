#!/usr/bin/env bats
# What was done to a store: its ledger asked, checked, and shown.

load helper
load store

# days: three versions of one document, applied on the first three days of 2025.
days() {
	mkdir -p site/one && printf '{\n  "v": "1.0.0",\n  "history": []\n}\n' > site/one/thing.json
	mkdir -p set && printf '{"id":"own","entity":"thing","mode":"document","match":["**/*.json"],"version":{"pointer":"/v"},
		"required":[],"immutable":[],"additive":false,"history":"/history"}' > set/set.json
	local from=1.0.0 day=0 to
	for to in 1.1.0 1.2.0 1.3.0; do
		day=$((day + 1))
		mkdir -p "set/$from..$to" && printf '. + {n%d: %d}\n' $day $day > "set/$from..$to/up.jq"
		printf '{"from":"%s","to":"%s","type":"data","description":"n","changes":["add n"]}' "$from" "$to" > "set/$from..$to/hop.json"
		mig-extract --store fs:site --set set | mig-transform --set set --target-version "$to" |
			mig-plan --env dev --tenant acme --migration own --target-version "$to" > "plan.$to"
		mig-gate --env dev --tenant acme --apply --prod-override "T-$day" < "plan.$to" |
			mig-apply --store fs:site --now "2025-01-0${day}T12:00:00Z" > outcomes
		from=$to
	done
}

# asked OPTION..: the seqs of the entries that mig-extract --ledger finds, on one line.
asked() {
	mig-extract --store fs:site --ledger "$@" > entries || return
	mig-hash --check < entries > /dev/null || return
	jq -r 'select(.kind == "entry").seq' entries | paste -sd ' '
}

# relinked: the entries on stdin (any seq, any prev) made a chain whose hashes hold.
relinked() {
	local line hash prev seq=0
	prev=$(printf '%064d' 0)
	while IFS= read -r line; do
		seq=$((seq + 1))
		line=$(jq -c --arg prev "$prev" --argjson seq $seq 'del(.hash) | .prev = $prev | .seq = $seq' <<< "$line" | mig-hash --canonical)
		hash=$(printf '%s' "$line" | sha256sum | cut -c 1-64)
		jq -c --arg hash "$hash" '.hash = $hash' <<< "$line" | mig-hash --canonical
		prev=$hash
	done
}

@test "MIGRATION-AUDIT-005 three versions on three days: three rows, two since the second day, one of a version" {
	days
	[ "$(asked)" = '1 2 3 4 5 6' ]
	[ "$(asked --event commit)" = '2 4 6' ]
	[ "$(asked --event commit --since 2025-01-02)" = '4 6' ]
	[ "$(asked --event commit --target-version 1.2.0)" = 4 ]
	[ "$(jq -r 'select(.seq == 4).plan_hash' entries)" = "$(jq -r 'select(.steps).plan_hash' plan.1.2.0)" ]
	# the front door shows a begin only where its end is missing
	[ "$(mig history --store fs:site --format text | grep -c ^seq=)" -eq 3 ]
	[ "$(mig history --store fs:site --format text --since 2025-01-02 | grep -c ^seq=)" -eq 2 ]
	[ "$(mig history --store fs:site --format text --target-version 1.2.0 | grep -c ^seq=)" -eq 1 ]
}

@test "CH-46 entries are found by migration, env, tenant, project, version, time and event" {
	days
	[ "$(asked --migration own)" = '1 2 3 4 5 6' ]
	[ -z "$(asked --migration other)" ]
	[ "$(asked --env dev --tenant acme)" = '1 2 3 4 5 6' ]
	[ -z "$(asked --env prod)" ]
	[ -z "$(asked --tenant other)" ]
	[ -z "$(asked --project web)" ]
	[ "$(asked --until 2025-01-01)" = '1 2' ]
	[ "$(asked --since 2025-01-02 --until 2025-01-02)" = '3 4' ]
	[ "$(asked --since 2025-01-02T12:00:00Z --until 2025)" = '3 4 5 6' ]
	[ "$(asked --since 2025-01-02T12:00:01Z --event begin)" = 5 ]
	for bad in '' 2025- 2025-1 today 2025-01-02T 2025-01-02T3 2025-01-02T12:00:00+01:00 2025-13 2025-02-29 2025-01-02T24; do
		fails 2 mig-extract --store fs:site --ledger --since "$bad"
		fails 2 mig history --store fs:site --until "$bad"
	done
	[[ $stderr == *'--until 2025-01-02T24: not a time'* ]]
	asked --since 2024-02-29
	fails 2 mig-extract --store fs:site --ledger --env DEV
	fails 2 mig-extract --store fs:site --ledger --event comit
	[[ $stderr == *'invalid --event: comit (begin, step, commit, '* ]]
	fails 2 mig history --store fs:site --event comit
	fails 2 mig history --store fs:site --target-version latest
	[[ $stderr == *'--target-version latest: not a semantic version'* ]]
	fails 2 mig-extract --store fs:site --set set --event commit
	fails 2 mig-extract --store fs:site --applied --event commit
	fails 2 mig-extract --store fs:site --ledger --set set
	fails 2 mig-extract --store fs:site --ledger --ref a --ref b
	fails 2 mig-extract --store fs:site --ledger --last
	fails 3 mig-extract --store fs:nowhere --ledger
}

@test "a document's history names the versions, the plan, who, why, and how to undo it" {
	days
	[ "$(asked --ref one/thing.json --event commit)" = '2 4 6' ]
	holds 'map(select(.kind == "step") | [.from_version, .to_version]) == [["1.0.0","1.1.0"],["1.1.0","1.2.0"],["1.2.0","1.3.0"]]' entries
	[ -z "$(asked --ref two/thing.json)" ]
	mig history --store fs:site --ref one/thing.json > page
	hash=$(jq -r 'select(.steps).plan_hash' plan.1.3.0)
	grep -q '^WHY one/thing.json' page
	grep -qF '2025-01-03T12:00:00Z commit: 1.2.0 -> 1.3.0, own to 1.3.0 in dev (acme/-)' page
	grep -qF "by     tester (user $(id -un)), ticket T-3" page
	[ "$(grep -c "undo   mig rollback --store STORE --env dev --tenant acme --plan-hash" page)" -eq 1 ]
	grep -qF "$hash --apply" page
	mig rollback --store fs:site --env dev --tenant acme --plan-hash "$hash" --apply --reason 'it broke' > outcomes
	mig history --store fs:site --ref one/thing.json > page
	grep -qF 'rollback: 1.3.0 -> 1.2.0, ' page
	grep -qF 'reason it broke' page
	[ "$(grep -c 'since undone' page)" -eq 1 ]
	grep -qF "$(jq -r 'select(.steps).plan_hash' plan.1.2.0) --apply" page
	fails 2 mig history --store fs:site --ref a --ref b
}

@test "history as page, lines, html and JSON; the page keeps the newest" {
	export SOURCE_DATE_EPOCH=1735689600
	days
	sed -i 's/"user":"[^"]*"/"user":"root"/' site/.mig/ledger.ndjson
	relinked < site/.mig/ledger.ndjson > t && cp t site/.mig/ledger.ndjson
	mig-extract --store fs:site --ledger --ref one/thing.json > entries
	mig-report < entries | golden report/history.txt
	mig-report --format json < entries | sed 's/"digest":"[0-9a-f]*"/"digest":"DIGEST"/' | golden report/history.json
	mig-report --lines < entries | golden report/history.lines
	mig-report --format html < entries | grep -q '<h2>WHY one/thing.json'
	mig-extract --store fs:site --ledger | mig-report --status | sed 's/ledger [0-9a-f]\{64\}/ledger HEAD/' | golden report/status.txt
	mig-extract --store fs:site --ledger | mig-report --status --format json | sed 's/"\(digest\|head\)":"[0-9a-f]*"/"\1":"MASKED"/g' | golden report/status.json
	for ((i = 0; i < 20; i++)); do
		sed "s/\"plan_hash\":\"../\"plan_hash\":\"$(printf %02d $i)/" site/.mig/ledger.ndjson
	done | relinked > long
	cp long site/.mig/ledger.ndjson
	mig-extract --store fs:site --ledger | mig-report > page
	[ "$(wc -l < page)" -eq 26 ]
	grep -q '36 earlier ones' page
	[ "$(mig-extract --store fs:site --ledger | mig-report --lines | wc -l)" -eq 60 ]
}

@test "CH-06 an edited entry is found by mig-hash and mig-report, a lost one by both" {
	days
	mig-extract --store fs:site --ledger --ref one/thing.json > entries
	sed '2s/"T-1"/"T-2"/; 2s/"acme"/"evil"/' entries > edited
	fails 4 mig-report < edited
	fails 4 mig-hash --check < edited
	sed 1d entries > edited
	fails 4 mig-report < edited
	fails 4 mig-hash --check < edited
	fails 3 mig-report < <(sed '$d' entries)
}

@test "CH-46 the chain is checked as a whole: edited, cut out, reordered, put in" {
	days
	cp site/.mig/ledger.ndjson good
	mig-verify --store fs:site --ledger > verdict
	holds '.[0] | .ok and .plan_hash == null and .ledger.seq == 6' verdict
	[ "$(jq -r 'select(.ledger).ledger.head' verdict)" = "$(tail -n 1 good | jq -r .hash)" ]
	mig-report < verdict | grep -q 'ledger    holds up to entry 6'
	for harm in '2s/"acme"/"evil"/' '3d' '1d' '2{h;d};3{G}' '4p' '5s/.*/{}/' '5s/.*/x/' '2s/"seq":2/"seq":9/'; do
		sed "$harm" good > site/.mig/ledger.ndjson
		fails 4 mig-verify --store fs:site --ledger
		faulted 4 ledger_broken
		[[ $stderr == *'entry '[1-6]:* ]] || fail "$harm: $stderr"
		[ "$(jq -r 'select(.kind == "verdict").code' <<< "$output")" = validation_failed ]
		fails 4 mig-extract --store fs:site --ledger
		fails 4 mig-extract --store fs:site --applied
	done
}

@test "CH-46 an entry that says the same in other bytes was edited, too" {
	days
	cp site/.mig/ledger.ndjson good
	while IFS= read -r change; do
		sed "$change" good > site/.mig/ledger.ndjson
		fails 4 mig-verify --store fs:site --ledger
		faulted 4 ledger_broken
		fails 4 mig-extract --store fs:site --ledger
	done <<- 'END'
	2s/:/: /
	s/$/\r/
	3s/"actor"/"\\u0061ctor"/
	4s/^{\("actor":"[^"]*"\),\("[^"]*":[^,]*\)/{\2,\1/
	END
}

@test "CH-46 a head kept elsewhere shows a cut tail and a rewritten chain; one of an earlier day still fits" {
	days
	cp site/.mig/ledger.ndjson good
	head=$(jq -r 'select(.ledger).ledger.head' outcomes)
	mig-verify --store fs:site --ledger --head "$head" > verdict
	mig-verify --store fs:site --ledger --head "$(sed -n 2p good | jq -r .hash)" > verdict
	mig-verify --store fs:site --ledger --head "$(printf '%064d' 0)" > verdict
	head -n 4 good > site/.mig/ledger.ndjson
	mig-verify --store fs:site --ledger > verdict # a shorter chain is a good chain
	fails 4 mig-verify --store fs:site --ledger --head "$head"
	faulted 4 head_missing
	jq -c 'if .actor == "tester" then .actor = "nobody" else . end' good | relinked > site/.mig/ledger.ndjson
	mig-verify --store fs:site --ledger > verdict # and so is one made anew
	fails 4 mig-verify --store fs:site --ledger --head "$head"
	faulted 4 head_missing
	rm site/.mig/ledger.ndjson
	fails 4 mig-verify --store fs:site --ledger --head "$head"
	fails 2 mig-verify --store fs:site --ledger --head abc
	fails 2 mig-verify --store fs:site --head "$head"
	fails 2 mig-verify --store fs:site --ledger --strict
}

@test "a torn last line is a warning, and the next writer cuts it off" {
	days
	cp site/.mig/ledger.ndjson good
	printf '{"actor":"te' >> site/.mig/ledger.ndjson
	mig-verify --store fs:site --ledger > verdict 2> err
	holds '.[0] | .ok and .findings[0].rule_id == "ledger_torn" and .findings[0].severity == "warn"' verdict
	grep -q 'warning: .*torn' err
	[ "$(asked 2> /dev/null)" = '1 2 3 4 5 6' ]
	mig rollback --store fs:site --env dev --tenant acme --apply > outcomes 2> err
	head -n 6 site/.mig/ledger.ndjson | cmp good -
	mig-verify --store fs:site --ledger > verdict
	holds '.[0].findings == [] and .[0].ledger.seq == 8' verdict
}

@test "a ledger whose middle was edited does not stop an apply, one whose end was does, before the first write" {
	days
	cp site/.mig/ledger.ndjson good
	mig-plan --rollback < plan.1.3.0 | mig-gate --env dev --tenant acme --apply > permits
	sed '$s/"tester"/"nobody"/' good > site/.mig/ledger.ndjson
	cp site/.mig/ledger.ndjson edited
	before=$(tree_hash site)
	fails 4 mig-apply --store fs:site < permits
	faulted 4 ledger_broken
	hinted
	[ "$before" = "$(tree_hash site)" ]
	cmp edited site/.mig/ledger.ndjson
	sed '2s/"tester"/"nobody"/' good > site/.mig/ledger.ndjson
	mig-apply --store fs:site < permits > outcomes
	fails 4 mig-verify --store fs:site --ledger
	cp good elsewhere && ln -sf "$PWD/elsewhere" site/.mig/ledger.ndjson
	before=$(tree_hash site)
	mig-gate --env dev --tenant acme --apply < plan.1.3.0 > permits
	fails 3 mig-apply --store fs:site < permits
	[ "$before" = "$(tree_hash site)" ]
	cmp good elsewhere
}

@test "a verdict is recorded, passed on, and leaves the exit code as it was" {
	site && migrated
	mig-verify --store fs:site < plan > verdicts
	mig-apply --store fs:site < verdicts > passed
	diff <(grep -v '"kind":"end"' verdicts) <(grep -v '"kind":"end"' passed)
	[ "$(tail -n 1 site/.mig/ledger.ndjson | jq -c '[.event, .actor, .code, .findings, .env, .migration_id, .target_version, .plan_hash]')" = \
		"[\"verify\",\"tester\",\"ok\",0,\"dev\",\"manifest\",\"1.2.0\",$(jq -c 'select(.steps).plan_hash' plan)]" ]
	chained site
	sed -i s/succeeded/failed/ site/job/run-1.0.0/manifest.json
	fails 4 mig verify --plan plan --store fs:site --record
	[ "$(tail -n 1 site/.mig/ledger.ndjson | jq -c '[.event, .code, .findings]')" = '["verify","validation_failed",1]' ]
	[ "$(jq -r .kind <<< "$output" | paste -sd ' ')" = 'verdict fault' ]
	# without --record nothing is written
	before=$(wc -l < site/.mig/ledger.ndjson)
	fails 4 mig verify --plan plan --store fs:site
	[ "$(wc -l < site/.mig/ledger.ndjson)" -eq "$before" ]
	chained site
}

@test "a verdict on a plan that the store does not know, and one on its ledger, are recorded without a plan" {
	site && planned
	fails 4 mig verify --plan plan --store fs:site --record
	[ "$(jq -c '[.event, .code, .findings, .env, .migration_id]' site/.mig/ledger.ndjson)" = '["verify","validation_failed",2,null,null]' ]
	mig-verify --store fs:site --ledger | mig-apply --store fs:site > passed
	[ "$(tail -n 1 site/.mig/ledger.ndjson | jq -c '[.event, .code, .plan_hash]')" = '["verify","ok",null]' ]
	chained site
	mig history --store fs:site | grep -q 'verify .*the ledger: ok'
	# no document was touched, and what was never begun is not applied
	[ "$(mig-extract --store fs:site --applied | jq -r .kind)" = end ]
}

@test "a recorded verdict hides nothing: neither what the commit wrote nor that a run never ended" {
	site && migrated
	mig verify --plan plan --store fs:site --record > verdicts
	jq . site/job/run-1.0.0/manifest.json > t && jq -S . t > site/job/run-1.0.0/manifest.json
	mig-verify --store fs:site < plan > verdicts 2> err
	grep -q 'warning: the bytes were rewritten' err
	# a begin, then a verdict: the next run still warns
	jq -c 'select(.event == "begin") | .plan_hash = "'"$(printf '%064d' 7)"'"' site/.mig/ledger.ndjson |
		relinked > site/.mig/ledger.ndjson.new
	mv site/.mig/ledger.ndjson.new site/.mig/ledger.ndjson
	mig-verify --store fs:site --ledger | mig-apply --store fs:site > passed
	mig-gate --env dev --apply < plan | mig-apply --store fs:site > outcomes 2> err
	grep -q 'was begun and never committed' err
}

@test "CH-46 a conflict does not end its plan: history still shows that it was begun" {
	site && migrated
	jq -c 'if .event == "begin" then ., .event = "conflict" else empty end' site/.mig/ledger.ndjson |
		relinked > site/.mig/ledger.ndjson.new
	mv site/.mig/ledger.ndjson.new site/.mig/ledger.ndjson
	mig history --store fs:site --format text > lines
	[ "$(grep -c 'event=begin' lines)" -eq 1 ]
	[ "$(grep -c 'event=conflict' lines)" -eq 1 ]
	mig status --store fs:site | grep -q '1 begun'
}

@test "a stream of verdicts that was cut records nothing, and verdicts do not mix with permits" {
	site && migrated
	mig-verify --store fs:site < plan > verdicts
	before=$(whole_tree site)
	fails 3 mig-apply --store fs:site < <(head -n 1 verdicts)
	fails 4 mig-apply --store fs:site < <(sed 1d verdicts)
	fails 2 mig-apply --store fs:site < <(cat <(head -n 1 permits) verdicts)
	fails 2 mig-apply --store fs:site < <(cat <(head -n 1 verdicts) permits)
	[ "$before" = "$(whole_tree site)" ]
}

# joined PAGE: its commands on one line each.
joined() {
	sed -z 's/ \\\n */ /g' "$1"
}

@test "status names what is applied, what was begun and left, what is pending, each with the next command" {
	days
	mig status --store fs:site > page
	grep -q '^STATUS: 3 plans applied, 0 begun' page
	grep -qF 'undo the last run    mig rollback --store STORE --env dev --tenant acme --apply' page
	joined page | grep -qF 'mig rollback --store STORE --env dev --tenant acme --migration own --to 1.1.0'
	mig rollback --store fs:site --env dev --tenant acme --apply > outcomes
	mig status --store fs:site --set set > page
	grep -q '^STATUS: 2 plans applied, 0 begun' page
	run ! grep -q 'own to 1.3.0 in dev' page
	grep -q '^PENDING: 1 of 1 documents are not at 1.3.0 yet' page
	joined page | grep -q 'mig plan --store STORE --set SET --env ENV --migration own --target-version 1.3.0'
	mig status --store fs:site --set set --target-version 1.2.0 | grep -q '^PENDING: 0 of 1 documents are not at 1.2.0'
	# a rollback that was killed after its begin
	sed '$d' site/.mig/ledger.ndjson > t && cp t site/.mig/ledger.ndjson
	mig status --store fs:site > page
	grep -q '^STATUS: 3 plans applied, 1 begun' page
	grep -qF "rollback of own to 1.3.0 in dev (acme/-), by tester" page
	joined page | grep -qF 'mig rollback --store STORE --env dev --tenant acme --plan-hash'
	mig status --store fs:site --format json | jq -e '.status.begun[0].next | startswith("mig rollback")'
	mig rollback --store fs:site --env dev --tenant acme --apply > outcomes # completes it
	mig status --store fs:site | grep -q '^STATUS: 2 plans applied, 0 begun'
	mkdir empty && mig status --store fs:empty | grep -q '^STATUS: 0 plans applied, 0 begun'
	fails 2 mig status --store fs:site --target-version 1.2.0
	fails 2 mig status --store fs:site --schema app.json
	[[ $stderr == 'mig: --schema: of databases, not of documents'* ]]
	stdout_empty
	fails 2 mig status --store fs:site --set set --target-version latest
	fails 3 mig status --store fs:nowhere
	refute_output --partial 'plans applied' # nobody knows
}

@test "the next command of what was done in prod has the option for the ticket, and works as it stands" {
	site
	before=$(tree_hash site)
	changes site | mig-plan --env prod --tenant 'a b' --migration manifest --target-version 1.2.0 > plan
	mig-gate --env prod --tenant 'a b' --apply --prod-override T-1 < plan > permits
	applied
	mig status --store fs:site > page
	next=$(joined page | grep -o 'mig rollback .*')
	[ "$next" = "mig rollback --store STORE --env prod --tenant 'a b' --prod-override TICKET --apply" ]
	mig history --store fs:site --ref job/run-1.0.0/manifest.json > page
	joined page | grep -q "mig rollback --store STORE --env prod --tenant 'a b' --prod-override TICKET --plan-hash"
	next=${next/STORE/fs:site}
	eval "${next/TICKET/T-2}" > outcomes
	[ "$before" = "$(tree_hash site)" ]
}
