#!/usr/bin/env bats
# mig-extract over trees of files: what is read, in which order, and what is not.

# shellcheck disable=SC2016,SC2094 # other programs' $; a file is read and compared, never written, within one pipe
load helper

setup() {
	mig_setup
	mkdir tree
}

# put REF [VERSION]: a manifest at tree/REF
put() {
	mkdir -p "tree/$(dirname "$1")"
	manifest "${2-1.0.0}" > "tree/$1"
}

extract() {
	mig-extract --store fs:tree --set "$SETS/manifest" "$@"
}

# refs: of everything in tree, as they come
refs() {
	extract | jq -r '.ref // empty'
}

# why REF: "code: reason" of REF's reject
why() {
	jq -r --arg ref "$1" 'select(.kind == "reject" and .ref == $ref) | "\(.code): \(.reason)"' out
}

@test "SG-33 each of the 127 sample manifests becomes one document" {
	manifests tree
	extract > out
	[ "$(grep -c '"kind":"document"' out)" -eq 127 ]
	[ "$(tail -n 1 out | jq -c '[.kind, .records, .tool]')" = '["end",127,"mig-extract"]' ]
	jq -c 'select(.kind == "document") | keys' out | sort -u > got
	[ "$(cat got)" = '["body","entity","hash","kind","raw","ref","version"]' ]
	mig-hash --canonical < out | cmp - out
}

@test "the end's digest is SHA-256 over ref NUL hash LF of every document, rejects included" {
	put a/manifest.json
	put b/manifest.json 1.1.0
	mkdir tree/c && echo nonsense > tree/c/manifest.json
	extract > out
	[ "$(jq -r 'select(.kind == "reject").hash' out)" = "$(sha256sum < tree/c/manifest.json | cut -d ' ' -f 1)" ]
	jq -j 'select(.ref) | "\(.ref)\u0000\(.hash)\n"' out | sha256sum | cut -d ' ' -f 1 > want
	jq -r 'select(.kind == "end").digest' out | diff -u want -
}

@test "SG-35 refs come in byte order, whatever the order of creation" {
	local d f
	for d in b 'a b' a.json a Z a-b é a%b 10 9 '~'; do
		put "$d/manifest.json"
		mkdir -p "other/$d"
	done
	put manifest.json
	put a/b/manifest.json
	put a.json/manifest.json
	refs > got
	LC_ALL=C sort -c got
	[ "$(wc -l < got)" -eq 13 ]
	# "a-b" < "a.json" < "a/": a folder sorts by its name with the slash
	grep -n '^a' got | cut -d : -f 2 > as
	printf '%s/manifest.json\n' 'a b' 'a%25b' a-b a.json a/b a | LC_ALL=C sort > want
	diff -u want as
	# the same tree made the other way round, on a file system that hands names out as they were made
	find tree -name manifest.json | sort -r | while read -r f; do
		mkdir -p "again/$(dirname "${f#tree/}")"
		cp "$f" "again/${f#tree/}"
	done
	diff -u got <(mig-extract --store fs:again --set "$SETS/manifest" | jq -r '.ref // empty')
	diff <(extract) <(mig-extract --store fs:again --set "$SETS/manifest")
}

@test "names with spaces, newlines, controls, percent signs and bytes that are not UTF-8 have refs of one spelling" {
	put 'sp ace/manifest.json'
	put $'new\nline/manifest.json'
	put $'tab\tdel\x7f/manifest.json'
	put '100%/manifest.json'
	put $'latin\xe9/manifest.json'
	put 'grüße/manifest.json'
	put '"quoted\\"/manifest.json'
	extract > out
	jq -r '.ref // empty' out | LC_ALL=C sort > got
	printf '%s/manifest.json\n' '"quoted\\"' '100%25' 'grüße' 'latin%E9' 'new%0Aline' 'sp ace' 'tab%09del%7F' |
		LC_ALL=C sort > want
	diff -u want got
	# and each is found again under that ref
	while read -r ref; do
		[ "$(extract --ref "$ref" | jq -r '.ref // empty')" = "$ref" ]
	done < want
	mig-hash --check < out > /dev/null
}

@test "folders of other names, other files and the state folder are left out" {
	put a/manifest.json
	put .mig/manifest.json
	put .mig/objects/manifest.json
	put a/.mig/manifest.json
	put .hidden/manifest.json
	touch tree/a/manifest.json.backup tree/a/manifest.jsonx tree/manifest
	[ "$(refs | paste -sd ' ')" = '.hidden/manifest.json a/.mig/manifest.json a/manifest.json' ]
}

@test "a folder that is called like a document is looked into, not read" {
	put manifest.json/manifest.json
	put a/manifest.json/inner/manifest.json
	[ "$(refs | paste -sd ' ')" = 'a/manifest.json/inner/manifest.json manifest.json/manifest.json' ]
	fails 0 extract --ref a/manifest.json
	[[ $output == *'"code":"not_regular"'*'"kind":"reject"'* ]]
}

@test "links, fifos and sockets are rejects, and none of them is waited for" {
	put a/manifest.json
	mkdir tree/{link,dangling,out,fifo,sock,loop}
	ln -s ../a/manifest.json tree/link/manifest.json
	ln -s nowhere tree/dangling/manifest.json
	ln -s /etc/passwd tree/out/manifest.json
	ln -s manifest.json tree/loop/manifest.json
	mkfifo tree/fifo/manifest.json
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/sock/manifest.json")'
	ln -s a tree/alias
	ln -s .. tree/up
	timeout 5 mig-extract --store fs:tree --set "$SETS/manifest" > out
	[ "$(jq -r '.ref // empty' out | paste -sd ' ' | sed 's,/manifest.json,,g')" = 'a dangling fifo link loop out sock' ]
	[ "$(grep -c '"kind":"reject"' out)" -eq 6 ]
	[ "$(why link/manifest.json)" = 'symlink: a symbolic link' ]
	[ "$(why out/manifest.json)" = 'symlink: a symbolic link' ]
	[ "$(why fifo/manifest.json)" = 'not_regular: not a regular file' ]
	[ "$(why sock/manifest.json)" = 'not_regular: not a regular file' ]
	run ! grep root: out
	timeout 5 mig-extract --store fs:tree --set "$SETS/manifest" --ref fifo/manifest.json > out
	[ "$(why fifo/manifest.json)" = 'not_regular: not a regular file' ]
}

@test "SG-34 each troubled manifest that cannot be read is a reject that says where" {
	mkdir tree/{ok,dup,deepdup,bom,empty,cut,latin,nul,late,number}
	manifest 1.0.0 > tree/ok/manifest.json
	printf '{"a":1,\n "b":2,\n "a":3}' > tree/dup/manifest.json
	printf '{"m":{"x":1,\n\t"\\u0078":2}}' > tree/deepdup/manifest.json
	printf '\xef\xbb\xbf{}' > tree/bom/manifest.json
	: > tree/empty/manifest.json
	printf '{"a":{"b":[1,2' > tree/cut/manifest.json
	printf '{"a":"\xe9"}' > tree/latin/manifest.json
	printf '{"a":\0}' > tree/nul/manifest.json
	printf '{}\n\n{}\n' > tree/late/manifest.json
	printf '{"n":18446744073709551616}' > tree/number/manifest.json
	extract > out
	[ "$(why dup/manifest.json)" = 'malformed: line 3, column 2: duplicate member "a"' ]
	[ "$(why deepdup/manifest.json)" = 'malformed: line 2, column 2: duplicate member "\u0078" in /m' ]
	[ "$(why bom/manifest.json)" = 'malformed: line 1, column 1: a byte order mark is not allowed' ]
	[ "$(why empty/manifest.json)" = 'malformed: line 1, column 1: the text ends where a value is expected' ]
	[[ "$(why cut/manifest.json)" == 'malformed: line 1, column 15: the text ends '*' in /a/b'* ]]
	[ "$(why latin/manifest.json)" = 'malformed: line 1, column 7: invalid UTF-8 (byte 0xe9) in /a' ]
	[[ "$(why nul/manifest.json)" == 'malformed: line 1, column 6: '*' in /a' ]]
	[[ "$(why late/manifest.json)" == 'malformed: line 3, column 1: '* ]]
	[[ "$(why number/manifest.json)" == 'malformed: line 1, column 6: an integer '*' in /n' ]]
	[ "$(grep -c '"kind":"document"' out)" -eq 1 ]
	[ "$(tail -n 1 out | jq .records)" -eq 10 ]
	mig-hash --check < out > /dev/null
}

@test "SG-11 the version comes from its pointer or its default; what is none is a reject" {
	local v
	put none/manifest.json && sed -i /schema_version/d tree/none/manifest.json
	put given/manifest.json 1.1.0
	put pre/manifest.json 2.0.0-rc.1
	for v in 1 null '[]' '""' '"1.0"' '"v1.0.0"' '"1.0.0\u0000"' '"latest"' '"01.0.0"'; do
		mkdir -p "tree/x$((++n))"
		printf '{"schema_version":%s}' "$v" > "tree/x$n/manifest.json"
	done
	extract > out
	[ "$(jq -c 'select(.kind == "document") | [.ref, .version]' out)" = \
		$'["given/manifest.json","1.1.0"]\n["none/manifest.json","1.0.0"]\n["pre/manifest.json","2.0.0-rc.1"]' ]
	[ "$(jq -r 'select(.kind == "reject") | .code' out | sort | uniq -c | tr -s ' ')" = ' 9 bad_version' ]
	# a set without a default
	mkdir -p w/workflows/retail-sales && echo '{"steps":[]}' > w/workflows/retail-sales/x.json
	mig-extract --store fs:w --set "$SETS/profile" | grep -q '"code":"no_version".*"kind":"reject"'
}

@test "the history is outside of the content hash, the bytes are inside raw" {
	put a/manifest.json
	extract > plain
	sed -i 's/  "status"/  "migration_history": [{"x": 1}],\n  "status"/' tree/a/manifest.json
	extract > stamped
	[ "$(jq -r '.hash // empty' plain)" = "$(jq -r '.hash // empty' stamped)" ]
	[ "$(jq -r '.raw // empty' plain)" != "$(jq -r '.raw // empty' stamped)" ]
}

@test "SG-36 a missing store, set or root is 3, with a fault and no end" {
	local where
	for where in fs:missing fs:missing/deeper fs:"$PWD/tree/a/manifest.json"; do
		put a/manifest.json
		fails 3 mig-extract --store "$where" --set "$SETS/manifest"
		[ "$(jq -c '[.kind, .exit, .tool]' <<< "$output")" = '["fault",3,"mig-extract"]' ]
		[[ $stderr == mig-extract:* ]]
	done
	fails 3 mig-extract --store fs:tree --set missing
	[ "$(jq -c '[.kind, .exit, .code]' <<< "$output")" = '["fault",3,"missing_set"]' ]
	fails 2 mig-extract --set "$SETS/manifest"
	stdout_empty
	for where in '' tree fs: http://tree ftp:tree; do
		run --separate-stderr mig-extract --store "$where" --set "$SETS/manifest"
		[[ $status == [23] ]] || fail "$where: $status"
		[ -n "$stderr" ]
	done
}

@test "an empty root is a whole stream of nothing" {
	[ "$(extract | jq -c '[.kind, .records, .digest]')" = "[\"end\",0,\"$(printf '' | sha256sum | cut -d ' ' -f 1)\"]" ]
}

@test "SG-37 SG-38 --ref reads the named documents only, in order and each once" {
	put a/manifest.json
	put b/manifest.json
	put c/manifest.json
	extract --ref c/manifest.json --ref=a/manifest.json --ref c/manifest.json > out
	[ "$(jq -r '.ref // .records' out | paste -sd ' ')" = 'a/manifest.json c/manifest.json 2' ]
	fails 3 extract --ref a/manifest.json --ref d/manifest.json
	[[ $stderr == *'d/manifest.json: no such document'* ]]
	[[ $output == *'"exit":3,"kind":"fault"'* && $output != *'"kind":"end"'* ]]
}

@test "--ref cannot leave the root, whatever it is called" {
	local ref
	manifest 1.0.0 > manifest.json
	put a/manifest.json
	ln -s .. tree/up
	for ref in ../manifest.json /etc/passwd a/../../manifest.json . '' a/ //a/manifest.json up/manifest.json \
		.mig/ledger.ndjson a/./manifest.json %2e%2e/manifest.json a/%00 %zz; do
		run --separate-stderr extract --ref "$ref"
		[[ $status == [234] || $output == *'"kind":"reject"'* ]] || fail "$ref: $status"
		[[ $output != *'"document"'* ]] || fail "$ref was read"
	done
	fails 2 extract --ref ../manifest.json
	[[ $stderr == *'mig-extract: ../manifest.json: not the ref of a file'* ]]
	fails 2 extract --ref %zz
}

@test "a body over a quarter of MIG_MAX_RECORD is a reject" {
	put a/manifest.json
	mkdir tree/big
	printf '{"schema_version":"1.0.0","pad":"%01500d"}' 0 > tree/big/manifest.json
	MIG_MAX_RECORD=4096 extract > out
	[ "$(why big/manifest.json)" = 'too_large: larger than a quarter of MIG_MAX_RECORD' ]
	[ "$(jq -r 'select(.kind == "reject").hash' out)" = "$(sha256sum < tree/big/manifest.json | cut -d ' ' -f 1)" ]
	[ "$(extract | grep -c '"document"')" -eq 2 ]
}

@test "documents nest at most 512 deep" {
	mkdir tree/{512,513}
	deep() { printf '{"schema_version":"1.0.0","d":'; printf "%0$1d" 0 | tr 0 '['; printf "%0$1d" 0 | tr 0 ']'; echo '}'; }
	deep 511 > tree/512/manifest.json
	deep 512 > tree/513/manifest.json
	extract > out
	[ "$(grep -c '"kind":"document".*"ref":"512/' out)" -eq 1 ]
	[[ "$(grep '"ref":"513/manifest.json"' out)" == '{"code":"malformed"'*'arrays and objects nest deeper than 512 in /d/'* ]]
	[ "$(grep '"ref":"513/manifest.json"' out | wc -c)" -lt 800 ]
}

@test "extraction leaves no trace in the store" {
	manifests tree
	before=$(tree_hash tree; find tree -printf '%p %T@ %C@\n' | sort | sha256sum)
	extract > /dev/null
	extract --list-versions > /dev/null
	[ "$before" = "$(tree_hash tree; find tree -printf '%p %T@ %C@\n' | sort | sha256sum)" ]
	[ ! -e tree/.mig ]
}

@test "SG-32 --list-versions counts by version, in order of versions" {
	manifests tree
	troubled tree
	extract --list-versions > out
	jq -c 'select(.kind == "versions") | .versions | map([.version, .count])' out > got
	[ "$(cat got)" = '[["1.0.0",102],["1.1.0",15],["1.2.0",12],["2.0.0",1],["9.9.9",1]]' ]
	[ "$(jq -c 'select(.kind == "versions") | [.latest, .pending, .rejects, .records]' out)" = '["1.2.0",117,7,138]' ]
	fails 2 extract --list-versions --ref a/manifest.json
}
