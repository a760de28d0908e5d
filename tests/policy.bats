#!/usr/bin/env bats
# shellcheck disable=SC2086,SC2094,SC2238 # words on purpose; files named like commands
# mig-gate --policy: the rules of a site; and the rules about contracts that are built in.

load helper
load store

POLICIES=$MIG_ROOT/policies

# planned_for ENV [PLAN FLAG..]
planned_for() {
	local env=$1
	shift
	changes site | mig-plan --env "$env" --migration manifest --target-version 1.2.0 "$@" > plan
}

# gate [FLAG..]: mig-gate on the file plan, which may not be refused; leaves permits and said.
gate() {
	mig-gate --apply "$@" < plan > permits 2> said || fail "refused: $(cat said)"
}

# refused CODE RULE [FLAG..]: the file plan is refused by RULE, with no permit.
refused() {
	local code=$1 rule=$2
	shift 2
	fails "$code" mig-gate --apply "$@" < plan
	faulted "$code" "$rule"
	refute_line --partial '"kind":"permit"'
}

# verdict SEVERITY: a policy that says just that.
verdict() {
	printf '{rule_id: "house_rule", severity: "%s", message: "the house says so"}\n' "$1" > house.jq
}

@test "a policy's deny is refused with 5 under its own rule id, naming the file" {
	site && planned && verdict deny
	refused 5 house_rule --env dev --policy house.jq
	[[ $stderr == *'mig-gate: house.jq: the house says so'* ]]
	# also for those who only look: what is forbidden is forbidden
	fails 5 mig-gate --env dev --dry-run --policy house.jq < plan
}

@test "a policy's warn is a warning, and the permit is written" {
	site && planned && verdict warn
	gate --env dev --policy house.jq
	grep -q '^mig-gate: house.jq: warning: the house says so$' said
	holds 'map(.kind) == ["permit", "end"]' permits
}

@test "EK-18 a policy's review warns in dev and needs an approval in prod" {
	site && planned && verdict review
	gate --env dev --policy house.jq
	grep -q '^mig-gate: house.jq: warning: review: the house says so$' said
	planned_for prod
	refused 5 review_approval --env prod --prod-override T-1 --policy house.jq
	[[ $stderr == *'1 approval is needed, 0 given'* ]]
	hinted
	[[ $stderr == *"mig approve --digest $(jq -r 'select(.kind == "end").digest' plan) --env prod"* ]]
	# a dry run needs none
	mig-gate --env prod --dry-run --policy house.jq < plan > permits
}

@test "EK-18 --approvals asks for approvals of what is in review in every env, and of nothing else" {
	site && planned && verdict review
	refused 5 review_approval --env dev --approvals 2 --policy house.jq
	[[ $stderr == *'2 approvals are needed, 0 given'* ]]
	verdict warn
	gate --env dev --approvals 2 --policy house.jq
}

@test "a policy that yields nothing lets the plan pass, and its hash is in the grant" {
	site && planned
	echo empty > none.jq
	verdict warn
	gate --env dev
	holds '.[0].grant | has("policy_hash") | not' permits
	gate --env dev --policy none.jq --policy house.jq
	want=$(sha256sum none.jq house.jq | cut -c 1-64 | sha256sum | cut -c 1-64)
	holds '.[0].grant.policy_hash == "'"$want"'"' permits
	gate --env dev --policy house.jq --policy none.jq
	want=$(sha256sum house.jq none.jq | cut -c 1-64 | sha256sum | cut -c 1-64)
	holds '.[0].grant.policy_hash == "'"$want"'"' permits
}

@test "a policy sees the plan as its input and the grant to be, all of it, as \$grant" {
	site && planned --tenant acme
	openssl genpkey -algorithm ed25519 -out key.pem
	# shellcheck disable=SC2016 # jq's
	echo '. as $plan | {rule_id: "seen", severity: "warn", message: ({plan: ($plan | keys), grant: ($grant | keys)} | tojson)}' > see.jq
	gate --env dev --tenant acme --prod-override T-1 --policy see.jq --sign key.pem --ttl 60
	grep -qF 'warning: {"plan":["header","kind","plan_hash","rollback","steps"],"grant":["actor","allow_destructive","apply","digest","dry_run","env","expires_at","issued_at","key_id","nonce","policy_hash","rules","scope","ticket"]}' said ||
		fail "$(cat said)"
	# shellcheck disable=SC2016
	echo '{rule_id: "seen", severity: "warn", message: "\(.header.scope.tenant) \($grant.issued_at) \($grant.digest)"}' > see.jq
	gate --env dev --tenant acme --policy see.jq
	grep -q "warning: acme 2025-01-01T00:00:00Z $(jq -r 'select(.kind == "end").digest' plan)\$" said || fail "$(cat said)"
}

@test "every plan of a stream is asked about, and the same words are said once" {
	site && planned --batch 1
	[ "$(grep -c '"kind":"plan"' plan)" -eq 2 ]
	verdict warn
	gate --env dev --policy house.jq
	[ "$(grep -c 'house says' said)" -eq 1 ]
	echo 'select(.header.part.index == 2) | {rule_id: "second", severity: "deny", message: "not this one"}' > house.jq
	refused 5 second --env dev --policy house.jq
}

@test "a policy may yield several verdicts, and several policies are all heard" {
	site && planned
	echo '{rule_id: "a", severity: "warn", message: "one"}, {rule_id: "b", severity: "deny", message: "two"}' > a.jq
	echo '{rule_id: "c", severity: "deny", message: "three"}' > c.jq
	refused 5 b --env dev --policy a.jq --policy c.jq
	[[ $stderr == *one* && $stderr == *two* && $stderr == *three* ]]
}

@test "a message is one harmless line, whatever the policy puts into it" {
	site && planned
	printf '{rule_id: "a", severity: "warn", message: "x\\u001b[2J\\n\\u202ey password=hunter2 \\("z" * 5000)"}\n' > a.jq
	gate --env dev --policy a.jq
	[ "$(wc -l < said)" -eq 1 ] && [ "$(wc -c < said)" -lt 1000 ]
	run ! grep -q $'\e\|hunter2' said
}

@test "a policy that is no jq program, or more than one, is 4 and names file and line" {
	site && planned
	while IFS= read -r text; do
		printf '\n\n%b\n' "$text" > bad.jq
		fails 4 mig-gate --env dev --apply --policy bad.jq < plan
		faulted 4 bad_jq
		[[ $stderr == *'mig-gate: bad.jq: '*'line '[3-5]* ]] || fail "$text: $stderr"
	done <<- 'END'
	empty |
	1) ] | [ (2
	unknown_function
	import "x" as x; empty
	include "x"; empty
	$nothing
	) ] #
	END
	printf 'empty\0' > bad.jq
	fails 4 mig-gate --env dev --apply --policy bad.jq < plan
	faulted 4 bad_policy
}

@test "a policy that cannot be read is 3" {
	site && planned
	mkdir folder
	for file in nowhere.jq folder; do
		refused 3 missing_policy --env dev --policy $file
	done
}

@test "an error in a policy, something impure or another shape is 4 and never a pass" {
	site && planned
	while IFS= read -r text; do
		printf '%s\n' "$text" > bad.jq
		fails 4 mig-gate --env dev --apply --policy bad.jq < plan
		faulted 4 policy_failed
		[[ $stderr == *'mig-gate: bad.jq: '* ]] || fail "$text: $stderr"
		refute_line --partial '"kind":"permit"'
	done <<- 'END'
	error("no")
	error(null)
	empty, error(null)
	null | error
	error(.nothing)
	.steps.x
	now
	env | empty
	input
	halt
	"deny"
	null
	{}
	[]
	{rule_id: "a", severity: "deny"}
	{rule_id: "a", severity: "Deny", message: "m"}
	{rule_id: "a", severity: "allow", message: "m"}
	{rule_id: "", severity: "deny", message: "m"}
	{rule_id: "A-1", severity: "deny", message: "m"}
	{rule_id: "a", severity: "deny", message: ""}
	{rule_id: "a", severity: "deny", message: 1}
	{rule_id: "a", severity: "deny", message: "m", more: 1}
	{rule_id: "a", severity: "warn", message: "m"}, 1
	END
}

@test "a policy that fails is told from one that refuses" {
	site && planned
	echo 'error("prod is closed")' > closed.jq
	fails 4 mig-gate --env dev --apply --policy closed.jq < plan
	[ "$stderr" = 'mig-gate: closed.jq: the policy failed: prod is closed' ]
}

@test "a policy sees no environment" {
	site && planned
	# shellcheck disable=SC2016 # jq's
	echo 'select($ENV != {}) | {rule_id: "a", severity: "deny", message: "sees"}' > a.jq
	SECRET=1 gate --env dev --policy a.jq
}

@test "a policy that runs away ends the gate with 4 and a fault, and without a permit" {
	site && planned
	echo 'def f: f; f' > forever.jq
	echo empty > calm.jq
	fails 4 timeout 60 mig-gate --env dev --apply --policy calm.jq --policy forever.jq < plan
	faulted 4 jq_died
	[ "$(jq -r .ref <<< "${lines[-1]}")" = forever.jq ]
	[ "$stderr" = 'mig-gate: forever.jq: the policy ran for more than 10 seconds' ]
	refute_line --partial '"kind":"permit"'
}

@test "no policy is asked about a stream that is not whole" {
	site && planned && verdict deny
	head -n -1 plan > cut && mv cut plan
	refused 3 no_end --env dev --policy house.jq || true
	fails 3 mig-gate --env dev --apply --policy house.jq < plan
	[[ $stderr != *'house says'* ]]
}

@test "the freeze-window policy closes prod at weekends and holidays, by the permit's time, and never to a rollback" {
	site && planned_for prod
	local p=(--env prod --prod-override T-1 --policy "$POLICIES/freeze-window.jq")
	for open in 2026-03-02T06:00:00Z 2026-03-06T15:59:59Z 2026-03-04T23:00:00.5Z 2026-01-05T12:00:00Z; do
		gate "${p[@]}" --now $open
	done
	for frozen in 2026-03-06T16:00:00Z 2026-03-07T12:00:00Z 2026-03-08T12:00:00Z 2026-03-02T05:59:59Z \
		2025-12-22T12:00:00Z 2026-01-02T12:00:00Z; do
		refused 5 freeze_window "${p[@]}" --now $frozen
	done
	mig-plan --rollback < plan > back && mv back plan
	gate "${p[@]}" --now 2026-03-07T12:00:00Z
	planned
	gate --env dev --policy "$POLICIES/freeze-window.jq" --now 2026-03-07T12:00:00Z
}

@test "the at-most-documents policy counts the whole stream, not a part" {
	site && planned --batch 1
	gate --env dev --policy "$POLICIES/at-most-documents.jq"
	sed 's/^1000/1/' "$POLICIES/at-most-documents.jq" > one.jq
	refused 5 at_most_documents --env dev --policy one.jq
	[[ $stderr == *'2 documents at once, 1 are allowed'* ]]
}

@test "the only-types-in-prod policy has other types reviewed in prod" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	set_of own '. + {b: 2}' '{type: "index"}'
	planned_by own
	gate --env dev --policy "$POLICIES/only-types-in-prod.jq"
	run ! grep -q only_types said
	mig-extract --store fs:site --set own | mig-transform --set own --target-version 2.0.0 |
		mig-plan --env prod --migration own --target-version 2.0.0 > plan
	refused 5 review_approval --env prod --prod-override T-1 --policy "$POLICIES/only-types-in-prod.jq"
	[[ $stderr == *'review: steps of type index'* ]]
	site other && changes other | mig-plan --env prod --migration manifest --target-version 1.2.0 > plan
	gate --env prod --prod-override T-1 --policy "$POLICIES/only-types-in-prod.jq"
}

@test "the levers-required policy wants levers for breaking changes only" {
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	set_of own '. + {b: 2}'
	planned_by own
	refused 5 levers_required --env dev --policy "$POLICIES/levers-required.jq"
	[[ $stderr == *'no levers for a.json@1.0.0..2.0.0'* ]]
	rm -r own && set_of own '. + {b: 2}' '{levers: ["stop the reader"]}'
	planned_by own
	gate --env dev --policy "$POLICIES/levers-required.jq"
	rm -r site && site && planned
	gate --env dev --policy "$POLICIES/levers-required.jq"
}

@test "mig apply takes policies, several of them" {
	site && planned && verdict deny
	echo empty > "it's none.jq"
	fails 5 mig apply --plan plan --store fs:site --env dev --apply --policy "it's none.jq" --policy house.jq
	[[ $stderr == *'the house says so'* ]]
	mig apply --plan plan --store fs:site --env dev --apply --policy "it's none.jq" > outcomes
	[ ! -e "site/it's none.jq" ]
}

# ---- contracts ----

# minor DIR JQ [HOP MEMBERS]: the set of set_of, whose hop leads to 1.1.0 instead.
minor() {
	set_of "$@"
	mv "$1/1.0.0..2.0.0" "$1/1.0.0..1.1.0"
	local hop=$1/1.0.0..1.1.0/hop.json
	jq '.to = "1.1.0" | del(.breaking)' "$hop" > hop && mv hop "$hop"
	mig-extract --store fs:site --set "$1" | mig-transform --set "$1" --target-version 1.1.0 |
		mig-plan --env dev --migration own --target-version 1.1.0 > plan
}

# document TEXT: the site's only one.
document() {
	rm -rf site own && mkdir site && printf '%s\n' "$1" > site/a.json
}

@test "CH-57 a minor hop that removes, renames or retypes a field is refused with 4, also with every flag" {
	while IFS=$'\t' read -r text jq what; do
		document "$text"
		minor own "$jq"
		refused 4 breaking_change --env dev --allow-destructive
		[[ $stderr == *"a.json: the step from 1.0.0 to 1.1.0 $what"*'major bump'* ]] || fail "$jq: $stderr"
		hinted
		fails 4 mig-gate --env dev --dry-run < plan
	done < <(tr -s '~' '\t' <<- 'END'
	{"v": "1.0.0", "a": 1}~del(.a)~removes /a
	{"v": "1.0.0", "a": {"b": 1, "c": 2}}~del(.a.b)~removes /a/b
	{"v": "1.0.0", "a": "some text"}~.b = .a | del(.a)~renames /a to /b
	{"v": "1.0.0", "a": "1"}~.a = 1~retypes /a from string to number
	{"v": "1.0.0", "a": [1]}~.a = {}~retypes /a from array to object
	{"v": "1.0.0", "a": 1}~.a = null~retypes /a from number to null
	{"v": "1.0.0", "l": [{"a": 1, "b": 2}]}~.l[0] |= del(.a)~removes /l/0/a
	END
	)
}

@test "CH-57 a greater major version may do all of that" {
	for jq in 'del(.a)' '.b = .a | del(.a)' '.a = 1'; do
		document '{"v": "1.0.0", "a": "some text"}'
		set_of own "$jq"
		planned_by own
		gate --env dev --allow-destructive
	done
}

@test "CH-57 what adds, changes a value, fills a null or takes an element out of a list is no breaking change" {
	while IFS='|' read -r text jq; do
		document "$text"
		minor own "$jq"
		gate --env dev --allow-destructive
	done <<- 'END'
	{"v": "1.0.0", "a": 1}|.b = 2
	{"v": "1.0.0", "a": 1}|.a = 2.5
	{"v": "1.0.0", "a": true}|.a = false
	{"v": "1.0.0", "a": null}|.a = {"b": 1}
	{"v": "1.0.0", "a": [1, 2, 3]}|.a = [1, 3]
	{"v": "1.0.0", "a": [1, "x"]}|.a = ["y", 2]
	END
}

@test "CH-57 a path that ends at an earlier version may take back what the later one added" {
	document '{"v": "1.1.0", "a": 1, "b": 2}'
	set_of own 'del(.b)'
	mv own/1.0.0..2.0.0 own/1.1.0..1.0.0
	jq '.from = "1.1.0" | .to = "1.0.0" | del(.breaking)' own/1.1.0..1.0.0/hop.json > hop && mv hop own/1.1.0..1.0.0/hop.json
	mig-extract --store fs:site --set own | mig-transform --set own --target-version 1.0.0 |
		mig-plan --env dev --migration own --target-version 1.0.0 > plan
	gate --env dev --allow-destructive
}

@test "CH-57 the rollback of a minor hop, which takes away what it added, is not refused" {
	document '{"v": "1.0.0", "a": 1}'
	minor own '.b = 2'
	mig-plan --rollback < plan > back && mv back plan
	gate --env dev
}

@test "CH-57 mig-apply refuses such a plan as well, whoever permitted it" {
	document '{"v": "1.0.0", "a": 1}'
	set_of own 'del(.a)'
	planned_by own
	gate --env dev --allow-destructive
	# the same change, said to lead to a minor version, with all hashes made true
	step='a.json@1.0.0..1.1.0'
	key=$(printf '["dev",null,null,"own","%s"]' $step | sha256sum | cut -c 1-64)
	jq -c --arg id $step --arg key "$key" 'select(.kind == "plan") | .header.target_version = "1.1.0"
		| (.steps[], .rollback[]) |= (.step_id = $id | .idempotency_key = $key)
		| .steps[].actions[1].entry.to_version = "1.1.0"' plan | sealed > forged
	mv forged plan
	refused 4 breaking_change --env dev --allow-destructive
	grant=$(head -n 1 permits | jq -c --arg d "$(jq -r 'select(.kind == "end").digest' plan)" '.grant | .digest = $d')
	{
		printf '{"grant":%s,"kind":"permit","plan":%s}\n' "$grant" "$(head -n 1 plan)"
		tail -n 1 plan
	} > permits
	fails 4 mig-apply --store fs:site < permits
	faulted 4 breaking_change
	[ ! -e site/.mig ]
}

@test "CH-58 a profile that changes under an unchanged version is refused with 4" {
	document '{"v": "1.0.0", "a": 1}'
	set_of own '.b = 2' '{type: "profile"}'
	planned_by own && cp plan original
	gate --env dev
	for to in 1.0.0 1.0.0+build.2; do
		step=a.json@1.0.0..$to
		key=$(printf '["dev",null,null,"own","%s"]' $step | sha256sum | cut -c 1-64)
		jq -c --arg id $step --arg key "$key" --arg to $to 'select(.kind == "plan")
			| (.steps[], .rollback[]) |= (.step_id = $id | .idempotency_key = $key)
			| .header.target_version = $to | .steps[].actions[1].entry.to_version = $to' original | sealed > plan
		refused 4 version_bump --env dev
		[[ $stderr == *"a.json: the profile changes and its version $to does not"* ]]
		hinted
	done
}

@test "CH-58 SG-42 no set can say so either: a hop leads to another version, a breaking one to a greater major" {
	document '{"v": "1.0.0", "a": 1}'
	set_of own '.b = 2'
	mv own/1.0.0..2.0.0 own/1.0.0..1.0.0
	jq '.to = "1.0.0" | del(.breaking)' own/1.0.0..1.0.0/hop.json > hop && mv hop own/1.0.0..1.0.0/hop.json
	fails 4 mig-transform --set own --target-version 2.0.0 < /dev/null
	[[ $stderr == *'leads from a version to the same version'* ]]
	mv own/1.0.0..1.0.0 own/1.0.0..1.1.0
	jq '.to = "1.1.0" | .breaking = true' own/1.0.0..1.1.0/hop.json > hop && mv hop own/1.0.0..1.1.0/hop.json
	fails 4 mig-transform --set own --target-version 1.1.0 < /dev/null
	[[ $stderr == *'a breaking hop leads to a greater major version'* ]]
}

@test "CH-57 SG-41 a required field that documents lack is refused, and so is a hop that demands one it does not give" {
	document '{"v": "1.0.0", "a": 1}'
	printf '{"v": "1.0.0", "a": 2}\n' > site/b.json
	# a set requires it of every version
	set_of own '.b = 2' '{}' '{required: ["/b"]}'
	fails 4 bash -c 'mig-extract --store fs:site --set own | mig-transform --set own --target-version 2.0.0 |
		mig-plan --env dev --migration own --target-version 2.0.0'
	[[ $output == *'"code":"required_missing"'*'"ref":"a.json"'* ]]
	refute_line --partial '"kind":"plan"'
	# a hop requires it of its result
	rm -r own && set_of own 'if .a > 1 then .b = 2 else . end' '{after: [{jq: "has(\"b\")", message: "b is missing"}]}'
	fails 4 bash -c 'mig-extract --store fs:site --set own | mig-transform --set own --target-version 2.0.0 |
		mig-plan --env dev --migration own --target-version 2.0.0'
	[[ $output == *'"code":"after_failed"'*'"ref":"a.json"'* ]]
	refute_line --partial '"kind":"plan"'
	# with a value for every document it is an addition
	rm -r own && set_of own '.b = (.b // 2)' '{after: [{jq: "has(\"b\")", message: "b is missing"}]}'
	planned_by own
	gate --env dev
}

@test "a policy that is not UTF-8 is refused by its name, and no permit is written" {
	site && planned
	printf 'select(.header.env == "d\377v") | {rule_id: "house_rule", severity: "deny", message: "m"}\n' > house.jq
	refused 4 bad_policy --env dev --policy house.jq
	[[ $stderr == *'mig-gate: house.jq: not UTF-8'* ]]
}
