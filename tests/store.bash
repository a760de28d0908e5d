# shellcheck shell=bash
# store.bash -- what the suites of the write side share:  load store  (after helper)
#
#	site && planned && permitted
#	before=$(whole_tree site)
#	fails 4 mig-apply --store fs:site < permits
#	faulted 4 drift
#	[ "$before" = "$(whole_tree site)" ]

# site [DIR]: three small manifests, one a version; two of them are to change.
site() {
	local dir=${1:-site} v
	for v in 1.0.0 1.1.0 1.2.0; do
		mkdir -p "$dir/job/run-$v"
		manifest "$v" > "$dir/job/run-$v/manifest.json"
	done
}

# one [TEXT]: a site of the one document one/manifest.json.
one() {
	mkdir -p site/one
	if [ $# -gt 0 ]; then
		printf '%s' "$1" > site/one/manifest.json
	else
		manifest 1.0.0 > site/one/manifest.json
	fi
}

# planned [PLAN FLAG..]: the plans for site, as the file plan.
planned() {
	plan_manifests site "$@" > plan
}

# permitted [GATE FLAG..]: permits for the file plan, as the file permits.
permitted() {
	mig-gate --env dev --apply "$@" < plan > permits
}

# applied [APPLY FLAG..]: use the file permits on site; the file outcomes says what came of it.
applied() {
	mig-apply --store fs:site "$@" < permits > outcomes
}

# migrated [PLAN FLAG..]: site, planned, permitted and applied.
migrated() {
	[ -d site ] || site
	planned "$@" && permitted && applied
}

# rolled_back [GATE FLAG..]: undo the file plan in site; leaves back (plans), permits, outcomes.
rolled_back() {
	mig-plan --rollback --reason test < plan > back
	mig-gate --env dev --apply "$@" < back > permits
	applied
}

# set_of DIR JQ [HOP MEMBERS] [SET MEMBERS]: a migration set from 1.0.0 to 2.0.0 whose up.jq is JQ.
set_of() {
	mkdir -p "$1/1.0.0..2.0.0"
	printf '%s\n' "$2" > "$1/1.0.0..2.0.0/up.jq"
	jq -n '{from: "1.0.0", to: "2.0.0", type: "data", description: "test", changes: ["test"], breaking: true} + '"${3:-{\}}" \
		> "$1/1.0.0..2.0.0/hop.json"
	jq -n '{id: "own", entity: "thing", mode: "document", match: ["**/*.json"], version: {pointer: "/v", default: "1.0.0"},
		required: [], immutable: [], additive: false, history: "/history"} + '"${4:-{\}}" > "$1/set.json"
}

# planned_by SET [PLAN FLAG..]: the plans that SET (of set_of) makes for site, as the file plan.
planned_by() {
	local set=$1
	shift
	mig-extract --store fs:site --set "$set" | mig-transform --set "$set" --target-version 2.0.0 |
		mig-plan --env dev --migration own --target-version 2.0.0 "$@" > plan
}

# whole_tree DIR: one hash over everything below DIR, .mig as well: names, kinds, owners, modes, mtimes, bytes.
whole_tree() (
	cd "$1" || exit
	{
		find . -printf '%y %p %l %U %G %m %T@ %s\n' | sort
		find . -type f -print0 | sort -z | xargs -0r sha256sum
	} | sha256sum
)

# faulted CODE RULE: after fails, the output ends in a fault of that rule, and without an end.
faulted() {
	# shellcheck disable=SC2154 # run sets it
	jq -se --argjson code "$1" --arg rule "$2" \
		'(last | .kind == "fault" and .exit == $code and .code == $rule) and (map(.kind) | index("end") == null)' \
		<<< "$output" > /dev/null || fail "expected a fault $1 $2 at the end, got: $output
$stderr"
}

# hinted: after fails, one line of stderr names the next command.
hinted() {
	# shellcheck disable=SC2154 # run sets it
	[ "$(grep -c ': hint: ' <<< "$stderr")" -eq 1 ] || fail "not one hint: $stderr"
}

# holds FILTER FILE: jq's FILTER over the records of FILE as one array yields true.
holds() {
	jq -se "$1" "$2" > /dev/null || fail "does not hold: $1
$(head -c 2000 "$2")"
}

# statuses FILE: the steps' statuses in the outcomes of FILE, one a line.
statuses() {
	jq -r 'select(.kind == "outcome").steps[].status' "$1"
}

# sealed: a stream of plans (JSON in any spelling) with its plan_hashes and its end made true again.
sealed() {
	local line hash hashes=
	while IFS= read -r line; do
		hash=$(printf '%s' "$line" | sha256sum | cut -c 1-64)
		printf '%s\n' "${line/'"kind":"plan",'/'"kind":"plan","plan_hash":"'$hash'",'}"
		hashes+=$hash$'\n'
	done < <(grep -v '"kind":"end"' | mig-hash --canonical --without /plan_hash)
	ending "${hashes%$'\n'}"
}

# sealed_line LINE: the stream of one plan, which is canonical and lacks its plan_hash.
sealed_line() {
	local hash
	hash=$(printf '%s' "$1" | sha256sum)
	printf '%s\n' "${1/'"kind":"plan",'/'"kind":"plan","plan_hash":"'${hash%% *}'",'}"
	ending "${hash%% *}"
}

# ending HASHES: the end of a stream of plans (or permits) with these hashes, one a line.
ending() {
	local digest
	digest=$(sha256sum <<< "$1")
	printf '{"digest":"%s","kind":"end","records":%d,"tool":"mig-plan"}\n' "${digest%% *}" "$(wc -l <<< "$1")"
}

# nothing TOOL: a whole stream of no records.
nothing() {
	printf '{"digest":"%s","kind":"end","records":0,"tool":"%s"}\n' "$(sha256sum < /dev/null | cut -c 1-64)" "$1"
}

# chained DIR: the ledger's entries count from 1, name their predecessors, and their hashes hold.
chained() {
	local ledger=$1/.mig/ledger.ndjson
	mig-hash --without /hash < "$ledger" | cut -c 1-64 > is &&
		jq -r '"\(.seq) \(.prev) \(.hash)"' "$ledger" |
		cmp - <(paste -d ' ' <(seq "$(wc -l < is)") <(printf '%064d\n' 0 && sed '$d' is) is)
}

# tidy DIR: no leftovers of a run.
tidy() {
	local left
	left=$(find "$1/.mig/tmp" "$1/.mig/conflicts" -type f)
	[ -z "$left" ] || fail "left over: $left"
}

# on_tmpfs OPTIONS: mount a file system of its own as here/disk, or skip the test; teardown unmounts it.
on_tmpfs() {
	mkdir -p disk
	mount -t tmpfs -o "$1" migtools disk 2> /dev/null || skip "cannot mount a tmpfs"
}

teardown() {
	[ ! -d disk ] || umount disk 2> /dev/null || true
}
