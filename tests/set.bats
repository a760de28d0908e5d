#!/usr/bin/env bats
# Migration sets: which are refused, which way is taken, and what the three model sets give, byte for byte.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper

# graph HOP..: a set ./set of the hops named, each leaving its name in .way
graph() {
	local hop
	rm -rf set && mkdir -p set tree
	echo '{"id":"g","entity":"e","mode":"document","match":["*.json"],"version":{"pointer":"/v"},"additive":false,"history":null}' > set/set.json
	for hop; do
		mkdir "set/$hop"
		echo "{\"from\":\"${hop%..*}\",\"to\":\"${hop#*..}\",\"type\":\"data\",\"description\":\"d\",\"changes\":[\"$hop\"]}" > "set/$hop/hop.json"
		echo ".way += [\"$hop\"]" > "set/$hop/up.jq"
	done
}

# way FROM TO: the hops that a document takes, or the reject's reason
way() {
	echo "{\"v\":\"$1\"}" > tree/a.json
	mig-extract --store fs:tree --set set | mig-transform --set set --target-version "$2" |
		jq -r 'select(.ref) | if .hops then .hops | join(" ") else .reason // .kind end'
}

@test "every set in tests/reject/sets is refused with its code and message, and nothing is migrated" {
	local dir code said want n=0
	mkdir tree && manifest 1.0.0 > tree/manifest.json
	for dir in "$MIG_ROOT"/tests/reject/sets/*/; do
		run --separate-stderr bash -c 'mig-extract --store fs:tree --set "$1" | mig-transform --set "$1" --target-version 1.1.0 |
			mig-plan --env dev --migration m --target-version 1.1.0' - "${dir%/}"
		{ read -r code && said=$(cat); } < "$dir/expect"
		[ "$status" -eq "$code" ] || fail "${dir%/}: exit $status, not $code: $stderr"
		while read -r want; do
			[[ $stderr == *"$want"* ]] || fail "${dir%/}: no \"$want\" in: $stderr"
		done <<< "$said"
		[ "$(jq -r .kind <<< "$output" | sort -u)" = fault ] || fail "${dir%/}: $output"
		n=$((n + 1))
	done
	[ "$n" -ge 30 ]
}

@test "a refused set is refused the same way by extract and by transform alone" {
	local dir code name
	mkdir tree && manifest 1.0.0 > tree/manifest.json
	mig-extract --store fs:tree --set "$SETS/manifest" > docs
	for name in set-missing set-not-json set-unknown-member hop-not-json hop-to-itself up-missing; do
		dir=$MIG_ROOT/tests/reject/sets/$name
		read -r code < "$dir/expect"
		fails "$code" mig-extract --store fs:tree --set "$dir"
		fails "$code" mig-transform --set "$dir" --target-version 1.1.0 < docs
		[[ $output == *"\"exit\":$code,\"kind\":\"fault\""* ]]
	done
}

@test "a set of SQL is told apart from sets of documents and rows by one finding" {
	mkdir sql tree
	echo '{"id":"app","mode":"sql","dialect":"sqlite"}' > sql/set.json
	fails 4 mig-extract --store fs:tree --set sql
	[ "$stderr" = 'mig-extract: sql/set.json: /mode: "sql": such a set is for mig-plan --set' ]
	fails 4 mig-transform --set sql --target-version 1.1.0 < /dev/null
	[ "$stderr" = 'mig-transform: sql/set.json: /mode: "sql": such a set is for mig-plan --set' ]
}

@test "SG-04 a direct hop is preferred to two" {
	graph 1.0.0..2.0.0 2.0.0..3.0.0 1.0.0..3.0.0
	[ "$(way 1.0.0 3.0.0)" = 1.0.0..3.0.0 ]
	[ "$(way 2.0.0 3.0.0)" = 2.0.0..3.0.0 ]
}

@test "SG-05 without a direct hop the shortest way is taken, ties by version and not by file order" {
	graph 1.0.0..1.9.0 1.9.0..2.0.0 1.0.0..1.10.0 1.10.0..2.0.0 1.0.0..1.2.0 1.2.0..1.3.0 1.3.0..2.0.0
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..1.9.0 1.9.0..2.0.0' ]
	# 1.10.0 is less than 1.9.0 by bytes, and greater by version
	rm -r set/1.0.0..1.9.0
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..1.10.0 1.10.0..2.0.0' ]
	rm -r set/1.10.0..2.0.0
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..1.2.0 1.2.0..1.3.0 1.3.0..2.0.0' ]
	graph 1.0.0..2.0.0-rc.1 1.0.0..2.0.0-alpha 2.0.0-rc.1..2.0.0 2.0.0-alpha..2.0.0
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..2.0.0-alpha 2.0.0-alpha..2.0.0' ]
	# the same set whose folders were made the other way round
	graph 1.3.0..2.0.0 1.2.0..1.3.0 1.0.0..1.2.0 1.10.0..2.0.0 1.0.0..1.10.0 1.9.0..2.0.0 1.0.0..1.9.0
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..1.9.0 1.9.0..2.0.0' ]
}

@test "SG-06 SG-07 hops lead one way only, and an unknown version has none" {
	graph 1.0.0..2.0.0
	[ "$(way 2.0.0 1.0.0)" = 'No migration path from 2.0.0 to 1.0.0' ]
	[ "$(way 9.9.9 2.0.0)" = 'No migration path from 9.9.9 to 2.0.0' ]
	[ "$(way 1.0.0 3.0.0)" = 'No migration path from 1.0.0 to 3.0.0' ]
	graph
	[ "$(way 1.0.0 2.0.0)" = 'No migration path from 1.0.0 to 2.0.0' ]
	[ "$(way 2.0.0 2.0.0)" = current ]
}

@test "SG-08 a cycle among the hops ends, with a way and without" {
	graph 1.0.0..2.0.0 2.0.0..3.0.0 3.0.0..1.0.0 3.0.0..2.0.0 4.0.0..1.0.0
	[ "$(way 1.0.0 3.0.0)" = '1.0.0..2.0.0 2.0.0..3.0.0' ]
	[ "$(way 1.0.0 4.0.0)" = 'No migration path from 1.0.0 to 4.0.0' ]
	[ "$(way 3.0.0 1.0.0)" = 3.0.0..1.0.0 ]
}

@test "a way of fifty hops is taken, each hop once and in order" {
	local i hops=()
	for i in $(seq 50); do hops+=("1.$((i - 1)).0..1.$i.0"); done
	graph "${hops[@]}"
	[ "$(way 1.0.0 1.50.0)" = "${hops[*]}" ]
	echo '{"v":"1.0.0"}' > tree/a.json
	mig-extract --store fs:tree --set set | mig-transform --set set --target-version 1.50.0 |
		jq -e 'select(.kind == "change") | .hops as $h | .patch | map(select(.path == "/way"))[0].value == $h' | grep -qx true
}

@test "SG-26 the changes of several hops are lists in a list, in order" {
	graph 1.0.0..2.0.0 2.0.0..3.0.0
	jq '.changes = ["a","b"]' set/1.0.0..2.0.0/hop.json > x && mv x set/1.0.0..2.0.0/hop.json
	echo '{"v":"1.0.0"}' > tree/a.json
	mig-extract --store fs:tree --set set | mig-transform --set set --target-version 3.0.0 > changes
	[ "$(jq -c 'select(.kind == "change").changes' changes)" = '[["a","b"],["2.0.0..3.0.0"]]' ]
	mig-plan --env dev --migration g --target-version 3.0.0 < changes |
		jq -e 'select(.kind == "plan") | [.steps[0].actions[] | .op] == ["patch"]' | grep -qx true
}

@test "SG-40 a new hop is data: 1.3.0 with priority_level works from a copied set, without a rebuild" {
	cp -R "$SETS/manifest" set
	mkdir set/1.2.0..1.3.0 tree
	cat > set/1.2.0..1.3.0/hop.json <<-'END'
		{"from":"1.2.0","to":"1.3.0","type":"schema","description":"Rank runs","changes":["add priority_level \"normal\" if absent"],
		 "after":[{"jq":"has(\"priority_level\")","message":"priority_level is missing"}]}
	END
	echo '{priority_level: "normal"} + .' > set/1.2.0..1.3.0/up.jq
	manifest 1.0.0 > tree/manifest.json
	mig-extract --store fs:tree --set set | mig-transform --set set --target-version 1.3.0 > changes
	[ "$(jq -c 'select(.kind == "change").hops' changes)" = '["1.0.0..1.2.0","1.2.0..1.3.0"]' ]
	grep -q '{"op":"add","path":"/priority_level","value":"normal"}' changes
}

@test "SG-42 a breaking hop under a minor or patch bump is refused" {
	graph 1.0.0..1.1.0
	jq '.breaking = true' set/1.0.0..1.1.0/hop.json > x && mv x set/1.0.0..1.1.0/hop.json
	fails 4 mig-extract --store fs:tree --set set
	[[ $stderr == *'a breaking hop leads to a greater major version' ]]
	graph 1.9.9..2.0.0
	jq '.breaking = true' set/1.9.9..2.0.0/hop.json > x && mv x set/1.9.9..2.0.0/hop.json
	mig-extract --store fs:tree --set set > /dev/null
}

@test "what stands in the set's folder beside its parts does not change its hash; each part does" {
	local hash part
	cp -R "$SETS/profile" set
	mkdir tree
	of() { mig-extract --store fs:tree --set set --list-versions | head -n 1 | jq -r .set.hash; }
	hash=$(of)
	touch set/README.md set/.hidden && mkdir set/notes
	[ "$(of)" = "$hash" ]
	touch -d 2001-01-01 set/set.json && chmod 600 set/lib.jq
	[ "$(of)" = "$hash" ]
	[ "$(cd / && mig-extract --store "fs:$OLDPWD/tree" --set "$OLDPWD/set/" --list-versions | head -n 1 | jq -r .set.hash)" = "$hash" ]
	for part in set.json lib.jq 1.3.0..1.4.0/hop.json 1.4.0..2.0.0/up.jq; do
		echo >> "set/$part"
		[ "$(of)" != "$hash" ]
		hash=$(of)
	done
}

# model SET VERSION TREE: its changes and its plan are the goldens'
model() {
	mig-extract --store "fs:$SAMPLES/$3" --set "$SETS/$1" > docs
	mig-transform --set "$SETS/$1" --target-version "$2" < docs > changes
	mig-plan --env dev --migration "$1" --target-version "$2" --max-rejects 20 < changes > plans
	golden "set/$1.changes.ndjson" < changes
	golden "set/$1.plans.ndjson" < plans
	mig-hash --check changes plans > /dev/null
}

@test "the changes and plan of the manifest set over the troubled samples and one of each kind are the goldens'" {
	mkdir tree
	cp -R "$SAMPLES/manifests/troubled" tree/
	cp -R "$SAMPLES/manifests/artifacts/glossary-sync" tree/
	SAMPLES=$PWD model manifest 1.2.0 tree
}

@test "CH-31 the changes and plan of the profile set, whose version bump switches references, are the goldens'" {
	model profile 2.0.0 profile
	# what the golden plan says, in words: every step that named 1.x now names 2.0.0, others stay pinned
	jq -r 'select(.kind == "plan").steps[].actions[].patch[]? | select(.path | test("/steps/[0-9]+/profile")).value' plans | sort -u > got
	[ "$(cat got)" = retail-sales@2.0.0 ]
	[ "$(jq -r 'select(.kind == "plan").steps[].type' plans | sort -u)" = profile ]
	[ "$(jq -c 'select(.kind == "plan") | [.rollback[].levers[]] | unique' plans)" = \
		'["disable workflow scheduler","drain the ingest queue of the tenant"]' ]
}

@test "CH-31 the changes and plan of the config set are the goldens'" {
	model config 2.0.0 config
	grep -q '{"from":"/datasources/legacy_reporting","op":"move","path":"/datasources/warehouse"}' changes
}

@test "a name in a set that is not UTF-8 is shown by %XX, and the stream keeps its code" {
	graph 1.0.0..2.0.0
	mkdir "set/1.0.0..$(printf '\377')"
	run --separate-stderr bash -c 'mig-extract --store fs:tree --set set | mig-transform --set set --target-version 2.0.0'
	[ "$status" -eq 4 ]
	[[ $output == *'"exit":4,"kind":"fault"'*'"ref":"set/1.0.0..%FF/hop.json"'* ]]
	[[ $stderr == *'set/1.0.0..%FF/hop.json: No such file or directory'* ]]
}

@test "a library that is none is refused by extract already, and by its own name" {
	graph 1.0.0..2.0.0
	echo 'def f: 1; .' > set/lib.jq
	fails 4 mig-extract --store fs:tree --set set
	[[ $stderr == 'mig-extract: set/lib.jq: '*', line 1 of the library' ]]
	printf 'def f:\r\n 1;\r\n' > set/lib.jq
	fails 4 mig-extract --store fs:tree --set set
	[[ $stderr == *'mig-extract: hint: its lines end in CR and LF'* ]]
	rm set/lib.jq && ln -s nowhere set/lib.jq
	fails 4 mig-extract --store fs:tree --set set
	[[ $stderr == 'mig-extract: set/lib.jq: '* ]]
	rm set/lib.jq && : > set/lib.jq
	[ "$(way 1.0.0 2.0.0)" = 1.0.0..2.0.0 ]
}

@test "a set.json that is a link to itself is a missing set" {
	graph 1.0.0..2.0.0
	ln -sf set.json set/set.json
	fails 3 mig-extract --store fs:tree --set set
	[ "$stderr" = 'mig-extract: set/set.json: Too many levels of symbolic links' ]
}

@test "a lib.jq that defines what jq's operators are made of, or what the engine needs, is refused with its line" {
	local def
	cp -r "$SETS/manifest" set
	for def in 'def _equal(a; b): true;' $'def # equal\n\t_equal(a; b): true;' 'def f: def _equal(a; b): true; 1 == 2;' \
		'def _mig_error(e): .;' 'def f: "#"; def _plus(a; b): a;'; do
		printf 'def plain: .;\n%s\n' "$def" > set/lib.jq
		fails 4 mig-transform --set set --target-version 1.2.0 < /dev/null
		[[ $stderr == *'set/lib.jq: line '[23]': defines a function whose name begins with _'* ]] || fail "$stderr"
	done
	echo 'def undef_x: 1; def f($_x): $_x; def g: "undef _x";' > set/lib.jq
	manifest 1.0.0 > m && mkdir t && cp m t/manifest.json
	mig-extract --store fs:t --set set | mig-transform --set set --target-version 1.2.0 | grep -q '"kind":"change"'
}

@test "a library that redefines what conditions are made of does not lift them" {
	graph 1.0.0..2.0.0
	jq '.after = [{jq: ".way == []", message: "the way is not empty"}]' set/1.0.0..2.0.0/hop.json > x && mv x set/1.0.0..2.0.0/hop.json
	echo 'def error(x): .; def getpath(p): "2.0.0"; def setpath(p; v): .; def length: 1; def tojson: 0;' > set/lib.jq
	[ "$(way 1.0.0 2.0.0)" = 'the way is not empty' ]
	echo '., .' > set/1.0.0..2.0.0/up.jq
	[ "$(way 1.0.0 2.0.0)" = '1.0.0..2.0.0: the program gave 2 outputs, not one' ]
}

@test "an unknown function in a condition is named with its hop.json and its place there" {
	graph 1.0.0..2.0.0 2.0.0..3.0.0
	jq '.after = [{jq: "true", message: "m"}, {jq: "nosuch", message: "m"}]' set/2.0.0..3.0.0/hop.json > x && mv x set/2.0.0..3.0.0/hop.json
	echo '{"v":"1.0.0"}' > tree/a.json
	mig-extract --store fs:tree --set set > docs
	fails 4 mig-transform --set set --target-version 3.0.0 < docs
	[ "$stderr" = 'mig-transform: 2.0.0..3.0.0/hop.json: /after/1/jq: nosuch/0 is not defined, line 1' ]
	fails 4 mig-transform --set set --target-version 3.0.0 --check-paths < docs
	[[ $stderr == *'2.0.0..3.0.0/hop.json: /after/1/jq: nosuch/0 is not defined, line 1'* ]]
}
