#!/usr/bin/env bats
# Bundles: the folder that a run or a pull request leaves, and what the gate asks of it.

load helper
load rows
load store

setup() {
	mig_setup
}

# documents_run DIR: the bundle of a run over the documents of site, sealed.
documents_run() {
	site
	mig-bundle --out "$1" > laid
	mig-extract --store fs:site --set "$SETS/manifest" > "$1/datasets/documents.ndjson"
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < "$1/datasets/documents.ndjson" > "$1/transformed/changes.ndjson"
	mig-plan --env dev --migration manifest --target-version 1.2.0 < "$1/transformed/changes.ndjson" > "$1/tx-plan/plans.ndjson"
	mig-gate --env dev --dry-run < "$1/tx-plan/plans.ndjson" | mig-apply --store fs:site > "$1/reports/dry-run.ndjson"
	mig-verify --store fs:site --set "$SETS/manifest" > "$1/reports/verify-before.ndjson" 2> err
	mig-bundle --out "$1" > sealed
}

# rows_run DIR: the bundle of a run over rows that a database is to get, sealed.
rows_run() {
	mig-bundle --out "$1" > laid
	sqlite3 app.db "$THREAD_TABLES"
	mig-extract --store sqlite:app.db --schema > "$1/datasets/schema.ndjson"
	echo '{"owner":"all"}' > "$1/datasets/perms.json"
	nothing mig-plan > "$1/tx-plan/schema-plan.ndjson"
	cp "$SAMPLES/threads/stories.ndjson" "$1/datasets/documents.ndjson"
	mig-transform --set "$SETS/threads" --target-version 2.0.0 < "$1/datasets/documents.ndjson" > "$1/transformed/changes.ndjson"
	mig-plan --env dev --migration threads --target-version 2.0.0 < "$1/transformed/changes.ndjson" > "$1/tx-plan/plans.ndjson"
	mig-gate --env dev --dry-run < "$1/tx-plan/plans.ndjson" | mig-apply --store sqlite:app.db > "$1/reports/dry-run.ndjson"
	mig-verify --store sqlite:app.db --drift > "$1/reports/verify-before.ndjson"
	mig-bundle --out "$1" > sealed
}

# pr_bundle DIR: the bundle of a pull request, sealed.
pr_bundle() {
	mig-bundle --out "$1" --kind pr > laid
	for file in scripts/extract.sh scripts/apply.sh docs/RUNBOOK.md docs/ROLLBACK.md verification/queries.sql \
		verification/acceptance.md; do
		echo "$file" > "$1/$file"
	done
	cp -R "$SETS/threads" "$1/scripts/transform"
	mig-bundle --out "$1" --kind pr > sealed
}

# gated DIR [FLAG..]: what the gate says of the plans of the bundle, with it.
gated() {
	mig-gate --env dev --apply --bundle "$1" "${@:2}" < "${PLANS-$1/tx-plan/plans.ndjson}"
}

# refused CODE RULE MESSAGE DIR: the gate refuses, and so does mig-bundle --check.
refused() {
	fails "$1" gated "$4"
	faulted "$1" "$2"
	[[ $stderr == *"$3"* ]] || fail "no \"$3\": $stderr"
	[[ $2 == bundle_plan ]] || fails "$1" mig-bundle --check --out "$4"
}

# other BUNDLE: a copy of it to spoil.
other() {
	rm -rf other && cp -R "$1" other
}

# resealed: other's bundle.json made true again, but for what its files say.
resealed() {
	local hash
	hash=$(mig-hash --without /bundle_hash other/bundle.json)
	mig-hash --canonical other/bundle.json | sed "s/\"bundle_hash\":\"[0-9a-f]*\"/\"bundle_hash\":\"$hash\"/" > json
	cp json other/bundle.json
}

@test "EK-61 a bundle of nothing is laid out, with its stages in bundle.json" {
	mig-bundle --out run > said
	(cd run && find . -mindepth 1 | sort | tr '\n' ' ') > tree
	[ "$(< tree)" = './bundle.json ./datasets ./reports ./transformed ./tx-plan ' ]
	holds '.[0] | .kind == "run" and .format == 1 and .others == [] and (.stages | map(.stage)) ==
		["schema", "perms", "plan", "extract", "transform", "tx-plan", "dry-run", "verify-before"] and
		(.stages | map(.files == []) | all)' run/bundle.json
	[ "$(grep -c ': missing: ' said)" -eq 8 ]
	mig-bundle --out pr --kind pr > said
	holds '.[0] | .kind == "pr" and (.stages | map(.stage)) ==
		["extract", "transform", "apply", "runbook", "rollback", "queries", "acceptance"]' pr/bundle.json
}

@test "EK-61 bundle.json names the file of each stage, its hash and what ties it to the one before" {
	documents_run run
	echo '<p>a page</p>' > run/reports/page.html
	mig-bundle --out run > sealed
	digest=$(tail -n 1 run/datasets/documents.ndjson | jq -r .digest)
	plans=$(tail -n 1 run/tx-plan/plans.ndjson | jq -r .digest)
	hash=$(head -n 1 run/tx-plan/plans.ndjson | jq -r .plan_hash)
	jq -e --arg digest "$digest" --arg plans "$plans" --arg hash "$hash" '
		(.stages | map({key: .stage, value: .}) | from_entries) as $s | $s["tx-plan"] as $plan | $s["dry-run"] as $dry |
		$s.extract.digest == $digest and $s.transform.digest == $digest and $plan.snapshot == $digest and
		$plan.digest == $plans and $dry.digest == $plans and $plan.plans == [$hash] and $dry.plans == [$hash] and
		$s.extract.records == 3 and .others[0].file == "reports/page.html"' run/bundle.json
	(cd run && jq -r '(.others, .stages[].files)[] | "\(.sha256)  \(.file)"' bundle.json | sha256sum --check --quiet)
	(cd run && jq -r '(.others, .stages[].files)[] | "\(.size) \(.file)"' bundle.json |
		while read -r size file; do [ "$(stat -c %s "$file")" -eq "$size" ]; done)
	[ "$(mig-hash --without /bundle_hash run/bundle.json)" = "$(jq -r .bundle_hash run/bundle.json)" ]
	mig-hash --canonical run/bundle.json | cmp - run/bundle.json
}

@test "the same files give the same bundle.json, wherever and whenever" {
	documents_run run
	cp run/bundle.json one
	mkdir -p deep/er && cp -R run deep/er/copy && find deep -exec touch -d 2001-01-01 {} +
	rm deep/er/copy/bundle.json
	(cd deep && TZ=Asia/Tokyo LC_ALL=C SOURCE_DATE_EPOCH=1 mig-bundle --out er/copy/ > said)
	cmp one deep/er/copy/bundle.json
	run ! grep -E "$PWD|$HOSTNAME|fs:" one
	mig-bundle --out run > said
	cmp one run/bundle.json
}

@test "EK-62 a bundle that is whole passes the gate, and the permit names it" {
	documents_run run
	gated run > permits
	[ "$(head -n 1 permits | jq -r .grant.bundle_hash)" = "$(jq -r .bundle_hash run/bundle.json)" ]
	mig-apply --store fs:site < permits > outcomes
	holds 'map(select(.kind == "outcome").ok) == [true]' outcomes
	mig-bundle --out run --check > said
	grep -q "^bundle_hash=$(jq -r .bundle_hash run/bundle.json)$" said
	rows_run rows
	gated rows > permits
	[ "$(head -n 1 permits | jq -r .grant.bundle_hash)" = "$(jq -r .bundle_hash rows/bundle.json)" ]
}

@test "EK-62 a run of rows that lacks any of the eight is refused with 3, which names it" {
	rows_run run
	while read -r stage file; do
		for seal in true 'mig-bundle --out other'; do
			other run
			rm "other/$file"
			PLANS=run/tx-plan/plans.ndjson
			$seal > said 2>&1
			if [ "$stage" = tx-plan ] && [ "$seal" != true ]; then
				# without plans, what they would be for is not known
				refused 3 bundle_incomplete "tx-plan: missing: tx-plan/plans" other
			elif [ "$seal" = true ]; then
				refused 3 bundle_file_missing "$file: missing" other
			else
				refused 3 bundle_incomplete "$stage: missing: ${file%.*}" other
			fi
		done
		# an empty file is none
		other run
		: > "other/$file"
		mig-bundle --out other > said
		refused 3 bundle_incomplete "$stage: missing: ${file%.*}" other
	done <<- 'END'
		schema datasets/schema.ndjson
		perms datasets/perms.json
		plan tx-plan/schema-plan.ndjson
		extract datasets/documents.ndjson
		transform transformed/changes.ndjson
		tx-plan tx-plan/plans.ndjson
		dry-run reports/dry-run.ndjson
		verify-before reports/verify-before.ndjson
	END
	mkdir none
	refused 3 bundle_missing 'bundle.json: No such file' none
	refused 3 bundle_missing 'nowhere: cannot open' nowhere
}

@test "EK-62 all that is missing is named at once, and documents need no schema" {
	documents_run run
	rm run/reports/*
	mig-bundle --out run > said
	refused 3 bundle_incomplete 'dry-run: missing: reports/dry-run' run
	[[ $stderr == *'verify-before: missing: reports/verify-before'* ]]
	[[ $stderr != *perms* ]]
}

@test "EK-62 what was changed, swapped, added or linked after it was sealed is 4, with its name" {
	documents_run run
	other run
	sed -i 's/manifest/manifesT/' other/transformed/changes.ndjson
	refused 4 bundle_file_changed 'transformed/changes.ndjson: changed: expected_hash ' other
	other run
	mv other/tx-plan/plans.ndjson x && mv other/transformed/changes.ndjson other/tx-plan/plans.ndjson && mv x other/transformed/changes.ndjson
	PLANS=run/tx-plan/plans.ndjson refused 4 bundle_file_changed 'tx-plan/plans.ndjson: changed: ' other
	other run
	echo note > other/reports/note
	refused 4 bundle_file_unknown 'reports/note: not in bundle.json' other
	other run
	mv other/reports/dry-run.ndjson . && ln -s ../../dry-run.ndjson other/reports/dry-run.ndjson
	refused 4 bundle_not_regular 'reports/dry-run.ndjson: a link' other
	other run
	mv other/reports . && ln -s ../reports other/reports
	PLANS=run/tx-plan/plans.ndjson refused 4 bundle_not_regular 'reports: a link' other
	rm -rf reports
	other run
	rm other/reports/dry-run.ndjson && mkfifo other/reports/dry-run.ndjson
	refused 4 bundle_not_regular 'reports/dry-run.ndjson: a link, or neither' other
	other run
	mv other/bundle.json . && ln -s ../bundle.json other/bundle.json
	refused 4 bundle_not_regular 'bundle.json: a link' other
}

@test "EK-62 a bundle.json that was edited is 4, also where its own hash was made true again" {
	documents_run run
	other run
	sed -i 's/"records":3/"records":2/' other/bundle.json
	refused 4 bundle_hash 'bundle_hash: expected_hash ' other
	resealed
	refused 4 bad_bundle 'it does not say what its files hold' other
	other run
	jq -c . run/bundle.json | sed 's/,/, /' > other/bundle.json
	refused 4 bad_bundle 'it does not say' other
	for json in '' '[]' '{}' '{"kind":"run"}' '{"kind":"all","bundle_hash":"0"}' 'null' '{"kind":1}'; do
		echo "$json" > other/bundle.json
		fails 4 gated other
	done
	# shapes that nobody wrote
	for edit in '.stages = 1' '.stages = [1]' '.stages[0].files = {}' '.others = [{}]' '.others = [{"file":"a","sha256":"b"}]' \
		'.others = null' 'del(.stages)' '.stages[3].files[0].file = "../x"' '.format = 2' '.more = 1'; do
		jq -c "$edit" run/bundle.json > other/bundle.json
		resealed
		run gated other
		[[ $status == [34] ]] || fail "$edit: $status: $output"
	done
}

@test "EK-62 a stage that is not of the one before is 4, however well it was sealed" {
	documents_run run
	# another set of documents, and all that was made of them
	other run
	sed -i '1d' other/datasets/documents.ndjson
	fails 4 mig-bundle --out other
	[[ $stderr == *'datasets/documents.ndjson: the end speaks of 3 records, 2 came'* ]]
	mig-extract --store fs:site --set "$SETS/manifest" --ref job/run-1.0.0/manifest.json > other/datasets/documents.ndjson
	fails 4 mig-bundle --out other
	[[ $stderr == *'transform: not made from the documents of the stage extract: '* ]]
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < other/datasets/documents.ndjson > other/transformed/changes.ndjson
	fails 4 mig-bundle --out other
	[[ $stderr == *'tx-plan: not made from the changes of the stage transform: '* ]]
	mig-plan --env dev --migration manifest --target-version 1.2.0 < other/transformed/changes.ndjson > other/tx-plan/plans.ndjson
	fails 4 mig-bundle --out other
	[[ $stderr == *'dry-run: not of the plans of the stage tx-plan: '* ]]
	# nothing was written, and what is there does not hold
	cmp run/bundle.json other/bundle.json
	mig-gate --env dev --dry-run < other/tx-plan/plans.ndjson | mig-apply --store fs:site > other/reports/dry-run.ndjson
	mig-bundle --out other > sealed
	gated other > permits
	# plans that are not the bundle's
	PLANS=run/tx-plan/plans.ndjson refused 4 bundle_plan 'the plans are not those of the bundle' other
	# verdicts on others
	mig-apply --store fs:site < <(mig-gate --env dev --apply < run/tx-plan/plans.ndjson) > outcomes
	mig-verify --store fs:site < run/tx-plan/plans.ndjson > other/reports/verify-before.ndjson
	fails 4 mig-bundle --out other
	[[ $stderr == *'verify-before: a verdict on a plan that is not in the bundle'* ]]
	# an outcome of something that was done
	cp outcomes run/reports/dry-run.ndjson
	fails 4 mig-bundle --out run
	[[ $stderr == *'reports/dry-run.ndjson: line 1: an outcome that is not of a dry run'* ]]
}

@test "EK-62 a plan of the schema must be made from the schema that was kept" {
	rows_run run
	export MIG_STORE=sqlite:new.db
	mig-extract --schema --create > empty
	echo '{"tables":[{"id":1,"name":"users","fields":[{"id":1,"name":"email","type":"email"}]}]}' > app.json
	mig-plan --env dev --migration app --target-version 1.0.0 --schema app.json < empty > run/tx-plan/schema-plan.ndjson
	fails 4 mig-bundle --out run
	[[ $stderr == *'plan: not made from the schema of the stage schema: '* ]]
	cp empty run/datasets/schema.ndjson
	mig-bundle --out run > sealed
	gated run > permits
	sed -i 's/"live":{/"live":{"x":1,/' run/datasets/schema.ndjson
	fails 4 mig-bundle --out run
	[[ $stderr == *'the hash of the schema record does not hold'* ]]
}

@test "EK-62 a stage that failed, was cut short, or stands in the wrong place is no stage" {
	documents_run run
	while read -r file line message; do
		other run
		case $line in
		cut) sed -i '$d' "other/$file" ;;
		torn) truncate -s -5 "other/$file" ;;
		fault) sed -i '$d' "other/$file" && echo '{"code":"x","exit":4,"kind":"fault","reason":"y","tool":"mig"}' >> "other/$file" ;;
		garbage) echo garbage > "other/$file" ;;
		plans) cp run/tx-plan/plans.ndjson "other/$file" ;;
		failed) sed -i 's/"ok":true/"ok":false/' "other/$file" ;;
		empty) nothing mig-verify > "other/$file" ;;
		esac
		run --separate-stderr mig-bundle --out other
		[[ $status == [34] && $stderr == *"mig-bundle: $file: "*"$message"* ]] || fail "$file $line: $status: $stderr"
		cmp run/bundle.json other/bundle.json
	done <<- 'END'
		datasets/documents.ndjson cut stops without its end
		transformed/changes.ndjson torn torn
		tx-plan/plans.ndjson fault it ends in a fault
		reports/dry-run.ndjson garbage line 1
		datasets/documents.ndjson plans does not belong in this file
		reports/verify-before.ndjson plans does not belong in this file
		reports/dry-run.ndjson failed the dry run failed
		reports/verify-before.ndjson failed what was verified failed
		reports/verify-before.ndjson empty nothing but its end
	END
	cp run/datasets/documents.ndjson run/datasets/documents.json
	fails 4 mig-bundle --out run
	[[ $stderr == *'a second file for the stage extract'* ]]
}

@test "EK-64 the bundle of a pull request that is whole passes the gate, with any plan" {
	pr_bundle pr
	documents_run run
	PLANS=run/tx-plan/plans.ndjson gated pr > permits
	[ "$(head -n 1 permits | jq -r .grant.bundle_hash)" = "$(jq -r .bundle_hash pr/bundle.json)" ]
	holds '.[0].stages[1].files | length > 2' pr/bundle.json
}

@test "EK-64 the bundle of a pull request that lacks a part, or whose part is empty, is refused with 3" {
	pr_bundle pr
	documents_run run
	PLANS=$PWD/run/tx-plan/plans.ndjson
	while read -r stage path message; do
		other pr
		rm -r "other/$path"
		refused 3 bundle_file_missing "$path" other
		mig-bundle --kind pr --out other > said
		refused 3 bundle_incomplete "$stage: missing: $message" other
		other pr
		find "other/$path" -type f -exec truncate -s 0 {} +
		mig-bundle --kind pr --out other > said
		refused 3 bundle_incomplete "$stage: missing: $message" other
	done <<- 'END'
		extract scripts/extract.sh scripts/extract
		transform scripts/transform scripts/transform
		apply scripts/apply.sh scripts/apply
		runbook docs/RUNBOOK.md docs/runbook
		rollback docs/ROLLBACK.md docs/rollback
		queries verification/queries.sql verification/queries
		acceptance verification/acceptance.md verification/acceptance
	END
	other pr
	echo 'rm -rf /' >> other/scripts/apply.sh
	refused 4 bundle_file_changed 'scripts/apply.sh: changed' other
}

@test "a policy can ask for a bundle" {
	documents_run run
	# shellcheck disable=SC2016 # jq's
	echo 'if $grant.bundle_hash then empty else {rule_id: "bundle", severity: "deny", message: "no bundle"} end' > policy.jq
	gated run --policy policy.jq > permits
	fails 5 mig-gate --env dev --apply --policy policy.jq < run/tx-plan/plans.ndjson
	faulted 5 bundle
}

@test "a signature covers the bundle's hash" {
	documents_run run
	openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out pub.pem
	gated run --sign key.pem > permits
	mig-apply --store fs:site --trust pub.pem < <(sed 's/"bundle_hash":"."/"bundle_hash":"/; s/"bundle_hash":"\(.\)/"bundle_hash":"0/' permits) \
		> outcomes 2> err && fail 'an edited grant passed'
	mig-apply --store fs:site --trust pub.pem < permits > outcomes
}

@test "the front door makes bundles and asks for them" {
	documents_run run
	mig bundle --out run > said
	diff said sealed
	mig apply --plan run/tx-plan/plans.ndjson --store fs:site --env dev --apply --bundle run > outcomes
	holds 'map(select(.kind == "outcome").ok) == [true]' outcomes
	fails 2 mig bundle
	fails 2 mig-bundle --out x --kind other
	fails 2 mig-bundle --out x --kind pr --check
	fails 3 mig-bundle --out no/such/folder
	fails 3 mig-bundle --out x --check
	[ ! -e x ]
	fails 3 mig-bundle --out run/bundle.json
}

@test "EK-62 a bundle with a name that no page can show is refused" {
	mig-bundle --out run > said
	touch run/reports/$'a\nb'
	fails 4 mig-bundle --out run
	rm run/reports/*
	touch run/reports/$'\xff'
	fails 4 mig-bundle --out run
}
