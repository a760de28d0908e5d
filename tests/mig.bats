#!/usr/bin/env bats
# mig: the front door.

load helper

setup() {
	mig_setup
	SET=$SETS/manifest
	to=(--migration manifest --target-version 1.2.0)
}

# site: one manifest a version as site/.
site() {
	local v
	for v in 1.0.0 1.1.0 1.2.0; do
		mkdir -p "site/run-$v"
		manifest "$v" > "site/run-$v/manifest.json"
	done
}

# plan FLAG..: the plan of site, as plan.ndjson.
plan() {
	mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson "$@" 2> /dev/null
}

# last: the last line of what the command before said on stderr.
last() {
	# shellcheck disable=SC2154 # fails and run set it
	printf '%s' "${stderr##*$'\n'}"
}

# usage: the command before was a usage error, and said so as mig does.
usage() {
	stdout_empty
	[[ $stderr == *'usage: mig '* ]] || fail "no usage: $stderr"
	[[ $(last) =~ ^'FAILED code=2 duration_ms='[0-9]+$ ]] || fail "last line: $(last)"
}

@test "CH-08 apply without --apply is blocked with 5 and changes no byte" {
	site && plan
	before=$(tree_hash site)
	fails 5 mig apply --plan plan.ndjson --store fs:site --env dev
	[[ $stderr == *'apply mode requires --apply'* ]]
	[ "$before" = "$(tree_hash site)" ]
	[ ! -e site/.mig ]
	fails 5 mig apply --store fs:site --set "$SET" --env dev "${to[@]}"
	fails 5 mig rollback --plan plan.ndjson --store fs:site --env dev
	[ "$before" = "$(tree_hash site)" ]
}

@test "CH-08 what the environment calls apply is not the flag" {
	site && plan
	before=$(tree_hash site)
	apply=1 dry_run=1 APPLY=1 MIG_APPLY=1 fails 5 mig apply --plan plan.ndjson --store fs:site --env dev
	plan=plan.ndjson store=fs:site fails 2 mig verify
	plan=plan.ndjson fails 3 mig verify --store fs:site
	[ "$before" = "$(tree_hash site)" ]
}

@test "CH-09 prod without a ticket, or with a blank one, is blocked" {
	site && mig plan --store fs:site --set "$SET" --env prod "${to[@]}" --plan plan.ndjson
	before=$(tree_hash site)
	fails 5 mig apply --plan plan.ndjson --store fs:site --env prod --apply
	fails 5 mig apply --plan plan.ndjson --store fs:site --env prod --apply --prod-override ''
	fails 5 mig apply --plan plan.ndjson --store fs:site --env prod --apply --prod-override '  '
	[ "$before" = "$(tree_hash site)" ]
}

@test "CH-10 prod with a ticket runs, and the report names the ticket" {
	site && mig plan --store fs:site --set "$SET" --env prod "${to[@]}" --plan plan.ndjson
	mig apply --plan plan.ndjson --store fs:site --env prod --apply --prod-override T-1 --out out
	jq -se '.[0].kind == "outcome" and .[0].ok and .[0].ticket == "T-1"' out/migration_manifest_1.2.0_report.json
}

@test "CH-11 dev and staging need no ticket" {
	for env in dev staging; do
		rm -rf site && site
		mig plan --store fs:site --set "$SET" --env $env "${to[@]}" --plan plan.ndjson
		mig apply --plan plan.ndjson --store fs:site --env $env --apply > outcomes.ndjson
		jq -se 'map(select(.kind == "outcome") | .ok) == [true]' outcomes.ndjson
	done
}

@test "CH-12 CH-26 a second apply skips every step, and the plan still verifies" {
	site && plan
	mig apply --plan plan.ndjson --store fs:site --env dev --apply > first.ndjson
	after=$(tree_hash site)
	mig apply --plan plan.ndjson --store fs:site --env dev --apply > second.ndjson
	[ "$after" = "$(tree_hash site)" ]
	jq -se '.[0].steps | length == 2 and all(.status == "skipped")' second.ndjson
	mig verify --plan plan.ndjson --store fs:site > verdict.ndjson
	jq -se '.[0].code == "ok" and .[0].ok' verdict.ndjson
}

@test "CH-31 each shipped set is planned, applied, verified and rolled back" {
	store=(--store fs:site)
	for set in manifest:manifests:1.2.0 profile:profile:2.0.0 config:config:2.0.0; do
		IFS=: read -r id from version <<< "$set"
		rm -rf site
		cp -R "$SAMPLES/$from" site && rm -rf site/troubled
		before=$(tree_hash site)
		mig plan "${store[@]}" --set "$SETS/$id" --env dev --migration "$id" --target-version "$version" --plan plan.ndjson
		mig-hash --check plan.ndjson
		mig apply "${store[@]}" --plan plan.ndjson --env dev --apply --allow-destructive --format text
		[ "$before" != "$(tree_hash site)" ]
		mig verify "${store[@]}" --plan plan.ndjson --format text
		mig rollback "${store[@]}" --plan plan.ndjson --env dev --apply --allow-destructive --format text
		[ "$before" = "$(tree_hash site)" ]
	done
}

@test "CH-33 planning without env, migration or target version is a usage error" {
	site
	fails 2 mig plan --store fs:site --set "$SET" "${to[@]}"
	usage
	[[ $stderr == 'mig: --env is required'* ]]
	fails 2 mig plan --store fs:site --set "$SET" --env dev --target-version 1.2.0
	usage
	fails 2 mig plan --store fs:site --set "$SET" --env dev --migration manifest
	usage
	fails 2 mig apply --store fs:site --set "$SET" --env dev --migration manifest --apply
	usage
	fails 2 mig plan --set "$SET" --env dev "${to[@]}"
	usage
	fails 2 mig plan --store fs:site --env dev "${to[@]}"
	usage
}

@test "CH-33 a status of what is pending needs a set, or a schema and a database" {
	site && plan
	fails 2 mig status --store fs:site --target-version 1.2.0
	usage
	[[ $stderr == 'mig: --target-version: needs --set or --schema'* ]]
	fails 2 mig status --store fs:site --schema app.json --target-version 1.2.0
	usage
	[[ $stderr == 'mig: --schema: of databases, not of documents'* ]]
}

@test "CH-37 a value is what it is, whatever it holds" {
	site
	for id in "it's" 'a "b" c' '--apply' "\$(ls) *" 'x=y'; do
		mig plan --store fs:site --set "$SET" --env dev --migration "$id" --target-version=1.2.0 --plan plan.ndjson
		[ "$(jq -rs '.[0].header.migration_id' plan.ndjson)" = "$id" ]
	done
}

@test "CH-33 a usage error shows how its own command is called, and a command that there is none of how all are" {
	fails 2 mig rollback --bogus
	usage
	[ "$(grep -c '^ *\(usage: \)\?mig ' <<< "$stderr")" = 1 ]
	[[ $stderr == *'usage: mig rollback (all'*'[--deadline SECONDS]'* ]]
	fails 2 mig plan --bogus
	[ "$(grep -c '^ *\(usage: \)\?mig plan ' <<< "$stderr")" = 2 ]
	fails 2 mig frobnicate
	diff <(mig --help | sed '/^$/,$d') <(sed '1d; $d' <<< "$stderr")
}

@test "CH-34 an unknown env is a usage error everywhere" {
	site && plan
	fails 2 mig plan --store fs:site --set "$SET" --env qa "${to[@]}"
	usage
	fails 2 mig apply --plan plan.ndjson --store fs:site --env qa --apply
	usage
	fails 2 mig apply --plan plan.ndjson --store fs:site --apply
	usage
	fails 2 mig rollback --plan plan.ndjson --store fs:site --env DEV --apply
	usage
}

@test "CH-35 an unknown format is a usage error everywhere" {
	site && plan
	for verb in plan apply verify rollback versions report status history; do
		fails 2 mig $verb --format yaml
		usage
		[[ $stderr == *'invalid --format: yaml'* ]]
	done
	fails 2 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --format html
	usage
}

@test "CH-36 latest, or what is no semantic version, is refused as target" {
	site
	for v in latest 1.2 v1.2.0 '1.2.0 ' ''; do
		fails 2 mig plan --store fs:site --set "$SET" --env dev --migration manifest --target-version "$v"
		usage
		fails 2 mig apply --store fs:site --set "$SET" --env dev --migration manifest --target-version "$v" --apply
		usage
	done
}

@test "CH-37 unknown flags, commands and operands are usage errors; only whole names count" {
	site && plan
	before=$(tree_hash site)
	for args in '' 'frobnicate' '--frob' 'plan --frob' 'plan -x' 'plan --env' 'plan x' 'plan -- x' \
		'versions --apply' 'verify --apply' 'report a b' 'report --store x' 'plan --apply' \
		'verify --strict=1' 'verify --strict --strict'; do
		# shellcheck disable=SC2086 # words are meant
		fails 2 mig $args
		usage
	done
	fails 2 mig apply --plan plan.ndjson --store fs:site --env dev --app
	usage
	fails 2 mig apply --plan plan.ndjson --store fs:site --env dev --apply=yes
	usage
	fails 2 mig apply --plan plan.ndjson --store fs:site --env dev --env prod --apply
	usage
	fails 2 mig apply --plan plan.ndjson --store fs:site --env dev '--apply --dry-run'
	usage
	[ "$before" = "$(tree_hash site)" ]
}

@test "CH-37 values that no filter takes are usage errors, not streams cut short" {
	site && plan
	at=(--store fs:site --env dev)
	fails 2 mig plan "${at[@]}" --set "$SET" "${to[@]}" --batch none
	usage
	fails 2 mig apply "${at[@]}" --set "$SET" "${to[@]}" --max-rejects -1 --apply
	usage
	fails 2 mig apply "${at[@]}" --plan plan.ndjson --apply --now yesterday
	usage
	fails 2 mig apply "${at[@]}" --plan plan.ndjson --apply --lock-timeout 1e3
	usage
	MIG_ACTOR=$'\e[1m' fails 2 mig apply "${at[@]}" --plan plan.ndjson --apply
	usage
}

@test "CH-37 what a plan says cannot be said again beside it" {
	site && plan
	for flag in --set --ref --migration --target-version --batch --max-rejects; do
		fails 2 mig apply --plan plan.ndjson --store fs:site --env dev --apply $flag 1
		usage
		[[ $stderr == "mig: $flag: not with --plan"* ]]
	done
}

@test "CH-38 a missing plan file is a failed precondition" {
	site
	before=$(tree_hash site)
	for run in 'apply --env dev --apply' verify 'rollback --env dev --apply'; do
		for plan in absent.ndjson . no/such/plan; do
			# shellcheck disable=SC2086 # words are meant
			fails 3 mig $run --store fs:site --plan $plan
			[[ $stderr == *missing_plan_file* ]]
			stdout_empty
		done
	done
	fails 3 mig verify --store fs:site
	[[ $stderr == *missing_plan_file* ]]
	[ "$before" = "$(tree_hash site)" ]
}

@test "CH-39 a plan that is not JSON is a usage error" {
	site
	printf 'not json\n' > plan.ndjson
	fails 2 mig apply --plan plan.ndjson --store fs:site --env dev --apply
	fails 2 mig verify --plan plan.ndjson --store fs:site
	fails 2 mig rollback --plan plan.ndjson --store fs:site --env dev --apply
	[ ! -e site/.mig ]
}

@test "CH-40 unknown members and trailing data in a plan are refused" {
	site && plan
	sed 's/^{"header"/{"extra":1,"header"/' plan.ndjson > extra.ndjson
	fails 2 mig apply --plan extra.ndjson --store fs:site --env dev --apply
	fails 2 mig verify --plan extra.ndjson --store fs:site
	{ cat plan.ndjson && sed -n 1p plan.ndjson; } > twice.ndjson
	fails 4 mig apply --plan twice.ndjson --store fs:site --env dev --apply
	sed '$d' plan.ndjson > short.ndjson
	fails 3 mig apply --plan short.ndjson --store fs:site --env dev --apply
	[ ! -e site/.mig ]
}

@test "CH-41 a folder that takes no report is a failed precondition, before anything is applied" {
	site && plan
	: > taken
	before=$(tree_hash site)
	for out in taken taken/below /proc/nowhere; do
		fails 3 mig apply --plan plan.ndjson --store fs:site --env dev --apply --out $out
		[[ $stderr == *write_failed* ]]
		stdout_empty
	done
	[ "$before" = "$(tree_hash site)" ]
	[ ! -e site/.mig ]
	fails 3 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan no/such/folder/plan.ndjson
}

@test "CH-42 SG-31 a dry run lists what it would do, writes nothing and leaves no report" {
	site && plan
	before=$(tree_hash site)
	mig apply --plan plan.ndjson --store fs:site --env dev --apply --dry-run --out out --format json > shown.ndjson
	jq -se '.[0].kind == "outcome" and .[0].dry_run and (.[0].steps | all(.status == "skipped"))' shown.ndjson
	jq -se '.[0].steps[0].step_id == "run-1.0.0/manifest.json@1.0.0..1.2.0"' shown.ndjson
	jq -se '.[0].steps | all(.message != "")' shown.ndjson
	[ "$before" = "$(tree_hash site)" ]
	[ ! -e site/.mig ] && [ ! -e out ]
}

@test "CH-43 a dry run needs neither --apply nor a ticket, and by default shows a page" {
	site && mig plan --store fs:site --set "$SET" --env prod "${to[@]}" --plan plan.ndjson
	before=$(tree_hash site)
	mig apply --plan plan.ndjson --store fs:site --env prod --dry-run > page
	grep -q 'run-1.0.0/manifest.json' page
	run ! grep -q '^{' page
	mig apply --store fs:site --set "$SET" --env prod "${to[@]}" --dry-run > page
	grep -q 'run-1.1.0/manifest.json' page
	[ "$before" = "$(tree_hash site)" ]
	[ ! -e site/.mig ]
}

@test "CH-44 CH-47 the report holds the outcomes, under a name made of id and version" {
	site && mig plan --store fs:site --set "$SET" --env dev --migration 'site a/b\c:d "e"' --target-version 1.2.0 --plan plan.ndjson
	mig apply --plan plan.ndjson --store fs:site --env dev --apply --out 'out put' > outcomes.ndjson
	[ "$(ls -A 'out put')" = 'migration_site_a_b_c_d_"e"_1.2.0_report.json' ]
	cmp outcomes.ndjson 'out put'/migration_*_report.json
	jq -se '.[0] | has("header") and has("plan_hash") and has("steps") and has("findings") and has("rollback") and .ok' \
		outcomes.ndjson
	mig report 'out put'/migration_*_report.json > page
	mig verify --plan 'out put'/migration_*_report.json --store fs:site
}

@test "CH-45 a failed apply leaves its report as well" {
	site && plan
	echo ' ' >> site/run-1.1.0/manifest.json
	fails 4 mig apply --plan plan.ndjson --store fs:site --env dev --apply --out out
	jq -se '.[0].ok == false and .[0].code == "validation_failed"' out/migration_manifest_1.2.0_report.json
	[ "$(last | cut -d ' ' -f 1,2)" = 'FAILED code=4' ]
}

@test "CH-47 a report takes the mode that the umask allows" {
	site && plan
	(umask 027 && mig apply --plan plan.ndjson --store fs:site --env dev --apply --out out > /dev/null)
	[ "$(stat -c %a out/migration_manifest_1.2.0_report.json)" = 640 ]
}

@test "CH-48 the text format prints the fixed lines" {
	site
	at=(--store fs:site)
	mig plan "${at[@]}" --set "$SET" --env dev "${to[@]}" --tenant acme --project web --plan plan.ndjson --format text > lines
	hash=$(jq -rs '.[0].plan_hash' plan.ndjson)
	printf '%s\n' 'migration-tool plan' 'env=dev migration=manifest target=1.2.0' 'scope=acme/web' \
		"plan_hash=$hash steps=2 rollback=2" | diff - lines
	mig plan "${at[@]}" --set "$SET" --env dev "${to[@]}" --tenant acme --project web --format text | diff - lines
	scope=(--env dev --tenant acme --project web)
	mig apply "${at[@]}" --plan plan.ndjson "${scope[@]}" --apply --format text > lines
	printf '%s\n' 'migration-tool apply' 'env=dev migration=manifest target=1.2.0' 'scope=acme/web' \
		"plan_hash=$hash ok=true code=ok outcomes=2" | diff - lines
	mig verify "${at[@]}" --plan plan.ndjson --format text > lines
	echo 'verify ok' | diff - lines
	mig rollback "${at[@]}" --plan plan.ndjson "${scope[@]}" --apply > /dev/null
	fails 4 mig verify "${at[@]}" --plan plan.ndjson --format text
	[ "$output" = 'verify validation_failed not_applied' ]
}

@test "CH-49 the last line on stderr is the summary, whatever happens, and never on stdout" {
	site
	fails 0 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	[[ $(last) =~ ^'OK code=0 duration_ms='[0-9]+$ ]]
	fails 0 mig apply --plan plan.ndjson --store fs:site --env dev --apply
	[[ $(last) =~ ^'OK code=0 duration_ms='[0-9]+$ ]]
	[[ $output != *duration_ms=* ]]
	fails 3 mig versions --store fs:absent --set "$SET"
	[[ $(last) =~ ^'FAILED code=3 duration_ms='[0-9]+$ ]]
	fails 3 mig report absent
	[[ $(last) =~ ^'FAILED code=3 duration_ms='[0-9]+$ ]]
	fails 5 mig apply --plan plan.ndjson --store fs:site --env dev
	[[ $(last) =~ ^'FAILED code=5 duration_ms='[0-9]+$ ]]
	full() { mig plan --store fs:site --set "$SET" --env dev "${to[@]}" > /dev/full; }
	fails 1 full
	[[ $(last) =~ ^'FAILED code=1 duration_ms='[0-9]+$ ]]
}

@test "CH-49 the summary does without a clock that knows nanoseconds" {
	mkdir fake
	printf '#!/bin/sh\necho 1735689600%%N\n' > fake/date
	chmod +x fake/date
	site
	PATH=$PWD/fake:$PATH fails 0 mig versions --store fs:site --set "$SET"
	[ "$(last)" = 'OK code=0 duration_ms=0' ]
}

@test "CH-50 planning works offline, and the plan file is all that is needed to read it" {
	site
	unshare -rn true 2> /dev/null || skip 'no network namespaces here'
	unshare -rn mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	rm -rf site
	mig-plan --rollback < plan.ndjson > back.ndjson
	mig-hash --check back.ndjson
}

@test "CH-53 --help prints flags and exit codes on stdout, for each command" {
	for verb in '' plan apply verify rollback versions report status history; do
		# shellcheck disable=SC2086 # no word, or one
		fails 0 mig $verb --help
		[[ $output == 'usage: mig plan'* ]]
		[[ $output == *--allow-destructive* ]]
		[[ $output == *'Exit status: 0'* ]]
	done
	[ "$(mig --version)" = "mig$(mig-plan --version | cut -c 9-)" ]
}

@test "CH-59 a plan made for one tenant does not run for another" {
	site && plan --tenant acme --project web
	before=$(tree_hash site)
	at=(--plan plan.ndjson --store fs:site --env dev --apply)
	fails 4 mig apply "${at[@]}" --tenant other --project web
	fails 4 mig apply "${at[@]}" --tenant acme
	fails 4 mig apply "${at[@]}"
	fails 4 mig rollback "${at[@]}" --tenant other --project web
	fails 4 mig apply --plan plan.ndjson --store fs:site --env staging --apply --tenant acme --project web
	[ "$before" = "$(tree_hash site)" ]
	mig apply "${at[@]}" --tenant acme --project web > /dev/null
}

@test "SG-33 the 127 samples: 115 migrated, 12 current, none failed, in one command" {
	manifests site
	mig apply --store fs:site --set "$SET" --env dev "${to[@]}" --apply --out out > outcomes.ndjson
	jq -se '.[0].header.snapshot | .records == 127 and .changes == 115 and .current == 12' outcomes.ndjson
	jq -se '[.[] | select(.kind == "outcome") | .steps[] | select(.status == "applied")] | length == 115' outcomes.ndjson
	[ -f out/migration_manifest_1.2.0_report.json ]
	mig versions --store fs:site --set "$SET" --format json | jq -se '.[0] != null'
	mig report out/migration_manifest_1.2.0_report.json | grep -q 115
}

@test "SG-34 rejects stop the plan with 4 and leave no file; --max-rejects goes on" {
	site && troubled site
	fails 4 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	[[ $stderr == *troubled/no-path/manifest.json* ]]
	[ ! -e plan.ndjson ]
	[ -z "$(find . -name '.mig.*')" ]
	fails 4 mig apply --store fs:site --set "$SET" --env dev "${to[@]}" --apply
	[ ! -e site/.mig ]
	mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --max-rejects 11 --plan plan.ndjson
	mig apply --plan plan.ndjson --store fs:site --env dev --apply > outcomes.ndjson
	[ "$(grep -c '"kind":"reject"' outcomes.ndjson)" = 11 ]
}

@test "SG-34 a failed plan leaves the file of an earlier one as it was" {
	site && plan
	cp plan.ndjson kept.ndjson
	troubled site
	fails 4 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	cmp plan.ndjson kept.ndjson
	ln -s plan.ndjson link.ndjson
	fails 3 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan link.ndjson
	fails 3 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan /dev/stdout
	[ -c /dev/null ] && [ -h link.ndjson ]
}

@test "SG-36 SG-37 a missing store, folder, set or manifest is a failed precondition" {
	site
	fails 3 mig plan --store fs:absent --set "$SET" --env dev "${to[@]}"
	fails 3 mig plan --store fs:site --set absent --env dev "${to[@]}"
	fails 3 mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --ref run-9.9.9/manifest.json
	fails 3 mig apply --store fs:site --set "$SET" --env dev "${to[@]}" --apply --ref absent/manifest.json
	fails 3 mig versions --store fs:absent --set "$SET"
	[ ! -e site/.mig ]
}

@test "SG-38 --ref migrates only that file" {
	site
	cp -R site before
	mig apply --store fs:site --set "$SET" --env dev "${to[@]}" --apply --ref run-1.1.0/manifest.json > /dev/null
	run diff -rq --exclude=.mig before site
	[ "$output" = "Files before/run-1.1.0/manifest.json and site/run-1.1.0/manifest.json differ
Only in site/run-1.1.0: manifest.json.backup" ]
}

@test "SG-10 nothing to do is success all the way, and leaves no report" {
	mkdir -p site/run && manifest 1.2.0 > site/run/manifest.json
	mig plan --store fs:site --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	mig apply --plan plan.ndjson --store fs:site --env dev --apply --out out
	mig verify --plan plan.ndjson --store fs:site
	mig rollback --plan plan.ndjson --store fs:site --env dev --apply
	[ -z "$(ls -A out)" ]
}

@test "CH-22 CH-47 a rollback brings every byte back, and reports as well" {
	manifests site
	before=$(tree_hash site)
	plan
	mig apply --plan plan.ndjson --store fs:site --env dev --apply > /dev/null
	[ "$before" != "$(tree_hash site)" ]
	mig rollback --plan plan.ndjson --store fs:site --env dev --apply --reason "it's 50% off; \$HOME" --out out > outcomes.ndjson
	[ "$before" = "$(tree_hash site)" ]
	jq -se '.[0].header.mode == "rollback"' out/migration_manifest_1.2.0_report.json
	fails 4 mig verify --plan plan.ndjson --store fs:site
}

@test "CH-07 --against another plan is a mismatch" {
	site && plan
	cp plan.ndjson one.ndjson
	plan --ref run-1.0.0/manifest.json
	mig apply --plan plan.ndjson --store fs:site --env dev --apply > /dev/null
	mig verify --plan plan.ndjson --store fs:site --against plan.ndjson
	fails 4 mig verify --plan plan.ndjson --store fs:site --against one.ndjson --format text
	[ "$output" = 'verify validation_failed plan_hash_mismatch' ]
}

@test "values reach the filters as they are: spaces, quotes, dollars, newlines, dashes, globs" {
	odd=$' -it\'s "$HOME" `id` $(touch pwned) * ; \\ & |'
	mkdir -p "$odd/run" && manifest 1.0.0 > "$odd/run/manifest.json"
	mkdir -- -d && cp -R "$SET" "$odd/set"
	mig plan --store "fs:$odd" --set "$odd/set" --env dev --migration "$odd" --target-version 1.2.0 \
		--tenant='--apply' --project "$odd" --plan "-d/$odd.ndjson" --ref run/manifest.json
	jq -se --arg odd "$odd" '.[0].header | .migration_id == $odd and .scope == {tenant: "--apply", project: $odd}' \
		"./-d/$odd.ndjson"
	fails 5 mig apply --plan "-d/$odd.ndjson" --store "fs:$odd" --env dev --tenant --apply --project "$odd"
	mig apply --plan="-d/$odd.ndjson" --store="fs:$odd" --env=dev --tenant=--apply --project="$odd" --apply --out -d > out.ndjson
	mig verify --plan "-d/$odd.ndjson" --store "fs:$odd"
	(cd -- -d && mig report -- ./*_report.json) > page
	[ ! -e pwned ]
}

@test "mig finds its filters through symlinks, from anywhere, under any POSIX shell" {
	site
	mkdir -p elsewhere/bin
	ln -s "$MIG_X/mig" elsewhere/bin/one
	ln -s one elsewhere/bin/two
	for shell in dash bash 'bash --posix' 'busybox sh'; do
		command -v "${shell%% *}" > /dev/null || continue
		# shellcheck disable=SC2086 # words are meant
		PATH=/usr/bin:/bin $shell "$MIG_X/mig" plan --store fs:site --set "$SET" --env dev "${to[@]}" > "${shell%% *}.out"
		cmp "${shell%% *}.out" dash.out
	done
	PATH=/usr/bin:/bin elsewhere/bin/two versions --store fs:site --set "$SET"
	cp "$MIG_X/mig" elsewhere/mig
	elsewhere/mig versions --store fs:site --set "$SET" # by PATH
	PATH=/usr/bin:/bin fails 3 elsewhere/mig versions --store fs:site --set "$SET"
}

@test "a filter that a signal ends makes mig fail, with a code of the contract" {
	site && plan
	mkdir fake
	printf '#!/bin/sh\nkill -9 $$\n' > fake/mig-verify
	chmod +x fake/mig-verify
	cp fake/mig-verify fake/mig-transform
	cp "$MIG_X/mig" fake/mig
	for f in extract plan gate apply report; do
		ln -s "$MIG_X/mig-$f" "fake/mig-$f"
	done
	fails 1 fake/mig verify --plan plan.ndjson --store fs:site
	[[ $(last) =~ ^'FAILED code=1 ' ]]
	fails 3 fake/mig apply --store fs:site --set "$SET" --env dev "${to[@]}" --apply
	[[ $(last) =~ ^'FAILED code=3 ' ]]
	[ ! -e site/.mig ]
}

@test "a signal to mig alone does not lose what its filters go on to do" {
	site && plan
	mkdir fake
	cp "$MIG_X/mig" fake/mig
	for f in extract transform plan gate verify report; do
		ln -s "$MIG_X/mig-$f" "fake/mig-$f"
	done
	printf '#!/bin/sh\n: > started\nsleep 0.5\nexec %s/mig-apply "$@"\n' "$MIG_X" > fake/mig-apply
	chmod +x fake/mig-apply
	fake/mig apply --plan plan.ndjson --store fs:site --env dev --apply --out out > outcomes.ndjson 2> said 3>&- &
	pid=$!
	for _ in $(seq 50); do
		[ ! -e started ] || break
		sleep 0.1
	done
	kill -TERM "$pid"
	wait "$pid"
	cmp outcomes.ndjson out/migration_manifest_1.2.0_report.json
	grep -q '^OK code=0 ' said
}

@test "the store's URI may come from the environment, its password stays out of what is said" {
	site
	MIG_STORE=fs:site mig plan --set "$SET" --env dev "${to[@]}" --plan plan.ndjson
	DATABASE_URL=fs:site mig apply --plan plan.ndjson --env dev --apply > /dev/null
	MIG_STORE=fs:absent mig verify --plan plan.ndjson --store fs:site
	run ! grep -q "$PWD" plan.ndjson
}

@test "a set whose set.json is a fifo is refused and not waited for" {
	site && mkdir set && mkfifo set/set.json
	fails 3 timeout 20 mig plan --store fs:site --set set --env dev "${to[@]}"
	[[ $stderr == *'mig-extract: set/set.json: not a regular file'* ]]
	fails 3 timeout 20 mig apply --store fs:site --set set --env dev "${to[@]}" --apply
}

@test "a plan made in one command has the same bytes as one made in a pipeline" {
	manifests site
	plan
	plan_manifests site > piped.ndjson
	cmp plan.ndjson piped.ndjson
}
