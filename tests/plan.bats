#!/usr/bin/env bats
# mig-plan: what a plan is, that it is the same everywhere, and that --rollback inverts it.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper
load store

# A change stream of three manifests, two of which change.
setup() {
	mig_setup
	mkdir -p tree/a tree/b tree/c
	manifest 1.0.0 > tree/a/manifest.json
	manifest 1.1.0 > tree/b/manifest.json
	manifest 1.2.0 > tree/c/manifest.json
	changes tree > changes
}

# plan [FLAG..]: the plan stream of ./changes
plan() {
	mig-plan --env dev --migration manifest --target-version 1.2.0 "$@" < changes
}

keys() { jq -r 'select(.kind == "plan").steps[].idempotency_key'; }

@test "CH-40 a record of another kind is named, with its line" {
	plan > plans
	fails 2 mig-plan --env dev --migration manifest --target-version 1.2.0 < plans
	[[ $stderr == *'line 1: plan: not a change, current or reject record'* ]]
	fails 2 mig-plan --schema "$SAMPLES/app/app-1.json" --env dev --migration app --target-version 1.0.0 < plans
	[[ $stderr == *'line 1: plan: not a schema record'* ]]
	mig-extract --store fs:tree --set "$SETS/manifest" > documents
	fails 2 mig-plan --rollback < documents
	[[ $stderr == *'line 1: document: not a plan'* ]]
	fails 2 mig-verify --store fs:tree < documents
	[[ $stderr == *'line 1: document: not a plan, permit or outcome'* ]]
}

@test "CH-01 CH-02 planning twice gives the same bytes, whatever the folder, zone, locale, umask and clock" {
	manifests more
	plan_manifests more > one
	plan_manifests more | cmp - one
	(cd / && plan_manifests "$OLDPWD/more") | cmp - one
	TZ=Asia/Kathmandu plan_manifests more | cmp - one
	LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 plan_manifests more | cmp - one
	LC_ALL=C plan_manifests more | cmp - one
	(umask 077 && plan_manifests more) | cmp - one
	SOURCE_DATE_EPOCH=1 MIG_ACTOR=other USER=x LOGNAME=x HOSTNAME=y HOME=/ plan_manifests more | cmp - one
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 env -u SOURCE_DATE_EPOCH faketime '2040-02-29 12:00:00' bash -c \
		'mig-extract --store fs:more --set "$SETS/manifest" | mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0' | cmp - one
	# the same tree, made file by file in the opposite order elsewhere
	(cd more && find . -type f | sort -r) | while read -r f; do
		mkdir -p "$(dirname "again/$f")" && cp "more/$f" "again/$f"
	done
	plan_manifests again | cmp - one
	[ "$(jq -r 'select(.kind == "plan") | .plan_hash' one | grep -cxE '[0-9a-f]{64}')" -eq 1 ]
}

@test "CH-01 a fan-out over GNU parallel gives the same bytes, at any number of jobs and any block" {
	local jobs block
	manifests more
	mig-extract --store fs:more --set "$SETS/manifest" > docs
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs > want
	for jobs in 1 8; do
		for block in 16K 40K; do
			parallel --pipe -k --block "$block" -j "$jobs" mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs > got
			cmp want got
		done
	done
}

@test "CH-03 members in another order, and other white space, give the same ordered steps" {
	plan > one
	mkdir other
	local d
	for d in a b c; do
		mkdir "other/$d"
		jq -c 'to_entries | reverse | from_entries' "tree/$d/manifest.json" > "other/$d/manifest.json"
		run ! cmp -s "tree/$d/manifest.json" "other/$d/manifest.json"
	done
	plan_manifests other > two
	steps() { jq -c 'select(.kind == "plan").steps[] | [.index, .step_id, .idempotency_key, .actions, .postconditions]' "$1"; }
	[ "$(steps one | wc -l)" -eq 2 ]
	diff <(steps one) <(steps two)
}

@test "CH-04 a plan holds no time, host, user, process, path or store" {
	manifests more
	MIG_ACTOR=MARK-actor USER=MARK-user HOSTNAME=MARK-host plan_manifests "$PWD/more" > out
	run ! grep -e MARK- -e "$PWD" -e "$(hostname)\b" -e 'fs:' out
	# no member that would hold one; times stand only in patches, where documents have them
	jq -r 'select(.kind == "plan") | del(.steps[].actions, .rollback[].undo) | tostring' out > rest
	run ! grep -E '20[0-9]{2}-[01][0-9]-[0-3][0-9]|T[0-2][0-9]:[0-5][0-9]|"(time|at|host|user|pid|actor|created|random|nonce)[a-z_]*":' rest
	run ! grep -oE '"[0-9]{10}"|:1[0-9]{9}\b' rest
}

@test "CH-05 the hash over a plan without its plan_hash is the one it carries" {
	plan --batch 1 | grep '"kind":"plan"' > plans
	[ "$(wc -l < plans)" -eq 2 ]
	diff <(mig-hash --without /plan_hash plans) <(jq -r .plan_hash plans)
}

@test "CH-14 CH-15 CH-16 CH-17 env, tenant, project and migration id each give other keys" {
	local flags
	plan | keys > all
	for flags in '--env staging' '--env prod' '--tenant a' '--tenant b' '--project a' '--project b' '--tenant a --project b' \
		'--tenant b --project a' '--migration other' '--tenant null' '--project null'; do
		# shellcheck disable=SC2086 # words
		case $flags in
		*--env*) mig-plan --migration manifest --target-version 1.2.0 $flags < changes ;;
		*--migration*) mig-plan --env dev --target-version 1.2.0 $flags < changes ;;
		*) plan $flags ;;
		esac | keys >> all
	done
	[ "$(wc -l < all)" -eq 24 ]
	[ -z "$(sort all | uniq -d)" ]
	# and each is what its definition says, computed by other means
	want=$(printf '["dev",null,null,"manifest","a/manifest.json@1.0.0..1.2.0"]' | sha256sum | cut -d ' ' -f 1)
	[ "$(head -n 1 all)" = "$want" ]
	want=$(printf '["dev","a","b","manifest","a/manifest.json@1.0.0..1.2.0"]' | sha256sum | cut -d ' ' -f 1)
	[ "$(plan --tenant a --project b | keys | head -n 1)" = "$want" ]
}

@test "CH-18 the keys of one plan are pairwise different" {
	manifests more
	plan_manifests more | keys > all
	[ "$(wc -l < all)" -eq 115 ]
	[ -z "$(sort all | uniq -d)" ]
}

@test "CH-19 a delimiter within tenant or project forges no other scope" {
	{
		plan --tenant a --project 'b|c'
		plan --tenant 'a|b' --project c
		plan --tenant 'a","b' --project c
		plan --tenant a --project 'b","c'
		plan --tenant 'a/b' --project c
		plan --tenant a --project 'b/c'
		plan --tenant 'a,b'
	} | keys > all
	[ "$(wc -l < all)" -eq 14 ]
	[ -z "$(sort all | uniq -d)" ]
}

@test "CH-20 CH-21 the rollback has one entry a step, in reverse, with version, levers and data safety" {
	mig-extract --store "fs:$SAMPLES/profile" --set "$SETS/profile" |
		mig-transform --set "$SETS/profile" --target-version 2.0.0 |
		mig-plan --env dev --migration profile --target-version 2.0.0 --max-rejects 9 | grep '"kind":"plan"' > plans
	for f in plans <(plan | grep '"kind":"plan"'); do
		cat "$f" > p
		jq -e '(.rollback | length) == (.steps | length)' p
		jq -e '[.rollback[].step_id] == ([.steps[].step_id] | reverse)' p
		jq -e '[.rollback[].index] == [range(1; (.steps | length) + 1)]' p
		jq -e 'all(.rollback[]; .previous_version == (.step_id | capture("@(?<v>.*)[.][.]").v))' p
		jq -e 'all(.rollback[]; (.data_safety | keys) == ["note","reversible"] and (.data_safety.note | length > 10))' p
		jq -e '[.steps, (.rollback | reverse)] | transpose | all(.[0].preconditions == .[1].postconditions and
			.[0].postconditions == .[1].preconditions and .[1].actions[0].raw == .[0].preconditions[0].raw)' p
	done
	[ "$(jq -c '.rollback[].levers' plans | sort -u | head -n 1)" = '["disable workflow scheduler","drain the ingest queue of the tenant"]' ]
}

@test "CH-21 an irreversible hop is named in the rollback and needs the gate's flag" {
	cp -R "$SETS/manifest" set
	jq '.data_safety = {reversible: false, note: "The old readers are gone."}' "$SETS/manifest/1.0.0..1.2.0/hop.json" > set/1.0.0..1.2.0/hop.json
	mig-extract --store fs:tree --set set | mig-transform --set set --target-version 1.2.0 > changes
	plan > plans
	[ "$(jq -c 'select(.kind == "plan").rollback[].data_safety' plans)" = \
		$'{"note":"Only adds a member; readers of 1.1.0 ignore it.","reversible":true}\n{"note":"The old readers are gone.","reversible":false}' ]
	fails 5 mig-gate --env dev --apply < plans
	[[ $stderr == *'a/manifest.json: the step cannot be undone: requires --allow-destructive'* ]]
}

@test "CH-27 CH-28 CH-29 a plan, its header and its steps have exactly their members" {
	local members='["env","format","migration_id","mode","part","scope","set","snapshot","target_version","tool_version"]'
	plan > plans
	head -n 1 plans > p
	[ "$(jq -c keys p)" = '["header","kind","plan_hash","rollback","steps"]' ]
	[ "$(jq -c '.header | keys' p)" = "$members" ]
	[ "$(jq -c '.header | [.env, .migration_id, .target_version, .mode, .format, .scope, .part]' p)" = \
		'["dev","manifest","1.2.0","forward",1,{},{"index":1,"of":1}]' ]
	[ "$(jq -r .header.tool_version p)" = "$(mig-plan --version | cut -d ' ' -f 3)" ]
	[ "$(jq -c '.steps[] | keys' p | sort -u)" = \
		'["actions","description","idempotency_key","index","postconditions","preconditions","step_id","type"]' ]
	[ "$(jq -c '[.steps[].index]' p)" = '[1,2]' ]
	[ "$(jq -c '.header.snapshot | [.records, .changes, .current, .rejects]' p)" = '[3,2,1,0]' ]
	[ "$(jq -r .header.snapshot.digest p)" = "$(tail -n 1 changes | jq -r .digest)" ]
	[ "$(plan --tenant t | head -n 1 | jq -c .header.scope)" = '{"tenant":"t"}' ]
	[ "$(plan --project p | head -n 1 | jq -c .header.scope)" = '{"project":"p"}' ]
	[ "$(plan --project p --tenant t | head -n 1 | jq -c .header.scope)" = '{"project":"p","tenant":"t"}' ]
	mig-hash --canonical plans | cmp - plans
}

@test "CH-29 the parts of a batched plan are dense, in order, and together what one plan would be" {
	local n
	manifests more
	changes more > changes
	plan > whole
	for n in 1 50 115 500; do
		plan --batch "$n" > parts
		[ "$(jq -c 'select(.kind == "plan").header.part' parts)" = \
			"$(for i in $(seq $(((114 + n) / n))); do echo "{\"index\":$i,\"of\":$(((114 + n) / n))}"; done)" ]
		jq -c 'select(.kind == "plan").steps | [.[].index] == [range(1; length + 1)]' parts | sort -u | grep -qx true
		cmp <(jq -c 'select(.kind == "plan").steps[] | del(.index)' parts) <(jq -c 'select(.kind == "plan").steps[] | del(.index)' whole)
		jq -j 'select(.kind == "plan").plan_hash + "\n"' parts | sha256sum | cut -d ' ' -f 1 |
			diff - <(jq -r 'select(.kind == "end").digest' parts)
		mig-gate --env dev --apply < parts | mig-hash --check > /dev/null
	done
}

# typed TYPE: a small set of one hop of that type, its tree, and its plan
typed() {
	mkdir -p "$1/set/1.0.0..2.0.0" "$1/tree"
	echo '{"id":"typed","entity":"thing","mode":"document","match":["*.json"],"version":{"pointer":"/v"},"additive":false,"history":null}' > "$1/set/set.json"
	cat > "$1/set/1.0.0..2.0.0/hop.json" <<-END
		{"from":"1.0.0","to":"2.0.0","type":"$1","description":"A step of type $1","changes":["one $1 change"],
		 "levers":["stop the $1 reader"],"data_safety":{"reversible":true,"note":"A $1 can be put back."}}
	END
	case $1 in
	schema) echo '{added: null} + .' ;;
	data) echo '.rows |= map(. + {n: (.n * 2)})' ;;
	config) echo '.settings.timeout_s = 30' ;;
	profile) echo '.steps |= map(if .uses == "p@1.0.0" then .uses = "p@2.0.0" else . end)' ;;
	index) echo '.index = ([.rows[].id] | sort)' ;;
	cleanup) echo 'del(.obsolete)' ;;
	esac > "$1/set/1.0.0..2.0.0/up.jq"
	echo '{"v":"1.0.0","rows":[{"id":"b","n":1},{"id":"a","n":2}],"settings":{"timeout_s":10},"steps":[{"uses":"p@1.0.0"},{"uses":"q@1.0.0"}],"obsolete":[1]}' > "$1/tree/x.json"
	mig-extract --store "fs:$1/tree" --set "$1/set" | mig-transform --set "$1/set" --target-version 2.0.0 |
		mig-plan --env dev --migration typed --target-version 2.0.0
}

@test "CH-31 each of the six step types is accepted and has its golden plan" {
	local type
	for type in schema data config profile index cleanup; do
		typed "$type" > plans
		[ "$(jq -r 'select(.kind == "plan").steps[].type' plans)" = "$type" ]
		golden "plan/$type.ndjson" < plans
		mig-gate --env dev --apply --allow-destructive < plans > /dev/null
	done
}

@test "CH-32 a cleanup step is destructive and blocked without the flag" {
	typed cleanup > plans
	fails 5 mig-gate --env dev --apply < plans
	[[ $stderr == *'requires --allow-destructive'* && $output != *permit* ]]
}

@test "CH-30 a step type that is none of the six is refused by plan and by gate, hash or no hash" {
	local sum
	jq -cS 'if .kind == "change" then .type = "other" | del(.sum) else . end' changes > edited
	while read -r line; do
		if [[ $line == *'"change"'* ]]; then
			sum=$(printf %s "$line" | mig-hash)
			jq -cS --arg sum "$sum" '.sum = $sum' <<< "$line"
		else
			echo "$line"
		fi
	done < edited > forged
	mig-hash --check < forged > /dev/null
	fails 4 mig-plan --env dev --migration manifest --target-version 1.2.0 < forged
	[[ $stderr == *"the change's type is not one of the six"* ]]
	plan | head -n 1 | jq -cS '.steps[0].type = "other" | .rollback[-1].type = "other" | del(.plan_hash)' > edited
	jq -cS --arg hash "$(mig-hash edited)" '.plan_hash = $hash' edited > forged
	digest=$(jq -r .plan_hash forged | sha256sum | cut -d ' ' -f 1)
	echo "{\"digest\":\"$digest\",\"kind\":\"end\",\"records\":1,\"tool\":\"mig-plan\"}" >> forged
	mig-hash --check < forged > /dev/null
	fails 4 mig-gate --env dev --apply < forged
	[[ $stderr == *'type is not one of schema, data, config, profile, index, cleanup'* ]]
}

@test "CH-33 CH-34 CH-36 missing and malformed options are usage errors, with nothing on stdout" {
	local flags
	while read -r flags; do
		# shellcheck disable=SC2086 # words
		fails 2 mig-plan $flags < changes
		stdout_empty
		[[ $stderr == mig-plan:*usage:* ]] || fail "$flags: $stderr"
	done <<-'END'
		--migration m --target-version 1.2.0
		--env dev --target-version 1.2.0
		--env dev --migration m
		--env qa --migration m --target-version 1.2.0
		--env DEV --migration m --target-version 1.2.0
		--env --migration m --target-version 1.2.0
		--env= --migration m --target-version 1.2.0
		--env dev --migration= --target-version 1.2.0
		--env dev --migration m --target-version latest
		--env dev --migration m --target-version 1.2
		--env dev --migration m --target-version v1.2.0
		--env dev --migration m --target-version=
		--env dev --migration m --target-version 1.2.0 --tenant=
		--env dev --migration m --target-version 1.2.0 --batch 0
		--env dev --migration m --target-version 1.2.0 --batch -1
		--env dev --migration m --target-version 1.2.0 --batch 1x
		--env dev --migration m --target-version 1.2.0 --batch 99999999999999999999
		--env dev --migration m --target-version 1.2.0 --max-rejects -1
		--env dev --migration m --target-version 1.2.0 --max-rejects all
		--env dev --env dev --migration m --target-version 1.2.0
		--env dev --migration m --target-version 1.2.0 --reason r
		--env dev --migration m --target-version 1.2.0 stray
		--rollback --env dev
		--rollback --batch 5
		--rollback --rollback=1
	END
	fails 2 mig-plan --env qa --migration m --target-version 1.2.0
	[[ $stderr == *'invalid --env: qa'* ]]
	fails 2 mig-plan --env dev --migration m --target-version latest
	[[ $stderr == *'latest is never resolved'* ]]
	fails 2 mig-plan --env dev --migration $'a\nb' --target-version 1.2.0
	fails 2 mig-plan --env dev --migration m --target-version 1.2.0 --tenant $'\xff'
	fails 2 mig-gate --env qa --apply < changes
	[[ $stderr == *'invalid --env: qa'* ]]
}

@test "CH-36 a change that leads to another version than the target is refused" {
	fails 4 mig-plan --env dev --migration m --target-version 1.3.0 < changes
	[[ $stderr == *'the change leads to another version than --target-version' ]]
}

@test "EK-35 SG-34 rejects over the limit stop the plan with 4, each named; within it they go ahead of the plans" {
	troubled tree
	changes tree > changes
	fails 4 plan
	[[ $stderr == *'11 rejected, 0 allowed'* && $stderr == *'mig-plan: hint: '* ]]
	[ "$(grep -c '^mig-plan: troubled/' <<< "$stderr")" -eq 11 ]
	[ "$(jq -r .kind <<< "$output" | uniq -c | tr -s ' ' | paste -sd ,)" = ' 11 reject, 1 fault' ]
	# the fault is about the run, whatever the first reject was
	faulted 4 too_many_rejects
	holds '.[-1] | .reason == "11 rejected, 0 allowed" and (has("ref") | not)' /dev/stdin <<< "$output"
	fails 4 plan --max-rejects 10
	faulted 4 too_many_rejects
	plan --max-rejects 11 > out 2> said
	[ "$(cat said)" = 'mig-plan: warning: 11 rejected, 11 allowed: they are not in the plan' ]
	[ "$(jq -r .kind out | uniq -c | tr -s ' ' | paste -sd ,)" = ' 11 reject, 1 plan, 1 end' ]
	[ "$(jq -c 'select(.kind == "plan").header.snapshot | [.records, .changes, .current, .rejects]' out)" = '[14,2,1,11]' ]
	cmp <(grep '"kind":"reject"' out) <(grep '"kind":"reject"' changes)
}

@test "SG-35 steps stand in the byte order of their refs" {
	manifests more
	plan_manifests more | jq -r 'select(.kind == "plan").steps[].step_id' > ids
	LC_ALL=C sort -c ids
}

@test "EK-35 a reject whose ref and hash are both spelled with escapes is counted as what they mean" {
	local hash line
	hash='"'$(printf 'h%.0s' {1..300})
	line=$(jq -ncS --arg hash "$hash" \
		'{code: "odd", entity: "manifest", $hash, kind: "reject", reason: "test", ref: "a\"b.json", tool: "mig-extract"}')
	jq -cS --arg sum "$(printf %s "$line" | mig-hash)" '.sum = $sum' <<< "$line" > changes
	jq -ncS --arg digest "$(printf 'a"b.json\0%s\n' "$hash" | sha256sum | cut -c 1-64)" \
		'{$digest, kind: "end", records: 1, tool: "mig-transform"}' >> changes
	plan --max-rejects 1 > plans
	[ "$(head -n 1 plans)" = "$(head -n 1 changes)" ]
}

@test "CH-20 mig-plan --rollback inverts the plans, last part first, and names what it undoes" {
	plan --batch 1 > plans
	mig-plan --rollback --reason 'late night' < plans > back
	mig-hash --check < back > /dev/null
	[ "$(jq -c 'select(.kind == "plan").header | [.mode, .part.index, .part.of, .reason, .env, .migration_id, .target_version]' back)" = \
		$'["rollback",2,2,"late night","dev","manifest","1.2.0"]\n["rollback",1,2,"late night","dev","manifest","1.2.0"]' ]
	cmp <(jq -c 'select(.kind == "plan").header | del(.mode, .reason, .undoes)' back) \
		<(jq -c 'select(.kind == "plan").header | del(.mode)' plans | tac)
	diff <(jq -r 'select(.kind == "plan").header.undoes' back) <(jq -r 'select(.kind == "plan").plan_hash' plans | tac)
	[ "$(jq -r 'select(.kind == "plan").steps[].step_id' back | paste -sd ' ')" = \
		'b/manifest.json@1.1.0..1.2.0 a/manifest.json@1.0.0..1.2.0' ]
	cmp <(jq -cS 'select(.kind == "plan").steps[]' back) <(jq -cS 'select(.kind == "plan")' plans | tac | jq -cS '.rollback[]')
	mig-plan --rollback --reason 'late night' < plans | cmp - back
	mig-gate --env dev --apply < back > /dev/null
	fails 4 mig-plan --rollback < back
	[[ $output == *'"exit":4,"kind":"fault"'* && $output != *'"plan_hash"'* ]]
}

@test "CH-39 CH-40 a plan with an unknown, doubled or missing member, or with more after it, is refused by every reader" {
	local edit
	plan > plans
	head -n 1 plans > p
	tail -n 1 plans > end
	readers() { # CODES: each reader of ./bad exits with one of them and writes no plan, permit or verdict
		local reader
		for reader in 'mig-gate --env dev --apply' 'mig-plan --rollback' 'mig-verify --store fs:tree'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr $reader < bad
			[[ " $1 " == *" $status "* ]] || fail "$reader: $status, not $1: $(head -c 300 bad): $stderr"
			[[ $output != *'"plan_hash"'* && -n $stderr ]] || fail "$reader: $output"
		done
	}
	# an unknown member anywhere is 2 or, where a hash speaks first, 4; a second one of a name is no JSON
	for edit in '.x = 1' '.header.x = 1' '.steps[0].x = 1' '.rollback[0].x = 1' '.header.scope.x = "y"' '.steps[0].actions[0].x = 1' \
		'.steps[0].preconditions[0].x = 1' 'del(.header)' 'del(.steps)' 'del(.rollback)' 'del(.header.env)' 'del(.steps[0].type)' \
		'.steps = {}' '.header = []' '.steps[0].index = "1"' '.header.format = 2' '.header.mode = "sideways"' '.header.env = "qa"'; do
		jq -cS "del(.plan_hash) | $edit" p > edited
		jq -cS --arg hash "$(mig-hash edited)" '.plan_hash = $hash' edited > bad
		digest=$(jq -r .plan_hash bad | sha256sum | cut -d ' ' -f 1)
		echo "{\"digest\":\"$digest\",\"kind\":\"end\",\"records\":1,\"tool\":\"mig-plan\"}" >> bad
		readers 2
		{ jq -cS "$edit" p && cat end; } > bad
		readers '2 4'
	done
	{ sed 's/"kind":"plan"/"kind":"plan","kind":"plan"/' p && cat end; } > bad
	readers 2
	{ sed 's/"env":"dev"/"env":"dev","\\u0065nv":"dev"/' p && cat end; } > bad
	readers 2
	{ sed 's/$/ {}/' p && cat end; } > bad
	readers 2
	{ echo nonsense && cat plans; } > bad
	readers 2
	{ head -c 300 p && echo && cat end; } > bad
	readers 2
}

@test "SG-10 CH-12 what is at the target already is no step, and a tree at the target has no plan" {
	rm -r tree/a tree/b
	plan_manifests tree > plans
	[ "$(jq -c '[.kind, .records]' plans)" = '["end",0]' ]
}

@test "CH-50 planning opens no socket, no store and no file but its spool" {
	command -v strace || skip 'no strace'
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -qq -o trace -e trace=network,openat,open,openat2 \
		mig-plan --env dev --migration manifest --target-version 1.2.0 < changes > plans
	run ! grep -E 'socket|connect' trace
	grep open trace | grep -vE '/(etc/ld\.so|lib|usr|proc|sys)|O_TMPFILE|openssl|ENOENT|/etc/(localtime|ssl)' > opened || true
	diff -u /dev/null opened
}

@test "a change whose hashes are none is refused by mig-plan, not by who reads the plan" {
	local m
	manifests tree
	for m in before after raw; do
		mig-extract --store fs:tree --set "$SETS/manifest" |
			mig-transform --set "$SETS/manifest" --target-version 1.2.0 > changes
		jq -cS --arg m "$m" 'select(.kind == "change") | .[$m] = "x" | del(.sum)' changes | head -n 1 > edited
		jq -cS --arg sum "$(mig-hash edited)" '.sum = $sum' edited > forged
		fails 4 mig-plan --env dev --migration manifest --target-version 1.2.0 < forged
		[[ $stderr == *"before, after and raw of the change are not all hashes"* ]]
	done
}
