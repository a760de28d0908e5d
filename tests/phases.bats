#!/usr/bin/env bats
# A migration without downtime: phases in order, each behind the proof that those before it are done.

load helper

setup() {
	mig_setup
	cp "$SAMPLES/contacts/phases.json" .
	sqlite3 app.db < "$SAMPLES/contacts/rows.sql"
}

ask() { sqlite3 app.db "$1"; }

# hops VERSION [PLAN FLAG..]: the plans that lead there, of no phase.
hops() {
	local to=$1
	shift
	mig-extract --store sqlite:app.db --schema |
		mig-plan --set "$SETS/contacts" --env dev --migration contacts --target-version "$to" "$@"
}

# phase ID VERSION: the same as a phase, in the file plan.
phase() {
	hops "$2" | mig-plan --phases phases.json --phase "$1" > plan
}

# listed ID [ENV]: phases.json lists the file plan there.
listed() {
	jq -c 'select(.kind == "plan").plan_hash' plan |
		jq -s --arg id "$1" --arg env "${2-dev}" --slurpfile x phases.json \
			'. as $h | $x[0] | (.phases[] | select(.id == $id).plans[$env]) += $h' > listed.json
	mv listed.json phases.json
}

# gated [FLAG..]: permits for the file plan, with all that is proven so far.
gated() {
	local f more=()
	for f in proven/*; do [ ! -f "$f" ] || more+=(--evidence "$f"); done
	for f in confirmed/*; do [ ! -f "$f" ] || more+=(--confirmed "$f" --trust boss.pub); done
	mig-gate --env dev --apply --phases phases.json "${more[@]}" "$@" < plan > permits
}

applied() { mig-apply --store sqlite:app.db < permits > outcomes; }

# proven ID: what mig-verify says of the file plan, for later phases.
proven() {
	mkdir -p proven && mig-verify --store sqlite:app.db < plan > "proven/$1"
}

# done_by ID VERSION [GATE FLAG..]: a whole phase.
done_by() {
	local id=$1 to=$2
	shift 2
	phase "$id" "$to" && listed "$id" && gated "$@" && applied && proven "$id"
	mkdir -p made && cp plan "made/$id"
}

strategy() { jq -r 'select(.kind == "plan").header.phase.strategy' plan; }

# digest_of ID: what a confirmation of this phase speaks of.
digest_of() {
	printf '["phase","%s","%s"]' "$(strategy)" "$1" | sha256sum | cut -c 1-64
}

# confirmed ID: boss says that it is done.
confirmed() {
	if [ ! -f boss.pem ]; then
		openssl genpkey -algorithm ed25519 -out boss.pem 2> /dev/null
		openssl pkey -in boss.pem -pubout -out boss.pub
	fi
	mkdir -p confirmed
	mig-approve --digest "$(digest_of "$1")" --env dev --approver boss --ticket CHG-1 --expires-at 2025-06-01T00:00:00Z \
		--key boss.pem > "confirmed/$1"
}

# refused CODE RULE COMMAND..: with exactly that, and no permit.
refused() {
	local code=$1 rule=$2
	shift 2
	fails "$code" "$@"
	[ -z "$output" ] || printf '%s\n' "$output" > permits
	jq -se --arg r "$rule" 'map(select(.kind == "fault").code) == [$r] and all(.[]; .kind != "permit")' "${made-permits}" ||
		fail "$(cat "${made-permits}"; echo "$stderr")"
}

@test "EK-63 a migration goes through its seven phases while the application writes, and no row is lost" {
	done_by expand 1.0.0
	cp phases.json kept
	refused 5 phase_order phase_then_gate backfill 1.1.0
	cp kept phases.json && confirmed dual-write
	# a writer of both, between the phases
	ask "INSERT INTO contacts VALUES (4, 'Di', 'Di@Example.org', 'di@example.org')"
	done_by backfill 1.1.0 2> /dev/null
	[ "$(ask 'SELECT group_concat(email) FROM contacts')" = 'ada@example.org,bo@example.org,di@example.org' ]
	done_by compare 1.2.0
	confirmed read-email && confirmed cutover
	# evidence is best made anew: what was undone since is found
	for id in expand backfill compare; do
		mig-verify --store sqlite:app.db < "made/$id" > "proven/$id"
	done
	done_by contract 2.0.0 --allow-destructive 2> /dev/null
	[ "$(ask "SELECT group_concat(name) FROM pragma_table_info('contacts')")" = id,name,email ]
	[ "$(ask 'SELECT count(*) FROM contacts')" = 4 ]
	jq -se '.[0].grant.phase | .id == "contract"
		and .verified == ["expand", "dual-write", "backfill", "compare", "read-email", "cutover"]' permits
}

# phase_then_gate ID VERSION [GATE FLAG..]: planned, listed, judged.
phase_then_gate() {
	local id=$1 to=$2
	shift 2
	phase "$id" "$to" && listed "$id" && gated "$@"
}

@test "EK-63 contract is refused while any earlier phase is not done, whatever flags, tickets and approvals there are" {
	local missing
	done_by expand 1.0.0 && confirmed dual-write && done_by backfill 1.1.0 2> /dev/null && done_by compare 1.2.0
	confirmed read-email && confirmed cutover
	phase contract 2.0.0 && listed contract
	mig-approve --digest "$(jq -r 'select(.kind == "end").digest' plan)" --env dev --approver boss --ticket CHG-1 \
		--expires-at 2025-06-01T00:00:00Z --key boss.pem > approval
	gated --allow-destructive
	for missing in proven/expand proven/backfill proven/compare confirmed/dual-write confirmed/read-email confirmed/cutover; do
		mv "$missing" aside
		refused 5 phase_order gated --allow-destructive --prod-override CHG-1 --approval approval --trust boss.pub --allow data_dependent=x
		[[ $stderr == *"${missing#*/}: not done, and it comes before contract"* ]]
		mv aside "$missing"
	done
	gated --allow-destructive
}

@test "EK-63 a plan that removes outside of the contract phase is refused when it becomes a phase" {
	local id
	for id in expand backfill compare; do
		made=plan refused 4 phase_destroys phase "$id" 2.0.0
	done
	made=plan refused 4 no_phase phase nowhere 1.0.0
	made=plan refused 4 no_phase phase cutover 1.0.0
	phase contract 2.0.0
}

@test "EK-63 a plan of a phase is never permitted without its phases, nor applied without the gate's word" {
	phase expand 1.0.0 && listed expand
	refused 5 phase_order mig-gate --env dev --apply < plan
	gated
	applied_edited() {
		jq -c "if .kind == \"permit\" then $1 else . end" permits > edited
		fails 5 mig-apply --store sqlite:app.db < edited
		jq -se 'map(select(.kind == "fault").code) == ["phase_order"]' <<< "$output"
	}
	applied_edited 'del(.grant.phase)'
	applied_edited '.grant.phase.id = "contract"'
	applied_edited '.grant.phase.strategy = (.grant.digest)'
	[ "$(ask "SELECT count(*) FROM pragma_table_info('contacts')")" = 3 ]
	mig-gate --env dev --dry-run < plan | mig-apply --store sqlite:app.db | jq -se '.[0].dry_run'
	applied
	# the way back is no phase, and is open at any time
	mig-extract --store sqlite:app.db --applied --last | mig-plan --rollback > plan
	jq -se '.[0].header | has("phase") | not' plan
	gated --allow-destructive && applied
	[ "$(ask "SELECT count(*) FROM pragma_table_info('contacts')")" = 3 ]
}

@test "EK-63 only mig-verify's word on the listed plan counts as evidence" {
	phase expand 1.0.0 && listed expand && gated
	mkdir proven
	mig-verify --store sqlite:app.db --rehearse < plan > proven/expand
	cp plan first
	applied
	phase backfill 1.1.0 && listed backfill
	confirmed dual-write
	refused 5 phase_order gated 2> /dev/null
	[[ $stderr == *'expand: not done'*'no verdict'* ]]
	mig-verify --store sqlite:app.db < first > proven/expand
	gated 2> /dev/null
	# one that says otherwise outweighs any number of others
	jq -c 'if .kind == "verdict" then .ok = false | .code = "validation_failed" else . end' proven/expand > proven/later
	refused 5 phase_order gated
	[[ $stderr == *'did not find the plan'* ]]
	rm proven/later
	sed '$d' proven/expand > proven/torn
	fails 3 gated
	rm proven/torn
	cat proven/expand proven/expand > proven/doubled
	fails 4 gated
	rm proven/doubled
	fails 3 gated --evidence nowhere
	# what is wrong with it is told of the file, not of stdin
	fails 4 gated --evidence plan
	[[ $stderr == *'mig-gate: plan: line 1: plan: not what mig-verify writes'* ]]
	head -n 1 proven/expand > cut.ndjson
	fails 3 gated --evidence cut.ndjson
	[[ $stderr == *'mig-gate: cut.ndjson: the stream stops without its end'* ]]
	fails 2 mig-gate --env dev --apply --evidence proven/expand < plan
}

@test "EK-63 a phase without listed plans, or with one that is not verified, is not done" {
	done_by expand 1.0.0 && confirmed dual-write
	phase compare 1.2.0 && cp phases.json kept && listed compare
	refused 5 phase_order gated 2> /dev/null
	[[ $stderr == *'backfill: not done, and it comes before compare: no plan of it is listed'* ]]
	cp kept phases.json && done_by backfill 1.1.0 2> /dev/null
	phase compare 1.2.0 && listed compare && gated
	jq '(.phases[] | select(.id == "backfill").plans.dev) += [("a" * 64)]' phases.json > longer && mv longer phases.json
	refused 5 phase_order gated
	[[ $stderr == *'backfill: not done, and it comes before compare: there is no verdict on the plan aaaaaaaaaaaa'* ]]
}

@test "EK-63 a plan that the file does not list, of another strategy or beside one of another phase is refused" {
	phase expand 1.0.0
	refused 5 phase_unlisted gated
	cp phases.json kept
	listed expand staging
	refused 5 phase_unlisted gated
	cp kept phases.json
	listed expand && gated && cp phases.json kept
	jq '.phases[0].description += "!"' phases.json > other && mv other phases.json
	refused 4 phase_strategy gated
	cp kept phases.json
	hops 1.0.0 > plan
	refused 5 phase_order gated
	[[ $stderr == *'the plan names no phase'* ]]
	# two phases in one stream
	phase expand 1.0.0 && cp plan a && phase backfill 1.1.0
	{ head -n 1 a && head -n 1 plan; } > both
	printf '{"digest":"%s","kind":"end","records":2,"tool":"mig-plan"}\n' "$(jq -r .plan_hash both | sha256sum | cut -c 1-64)" >> both
	cp both plan
	fails 4 gated
	[[ $stderr == *'plans of two phases in one stream: expand and backfill'* ]]
}

@test "EK-63 a confirmation counts only for its phase, environment and time, and signed by a key that is trusted" {
	done_by expand 1.0.0
	phase backfill 1.1.0 2> /dev/null && listed backfill
	confirmed dual-write && gated 2> /dev/null
	signed() { # PHASE ENV DATE KEY
		mig-approve --digest "$(digest_of "$1")" --env "$2" --approver boss --ticket CHG-1 --expires-at "$3T00:00:00Z" \
			--key "$4" > confirmed/dual-write
	}
	signed dual-write dev 2024-12-31 boss.pem
	refused 5 approval_expired gated
	signed dual-write staging 2025-06-01 boss.pem
	refused 5 approval_env gated
	signed expand dev 2025-06-01 boss.pem
	refused 5 approval_digest gated
	openssl genpkey -algorithm ed25519 -out other.pem 2> /dev/null
	signed dual-write dev 2025-06-01 other.pem
	refused 5 approval_signature gated
	rm confirmed/dual-write
	refused 5 phase_order gated
	[[ $stderr == *"mig approve --digest $(digest_of dual-write) --env dev"* ]]
	fails 2 mig-gate --env dev --apply --phases phases.json --confirmed x < plan
}

@test "EK-63 a file of phases is refused unless its phases are of known kinds, in order, each once" {
	local edit
	for edit in 'del(.kind)' '.kind = "phase"' '.extra = 1' '.id = "Contacts"' '.phases = []' '.phases |= .[:1]' '.phases |= .[1:]' \
		'.phases |= reverse' '.phases[2].kind = "copy"' '.phases[2].kind = "expand"' '.phases[3].kind = "backfill"' \
		'.phases[1].id = "expand"' '.phases[0].confirm = "x"' 'del(.phases[0].plans)' '.phases[1].confirm = ""' \
		'.phases[0].plans = {"qa": []}' '.phases[0].plans = {"dev": ["x"]}' '.phases[0].plans.dev = [1]' '.phases[0].more = 1' \
		'del(.phases[0].description)' 'del(.phases[3])' 'del(.phases[5])' \
		'.phases[0].plans.dev = [("a" * 64)] | .phases[2].plans.dev = [("a" * 64)]' '.phases[0].plans = {dev: [("a" * 64)], prod: [("a" * 64)]}'; do
		jq "$edit" "$SAMPLES/contacts/phases.json" > phases.json
		made=plan refused 4 bad_phases phase expand 1.0.0
	done
	echo '{' > phases.json
	made=plan refused 4 bad_json phase expand 1.0.0
	rm phases.json
	made=plan refused 3 missing_phases phase expand 1.0.0
	# one without a contract may be shorter
	jq '.phases |= .[:2]' "$SAMPLES/contacts/phases.json" > phases.json
	phase expand 1.0.0
}

@test "a plan that becomes a phase differs in its header and hash alone, and the strategy does not hang on what is listed" {
	hops 1.0.0 > bare
	mig-plan --phases phases.json --phase expand < bare > plan
	mig-hash --check plan
	jq -c 'select(.kind == "plan") | del(.plan_hash, .header.phase)' plan | cmp - <(jq -c 'select(.kind == "plan") | del(.plan_hash)' bare)
	jq -se '.[0].header.phase | .id == "expand" and .index == 1 and .of == 7 and .kind == "expand"' plan
	before=$(strategy)
	cp plan first
	listed expand && phase expand 1.0.0
	[ "$before" = "$(strategy)" ]
	cmp plan first
	jq '.phases |= map(to_entries | reverse | from_entries)' phases.json > other && mv other phases.json
	phase expand 1.0.0 && cmp plan first
	mig-report --format text < plan | grep -qx '  phase     1 of 7, expand: expand'
}

@test "a stream that is not whole, of phases or of a way back does not become a phase" {
	hops 1.0.0 > bare
	stamped() { mig-plan --phases phases.json --phase expand < "$1" > plan; }
	sed '$d' bare > torn
	fails 3 stamped torn
	sed '1s/email/gmail/' bare > edited
	fails 4 stamped edited
	stamped bare
	made=plan
	cp plan again
	refused 4 phase_again stamped again
	mig-plan --rollback < bare > back
	refused 4 phase_rollback stamped back
	hops 9.9.9 > faulty 2> /dev/null || :
	fails 4 stamped faulty
	fails 2 mig-plan --phases phases.json
	fails 2 mig-plan --phase expand
	fails 2 mig-plan --phases phases.json --phase expand --env dev
	fails 2 mig-plan --rollback --phases phases.json --phase expand
}

@test "EK-63 the phases-required policy lets nothing be cleaned up in prod but by a phase" {
	local policy=$MIG_ROOT/policies/phases-required.jq
	hops 2.0.0 > bare
	gate() { mig-gate --env "$1" --apply --prod-override CHG-1 --allow-destructive --policy "$policy" < plan > permits; }
	cp bare plan && gate dev 2> /dev/null
	mig-extract --store sqlite:app.db --schema |
		mig-plan --set "$SETS/contacts" --env prod --migration contacts --target-version 2.0.0 > plan
	fails 5 gate prod
	grep -q '"code":"phases_required"' permits
	[[ $stderr == *'up:sql@1.2.0..2.0.0'* ]]
	jq -c 'select(.header.target_version == "1.0.0")' plan > safe
	printf '{"digest":"%s","kind":"end","records":1,"tool":"mig-plan"}\n' "$(jq -r .plan_hash safe | sha256sum | cut -c 1-64)" >> safe
	cp safe plan && gate prod
}
