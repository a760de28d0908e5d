#!/usr/bin/env bats
# mig-gate: what may run, and what may not.

load helper
load store

# planned_for ENV [PLAN FLAG..]
planned_for() {
	local env=$1
	shift
	changes site | mig-plan --env "$env" --migration manifest --target-version 1.2.0 "$@" > plan
}

# refused CODE RULE [GATE FLAG..]: the gate refuses the file plan by RULE, says so twice, and lets nothing out.
refused() {
	local code=$1 rule=$2
	shift 2
	fails "$code" mig-gate "$@" < plan
	faulted "$code" "$rule"
	refute_line --partial '"kind":"permit"'
	[[ $stderr == mig-gate:* ]] || fail "stderr: $stderr"
}

@test "CH-08 a plan without --apply is refused by apply_flag, with a hint" {
	site && planned
	refused 5 apply_flag --env dev
	[[ $stderr == *'apply mode requires --apply'* ]]
	hinted
}

@test "CH-09 prod without a ticket or with a blank one is refused by prod_ticket, with a hint" {
	site && planned_for prod
	refused 5 prod_ticket --env prod --apply
	hinted
	refused 5 apply_flag --env prod
	[[ $stderr == *'hint: give mig-gate, or mig, --apply --prod-override TICKET (--dry-run only looks)' ]]
	refused 5 prod_ticket --env prod --apply --prod-override ''
	refused 5 prod_ticket --env prod --apply --prod-override '  '
	refused 5 prod_ticket --env prod --apply --prod-override=
}

@test "CH-09 no variable of the environment stands in for a safety flag" {
	site && planned_for prod
	export APPLY=1 MIG_APPLY=1 MIG_PROD_OVERRIDE=T-1 PROD_OVERRIDE=T-1 MIG_ALLOW_DESTRUCTIVE=1
	refused 5 apply_flag --env prod
	refused 5 prod_ticket --env prod --apply
}

@test "CH-10 CH-46 prod with a ticket gets a grant that carries ticket, actor, env and scope" {
	site && planned_for prod --tenant acme --project p1
	mig-gate --env prod --apply --prod-override T-1 --tenant acme --project p1 < plan > permits
	holds '.[0].grant | .ticket == "T-1" and .actor == "tester" and .env == "prod" and .apply and (.dry_run | not)
		and .scope == {tenant: "acme", project: "p1"} and .issued_at == "2025-01-01T00:00:00Z"' permits
	holds '.[0].grant.rules | sort == (["plan_hash", "rollback_complete", "env_match", "scope_match", "apply_flag",
		"prod_ticket", "destructive_flag", "irreversible_flag", "breaking_change", "version_bump", "review_approval",
		"backup_first", "critical_delta", "phase_order"] | sort)' permits
}

@test "CH-11 dev and staging need no ticket" {
	site
	for env in dev staging; do
		planned_for $env
		mig-gate --env $env --apply < plan > permits
		holds 'map(.kind) == ["permit", "end"] and (.[0].grant | has("ticket") | not)' permits
	done
}

@test "CH-59 another env than the plan's is refused with 4 by env_match, with a hint" {
	site && planned
	refused 4 env_match --env staging --apply
	hinted
	refused 4 env_match --env prod --apply --prod-override T-1
	planned_for prod
	refused 4 env_match --env dev --apply
	refused 4 env_match --env dev --dry-run
}

@test "CH-59 another scope than the plan's, given or not given, is refused with 4 by scope_match" {
	site && planned --tenant a
	refused 4 scope_match --env dev --apply
	hinted
	refused 4 scope_match --env dev --apply --tenant b
	[[ $stderr == *'scope mismatch: the plan was made for tenant a, this run is for tenant b'* ]]
	refused 4 scope_match --env dev --apply --tenant a --project p
	refused 4 scope_match --env dev --apply --project a
	refused 4 scope_match --env dev --dry-run --tenant A
	mig-gate --env dev --apply --tenant a < plan > permits
	planned --project p
	refused 4 scope_match --env dev --apply --tenant p
	planned
	refused 4 scope_match --env dev --apply --tenant a
}

@test "CH-32 a cleanup step is refused by destructive_flag unless --allow-destructive" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	set_of own '. + {b: 2}' '{type: "cleanup"}'
	planned_by own
	refused 5 destructive_flag --env dev --apply
	hinted
	mig-gate --env dev --apply --allow-destructive < plan > permits
	holds '.[0].grant.allow_destructive' permits
}

@test "CH-32 a step that removes a member is refused by destructive_flag unless --allow-destructive" {
	mkdir -p site && printf '{"a": 1, "b": {"c": 2}}\n' > site/a.json
	set_of own 'del(.b.c)'
	planned_by own
	refused 5 destructive_flag --env dev --apply
	[[ $stderr == *'a.json: the step removes data'* ]]
	mig-gate --env dev --dry-run < plan > permits
	mig-gate --env dev --apply --allow-destructive < plan > permits
}

@test "CH-32 many steps that remove data are told in one line that counts them" {
	mkdir -p site
	for i in 1 2 3; do printf '{"b": %d}\n' $i > site/$i.json; done
	set_of own 'del(.b)'
	planned_by own
	refused 5 destructive_flag --env dev --apply
	[[ $stderr == *'1.json: the step removes data (and 2 more)'* ]]
}

@test "CH-32 a step that cannot be undone is refused by irreversible_flag unless --allow-destructive" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	set_of own '. + {b: 2}' '{data_safety: {reversible: false, note: "never"}}'
	planned_by own
	refused 5 irreversible_flag --env dev --apply
	hinted
	mig-gate --env dev --apply --allow-destructive < plan > permits
}

@test "CH-08 CH-09 the first rule that failed is the fault, and every rule that failed is named" {
	site && planned_for prod --tenant a
	refused 4 env_match --env staging
	[[ $stderr == *'scope mismatch'* ]]
	[[ $stderr == *'apply mode requires --apply'* ]]
}

@test "CH-08 a refusal of the last plan leaves no permit for the first" {
	mkdir -p site
	printf '{"a": 1}\n' > site/a.json
	printf '{"a": 1, "b": 2}\n' > site/b.json
	set_of own 'if .b then del(.b) else . + {c: 1} end'
	planned_by own --batch 1
	[ "$(grep -c '"kind":"plan"' plan)" -eq 2 ]
	refused 5 destructive_flag --env dev --apply
	grep -v '"index":2,"of"' plan | head -n 1 > first
	# the first alone would have passed
	sealed < first > plan
	mig-gate --env dev --apply < plan > permits
}

@test "CH-43 --dry-run alone is enough for a permit that only shows" {
	site && planned_for prod
	mig-gate --env prod --dry-run < plan > permits
	holds '.[0].grant | .dry_run and (.apply | not)' permits
	mig-gate --env prod --dry-run --apply < plan > permits
	holds '.[0].grant | .dry_run and .apply' permits
}

@test "CH-06 one byte of a plan changed is refused with both hashes" {
	site && planned
	sed -i 's/manifest 1.0.0 to 1.2.0/manifest 1.0.0 to 1.2.O/' plan
	refused 4 plan_hash_integrity_failed --env dev --apply
	[[ $stderr =~ expected_hash\ [0-9a-f]{64},\ actual_hash\ [0-9a-f]{64} ]]
}

# variants: the one plan of the file plan with each of its members changed in turn, one a line; and the paths.
variants() {
	# shellcheck disable=SC2016 # $p is jq's
	local each='select(.kind == "plan") | . as $plan | [paths(type != "object" and type != "array")][] as $p
		| select($p[0] != "plan_hash")'
	jq -c "$each"' | $plan | setpath($p; getpath($p) | if type == "string" then . + "x" elif type == "number" then . + 1
		elif type == "boolean" then not else "x" end)' plan > changed
	jq -r "$each"' | $p | map(tostring) | join("/")' plan > paths
}

@test "CH-06 whichever member of a plan is changed, the gate refuses it" {
	one && planned && variants
	[ "$(wc -l < paths)" -gt 60 ]
	end=$(tail -n 1 plan)
	while read -r -u 3 line && read -r -u 4 path; do
		printf '%s\n%s\n' "$line" "$end" > edited
		rc=0
		mig-gate --env dev --apply < edited > out 2> err || rc=$?
		# the kind says what the record is
		if [ "$path" = kind ]; then
			[ $rc -eq 2 ] || fail "$path: exit $rc"
		else
			[ $rc -eq 4 ] || fail "$path: exit $rc: $(cat err)"
			grep -q '"code":"plan_hash_integrity_failed"' out || fail "$path: $(cat out)"
		fi
		[ "$(grep -c '"kind":"permit"' out)" -eq 0 ] || fail "$path: a permit"
	done 3< changed 4< paths
}

@test "CH-06 a changed plan with its hashes made true again is refused wherever it contradicts itself" {
	one && planned && variants
	mig-hash --canonical --without /plan_hash < changed > canonical
	: > passed
	while read -r -u 3 line && read -r -u 4 path; do
		sealed_line "$line" > edited
		rc=0
		mig-gate --env dev --apply < edited > out 2> err || rc=$?
		case $rc in
		0) echo "$path" >> passed ;;
		2 | 4) ;;
		5) [[ $path = */reversible ]] || fail "$path: exit 5" ;;
		*) fail "$path: exit $rc: $(cat err)" ;;
		esac
		[ $rc -eq 0 ] || [ "$(grep -c '"kind":"permit"' out)" -eq 0 ] || fail "$path: a permit"
	done 3< canonical 4< paths
	# what is left are names and notes for people, and the patch, which the postcondition checks at apply
	grep -vE -e '^(header/(tool_version|target_version|set/(id|hash)|part/of))$|/(description|note)$|/changes/' \
		-e '^rollback/0/undo/|^steps/0/actions/1/patch/' < passed > others || true
	[ ! -s others ] || fail "passed: $(cat others)"
}

@test "CH-06 the hash of a plan replaced by another is refused" {
	site && planned
	hash=$(jq -r 'select(.plan_hash).plan_hash' plan)
	sed "s/$hash/$(printf '%064d' 7)/" plan > edited && mv edited plan
	refused 4 plan_hash_integrity_failed --env dev --apply
}

# forged JQ: the file plan changed by JQ, hashes and end made true again.
forged() {
	jq -c "select(.kind == \"plan\") | $1" original | sealed > plan
}

@test "CH-06 forged plans are refused: order, counts, keys, and a rollback that is not the inverse" {
	site && planned && cp plan original
	forged .
	mig-gate --env dev --apply < plan > /dev/null
	forged '.steps |= reverse'
	refused 4 bad_plan --env dev --apply
	forged '.steps |= reverse | .steps[0].index = 1 | .steps[1].index = 2'
	refused 4 bad_plan --env dev --apply
	forged '.rollback |= reverse | .rollback[0].index = 1 | .rollback[1].index = 2'
	refused 4 rollback_incomplete --env dev --apply
	forged '.rollback = []'
	refused 4 rollback_incomplete --env dev --apply
	forged '.rollback |= .[:1]'
	refused 4 rollback_incomplete --env dev --apply
	forged '.steps |= .[:1]'
	refused 4 rollback_incomplete --env dev --apply
	forged '.steps = [] | .rollback = []'
	refused 4 bad_plan --env dev --apply
	forged '.steps[1] = (.steps[0] | .index = 2)'
	refused 4 bad_plan --env dev --apply
	forged '.steps[0].idempotency_key = .steps[1].idempotency_key'
	refused 4 idempotency_key --env dev --apply
	forged '.rollback[0].idempotency_key = .rollback[1].idempotency_key'
	refused 4 idempotency_key --env dev --apply
	forged '.header.env = "staging"'
	refused 4 idempotency_key --env staging --apply
	forged '.header.scope.tenant = "b"'
	refused 4 idempotency_key --env dev --apply --tenant b
	forged '.header.migration_id = "other"'
	refused 4 idempotency_key --env dev --apply
	forged '.header.snapshot.changes += 1'
	refused 4 conservation --env dev --apply
	forged '.header.snapshot.rejects += 1'
	refused 4 conservation --env dev --apply
	forged '.header.part.index = 2'
	refused 4 conservation --env dev --apply
	forged '.header.part.index = 0'
	refused 4 conservation --env dev --apply
	forged '.steps[0].index = 0'
	refused 4 bad_plan --env dev --apply
	forged '(.rollback[1] | .postconditions[0].raw, .actions[0].raw) = "'"$(printf '%064d' 3)"'"'
	refused 4 rollback_incomplete --env dev --apply
	forged '.rollback[1].preconditions[0].hash = "'"$(printf '%064d' 3)"'"'
	refused 4 rollback_incomplete --env dev --apply
	forged '.rollback[1].previous_version = "1.1.0"'
	refused 4 bad_plan --env dev --apply
	forged '.steps[0].actions[2].entry.checksum_after = "sha256:'"$(printf '%064d' 3)"'"'
	refused 4 bad_plan --env dev --apply
	forged '.steps[0].actions[2].entry.to_version = "1.1.0"'
	refused 4 bad_plan --env dev --apply
	forged '.steps[0].actions[2].entry.from_version = "0.9.0"'
	refused 4 bad_plan --env dev --apply
	forged '.steps[0].type = "other"'
	refused 4 step_type --env dev --apply
	forged '.rollback[1].type = "data"'
	refused 4 rollback_incomplete --env dev --apply
}

@test "CH-40 unknown, missing, mistyped and doubled members of a plan are usage errors" {
	site && planned && cp plan original
	forged '.extra = 1'
	refused 2 bad_record --env dev --apply
	forged '.header.extra = 1'
	refused 2 bad_record --env dev --apply
	forged '.header.snapshot.extra = 1'
	refused 2 bad_record --env dev --apply
	forged '.steps[0].extra = 1'
	refused 2 bad_record --env dev --apply
	forged '.steps[0].actions[0].extra = 1'
	refused 2 bad_record --env dev --apply
	forged '.steps[0].postconditions[0].extra = 1'
	refused 2 bad_record --env dev --apply
	forged 'del(.header.env)'
	refused 2 bad_record --env dev --apply
	forged 'del(.steps[1].type)'
	refused 2 bad_record --env dev --apply
	forged '.steps[0].index = "1"'
	refused 2 bad_record --env dev --apply
	forged '.steps = {}'
	refused 2 bad_record --env dev --apply
	forged '.header.mode = "sideways"'
	refused 2 bad_plan --env dev --apply
	forged '.header.format = 2'
	refused 2 bad_plan --env dev --apply
	forged '.header.env = "qa"'
	refused 2 bad_plan --env dev --apply
	sed '1s/^{/{"kind":"plan",/' original > plan
	refused 2 not_json --env dev --apply
	sed '1s/$/ {}/' original > plan
	refused 2 not_json --env dev --apply
}

@test "CH-30 a step type outside the six is refused, also in the rollback" {
	site && planned && cp plan original
	for type in table '' Schema 'schema '; do
		forged ".steps[0].type = \"$type\""
	refused 4 step_type --env dev --apply
	done
	forged '.rollback[0].type = "drop"'
	refused 4 step_type --env dev --apply
}

@test "CH-39 what is not JSON, or of a kind that the gate does not know, is a usage error" {
	site && planned
	fails 2 mig-gate --env dev --apply <<< 'hello'
	faulted 2 not_json
	fails 2 mig-gate --env dev --apply < <(printf '{"kind":"mystery"}\n' && cat plan)
	faulted 2 unexpected_kind
	fails 2 mig-gate --env dev --apply < <(printf '[]\n')
	fails 2 mig-gate --env dev --apply < <(printf '{"kin":"plan"}\n')
	fails 2 mig-gate --env dev --apply < <(changes site)
	faulted 2 unexpected_kind
	mig-gate --env dev --apply < plan > permits
	fails 2 mig-gate --env dev --apply < permits
}

@test "CH-06 plans missing, doubled or reordered in the stream are noticed at its end" {
	site && planned --batch 1
	sed 1d plan > edited
	fails 4 mig-gate --env dev --apply < edited
	faulted 4 stream_incomplete
	fails 4 mig-gate --env dev --apply < <(sed '1{h;d};2{G}' plan)
	refute_line --partial '"kind":"permit"'
	fails 4 mig-gate --env dev --apply < <(sed 1p plan)
	refute_line --partial '"kind":"permit"'
	fails 4 mig-gate --env dev --apply < <(cat plan plan)
	faulted 4 after_end
}

@test "CH-06 a stream of plans cut at any byte gets no permit" {
	one && planned
	size=$(stat -c %s plan)
	for ((n = 0; n < size; n += n < size - 120 ? 211 : 1)); do
		rc=0
		head -c $n plan | mig-gate --env dev --apply > out 2> err || rc=$?
		[ $rc -eq 3 ] || fail "cut at $n: exit $rc: $(cat err)"
		[ "$(grep -c '"kind":"permit"' out)" -eq 0 ] || fail "cut at $n: a permit"
	done
}

@test "a rollback plan is gated like any other, and its rollback is refused" {
	migrated
	mig-plan --rollback --reason 'went wrong' < plan > back
	mv back plan
	refused 5 apply_flag --env dev
	refused 4 env_match --env prod --apply --prod-override T-1
	mig-gate --env dev --apply < plan > permits
	fails 4 mig-plan --rollback < plan
	refute_line --partial '"kind":"plan"'
}

@test "SG-34 rejects and faults pass the gate, and a fault leaves no permit" {
	manifests site && troubled site
	plan_manifests site --max-rejects 99 > plan
	mig-gate --env dev --apply < plan > permits
	[ "$(grep -c '"kind":"reject"' plan)" -gt 0 ]
	cmp <(grep '"kind":"reject"' plan) <(grep '"kind":"reject"' permits)
	fails 4 plan_manifests site
	fails 4 mig-gate --env dev --apply <<< "$output"
	refute_line --partial '"kind":"permit"'
	assert_line --partial '"kind":"fault"'
}

@test "every permit of a stream speaks of that stream, and no two grants share a nonce" {
	manifests site && planned --batch 50
	permitted
	holds '([.[] | select(.kind == "permit") | .grant.digest] | unique) == [last.digest] and last.records == 3' permits
	cp permits first && permitted
	[ "$(jq -r 'select(.grant).grant.nonce' first permits | sort -u | wc -l)" -eq 2 ]
}

@test "CH-53 ids and tickets that could break a line or a page are usage errors" {
	site && planned
	fails 2 mig-gate --env dev --apply --tenant '' < plan
	fails 2 mig-gate --env dev --apply --tenant $'a\nb' < plan
	fails 2 mig-gate --env dev --apply --prod-override $'T\t1' < plan
	fails 2 mig-gate --env dev --apply --project $'\xff' < plan
	fails 2 mig-gate --env dev --apply --now yesterday < plan
	MIG_ACTOR=$'a\nb' fails 2 mig-gate --env dev --apply < plan
	stdout_empty
}
