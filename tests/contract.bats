#!/usr/bin/env bats
# The rules that every filter keeps.  A filter that is new needs a line in setup.

load helper
load store

setup() {
	mig_setup
	site
	planned && permitted
	cp -R site new && mig-apply --store fs:new < permits > outcomes
	mig-verify --store fs:new < plan > verdicts
	mig-extract --store fs:site --set "$SETS/manifest" > documents
	changes site > changed
	openssl genpkey -algorithm ed25519 -out key.pem
	mkdir goose && printf -- '-- +goose Up\nSELECT 1;\n' > goose/1_one.sql
	# what each is called with, and the stream that it reads
	declare -gA args=(
		[mig-extract]="--store fs:site --set $SETS/manifest"
		[mig-transform]="--set $SETS/manifest --target-version 1.2.0"
		[mig-plan]="--env dev --migration manifest --target-version 1.2.0"
		[mig-gate]="--env dev --apply --now 2025-01-01T00:00:00Z"
		[mig-apply]="--store fs:site"
		[mig-verify]="--store fs:new"
		[mig-report]=""
		[mig-hash]="--check"
		[mig-approve]="--digest $(printf '%064d' 0) --env dev --approver ada --ticket T-1
			--expires-at 2025-01-02T00:00:00Z --key $PWD/key.pem"
		[mig-import]="--from goose --to imported $PWD/goose"
		[mig-bundle]="--out bundle"
	)
	declare -gA reads=([mig-extract]=/dev/null [mig-transform]=documents [mig-plan]=changed [mig-gate]=plan
		[mig-apply]=permits [mig-verify]=plan [mig-report]=plan [mig-hash]=plan
		[mig-approve]=/dev/null [mig-import]=/dev/null [mig-bundle]=/dev/null)
	tools=()
	for tool in "$MIG_X"/mig-*; do
		[[ $tool = *.* ]] || tools+=("${tool##*/}")
	done
	# those that read records, and those that write them as well
	readers=(mig-transform mig-plan mig-gate mig-apply mig-verify mig-report)
	filters=(mig-transform mig-plan mig-gate mig-apply mig-verify)
}

# call TOOL [ARGUMENT..]: with the arguments of its line; stdin is the caller's.
call() {
	local tool=$1
	shift
	# shellcheck disable=SC2086 # several words
	"$tool" ${args[$tool]} "$@"
}

# usage TOOL ARGUMENT..: a usage error: 2, nothing on stdout, what is wrong and the usage on stderr.
usage() {
	local tool=$1
	fails 2 "$@" < "${reads[$tool]}" || fail "$*: exit $status"
	[ -z "$output" ] || fail "$*: on stdout: $output"
	[[ $stderr == "$tool: "*$'\n'"usage: $tool"* ]] || fail "$*: on stderr: $stderr"
}

# options TOOL [KIND]: the options that its source knows, of one kind or all.
options() {
	sed -nE 's/.*\{ "([a-z-]+)", CLI_('"${2-[A-Z]*}"'), .*/\1/p; s/.*\}, \{ "([a-z-]+)", CLI_('"${2-[A-Z]*}"'), .*/\1/p' \
		"$MIG_ROOT/bin/$1.c" | sort -u
}

@test "every filter has its line in this suite" {
	for tool in "${tools[@]}"; do
		[ -n "${reads[$tool]-}" ] || fail "$tool: add it to setup in contract.bats"
	done
	[ ${#tools[@]} -ge 9 ]
}

@test "CH-37 an unknown flag is a usage error: nothing on stdout, the usage on stderr" {
	for tool in "${tools[@]}"; do
		usage "$tool" --frobnicate
		usage "$tool" -x
		usage "$tool" ---env
		usage "$tool" --Help
		# shellcheck disable=SC2086 # several words
		usage "$tool" ${args[$tool]} --force
		# shellcheck disable=SC2086
		[ "$tool" = mig-hash ] || usage "$tool" ${args[$tool]} -- --frobnicate
	done
}

@test "CH-37 operands are usage errors where none are taken" {
	for tool in "${tools[@]}"; do
		# shellcheck disable=SC2086 # several words
		[ "$tool" = mig-hash ] || usage "$tool" ${args[$tool]} operand
	done
}

@test "CH-37 abbreviated flags are refused: a shortened safety flag must not mean another" {
	for tool in "${tools[@]}"; do
		usage "$tool" --hel
		usage "$tool" --versio
		for option in $(options "$tool"); do
			usage "$tool" "--${option%?}" value
		done
	done
}

@test "CH-37 a flag given twice is a usage error, unless it is a list" {
	for tool in "${tools[@]}"; do
		for option in $(options "$tool" TEXT) $(options "$tool" COUNT); do
			usage "$tool" "--$option" 1 "--$option" 1
			[[ $stderr == *"--$option: given twice"* ]] || fail "$tool --$option: $stderr"
		done
		for option in $(options "$tool" FLAG); do
			usage "$tool" "--$option" "--$option"
			[[ $stderr == *"--$option: given twice"* ]] || fail "$tool --$option: $stderr"
		done
	done
}

@test "CH-37 a flag that lacks its value, or has one where none is taken, is a usage error" {
	for tool in "${tools[@]}"; do
		for option in $(options "$tool" TEXT) $(options "$tool" COUNT) $(options "$tool" LIST); do
			usage "$tool" "--$option"
			[[ $stderr == *"--$option: needs a value"* ]] || fail "$tool --$option: $stderr"
		done
		for option in $(options "$tool" FLAG); do
			usage "$tool" "--$option=yes"
		done
		for option in $(options "$tool" COUNT); do
			for value in '' x -1 1.5 0x10 99999999999999999999 ' 1' '1 '; do
				usage "$tool" "--$option=$value"
			done
		done
	done
}

@test "an empty value is a usage error, as of a shell variable that is not set; a blank ticket is for the gate to refuse" {
	for tool in "${tools[@]}"; do
		for option in $(options "$tool" TEXT) $(options "$tool" LIST); do
			[ "$option" != prod-override ] || continue
			usage "$tool" "--$option="
			[[ $stderr == *"--$option: empty"* ]] || fail "$tool --$option: $stderr"
		done
	done
}

@test "CH-33 each flag that is required is named when it is missing" {
	for tool in mig-extract mig-transform mig-plan mig-gate mig-apply mig-verify mig-approve mig-import mig-bundle; do
		usage "$tool"
		[[ $stderr == *' is required'* ]] || fail "$tool: $stderr"
	done
}

@test "CH-34 CH-35 an unknown env or format is a usage error" {
	usage mig-plan --env qa --migration m --target-version 1.0.0
	usage mig-gate --env qa
	usage mig-gate --env Dev
	usage mig-report --format yaml
	usage mig-hash --format yaml
}

@test "CH-36 latest, and what is no semantic version, is never a target" {
	for version in latest 1 1.2 v1.2.0 1.2.0.0 '' 1.02.0 '1.2.0 '; do
		usage mig-plan --env dev --migration m --target-version "$version"
		usage mig-transform --set "$SETS/manifest" --target-version "$version"
	done
}

@test "CH-53 --help lists every flag and the exit codes on stdout, and --version names the tool" {
	for tool in "${tools[@]}"; do
		run -0 --separate-stderr "$tool" --help
		[ -z "$stderr" ]
		[[ $output == "usage: $tool"* ]]
		[[ $output == *'Exit status: 0 '* ]]
		for option in $(options "$tool") help version; do
			[[ $output =~ --$option([^a-z-]|$) ]] || fail "$tool --help does not tell of --$option"
		done
		[ -n "$(options "$tool")" ]
		run -0 --separate-stderr "$tool" --version
		[[ $output =~ ^$tool\ \(migtools\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
		fails 1 bash -c "$tool --help > /dev/full"
	done
}

@test "CH-39 garbage on stdin is a usage error for every reader, and writes nothing" {
	before=$(whole_tree site)
	printf 'hello\n' > words
	printf '\xff\xfe\n' > bytes
	printf '\0\n' > nul
	printf '[1,2]\n' > array
	printf '"text"\n' > text
	printf '{}\n' > object
	printf '{"kind":1}\n' > number
	printf '{"kind":"plan","kind":"plan"}\n' > twice
	printf '{"kind":"plan"} {"kind":"plan"}\n' > two
	printf '\n' > blank
	printf '\xef\xbb\xbf{"kind":"end"}\n' > bom
	for tool in "${readers[@]}"; do
		for input in words bytes nul array text object number twice two blank bom; do
			rc=0
			call "$tool" < $input > out 2> err || rc=$?
			[ $rc -eq 2 ] || fail "$tool < $input: exit $rc: $(cat err)"
			[ -s err ] || fail "$tool < $input: silent"
			run ! grep -qE '"kind":"(end|plan|permit|outcome|verdict)"' out
		done
	done
	[ "$before" = "$(whole_tree site)" ]
}

@test "CH-39 a closed stdin is never success" {
	for tool in "${readers[@]}" mig-hash; do
		rc=0
		call "$tool" <&- > out 2> err || rc=$?
		[ $rc -eq 1 ] || [ $rc -eq 3 ] || fail "$tool: exit $rc: $(cat err)"
		[ -s err ]
	done
}

@test "a file or store that is opened does not take the place of a closed stdin" {
	mkdir tree
	echo 1 > one.json
	fails 1 bash -c 'mig-apply --store fs:tree <&-'
	[ "$stderr" = 'mig-apply: stdin: Bad file descriptor' ]
	fails 1 bash -c 'mig-hash one.json - <&-'
	[ "$stderr" = 'mig-hash: -: Bad file descriptor' ]
	[ -z "$(ls -A tree)" ]
}

@test "a MIG_MAX_RECORD that is no number of bytes is a usage error" {
	local bad
	for bad in '' abc -5 100 1k 2147483648; do
		MIG_MAX_RECORD=$bad fails 2 mig-gate --env dev --apply < /dev/null
		[[ $stderr == 'mig-gate: MIG_MAX_RECORD: not a number of bytes from 1024 to 2147483647'* ]]
	done
	MIG_MAX_RECORD=1024 mig-hash < /dev/null
	MIG_MAX_RECORD=1k mig-gate --version
}

@test "SG-53 a SOURCE_DATE_EPOCH that RFC 3339 has no year for is a usage error" {
	SOURCE_DATE_EPOCH=253402300800 fails 2 mig-gate --env dev --apply < /dev/null
	SOURCE_DATE_EPOCH=253402300799 fails 3 mig-gate --env dev --apply < /dev/null
}

@test "a full stdout is a general error, a closed one is never success, and both are said" {
	for tool in "${tools[@]}"; do
		rc=0
		call "$tool" < "${reads[$tool]}" > /dev/full 2> err || rc=$?
		[ $rc -eq 1 ] || fail "$tool > /dev/full: exit $rc: $(cat err)"
		[ -s err ] || fail "$tool > /dev/full: silent"
		rc=0
		call "$tool" < "${reads[$tool]}" >&- 2> err || rc=$?
		[ $rc -eq 1 ] || fail "$tool >&-: exit $rc: $(cat err)"
	done
}

@test "a reader that stops early ends the writer with 1 and without a word" {
	for tool in "${tools[@]}"; do
		(
			rc=0
			call "$tool" < "${reads[$tool]}" 2> err || rc=$?
			echo $rc > rc
		) | true
		# it may have been quick enough
		[[ $(cat rc) =~ ^[01]$ ]] || fail "$tool: exit $(cat rc): $(cat err)"
		[ ! -s err ] || fail "$tool: $(cat err)"
	done
}

@test "a stream cut short is 3 for every reader: no end, a torn line, nothing at all" {
	before=$(whole_tree site)
	for tool in "${readers[@]}"; do
		head -n -1 "${reads[$tool]}" > noend
		head -c -5 "${reads[$tool]}" > torn
		head -c -1 "${reads[$tool]}" > nolf
		: > nothing
		for input in noend torn nolf nothing; do
			# transform is the one that may read a part of a stream
			[ "$tool$input" != mig-transformnoend ] || continue
			rc=0
			call "$tool" < $input > out 2> err || rc=$?
			[ $rc -eq 3 ] || [ "$tool$input$rc" = mig-transformnothing0 ] || fail "$tool < $input: exit $rc: $(cat err)"
		done
	done
	[ "$before" = "$(whole_tree site)" ]
}

@test "an upstream that dies without a word is 3 at the end of the whole pipe" {
	before=$(whole_tree site)
	rc=0
	# shellcheck disable=SC2094 # nobody writes documents
	head -n 1 documents | call mig-transform | call mig-plan | call mig-gate | call mig-apply 2> /dev/null | call mig-report > page 2>&1 || rc=$?
	[ $rc -eq 3 ] || fail "exit $rc"
	rc=0
	true | call mig-transform | call mig-plan 2> /dev/null | call mig-gate 2> /dev/null | call mig-apply > out 2>&1 || rc=$?
	[ $rc -eq 3 ] || fail "exit $rc"
	[ "$before" = "$(whole_tree site)" ]
}

@test "SG-10 a whole stream of nothing is success all the way" {
	before=$(whole_tree site)
	nothing mig-extract | call mig-transform | call mig-plan | tee no.plan | call mig-gate | call mig-apply | tee no.outcomes |
		call mig-verify > no.verdicts
	for f in no.plan no.outcomes no.verdicts; do
		holds 'map(.kind) == ["end"] and .[0].records == 0 and .[0].digest == "'"$(sha256sum < /dev/null | cut -c 1-64)"'"' $f
		mig-report < $f > page
	done
	[ "$before" = "$(whole_tree site)" ]
}

@test "an end that lies about its records or digest is 4" {
	for tool in mig-plan mig-gate mig-apply mig-verify; do
		for lie in 's/"records":[0-9]*/"records":7/' 's/"digest":"[0-9a-f]\{8\}/"digest":"00000000/'; do
			sed "\$$lie" "${reads[$tool]}" > lies
			rc=0
			call "$tool" < lies > out 2> err || rc=$?
			[ $rc -eq 4 ] || fail "$tool: exit $rc: $(cat err)"
		done
		for more in '{"kind":"end","digest":"","records":0,"tool":"x"}' '{"kind":"mystery"}'; do
			{ cat "${reads[$tool]}" && echo "$more"; } > longer
			rc=0
			call "$tool" < longer > out 2> err || rc=$?
			[ $rc -eq 4 ] || fail "$tool, after the end $more: exit $rc: $(cat err)"
		done
	done
	[ ! -e site/.mig ]
}

@test "a fault passes every filter unchanged, sets its exit code, and nothing irreversible begins after it" {
	before=$(whole_tree site)
	for code in 1 2 3 4 5; do
		fault='{"code":"no_luck","exit":'$code',"kind":"fault","reason":"a test","tool":"mig-extract"}'
		for tool in "${filters[@]}"; do
			rc=0
			{ head -n 1 "${reads[$tool]}" && echo "$fault"; } | call "$tool" > out 2> err || rc=$?
			[ $rc -eq $code ] || fail "$tool: exit $rc instead of $code: $(cat err)"
			grep -qxF "$fault" out || fail "$tool: the fault is gone: $(cat out)"
			[ "$(grep -c '"kind":"fault"' out)" -eq 1 ]
			run ! grep -qE '"kind":"(end|permit|outcome)"' out
		done
		rc=0
		echo "$fault" | call mig-report > out 2> err || rc=$?
		[ $rc -eq $code ] || fail "mig-report: exit $rc instead of $code"
		rc=0
		echo "$fault" | call mig-transform | call mig-plan | call mig-gate | call mig-apply | call mig-verify > out 2> err || rc=$?
		[ $rc -eq $code ] || fail "the pipe: exit $rc instead of $code"
	done
	[ "$before" = "$(whole_tree site)" ]
}

@test "of two faults the first decides, and a fault of an unknown code is a usage error" {
	one='{"code":"a","exit":3,"kind":"fault","reason":"a","tool":"x"}'
	two='{"code":"b","exit":5,"kind":"fault","reason":"b","tool":"x"}'
	for tool in "${filters[@]}"; do
		rc=0
		printf '%s\n%s\n' "$one" "$two" | call "$tool" > out 2> err || rc=$?
		[ $rc -eq 3 ] || fail "$tool: exit $rc"
		for bad in 0 6 -1 137; do
			rc=0
			echo "${one/3/$bad}" | call "$tool" > out 2> err || rc=$?
			[ $rc -eq 2 ] || fail "$tool, exit $bad: exit $rc"
		done
	done
}

@test "CH-01 the same bytes in give the same bytes out, twice, in any locale, time zone, umask and folder" {
	sha256sum site/job/*/manifest.json > earlier
	for tool in mig-extract mig-transform mig-plan mig-verify mig-report mig-hash mig-approve mig-import mig-bundle; do
		call "$tool" < "${reads[$tool]}" > first
		call "$tool" < "${reads[$tool]}" > second
		cmp first second
		(umask 077 && LC_ALL=C TZ=Asia/Tokyo LANG=tr_TR.UTF-8 call "$tool" < "${reads[$tool]}") > third
		cmp first third
		[ -s first ]
	done
	for tool in mig-transform mig-plan mig-report mig-hash; do
		call "$tool" < "${reads[$tool]}" > first
		(cd / && call "$tool") < "${reads[$tool]}" > second
		cmp first second
	done
	sha256sum -c --quiet earlier
}

@test "no filter leaves a file in TMPDIR, also when it fails, or needs one that is not there for naught" {
	for tool in "${tools[@]}"; do
		call "$tool" < "${reads[$tool]}" > out 2> err || fail "$tool: $(cat err)"
		[ -z "$(ls -A "$TMPDIR")" ] || fail "$tool left $(ls -A "$TMPDIR")"
		rm -rf site && site
		call "$tool" > out 2> err <<< garbage || true
		head -c -5 "${reads[$tool]}" | call "$tool" > out 2> err || true
		[ -z "$(ls -A "$TMPDIR")" ] || fail "$tool left $(ls -A "$TMPDIR")"
	done
}

@test "messages begin with the tool's name, one line a finding, and end without a full stop" {
	for tool in "${readers[@]}"; do
		call "$tool" > out 2> err <<< garbage || true
		run ! grep -vE "^$tool: .*[^.]\$" err
		[ "$(wc -l < err)" -le 2 ]
	done
}

@test "what a file's name holds does not reach the terminal as a control, nor as more than one line" {
	local name
	mkdir -p tree
	name=$(printf 'tree/\302\233\342\200\256manifest.json')
	printf '{' > "$name"
	sed 's,"[*][*]/manifest.json","*manifest.json",' "$SETS/manifest/set.json" > set.json
	cp -R "$SETS/manifest" set && mv set.json set/set.json
	run -4 --separate-stderr bash -c 'mig-extract --store fs:tree --set set | mig-transform --set set --target-version 1.2.0 |
		mig-plan --env dev --migration m --target-version 1.2.0'
	[[ $stderr == *'mig-plan: \u009b\u202emanifest.json: line 1, column 2: '* ]]
}

@test "neither does what an argument holds" {
	for tool in "${tools[@]}"; do
		fails 2 "$tool" "$(printf -- '--a\033[31m\302\233\377b')"
		[[ $stderr == "$tool: "*'--a\u001b[31m\u009b\xffb'$'\n'* ]]
	done
	fails 2 mig-plan --batch $'\n5'
	[[ $stderr == 'mig-plan: --batch: not a whole number: \u000a5'$'\n'* ]]
	fails 2 mig-plan --batch -0
	fails 2 mig "$(printf 'pl\033[31man')"
	[[ $stderr == 'mig: unknown command: pl?[31man'$'\n'* ]]
}

@test "CH-54 a store's password is not in the message about it" {
	for tool in mig-apply mig-verify; do
		rc=0
		call_with "$tool" postgresql://ada:s3cr3t@db.example/x < "${reads[$tool]}" > out 2> err || rc=$?
		[ $rc -ne 0 ]
		run ! grep -q s3cr3t out err
	done
	rc=0
	mig-extract --store postgresql://ada:s3cr3t@db.example/x --set "$SETS/manifest" > out 2> err || rc=$?
	[ $rc -ne 0 ]
	run ! grep -q s3cr3t out err
}

# call_with TOOL STORE
call_with() {
	"$1" --store "$2"
}
