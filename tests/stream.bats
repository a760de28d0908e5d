#!/usr/bin/env bats
# A pipeline cannot lie: cut, edited, doubled, moved and failed streams, and what the last filter says of them.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper

DIGEST_OF_NOTHING=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# Three documents: one to change, one current, one without a way; docs, changes, plans, permits.
streams() {
	mkdir -p tree/a tree/b tree/c
	manifest 1.0.0 > tree/a/manifest.json
	manifest 1.2.0 > tree/b/manifest.json
	manifest 1.1.0 > tree/c/manifest.json
	mig-extract --store fs:tree --set "$SETS/manifest" > docs
	transform < docs > changes
	plan < changes > plans
	gate < plans > permits
}

transform() { mig-transform --set "$SETS/manifest" --target-version 1.2.0; }
plan() { mig-plan --env dev --migration manifest --target-version 1.2.0 "$@"; }
gate() { mig-gate --env dev --apply "$@"; }

# refuses CODES FUNCTION < stdin: its code must be among CODES ("3 4"); no plan and no permit comes out.
refuses() {
	local code=0
	"$2" > came 2> said || code=$?
	[[ " $1 " == *" $code "* ]] || fail "$2 exits $code, not one of $1: $(cat said)"
	! grep -qE '"kind":"(plan|permit|end)"' came || fail "$2 wrote $(head -c 300 came)"
	[ -s said ] || grep -q '"kind":"fault"' came || fail "$2 said nothing"
}

# The same three documents under a set of few words, for tests that count bytes.
short_streams() {
	mkdir -p set/1.0.0..2.0.0 few
	echo '{"id":"s","entity":"e","mode":"document","match":["*"],"version":{"pointer":"/v"},"additive":true,"history":null}' > set/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["c"]}' > set/1.0.0..2.0.0/hop.json
	echo '{n:1} + .' > set/1.0.0..2.0.0/up.jq
	echo '{"v":"1.0.0"}' > few/a
	echo '{"v":"2.0.0"}' > few/b
	echo '{"v":"3.0.0"}' > few/c
	mig-extract --store fs:few --set set > docs
	mig-transform --set set --target-version 2.0.0 < docs > changes
	mig-plan --env dev --migration s --target-version 2.0.0 --max-rejects 1 < changes > plans
	mig-plan --rollback < plans > undo
}

# cut_everywhere EVERY FILE COMMAND..: cut FILE before every EVERYth byte and around each end of line (MIG_FULL=1:
# before each byte); COMMAND must exit 3 and write no plan, permit or end.
cut_everywhere() {
	python3 - "$@" <<-'END'
		import os, re, sys
		every = 1 if os.environ.get("MIG_FULL") else int(sys.argv[1])
		data = open(sys.argv[2], "rb").read()
		command = sys.argv[3:]
		out = os.open("cut.out", os.O_RDWR | os.O_CREAT)
		for n in range(len(data)):
		    if n % every and b"\n" not in data[max(0, n - 2):n + 2]: continue
		    with open("cut.in", "wb") as f: f.write(data[:n])
		    os.ftruncate(out, 0)
		    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
		        (os.POSIX_SPAWN_OPEN, 0, "cut.in", os.O_RDONLY, 0),
		        (os.POSIX_SPAWN_OPEN, 1, "cut.out", os.O_WRONLY | os.O_APPEND, 0),
		        (os.POSIX_SPAWN_OPEN, 2, "cut.err", os.O_WRONLY | os.O_CREAT, 0o600)])
		    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		    came = os.pread(out, 1 << 20, 0)
		    if code != 3 or re.search(b'"kind":"(plan|permit|end)"', came):
		        sys.exit("%s cut at byte %d of %d: exit %d: %s" % (sys.argv[2], n, len(data), code, came[:200]))
		assert len(data) > 400 and data.endswith(b"\n")
	END
}

@test "a change stream cut before any byte is 3 for mig-plan, and no plan comes out" {
	short_streams
	cut_everywhere 1 changes mig-plan --env dev --migration s --target-version 2.0.0 --max-rejects 1
}

@test "a plan stream cut anywhere is 3 for mig-gate, and no permit comes out" {
	short_streams
	cut_everywhere 3 plans mig-gate --env dev --apply
}

@test "a rollback plan stream cut anywhere is 3 for mig-gate, and no permit comes out" {
	short_streams
	cut_everywhere 7 undo mig-gate --env dev --apply
}

@test "a plan stream cut anywhere is 3 for mig-plan --rollback, and no plan comes out" {
	short_streams
	cut_everywhere 7 plans mig-plan --rollback
}

@test "a document stream cut anywhere is 3 at the plan" {
	short_streams
	cut_everywhere 5 docs sh -c 'mig-transform --set set --target-version 2.0.0 |
		mig-plan --env dev --migration s --target-version 2.0.0 --max-rejects 1'
}

@test "a last line without its LF is torn, also where it is JSON by itself" {
	streams
	head -c -1 changes > torn
	fails 3 plan < torn
	[[ $stderr == *'line 4: torn last line: the stream was cut short' ]]
	head -c -1 plans > torn
	fails 3 gate < torn
	[[ $output != *permit* ]]
}

@test "every line of a change stream deleted, doubled or moved is refused" {
	local i n
	streams
	n=$(wc -l < changes)
	for i in $(seq "$n"); do
		sed "${i}d" changes > bad
		refuses '3 4' plan < bad
		sed "${i}p" changes > bad
		refuses 4 plan < bad
		[ "$i" -eq "$n" ] || { sed "${i}{h;d};$((i + 1))G" changes > bad && refuses 4 plan < bad; }
	done
}

@test "every line of a plan stream deleted, doubled or moved is refused" {
	local i n
	streams
	plan --batch 1 < changes > plans
	n=$(wc -l < plans)
	[ "$n" -eq 3 ]
	for i in $(seq "$n"); do
		sed "${i}d" plans > bad
		refuses '3 4' gate < bad
		sed "${i}p" plans > bad
		refuses 4 gate < bad
		[ "$i" -eq "$n" ] || { sed "${i}{h;d};$((i + 1))G" plans > bad && refuses 4 gate < bad; }
	done
	# the parts of two plannings do not mix
	plan --tenant t --batch 1 < changes > other
	{ sed -n 1p plans && sed -n 2,3p other; } > bad
	refuses 4 gate < bad
}

# Every scalar in the stream gets another value in turn; a stream of one more edit is never accepted.
edit_everywhere() {
	python3 - "$@" <<-'END'
		import json, subprocess, sys
		file, codes, command = sys.argv[1], set(map(int, sys.argv[2].split())), sys.argv[3:]
		lines = open(file).read().splitlines()
		def paths(v, at=()):
		    if isinstance(v, dict):
		        for k in v: yield from paths(v[k], at + (k,))
		    elif isinstance(v, list) and v:
		        for k in range(len(v)): yield from paths(v[k], at + (k,))
		    else:
		        yield at
		def other(v):
		    if isinstance(v, bool): return not v
		    if isinstance(v, int): return v + 1
		    if isinstance(v, str): return v[:-1] + ("1" if v[-1:] != "1" else "2")
		    return "x" if v is None else [v]
		tried = 0
		for i, line in enumerate(lines):
		    record = json.loads(line)
		    for path in paths(record):
		        edited = json.loads(line)
		        spot = edited
		        for k in path[:-1]: spot = spot[k]
		        spot[path[-1]] = other(spot[path[-1]])
		        text = json.dumps(edited, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
		        # who wrote the end means nothing; raw only mig-apply can check
		        if record["kind"] == "end" and path == ("tool",): continue
		        if record["kind"] == "document" and path == ("raw",): continue
		        p = subprocess.run(command, input="\n".join(lines[:i] + [text] + lines[i + 1:]) + "\n",
		                           capture_output=True, text=True)
		        tried += 1
		        if p.returncode not in codes or '"kind":"permit"' in p.stdout or '"kind":"plan"' in p.stdout:
		            sys.exit("line %d, %s: exit %d: %s" % (i + 1, path, p.returncode, p.stderr))
		assert tried >= 30, tried
	END
}

@test "SG-19 each member of a change stream, edited, is refused by mig-plan" {
	streams
	edit_everywhere changes '2 4' mig-plan --env dev --migration manifest --target-version 1.2.0
}

@test "CH-06 each member of a plan stream, edited, is refused by mig-gate and mig-plan --rollback" {
	streams
	edit_everywhere plans '2 4' mig-gate --env dev --apply
}

@test "each member of a document stream, edited, is refused by mig-plan, the hash of the file's bytes by mig-apply" {
	streams
	edit_everywhere docs '2 4' sh -c \
		'mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration manifest --target-version 1.2.0 --max-rejects 1'
	before=$(tree_hash tree)
	sed "1s/\"raw\":\"[0-9a-f]*\"/\"raw\":\"$DIGEST_OF_NOTHING\"/" docs > bad
	fails 4 bash -c 'mig-transform --set "$SETS/manifest" --target-version 1.2.0 < bad |
		mig-plan --env dev --migration manifest --target-version 1.2.0 |
		mig-gate --env dev --apply | mig-apply --store fs:tree'
	[ "$before" = "$(tree_hash tree)" ]
}

@test "an edited reject is refused by every filter that would pass it on" {
	streams
	echo '{' > tree/a/manifest.json
	mig-extract --store fs:tree --set "$SETS/manifest" | transform | plan --max-rejects 1 > plans
	gate < plans > permits
	sed -i '1s/"reason":"/&all is well: /' plans permits
	head -n 1 permits | grep -q '"kind":"reject"'
	for filter in 'mig-gate --env dev --apply' 'mig-plan --rollback' 'mig-verify --store fs:tree' mig-report; do
		fails 4 bash -c "$filter" < plans
		[[ $stderr == *'line 1: the record was edited: its sum says'* ]] || fail "$filter: $stderr"
	done
	fails 4 mig-apply --store fs:tree < permits
	[[ $stderr == *'line 1: the record was edited: its sum says'* ]]
	[ ! -e tree/.mig ]
}

@test "an upstream that is killed, or never started, is 3 at the end, without pipefail" {
	streams
	run bash -c '{ head -n 2 changes; kill -KILL $BASHPID; } 2>&- | mig-plan --env dev --migration m --target-version 1.2.0'
	[ "$status" -eq 3 ]
	run bash -c 'false | mig-plan --env dev --migration m --target-version 1.2.0 | mig-gate --env dev --apply'
	[ "$status" -eq 3 ]
	run bash -c 'mig-extract --unknown | mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration m --target-version 1.2.0 | mig-gate --env dev --apply | mig-apply --store fs:tree'
	[ "$status" -eq 3 ]
	[ ! -e tree/.mig ] || [ ! -s tree/.mig/ledger.ndjson ]
	# a whole line, and then nothing more
	head -n 3 changes | { fails 3 plan; [[ $stderr == *'the stream stops without its end' ]]; }
}

@test "a fault in the middle is forwarded by every filter, stops the work, and its code comes out at the end" {
	local exit fault
	streams
	for exit in 1 2 3 4 5; do
		fault="{\"code\":\"told\",\"exit\":$exit,\"kind\":\"fault\",\"reason\":\"r\",\"tool\":\"upstream\"}"
		{ head -n 1 docs && echo "$fault"; } > bad
		run "-$exit" --separate-stderr bash -c 'mig-transform --set "$SETS/manifest" --target-version 1.2.0 < bad |
			mig-plan --env dev --migration manifest --target-version 1.2.0 | mig-gate --env dev --apply | mig-apply --store fs:tree'
		[ "$output" = "$fault" ] || fail "$output"
		{ head -n 1 changes && echo "$fault"; } > bad
		refuses "$exit" plan < bad
		[ "$(cat came)" = "$fault" ]
		{ head -n 1 plans && echo "$fault"; } > bad
		refuses "$exit" gate < bad
		[ "$(cat came)" = "$fault" ]
		# it outranks even an end that would verify
		{ echo "$fault" && cat plans; } > bad
		run "-$exit" --separate-stderr gate < bad
		[[ $output != *'"permit"'* ]]
	done
	# the first of two faults decides
	printf '{"code":"a","exit":%d,"kind":"fault","reason":"r","tool":"t"}\n' 4 1 > bad
	fails 4 plan < bad
	fails 4 gate < bad
	for exit in 0 6 -1 1.5 '"4"'; do
		fails 2 gate <<< "{\"code\":\"a\",\"exit\":$exit,\"kind\":\"fault\",\"reason\":\"r\",\"tool\":\"t\"}"
	done
}

@test "a pipeline exits with the code of its first failure" {
	mkdir tree
	run -3 bash -c 'mig-extract --store fs:missing --set "$SETS/manifest" 2> /dev/null |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 2> /dev/null |
		mig-plan --env dev --migration m --target-version 1.2.0 2> /dev/null | mig-gate --env dev 2> /dev/null'
	[ "$(jq -r .tool <<< "$output")" = mig-extract ]
	manifest 9.9.9 > tree/manifest.json
	run -4 bash -c 'mig-extract --store fs:tree --set "$SETS/manifest" |
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 |
		mig-plan --env dev --migration m --target-version 1.2.0 2> /dev/null | mig-gate --env dev 2> /dev/null'
	[ "$(jq -r .kind <<< "$output" | paste -sd ' ')" = 'reject fault' ]
}

@test "anything after the end is 4" {
	local filter
	streams
	for filter in plan gate; do
		local file=changes
		[ "$filter" = plan ] || file=plans
		{ cat "$file" && tail -n 1 "$file"; } > bad
		refuses 4 "$filter" < bad
		{ cat "$file" && echo '{"kind":"note"}'; } > bad
		refuses 4 "$filter" < bad
		{ cat "$file" && echo '{"code":"a","exit":3,"kind":"fault","reason":"r","tool":"t"}'; } > bad
		refuses '3 4' "$filter" < bad
		{ cat "$file" && echo; } > bad
		refuses '2 4' "$filter" < bad
		{ cat "$file" && echo nonsense; } > bad
		refuses '2 4' "$filter" < bad
		{ cat "$file" && printf '\0'; } > bad
		refuses '2 3 4' "$filter" < bad
	done
}

@test "kinds that a filter does not know: transform forwards them, plan and gate refuse them" {
	streams
	note='{"a":[1,"é",null],"kind":"note"}'
	{ echo "$note" && sed -n 1p docs && echo "$note" && sed 1d docs; } > noted
	transform < noted > got
	[ "$(grep -cxF "$note" got)" -eq 2 ]
	[ "$(sed -n '1p;3p' got | sort -u)" = "$note" ]
	grep -vxF "$note" got | cmp - changes
	fails 2 plan < got
	{ echo "$note" && cat plans; } > noted
	refuses 2 gate < noted
	# and a known kind in the wrong place
	refuses 2 plan < docs
	refuses 2 plan < plans
	refuses 2 gate < changes
	refuses '2 3 5' gate < permits
}

@test "mig-transform passes on what is not its own unchanged, end and changes included" {
	streams
	transform < changes | cmp - changes
	transform < plans | cmp - plans
	transform < /dev/null | cmp - /dev/null
}

@test "CH-39 a line that is not JSON, or no record, is 2 with line and column" {
	local line n
	streams
	for line in nonsense '{' '{"kind":"note"' '[]' 1 '{}' '{"kind":1}' '{"kind":"end"}' '{"kind":"note","kind":"note"}' '' ' '; do
		for filter in transform plan gate; do
			local file=docs
			[ "$filter" = transform ] || file=changes
			[ "$filter" != gate ] || file=plans
			{ echo "$line" && cat "$file"; } > bad
			refuses 2 "$filter" < bad
			grep -q 'line 1: ' said || fail "$filter, $line: $(cat said)"
		done
	done
	printf '\xef\xbb\xbf' | cat - plans > bad
	refuses 2 gate < bad
	tr '\n' '\0' < plans > bad
	refuses '2 3' gate < bad
	printf '"\xff"\n' > bad
	refuses 2 gate < bad
}

@test "a stream in another spelling of the same JSON means the same" {
	streams
	jq -S . -c changes | sed 's/,"/ , "/g; s/":/" : /' > spaced
	run ! cmp -s spaced changes
	plan < spaced | cmp - plans
	sed 's/$/\r/' changes > crlf
	plan < crlf | cmp - plans
	sed 's/"kind"/"\\u006bind"/; s/"plan_hash"/"plan\\u005fhash"/' plans > escaped
	gate --now 2025-01-01T00:00:00Z < escaped > got
	[ "$(grep -c '"permit"' got)" -eq 1 ]
	[ "$(jq -cS .plan got | head -n 1)" = "$(jq -cS . plans | head -n 1)" ]
}

@test "a record longer than MIG_MAX_RECORD is refused" {
	streams
	MIG_MAX_RECORD=1024 refuses '2 4' plan < changes
	MIG_MAX_RECORD=1024 refuses '2 4' gate < plans
	printf '{"kind":"note","x":"%03000d"}\n' 0 | MIG_MAX_RECORD=1024 refuses '2 4' transform
}

@test "nothing to change: an end with 0 records, exit 0, all the way" {
	mkdir tree
	for n in none current; do
		mig-extract --store fs:tree --set "$SETS/manifest" | transform | plan > plans
		[ "$(cat plans)" = "{\"digest\":\"$DIGEST_OF_NOTHING\",\"kind\":\"end\",\"records\":0,\"tool\":\"mig-plan\"}" ]
		gate < plans > permits
		[ "$(cat permits)" = "{\"digest\":\"$DIGEST_OF_NOTHING\",\"kind\":\"end\",\"records\":0,\"tool\":\"mig-gate\"}" ]
		mig-plan --rollback < plans | cmp - plans
		mig-apply --store fs:tree < permits | jq -e '.kind == "end" and .records == 0'
		manifest 1.2.0 > tree/manifest.json
	done
}

@test "closed stdin, closed stdout and a full device are 1; a reader that leaves is 1 without a word" {
	streams
	local -A reads=([mig-transform]=docs [mig-plan]=changes [mig-gate]=plans)
	local -A flags=([mig-transform]="--set $SETS/manifest --target-version 1.2.0"
		[mig-plan]='--env dev --migration m --target-version 1.2.0' [mig-gate]='--env dev --apply')
	local tool
	for tool in "${!reads[@]}"; do
		run --separate-stderr bash -c "$tool ${flags[$tool]} <&-"
		[[ $status == [13] && -n $stderr ]] || fail "$tool, closed stdin: $status"
		[[ $output != *'"end"'* ]]
		fails 1 bash -c "$tool ${flags[$tool]} < ${reads[$tool]} >&-"
		[ -n "$stderr" ]
		fails 1 bash -c "$tool ${flags[$tool]} < ${reads[$tool]} > /dev/full"
		[[ $stderr == *'No space left on device'* ]] || fail "$tool: $stderr"
	done
	fails 1 bash -c 'mig-extract --store fs:tree --set "$SETS/manifest" > /dev/full'
	manifests more
	run --separate-stderr bash -c \
		'for i in 1 2 3 4 5 6 7 8 9; do cp -R more/artifacts more/artifacts$i; done
		mig-extract --store fs:more --set "$SETS/manifest" | head -n 1 > first; echo "${PIPESTATUS[@]}"
		mig-extract --store fs:more --set "$SETS/manifest" > docs
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs | head -n 1 > first; echo "${PIPESTATUS[@]}"
		mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs > changes
		mig-plan --env dev --migration manifest --target-version 1.2.0 --batch 20 < changes | head -n 1 > first; echo "${PIPESTATUS[@]}"
		mig-plan --env dev --migration manifest --target-version 1.2.0 --batch 20 < changes > plans
		mig-gate --env dev --apply < plans | head -n 1 > first; echo "${PIPESTATUS[@]}"'
	[ "$output" = $'1 0\n1 0\n1 0\n1 0' ] || fail "$output"
	[ -z "$stderr" ] || fail "$stderr"
}

@test "no filter leaves anything in TMPDIR, and a TMPDIR that is missing is named" {
	streams
	[ -z "$(ls -A "$TMPDIR")" ]
	TMPDIR=$PWD/missing fails 1 plan < changes || TMPDIR=$PWD/missing fails 3 plan < changes
	[[ $stderr == *missing* ]]
}
