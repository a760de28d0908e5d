#!/usr/bin/env bats
# mig-hash: canonical JSON, its SHA-256, and the hashes inside records.

load helper

# refused TEXT (as printf reads it) MESSAGE: mig-hash exits 2, writes nothing for it, and says why.
refused() {
	printf '%b' "$1" > refused.json
	fails 2 mig-hash --canonical refused.json
	stdout_empty
	[[ $stderr == "mig-hash: refused.json: "*"$2"* ]] || fail "$1: $stderr"
}

# three documents' worth of every record kind up to permits, in docs, changes, plans and permits
streams() {
	mkdir -p tree/a tree/b tree/c
	manifest 1.0.0 > tree/a/manifest.json
	manifest 1.2.0 > tree/b/manifest.json
	manifest 7.7.7 > tree/c/manifest.json
	mig-extract --store fs:tree --set "$SETS/manifest" > docs
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < docs > changes
	mig-plan --env dev --migration manifest --target-version 1.2.0 --max-rejects 1 < changes > plans
	mig-gate --env dev --apply < plans > permits
}

# The column on the left are the bits of doubles; each is fed as its exact decimal expansion.
@test "CH-03 the numbers of RFC 8785's appendix B come out as its table says" {
	cat > table <<-'END'
		0000000000000000 0
		8000000000000000 0
		0000000000000001 5e-324
		8000000000000001 -5e-324
		7fefffffffffffff 1.7976931348623157e+308
		ffefffffffffffff -1.7976931348623157e+308
		4340000000000000 9007199254740992
		c340000000000000 -9007199254740992
		4430000000000000 295147905179352830000
		44b52d02c7e14af5 9.999999999999997e+22
		44b52d02c7e14af6 1e+23
		44b52d02c7e14af7 1.0000000000000001e+23
		444b1ae4d6e2ef4e 999999999999999700000
		444b1ae4d6e2ef4f 999999999999999900000
		444b1ae4d6e2ef50 1e+21
		3eb0c6f7a0b5ed8c 9.999999999999997e-7
		3eb0c6f7a0b5ed8d 0.000001
		41b3de4355555553 333333333.3333332
		41b3de4355555554 333333333.33333325
		41b3de4355555555 333333333.3333333
		41b3de4355555556 333333333.3333334
		41b3de4355555557 333333333.33333343
		becbf647612f3696 -0.0000033333333333333333
		43143ff3c1cb0959 1424953923781206.2
	END
	python3 -c '
import decimal, struct, sys
for line in open("table"):
    d = struct.unpack(">d", bytes.fromhex(line.split()[0]))[0]
    exact = "%.760e" % d
    print(exact)
' | mig-hash --canonical > got
	cut -d ' ' -f 2 table | diff -u - got
}

@test "CH-03 members are sorted by their UTF-16 units, as in RFC 8785 section 3.2.3" {
	printf '%s' '{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
		"1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}' |
		mig-hash --canonical > got
	printf '{"\\r":"Carriage Return","1":"One","\xc2\x80":"Control",' > want
	printf '"\xc3\xb6":"Latin Small Letter O With Diaeresis","\xe2\x82\xac":"Euro Sign",' >> want
	printf '"\xf0\x9f\x98\x80":"Emoji: Grinning Face","\xef\xac\xb3":"Hebrew Letter Dalet With Dagesh"}\n' >> want
	diff -u want got
}

@test "CH-03 white space, member order and spelling change neither canonical text nor hash" {
	cat > spellings <<-'END'
		{"b":[1,2.50,"\u00e9/"],"a":{"y":null,"x":true}}
		{ "a" : { "x":true , "y":null } , "b" : [ 1e0 , 25e-1 , "é\/" ] }
		{"a":{"y":null,"x":true},"b":[1.0,2.5,"\u00E9\u002f"]}
	END
	mig-hash --canonical spellings | sort -u > once
	[ "$(cat once)" = '{"a":{"x":true,"y":null},"b":[1,2.5,"é/"]}' ]
	[ "$(mig-hash spellings | sort -u)" = "$(printf %s "$(cat once)" | sha256sum | cut -d ' ' -f 1)" ]
}

@test "CH-02 a hash is the SHA-256 of the canonical text in 64 lower-case digits" {
	local text
	for text in '{}' '[]' '"x"' 0 null '{"a":[1,{"b":"ü"}]}'; do
		[ "$(printf %s "$text" | mig-hash)" = "$(printf %s "$text" | sha256sum | cut -d ' ' -f 1)" ]
	done
	mig-hash <<< '{"A":1}' | grep -qxE '[0-9a-f]{64}'
}

@test "CH-02 canonical output is a fixed point" {
	find "$SAMPLES/manifests/artifacts" -name manifest.json -print0 | sort -z | xargs -0 mig-hash --canonical > once
	[ "$(wc -l < once)" -eq 127 ]
	mig-hash --canonical once | cmp - once
	mig-hash once > hashes
	find "$SAMPLES/manifests/artifacts" -name manifest.json -print0 | sort -z | xargs -0 mig-hash | cmp - hashes
}

@test "CH-02 a document that jq writes sorted and compact is already canonical" {
	find "$SAMPLES/profile" "$SAMPLES/config" -name '*.json' -print0 | sort -z > list
	xargs -0 jq -cS . < list > want
	xargs -0 mig-hash --canonical < list | diff -u want -
}

@test "integers stay exact as far as 64 bits reach, and -0 is 0" {
	cat > in <<-'END'
		9007199254740991 9007199254740992 9007199254740993 -9007199254740993
		9223372036854775807 -9223372036854775808
		-0 -0.0 0e5 1E400E
	END
	sed -i 's/ 1E400E//' in
	printf '%s\n' 9007199254740991 9007199254740992 9007199254740993 -9007199254740993 \
		9223372036854775807 -9223372036854775808 0 0 0 > want
	mig-hash --canonical in | diff -u want -
	# beyond 64 bits only as ECMAScript would print the double
	[ "$(mig-hash --canonical <<< 18446744073709552000)" = 18446744073709552000 ]
	refused 18446744073709551616 'line 1, column 1: an integer that 64 bits cannot hold exactly'
	refused 9223372036854775808 'an integer that 64 bits cannot hold exactly'
	refused -9223372036854775809 'an integer that 64 bits cannot hold exactly'
	refused '[1e308,\n 1e309]' 'line 2, column 2: a number too large for a double'
	refused "$(printf '%05000d' 0 | tr 0 7)" 'an integer that 64 bits cannot hold exactly'
	[ "$(mig-hash --canonical <<< "0.$(printf '%05000d' 0 | tr 0 1)")" = 0.1111111111111111 ]
}

@test "what is not JSON is refused with line, column and reason" {
	refused '{"a":1,"\\u0061":2}' 'line 1, column 8: duplicate member'
	refused '{"a":1,\n"b":{"x":1,"x":2}}' 'line 2, column 12: duplicate member "x"'
	refused '\xef\xbb\xbf{}' 'line 1, column 1: a byte order mark'
	refused '"a\0b"' 'line 1, column 3: the control character 0x00'
	refused '1\0' 'line 1, column 2'
	refused '\0' 'line 1, column 1'
	refused '"\t"' 'line 1, column 2: the control character 0x09'
	refused '{"b":[1,\n{"c":nul}]}' "line 2, column 6: expected a value, not 'n' in /b/1/c"
	refused '"\xff"' 'line 1, column 2: invalid UTF-8 (byte 0xff)'
	refused '"\xc0\x80"' 'invalid UTF-8'
	refused '"\xed\xa0\x80"' 'invalid UTF-8'
	refused '"\xf4\x90\x80\x80"' 'invalid UTF-8'
	refused '"\\ud800"' 'a lone surrogate'
	refused '"\\udc00\\ud800"' 'a lone surrogate'
	refused NaN 'expected a value'
	refused -Infinity 'line 1, column'
	refused '01' 'line 1, column'
	refused '+1' 'line 1, column'
	refused '1.' 'line 1, column'
	refused '[1,]' "line 1, column 4"
	refused '{"a":1,}' 'line 1, column 8'
	refused '{a:1}' 'line 1, column 2'
	refused "{'a':1}" 'line 1, column 2'
	refused '// x\n1' 'line 1, column 1'
	refused '[1 2]' 'line 1, column 4'
	refused '[' 'line 1, column 2: the text ends'
	refused '"abc' 'line 1, column'
	refused ']' 'line 1, column 1'
}

@test "what stands before the fault is written, what comes after is not" {
	printf '{"a":1}\n\n  {"a":\n\nnul}\n{"a":3}\n' > in
	fails 2 mig-hash --canonical in
	[ "$output" = '{"a":1}' ]
	[[ $stderr == *'in: line 5, column 1: '* ]]
	fails 2 mig-hash --canonical <<< '{"a":1}{"a":2}'
	[ "$output" = '{"a":1}' ]
	[[ $stderr == *'line 1, column 8: expected white space between two values' ]]
}

@test "the column of the second value in a line is that of the line" {
	fails 2 mig-hash <<< '{"a":1} [true] nul'
	[[ $stderr == 'mig-hash: -: line 1, column 16: expected a value'* ]]
	fails 2 mig-hash < <(printf '1\n[\n2] {"b":1,"b":2}')
	[[ $stderr == 'mig-hash: -: line 3, column 11: duplicate member "b"' ]]
	fails 2 mig-hash < <(printf '1\n\n  [3,\n x]')
	[[ $stderr == 'mig-hash: -: line 4, column 2: expected a value'* ]]
}

@test "depth up to 640 is read, more is refused without falling over" {
	local n
	for n in 512 640; do
		printf "%0${n}d" 0 | tr 0 '[' > deep
		printf "%0${n}d" 0 | tr 0 ']' >> deep
		mig-hash --canonical deep | cmp -n $((2 * n)) - deep
	done
	for n in 641 100000; do
		printf "%0${n}d" 0 | tr 0 '[' > deep
		fails 2 mig-hash deep
		stdout_empty
		[[ $stderr == *'line 1, column 641: '*'deeper than 640'* ]]
		[ "${#stderr}" -lt 400 ]
	done
}

@test "an input of nothing, or of white space alone, has no values and succeeds" {
	fails 0 mig-hash < /dev/null
	stdout_empty
	fails 0 mig-hash <<< $'  \n\t\r\n'
	stdout_empty
}

@test "several values stand in one file, parted by white space" {
	printf '1 "two"\t[3]\n\n{\n"four" : 4\n}\r\n null' > in
	[ "$(mig-hash --canonical in)" = $'1\n"two"\n[3]\n{"four":4}\nnull' ]
	[ "$(mig-hash --format json in | jq -c .line | paste -sd ' ')" = '1 1 1 3 6' ]
	# a value that is longer than any read, behind others
	{ cat in; printf ' "%0300000d" 7' 0; } > long
	[ "$(mig-hash --canonical long | wc -lc | tr -s ' ')" = ' 7 300033' ]
}

@test "--format text is the form of sha256sum, with names; - is stdin" {
	printf '{"a":1}' > one
	printf '{"b":2}' > two
	diff -u <(sha256sum one two) <(mig-hash --format text one two)
	diff -u <(sha256sum - < one) <(mig-hash --format text < one)
	diff -u <(sha256sum one - < two) <(mig-hash --format text one - < two)
	mig-hash --format json one | jq -e '.file == "one" and .line == 1 and (.hash | length == 64)'
}

@test "a missing file is 3 and does not keep the others from being read" {
	echo 1 > one
	fails 3 mig-hash one missing one
	[ "${#lines[@]}" -eq 2 ]
	[ "$stderr" = 'mig-hash: missing: No such file or directory' ]
}

@test "--without leaves out the member or element at the pointer, and only that" {
	printf '{"a":{"x~y":1,"z/":2},"b":[1,2,3]}' > in
	without() { mig-hash --canonical --without "$1" in; }
	[ "$(without /a)" = '{"b":[1,2,3]}' ]
	[ "$(without /a/x~0y)" = '{"a":{"z/":2},"b":[1,2,3]}' ]
	[ "$(without /a/z~1)" = '{"a":{"x~y":1},"b":[1,2,3]}' ]
	[ "$(without /b/0)" = '{"a":{"x~y":1,"z/":2},"b":[2,3]}' ]
	[ "$(without /b/2)" = '{"a":{"x~y":1,"z/":2},"b":[1,2]}' ]
	[ "$(without /absent)" = "$(mig-hash --canonical in)" ]
	[ "$(mig-hash --without /a in)" = "$(mig-hash <<< '{"b":[1,2,3]}')" ]
	local bad
	for bad in '' a a/b '/~2' '/a~'; do
		fails 2 mig-hash --without "$bad" in
		stdout_empty
	done
}

@test "CH-05 a plan hashed without its plan_hash has that very hash" {
	streams
	grep '"kind":"plan"' plans > plan
	[ "$(mig-hash --without /plan_hash plan)" = "$(jq -r .plan_hash plan)" ]
	jq -r .plan_hash plan | grep -qxE '[0-9a-f]{64}'
	# and, taking nothing on trust, by means that are not ours
	[ "$(jq -cSj 'del(.plan_hash)' plan | sha256sum | cut -d ' ' -f 1)" = "$(jq -r .plan_hash plan)" ]
	[ "$(jq -c 'select(.sum)' changes | mig-hash --without /sum)" = "$(jq -r '.sum // empty' changes)" ]
}

@test "SG-25 the hashes that a document record carries can be recomputed from the file" {
	manifests tree
	mig-extract --store fs:tree --set "$SETS/manifest" | grep '"document"' > docs
	jq -r .ref docs | sed 's,^,tree/,' > files
	[ "$(wc -l < files)" -eq 127 ]
	xargs -d '\n' mig-hash --without /migration_history < files | diff -u - <(jq -r .hash docs)
	xargs -d '\n' sha256sum < files | cut -d ' ' -f 1 | diff -u - <(jq -r .raw docs)
}

@test "--check finds every hash of every kind whole" {
	streams
	mig-hash --check docs changes plans permits > got
	printf '%s\n' 'docs: OK (1 hashes)' 'changes: OK (4 hashes)' 'plans: OK (3 hashes)' 'permits: OK (3 hashes)' > want
	diff -u want got
	[ "$(mig-hash --check --without /migration_history < docs)" = '-: OK (4 hashes)' ]
	# streams one after the other are each checked by their own end
	cat docs changes docs plans | mig-hash --check > /dev/null
}

@test "--check finds each hash broken, and names file, line and both hashes" {
	local zero file line member
	streams
	zero=$(printf %064d 0)
	while read -r file member; do
		line=$(grep -n "\"$member\":\"" "$file" | tail -n 1 | cut -d : -f 1)
		sed "${line}s/\"$member\":\"[0-9a-f]*\"/\"$member\":\"$zero\"/" "$file" > broken
		! cmp -s "$file" broken || fail "$file has no $member"
		fails 4 mig-hash --check broken
		stdout_empty
		[[ $stderr == *"broken: line $line: $member: expected_hash $zero, actual_hash "* ]] || fail "$file $member: $stderr"
	done <<-'END'
		docs digest
		changes sum
		changes digest
		plans plan_hash
		plans sum
		plans digest
		permits plan_hash
	END
	# the documents' own hashes need to know what history is
	sed "1s/\"hash\":\"[0-9a-f]*\"/\"hash\":\"$zero\"/" docs > broken
	fails 4 mig-hash --check --without /migration_history broken
	[[ $stderr == *'line 1: hash: expected_hash'* ]]
	# a count that is off, a record doubled, a record gone
	sed 's/"records":3/"records":2/' docs > broken
	fails 4 mig-hash --check broken
	sed 1p docs > broken
	fails 4 mig-hash --check broken
	sed 2d plans > broken
	fails 4 mig-hash --check broken
}

@test "CH-40 --check refuses what is not a record of the shape its kind has" {
	local text
	streams
	for text in '{}' '[]' 1 '{"kind":1}' '{"kind":"end"}' '{"kind":"end","digest":1,"records":0,"tool":"x"}' \
		'{"kind":"end","digest":"","records":0,"tool":"x","more":0}'; do
		fails 2 mig-hash --check <<< "$text"
		stdout_empty
		[[ $stderr == 'mig-hash: -: line 1: '* ]] || fail "$text: $stderr"
	done
	sed '1s/{"body"/{"a":0,"body"/' docs > broken
	fails 2 mig-hash --check broken
	[[ $stderr == *'unknown member "a"'* ]]
	# kinds that are not ours have no hashes to check
	[ "$(mig-hash --check <<< '{"kind":"note"}')" = '-: OK (0 hashes)' ]
}

@test "a folder is not a file to hash: 3" {
	mkdir folder
	for mode in '' --canonical --check --balance; do
		# shellcheck disable=SC2086 # none or one word
		fails 3 mig-hash $mode folder
		stdout_empty
		[ "$stderr" = 'mig-hash: folder: a folder, not a file' ] || fail "$mode: $stderr"
	done
}

@test "CH-35 an unknown --format, and options that exclude each other, are usage errors" {
	local flags
	for flags in '--format yaml' '--format=' '--canonical --check' '--canonical --format text' '--check --format json' \
		'--without /a --without /b' '--canonical=1' '--without' '-c'; do
		# shellcheck disable=SC2086 # each word is an argument
		fails 2 mig-hash $flags < /dev/null
		stdout_empty
		[[ $stderr == mig-hash:*usage:* ]] || fail "$flags: $stderr"
	done
	fails 2 mig-hash --format yaml
	[[ $stderr == *'invalid --format: yaml'* ]]
}

@test "the channels of mig-hash: closed stdin, closed and full stdout, a reader that leaves" {
	echo '{"a":1}' > in
	fails 1 bash -c 'mig-hash <&-'
	[ -n "$stderr" ]
	fails 1 bash -c 'mig-hash in >&-'
	run -1 bash -c 'mig-hash in > /dev/full'
	[[ $output == 'mig-hash: stdout: No space left on device' ]]
	seq 300000 > many
	run bash -c 'mig-hash --canonical many 2> err | head -n 1; echo "${PIPESTATUS[0]}"; cat err'
	[ "$output" = $'1\n1' ]
}
