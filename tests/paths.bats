#!/usr/bin/env bats
# shellcheck disable=SC2016 # programs are jq's
# mig-transform --check-paths: whichever way leads to the target, the document is the same.

load helper

# forked [HOP PROGRAM]..: a set ./set whose hops run these programs, e.g. forked 1.0.0..2.0.0 '.n = 1'
forked() {
	rm -rf set && mkdir -p set tree
	echo '{"id":"forked","entity":"e","mode":"document","match":["**.json"],"version":{"pointer":"/v"},"additive":false,"history":"/past"}' > set/set.json
	while [ $# -gt 0 ]; do
		hop "$1" "$2"
		shift 2
	done
}

# hop ID PROGRAM [MEMBERS]: one hop of ./set
hop() {
	mkdir -p "set/$1"
	echo "{\"from\":\"${1%..*}\",\"to\":\"${1#*..}\",\"type\":\"data\",\"description\":\"d\",\"changes\":[]}" |
		jq ". + {${3-}}" > "set/$1/hop.json"
	echo "$2" > "set/$1/up.jq"
}

# one TEXT: the store ./tree holds this document alone.
one() {
	rm -rf tree && mkdir tree && echo "$1" > tree/a.json
}

documents() { mig-extract --store fs:tree --set set; }

check() { mig-transform --set set --target-version "$1" --check-paths; }

# differ VERSION WHAT: the paths there do, and the one finding says so.
differ() {
	documents > docs
	fails 4 mig-transform --set set --target-version "$1" --check-paths < docs
	[ "$stderr" = "mig-transform: a.json: $2" ] || fail "$stderr"
	[ "$(jq -r 'select(.kind == "fault") | "\(.exit) \(.code) \(.ref) \(.reason)"' <<< "$output")" = "4 paths_differ a.json $2" ]
}

@test "--check-paths writes what is written without it where all paths agree" {
	manifests tree
	mig-extract --store fs:tree --set "$SETS/manifest" > docs
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs > without
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 --check-paths < docs | cmp - without
}

@test "--check-paths takes every document along every path and names a difference with both paths and the diff" {
	forked 1.0.0..1.2.0 '.n = 1' 1.0.0..1.1.0 '.n = 2 | .m = null' 1.1.0..1.2.0 .
	one '{"v":"1.0.0","n":0}'
	mig-transform --set set --target-version 1.2.0 < <(documents) > without
	differ 1.2.0 'the paths 1.0.0..1.2.0 and 1.0.0..1.1.0 1.1.0..1.2.0 lead to different documents: + /m null; ~ /n 1 -> 2'
	# the other way is all there is from 1.1.0
	one '{"v":"1.1.0","n":0}'
	documents | check 1.2.0 > out
	[ "$(jq -r .kind out | xargs)" = 'change end' ]
}

@test "--check-paths asks the user's own documents: paths that differ on others are no finding" {
	forked 1.0.0..1.2.0 '.n //= 7' 1.0.0..1.1.0 '.n = (.n // 8)' 1.1.0..1.2.0 .
	one '{"v":"1.0.0","n":1}'
	documents | check 1.2.0 > out
	one '{"v":"1.0.0"}'
	differ 1.2.0 'the paths 1.0.0..1.2.0 and 1.0.0..1.1.0 1.1.0..1.2.0 lead to different documents: ~ /n 7 -> 8'
}

@test "--check-paths looks at all documents, names the first twenty, and the stream has no end" {
	forked 1.0.0..1.2.0 '.n = 1' 1.0.0..1.1.0 . 1.1.0..1.2.0 .
	for n in {10..40}; do
		echo '{"v":"1.0.0"}' > "tree/$n.json"
	done
	echo '{"v":"1.0.0","n":1}' > tree/99.json
	documents > docs
	fails 4 check 1.2.0 < docs
	[ "$(grep -c 'lead to different' <<< "$stderr")" -eq 20 ]
	[[ $stderr == *'and 11 more documents on which the paths differ'* ]]
	# the one that agrees is there; the fault stands in the place of the end
	[ "$(jq -r '.kind + " " + (.ref // "")' <<< "$output" | xargs)" = 'change 99.json fault 10.json' ]
	fails 4 mig-plan --env dev --migration forked --target-version 1.2.0 <<< "$output"
	[ "$(jq -r .kind <<< "$output")" = fault ]
}

@test "--check-paths works on a stream that several processes share" {
	forked 1.0.0..1.2.0 '.n = 1' 1.0.0..1.1.0 . 1.1.0..1.2.0 .
	for n in {10..40}; do
		echo '{"v":"1.0.0","n":1}' > "tree/$n.json"
	done
	echo '{"v":"1.0.0"}' > tree/11.json
	documents > docs
	fails 4 bash -c '{ head -n 5 docs | mig-transform --set set --target-version 1.2.0 --check-paths
		tail -n +6 docs | mig-transform --set set --target-version 1.2.0 --check-paths; } |
		mig-plan --env dev --migration forked --target-version 1.2.0'
	[[ $output == *paths_differ* ]]
}

@test "--check-paths leaves the history out of the comparison" {
	forked 1.0.0..1.2.0 '.past = [1]' 1.0.0..1.1.0 '.past = [2]' 1.1.0..1.2.0 .
	one '{"v":"1.0.0","past":[]}'
	# each writes the history, which is a reject of its own; what they make of the rest is equal
	documents | check 1.2.0 > out
	[ "$(jq -r 'select(.kind == "reject").code' out)" = history_changed ]
}

@test "--check-paths counts a document on one path and none on the other as a difference" {
	forked 1.0.0..1.2.0 . 1.0.0..1.1.0 'error("no")' 1.1.0..1.2.0 .
	one '{"v":"1.0.0"}'
	differ 1.2.0 'the path 1.0.0..1.2.0 leads to a document, 1.0.0..1.1.0 1.1.0..1.2.0 to none: jq_error: no'
	forked 1.0.0..1.2.0 . 1.0.0..1.1.0 . 1.1.0..1.2.0 .
	hop 1.0.0..1.2.0 . '"before": [{"jq": "has(\"x\")", "message": "there is no x"}]'
	differ 1.2.0 'the path 1.0.0..1.1.0 1.1.0..1.2.0 leads to a document, 1.0.0..1.2.0 to none: before_failed: there is no x'
	# two rejects agree, whatever their reasons, and the reject is that of the path that is taken
	hop 1.1.0..1.2.0 'error("not here either")'
	documents > docs
	check 1.2.0 < docs > out
	mig-transform --set set --target-version 1.2.0 < docs | cmp - out
	[ "$(jq -r 'select(.kind == "reject").code' out)" = before_failed ]
}

@test "--check-paths shows twenty operations and redacts what is secret" {
	forked 1.0.0..1.2.0 '.password = "one-pass"' 1.0.0..1.1.0 '.password = "other-pass" | .x = ([range(100)] | map({key: "k\(.)", value: .}) | from_entries)' 1.1.0..1.2.0 '.k = .x | del(.x) | . + .k | del(.k)'
	one '{"v":"1.0.0"}'
	documents > docs
	fails 4 check 1.2.0 < docs
	[[ $stderr != *-pass* && $output != *-pass* ]]
	[ "$(grep -o '; ' <<< "$stderr" | wc -l)" -eq 20 ]
	[[ $stderr == *'; and 81 more' ]]
}

@test "--check-paths takes all paths without a circle, ways back and forth included" {
	forked 1.0.0..2.0.0 . 2.0.0..3.0.0 . 2.0.0..1.0.0 . 1.0.0..1.5.0 . 1.5.0..2.0.0 . 3.0.0..1.0.0 . 1.5.0..3.0.0 '.other = true'
	one '{"v":"1.0.0"}'
	differ 3.0.0 'the paths 1.0.0..1.5.0 1.5.0..3.0.0 and 1.0.0..1.5.0 1.5.0..2.0.0 2.0.0..3.0.0 lead to different documents: - /other true'
}

@test "--check-paths refuses a set with more than 64 paths, and one whose paths cannot be counted" {
	local n from=1.0.0
	forked
	for n in {1..6}; do
		hop "1.$((n - 1)).0..1.$n.0" . && hop "1.$((n - 1)).0..1.$n.0-a" . && hop "1.$n.0-a..1.$n.0" .
	done
	one '{"v":"1.0.0"}'
	documents | check 1.6.0 > out
	hop 1.5.0..1.6.0-b . && hop 1.6.0-b..1.6.0 .
	documents > docs
	fails 4 check 1.6.0 < docs
	[ "$stderr" = 'mig-transform: forked: more than 64 paths lead from 1.0.0 to 1.6.0: too many to take them all' ]
	[ "$(jq -r .code <<< "$output")" = too_many_paths ]
	mig-transform --set set --target-version 1.6.0 < docs > out
	# every pair of 12 versions is a hop, the target is reached from the last one only
	forked
	for from in {1..12}; do
		for n in {1..12}; do
			[ "$n" = "$from" ] || hop "$from.0.0..$n.0.0" .
		done
	done
	one '{"v":"1.0.0"}'
	documents > docs
	fails 4 timeout 20 mig-transform --set set --target-version 12.0.0 --check-paths < docs
	[[ $output == *too_many_paths* ]]
}

@test "--check-paths names the program at fault, also on a path that is not taken" {
	forked 1.0.0..1.2.0 . 1.0.0..1.1.0 undefined_here 1.1.0..1.2.0 .
	one '{"v":"1.0.0"}'
	documents > docs
	mig-transform --set set --target-version 1.2.0 < docs > out
	fails 4 check 1.2.0 < docs
	[[ $stderr == *'1.0.0..1.1.0/up.jq: '*undefined_here* ]]
	[ "$(jq -r .code <<< "$output")" = bad_jq ]
	# shellcheck disable=SC2016 # $x is jq's
	hop 1.0.0..1.1.0 'getpath(["a"]) as $x | last(range(1e18))'
	fails 4 timeout 60 mig-transform --set set --target-version 1.2.0 --check-paths < docs
	[[ $output == *jq_died*'the program of 1.0.0..1.1.0 1.1.0..1.2.0 '* ]]
}
