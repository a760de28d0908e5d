#!/usr/bin/env bats
# mig-transform: what a migration set makes of documents, and what it refuses.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper

# document TEXT [VERSION]: the document stream of one manifest with this text
document() {
	mkdir -p tree && printf '%s' "$1" > tree/manifest.json
	mig-extract --store fs:tree --set "${SET-$SETS/manifest}"
}

to() { mig-transform --set "${SET-$SETS/manifest}" --target-version "$1"; }

# migrated VERSION: what the change on stdin makes of tree/manifest.json, by jq's own means
migrated() {
	to "$1" > out
	jq -c --slurpfile doc tree/manifest.json -n '
		def key: if test("^[0-9]+$") then tonumber else . end;
		def path: ltrimstr("/") | split("/") | map(gsub("~1"; "/") | gsub("~0"; "~") | key);
		reduce (input | select(.kind == "change").patch[]) as $op ($doc[0];
			if $op.op == "remove" then delpaths([$op.path | path])
			elif $op.op == "move" then getpath($op.from | path) as $v | delpaths([$op.from | path]) | setpath($op.path | path; $v)
			else setpath($op.path | path; $op.value) end)' out
}

# mini UP [SET MEMBERS [HOP MEMBERS]]: a set of one hop, 1.0.0 to 2.0.0, as ./set
mini() {
	mkdir -p set/1.0.0..2.0.0
	echo '{"id":"mini","entity":"thing","mode":"document","match":["**/manifest.json"],"version":{"pointer":"/v","default":"1.0.0"},"additive":false,"history":null}' |
		jq ". + {${2-}}" > set/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["c"]}' | jq ". + {${3-}}" > set/1.0.0..2.0.0/hop.json
	printf '%s\n' "$1" > set/1.0.0..2.0.0/up.jq
	SET='set'
}

# rejected TEXT "CODE: REASON": the one document comes out as this reject, and the filter succeeds.
rejected() {
	document "$1" > docs
	to 2.0.0 < docs > out
	[ "$(jq -r 'select(.kind == "reject") | "\(.code): \(.reason)"' out)" = "$2" ] || fail "$(cat out)"
	[ "$(tail -n 1 out)" = "$(tail -n 1 docs)" ]
	mig-hash --check < out > /dev/null
}

@test "SG-01 1.0.0 to 1.1.0 adds input_snapshots {} and inputs_hash null, and no more" {
	manifest 1.0.0 > m
	document "$(cat m)" > docs
	migrated 1.1.0 < docs | jq -S . > got
	jq -S '. + {schema_version: "1.1.0", input_snapshots: {}, inputs_hash: null}' m | diff -u - got
	[ "$(jq -c 'select(.kind == "change") | [.hops, .op, .destructive]' out)" = '[["1.0.0..1.1.0"],"patch",false]' ]
}

@test "SG-02 1.1.0 to 1.2.0 adds chain_metadata" {
	manifest 1.1.0 '"input_snapshots": {}, "inputs_hash": null' > m
	document "$(cat m)" > docs
	migrated 1.2.0 < docs | jq -S . > got
	jq -S '. + {schema_version: "1.2.0", chain_metadata: {is_chainable_stage: false, prior_stages: []}}' m | diff -u - got
}

@test "SG-03 SG-04 1.0.0 to 1.2.0 takes the direct hop and adds all three" {
	manifest 1.0.0 > m
	document "$(cat m)" > docs
	migrated 1.2.0 < docs | jq -S . > got
	jq -S '. + {schema_version: "1.2.0", input_snapshots: {}, inputs_hash: null,
		chain_metadata: {is_chainable_stage: false, prior_stages: []}}' m | diff -u - got
	[ "$(jq -c 'select(.kind == "change").hops' out)" = '["1.0.0..1.2.0"]' ]
}

@test "SG-09 a manifest at the target is current, and has no change" {
	document "$(manifest 1.2.0)" | to 1.2.0 > out
	[ "$(jq -r .kind out | paste -sd ' ')" = 'current end' ]
	[ "$(head -n 1 out | jq -r .version)" = 1.2.0 ]
}

@test "SG-11 a manifest without a version counts as 1.0.0 and gets one" {
	document '{"job_id":"j","run_id":"r"}' > docs
	migrated 1.1.0 < docs | jq -e '.schema_version == "1.1.0"'
	head -n 1 out | jq -e '.from_version == "1.0.0" and
		any(.patch[]; . == {"op":"add","path":"/schema_version","value":"1.1.0"}) and
		any(.undo[]; . == {"op":"remove","path":"/schema_version"})'
}

@test "SG-12 a record whose version is not its body's is refused with both versions" {
	document "$(manifest 1.1.0)" | sed 's/"version":"1.1.0"/"version":"1.0.0"/' > docs
	fails 4 to 1.2.0 < docs
	[[ $stderr == *'Expected schema_version 1.0.0, got 1.1.0' ]]
	[ "$(jq -c '[.kind, .exit, .code]' <<< "$output")" = '["fault",4,"version_mismatch"]' ]
}

@test "SG-06 SG-07 a missing way is a reject that names both versions, and stops the plan with 4" {
	local from
	for from in 2.0.0 9.9.9 1.2.0-rc.1; do
		document "$(manifest $from)" | to 1.0.0 > out
		[ "$(jq -r 'select(.kind == "reject") | "\(.code): \(.reason)"' out)" = \
			"no_path: No migration path from $from to 1.0.0" ]
		fails 4 mig-plan --env dev --migration m --target-version 1.0.0 < out
		[[ $stderr == *"manifest.json: No migration path from $from to 1.0.0"* ]]
	done
}

@test "SG-10 what was migrated once is current" {
	document "$(manifest 1.0.0)" > docs
	migrated 1.2.0 < docs > again
	document "$(cat again)" | to 1.2.0 | head -n 1 | jq -e '.kind == "current"'
}

@test "SG-16 a manifest without run_id or job_id is a reject" {
	SET=$SETS/manifest
	document '{"schema_version":"1.0.0","job_id":"j"}' | to 1.1.0 | grep -q '"reason":"/run_id is required"'
	document '{"schema_version":"1.0.0","run_id":"r"}' | to 1.1.0 | grep -q '"code":"required_missing".*"reason":"/job_id is required"'
}

@test "SG-14 SG-15 a hop that changes run_id or job_id is refused, whichever way it does" {
	local up member
	for member in run_id job_id; do
		for up in ".$member = \"other\"" "del(.$member)" ".$member |= [.]" ".$member = null"; do
			mini "$up" '"immutable":["/run_id","/job_id"]'
			rejected '{"v":"1.0.0","run_id":"r","job_id":"j"}' "immutable_changed: /$member must not change"
		done
	done
	mini '.n = 1' '"immutable":["/run_id"]'
	document '{"run_id":"r"}' | to 2.0.0 | head -n 1 | jq -e '.kind == "change"'
}

@test "SG-17 SG-18 SG-20 hashes, artifacts, references, meta, unknown members and given snapshots are in no patch" {
	manifests tree
	mig-extract --store fs:tree --set "$SETS/manifest" > docs
	to 1.2.0 < docs > out
	jq -r 'select(.kind == "change") | .patch[] | .op + " " + .path' out | sort -u > got
	printf '%s\n' 'add /chain_metadata' 'add /input_snapshots' 'add /inputs_hash' 'add /schema_version' \
		'replace /schema_version' | diff -u - got
	# what is added was not there
	cat docs out | jq -s '(map(select(.kind == "document") | {(.ref): .body}) | add) as $body |
		[.[] | select(.kind == "change") | .ref as $ref | .patch[] | select(.op == "add") | .path[1:] as $name |
			$body[$ref] | has($name)] | [length > 300, any]' -c > got
	[ "$(cat got)" = '[true,false]' ]
}

@test "SG-20 an input_snapshots that is there already is kept to the byte" {
	document '{"schema_version":"1.0.0","job_id":"j","run_id":"r","input_snapshots":{"a":{"n":1.50}}}' > docs
	migrated 1.1.0 < docs | jq -e '.input_snapshots == {a: {n: 1.5}}'
	jq -c 'select(.kind == "change") | .patch, .undo' out > both
	grep -q inputs_hash both
	run ! grep input_snapshots both
}

@test "SG-19 an additive set refuses every removal and every alteration" {
	local up path
	while IFS=@ read -r up path; do
		mini "$up" '"additive":true'
		rejected '{"v":"1.0.0","a":1,"list":[1,2],"o":{"x":1}}' "not_additive: $path is altered or removed, but the set is additive"
	done <<-'END'
		.a = 2@/a
		del(.a)@/a
		.b = .a | del(.a)@/a
		.b = .o | del(.o)@/o
		.list += [3]@/list/2
		.list |= .[1:]@/list/0
		.o.x = {}@/o/x
		.o = {}@/o/x
		.a = null@/a
		{}@/a
	END
	mini '.o.y = 1 | .n = {deep: []}' '"additive":true'
	document '{"v":"1.0.0","a":1,"o":{"x":1}}' | to 2.0.0 | head -n 1 | jq -e '.kind == "change"'
}

@test "SG-13 a hop that gives another version than it says is a reject" {
	mini '.v = "3.0.0"'
	rejected '{"v":"1.0.0"}' 'wrong_version: 1.0.0..2.0.0: the program gave version "3.0.0", expected 2.0.0'
	mini 'del(.v)' '"version":{"pointer":"/v"}'
	rejected '{"v":"1.0.0"}' 'wrong_version: 1.0.0..2.0.0: the program gave version null, expected 2.0.0'
	mini null
	rejected '{"v":"1.0.0"}' 'wrong_version: 1.0.0..2.0.0: the program gave version null, expected 2.0.0'
	# one that leaves it alone, or writes the right one, is fine
	for up in . '.v = "2.0.0"'; do
		mini "$up"
		document '{"v":"1.0.0"}' | to 2.0.0 | grep -q '"patch":\[{"op":"replace","path":"/v","value":"2.0.0"}\]'
	done
}

@test "a jq error on a way of several hops names the hop" {
	local i
	mini '.n += 1'
	mkdir set/2.0.0..3.0.0 set/3.0.0..4.0.0
	jq '.from = "2.0.0" | .to = "3.0.0"' set/1.0.0..2.0.0/hop.json > set/2.0.0..3.0.0/hop.json
	jq '.from = "3.0.0" | .to = "4.0.0"' set/1.0.0..2.0.0/hop.json > set/3.0.0..4.0.0/hop.json
	echo '.a |= keys' > set/2.0.0..3.0.0/up.jq
	echo '.b |= keys' > set/3.0.0..4.0.0/up.jq
	for i in '{"v":"1.0.0","n":"x","a":[],"b":[]}' '{"v":"1.0.0","n":1,"a":1,"b":[]}' '{"v":"1.0.0","n":1,"a":[],"b":1}' \
		'{"v":"2.0.0","a":1,"b":[]}' '{"v":"2.0.0","a":[],"b":1}' '{"v":"3.0.0","b":1}' '{"v":"1.0.0","n":1,"a":[],"b":[]}'; do
		document "$i" | to 4.0.0 | jq -r 'select(.kind == "reject") | .reason'
	done > reasons
	diff -u - reasons <<- 'EOF'
		1.0.0..2.0.0: string ("x") and number (1) cannot be added
		2.0.0..3.0.0: number (1) has no keys
		3.0.0..4.0.0: number (1) has no keys
		2.0.0..3.0.0: number (1) has no keys
		3.0.0..4.0.0: number (1) has no keys
		3.0.0..4.0.0: number (1) has no keys
	EOF
	[ "$(document '{"v":"1.0.0","n":1,"a":[],"b":[]}' | to 4.0.0 | jq -r .kind | xargs)" = 'change end' ]
}

@test "predicates before and after decide, and what they say is the reason" {
	mini '.n += 1' '' '"before":[{"jq":".n < 10","message":"n is too great"},{"jq":".n > 0","message":"n is \"small\""}],
		"after":[{"jq":".n != 5","message":"five came out"}]'
	rejected '{"v":"1.0.0","n":10}' 'before_failed: n is too great'
	rejected '{"v":"1.0.0","n":0}' 'before_failed: n is "small"'
	rejected '{"v":"1.0.0","n":4}' 'after_failed: five came out'
	document '{"v":"1.0.0","n":5}' | to 2.0.0 | grep -q '"kind":"change"'
	# only exactly true is true
	local jq
	for jq in 1 null '"true"' empty 'true, true' 'true, false'; do
		mini . '' "\"before\":[{\"jq\":$(jq -R . <<< "$jq"),\"message\":\"no\"}]"
		rejected '{"v":"1.0.0"}' 'before_failed: no'
	done
}

@test "required members that a program drops are a reject" {
	mini 'del(.a)' '"required":["/a"]'
	rejected '{"v":"1.0.0","a":1}' 'required_missing: /a is required, the program removed it'
}

@test "a history that is no array, or that a program writes, is a reject" {
	mini '.h += [1]' '"history":"/h"'
	rejected '{"v":"1.0.0","h":{}}' 'bad_history: /h is not an array'
	rejected '{"v":"1.0.0","h":[]}' 'history_changed: /h is the history: only mig-apply writes it'
	rejected '{"v":"1.0.0"}' 'history_changed: /h is the history: only mig-apply writes it'
}

@test "a jq error, no output, two outputs: rejects with jq's words" {
	mini '.a | keys'
	rejected '{"v":"1.0.0","a":1}' 'jq_error: 1.0.0..2.0.0: number (1) has no keys'
	mini 'error("not like this")'
	rejected '{"v":"1.0.0"}' 'jq_error: 1.0.0..2.0.0: not like this'
	mini 'error({code: 7})'
	rejected '{"v":"1.0.0"}' 'jq_error: 1.0.0..2.0.0: {"code":7}'
	mini 'empty'
	rejected '{"v":"1.0.0"}' 'not_one_output: 1.0.0..2.0.0: the program gave 0 outputs, not one'
	mini '., .'
	rejected '{"v":"1.0.0"}' 'not_one_output: 1.0.0..2.0.0: the program gave 2 outputs, not one'
}

@test "an impure program ends the filter with fault 4, also from within try, and is no reject" {
	local up
	for up in '.t = now' '.t = (try now catch 0)' '.e = env.HOME' '.e = $ENV.HOME' '.i = input' '[inputs]' 'debug' 'stderr' \
		'.d = (0 | localtime)' '.x = (2 | pow(.; 0.1))' 'input_line_number' 'halt' '"" | halt_error' '.f = input_filename' \
		'def g: now; .t = (g? // 1)' 'get_search_list' '$__prog_args' '.l = $__loc__.file' '.s = (0 | strflocaltime("%Z"))'; do
		mini "$up"
		document '{"v":"1.0.0"}' > docs
		run --separate-stderr to 2.0.0 < docs
		if [ "$up" = '.e = $ENV.HOME' ]; then # the environment is there, and empty
			[ "$status" -eq 0 ] && [[ $output == *'"path":"/e","value":null'* ]]
		elif [ "$up" = '.l = $__loc__.file' ]; then
			[[ $status -eq 0 || $status -eq 4 ]] && [[ $output != *"$PWD"* ]]
		else
			[ "$status" -eq 4 ] || fail "$up: $status $output"
			[[ $output == *'"exit":4,"kind":"fault"'* && $output != *'"kind":"end"'* ]] || fail "$up: $output"
		fi
	done
}

@test "SG-52 the environment, locale, time zone and clock do not reach a program" {
	mini '.date = (0 | todate) | .parts = (86400 | gmtime | mktime) | .day = (1e9 | strftime("%A %B %Z")) | .env = ($ENV | length) | .up = ("i" | ascii_upcase)'
	document '{"v":"1.0.0"}' > docs
	to 2.0.0 < docs > one
	TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 LANG=de_DE.UTF-8 HOME=/x JQ_COLORS=1 SOURCE_DATE_EPOCH=7 to 2.0.0 < docs | cmp - one
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 faketime '2031-05-05 05:05:05' mig-transform --set set --target-version 2.0.0 < docs | cmp - one
	(umask 077 && cd / && "$MIG_X/mig-transform" --set "$OLDPWD/set" --target-version 2.0.0 < "$OLDPWD/docs") | cmp - one
	grep -q '"path":"/day","value":"Sunday September UTC"' one
}

@test "numbers: untouched ones keep every digit, touched ones that jq would round are a reject" {
	mini '.n = 1 | .list |= reverse | .moved = .id | del(.id)'
	document '{"v":"1.0.0","id":9007199254740993,"keep":-9223372036854775808,"list":[{"big":9223372036854775807},1.10]}' > docs
	to 2.0.0 < docs > out
	grep -q '"kind":"change"' out
	grep -q '"from":"/id","op":"move","path":"/moved"' out
	want='{"v":"2.0.0","moved":9007199254740993,"keep":-9223372036854775808,"list":[1.10,{"big":9223372036854775807}],"n":1}'
	[ "$(grep -o '"after":"[0-9a-f]*"' out)" = "\"after\":\"$(mig-hash <<< "$want")\"" ]
	mini '.id += 1'
	rejected '{"v":"1.0.0","id":9007199254740993}' 'inexact_number: /id: the program made an integer beyond 2^53-1, which jq rounds'
	mini '.s = (.id | tostring)'
	rejected '{"v":"1.0.0","id":9007199254740993}' 'inexact_number: /s: the program wrote an integer beyond 2^53-1 as text, which jq rounds'
	mini '.x = infinite'
	document '{"v":"1.0.0"}' | to 2.0.0 | grep -q '"code":"inexact_number"'
	mini '.x = nan'
	document '{"v":"1.0.0"}' | to 2.0.0 | grep -q '"code":"inexact_number"'
	mini '.x = 9007199254740991 | .y = 0.1 + 0.2 | .z = 1.5e-300'
	document '{"v":"1.0.0"}' | to 2.0.0 | grep -q '"value":9007199254740991}.*"value":0.30000000000000004}.*"value":1.5e-300}'
}

@test "member names of every script, with slashes and tildes, are addressed and undone" {
	mini '. + {"ünï": 1, "a/b": 2, "~": 3, "": 4, "\u0001": 5, "😀": 6, "é": 7} | .["x/y"]["~1"] = null'
	document '{"v":"1.0.0","x/y":{"~1":"old"},"é":"composed","日本":[]}' | to 2.0.0 > out
	jq -r 'select(.kind == "change") | .patch[].path' out | LC_ALL=C sort > got
	printf '%s\n' / $'/\x01' /a~1b /~0 /v '/x~1y/~01' /é /ünï /😀 | LC_ALL=C sort > want
	# the composed and the decomposed spelling are two names
	if [ "$(jq -n '"é" == "é"')" = true ]; then diff -u want got; fi
	[ "$(jq -r 'select(.kind == "change") | .undo | length' out)" -eq "$(jq -r 'select(.kind == "change") | .patch | length' out)" ]
}

@test "documents of depth 512 go through; a program that nests deeper is a reject" {
	deep() { printf '{"v":"1.0.0","d":'; printf "%0$1d" 0 | tr 0 '['; printf "%0$1d" 0 | tr 0 ']'; echo '}'; }
	mini '.n = 1'
	document "$(deep 511)" | to 2.0.0 | head -n 1 | grep -q '"kind":"change"'
	mini '.d = [.d]'
	document "$(deep 511)" | to 2.0.0 | head -n 1 | grep -q '"code":"too_deep".*"kind":"reject"'
	document "$(deep 510)" | to 2.0.0 | head -n 1 | grep -q '"kind":"change"'
}

@test "a history that mig-apply could not write is a reject, before there is a plan" {
	local text
	mini .n=1 '"history": "/meta/history"'
	for text in '{"v":"1.0.0"}' '{"v":"1.0.0","meta":null}' '{"v":"1.0.0","meta":"x"}' '{"v":"1.0.0","meta":[]}'; do
		rejected "$text" 'bad_history: /meta/history has no object to stand in'
	done
	document '{"v":"1.0.0","meta":{}}' | to 2.0.0 | head -n 1 | grep -q '"kind":"change"'
	mini '.meta = {}' '"history": "/meta/history"'
	document '{"v":"1.0.0"}' > docs
	to 2.0.0 < docs | mig-plan --env dev --migration mini --target-version 2.0.0 | mig-gate --env dev --apply |
		mig-apply --store fs:tree > outcomes
	[ "$(jq -c '.meta.history[0].to_version' tree/manifest.json)" = '"2.0.0"' ]
}

@test "a change over a quarter of MIG_MAX_RECORD is a reject" {
	mini '.pad = ("x" * 1100)'
	document '{"v":"1.0.0"}' > docs
	MIG_MAX_RECORD=4096 to 2.0.0 < docs | head -n 1 | grep -q '"code":"too_large".*"kind":"reject"'
	to 2.0.0 < docs | head -n 1 | grep -q '"kind":"change"'
}

@test "a program that runs away is ended after 10 seconds with fault 4, records before it whole" {
	mini 'if .loop then last(range(infinite)) else .n = 1 end'
	mkdir -p tree/{a,b,c}
	echo '{"v":"1.0.0"}' | tee tree/a/manifest.json > tree/c/manifest.json
	echo '{"v":"1.0.0","loop":true}' > tree/b/manifest.json
	mig-extract --store fs:tree --set set > docs
	fails 4 timeout 60 mig-transform --set set --target-version 2.0.0 < docs
	[ "$(jq -r '.ref' <<< "$output" | paste -sd ' ')" = 'a/manifest.json b/manifest.json' ]
	[ "$(jq -c '[.kind, .exit, .code]' <<< "${lines[1]}")" = '["fault",4,"jq_died"]' ]
	[[ ${lines[1]} == *'the program of 1.0.0..2.0.0 ran for more than 10 seconds'* ]]
	[ "$stderr" = 'mig-transform: b/manifest.json: the program of 1.0.0..2.0.0 ran for more than 10 seconds' ]
	[ "${#lines[@]}" -eq 2 ]
	[ "$stderr" = 'mig-transform: b/manifest.json: the program of 1.0.0..2.0.0 ran for more than 10 seconds' ]
}

@test "a program that kills libjq ends in fault 4 and never in a signal" {
	local up
	for up in '.a = (1e300 | todate)' '.a = ([3] | .[2147483647] = 1 | length)' 'reduce range(1e6) as $i (0; [.]) | tojson'; do
		mini "$up"
		document '{"v":"1.0.0"}' > docs
		fails 4 timeout -s KILL 30 mig-transform --set set --target-version 2.0.0 < docs
		[ "$(jq -c '[.kind, .exit, .code, .ref]' <<< "$output")" = '["fault",4,"jq_died","manifest.json"]' ] || fail "$up: $output"
		[[ $output == *'the program of 1.0.0..2.0.0 crashed libjq or ran out of memory'* ]]
		[[ $stderr == *'mig-transform: manifest.json: the program of 1.0.0..2.0.0 crashed libjq or ran out of memory' ]]
	done
}

@test "odd programs are rejects or faults, each with its reason" {
	local up
	mkdir tree && echo '{"v":"1.0.0"}' > tree/manifest.json
	for up in implode '.v = ([1114112] | implode)' '.v = ([-1] | implode)' 'splits("(")' '.v | test("(((((")' @base64d fromjson \
		'.[nan] = 1' 'setpath([nan]; 1)' 'delpaths([[{}]])' '.[0:1e300] = 1' 'error' 'error(null)' 'error("\u0000")' \
		'break' 'label $f | break $f' '.a.b.c |= empty' 'to_entries' '1' '"x"' 'false' '[.]' 'ascii' '@text "\(now)"' 'input_line_number'; do
		mini "$up"
		run --separate-stderr bash -c 'mig-extract --store fs:tree --set set | mig-transform --set set --target-version 2.0.0'
		[[ $status -eq 0 && $output == *'"kind":"reject"'*'"kind":"end"'* ]] ||
			[[ $status -eq 4 && $output == *'"exit":4,"kind":"fault"'* && -n $stderr ]] ||
			[[ $up == '.a.b.c |= empty' && $status -eq 0 ]] || fail "$up: $status $output"
	done
}

@test "a document of another entity than the set's is refused" {
	document "$(manifest 1.0.0)" > docs
	mini .
	fails 4 to 2.0.0 < docs
	[[ $stderr == *"another entity than the set's thing"* ]]
}

@test "CH-36 a target that is no semantic version, and latest, are usage errors" {
	local v
	for v in latest 1.2 v1.2.0 1.2.0.0 01.2.0 '' ' 1.2.0' 1.2.0- '1.2.0 ' '>=1.0.0' 1.x; do
		fails 2 mig-transform --set "$SETS/manifest" --target-version "$v" < /dev/null
		stdout_empty
		[[ $stderr == mig-transform:*usage:* ]]
	done
	fails 2 mig-transform --set "$SETS/manifest" < /dev/null
	fails 2 mig-transform --target-version 1.2.0 < /dev/null
	fails 3 mig-transform --set missing --target-version 1.2.0 < /dev/null
	grep -q '"exit":3,"kind":"fault"' <<< "$output"
}

@test "CH-37 CH-53 --help lists flags and exit codes on stdout; an unknown flag is usage on stderr" {
	local tool flag
	for tool in extract transform plan gate hash; do
		fails 0 "mig-$tool" --help
		[[ $output == "usage: mig-$tool "*'--help'*'Exit status: 0 '*', 1 '* ]] || fail "$tool: $output"
		[ -z "$stderr" ]
		fails 0 "mig-$tool" --version
		[[ $output == "mig-$tool (migtools) "[0-9]* ]]
		for flag in --unknown --hel -h -x --; do
			[ "$flag" = -- ] && flag='-- stray'
			local code=2
			[ "$tool$flag" != 'hash-- stray' ] || code=3 # an operand there: a file that is missing
			# shellcheck disable=SC2086 # two words
			fails "$code" "mig-$tool" $flag < /dev/null
			stdout_empty
			[[ $stderr == "mig-$tool: "* ]]
		done
	done
}
