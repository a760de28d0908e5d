#!/usr/bin/env bats
# The sandbox: what a filter gave up, it cannot do even when it tries (see plant.c).

load helper
load store

# The planted filters stand beside the others' folder, or are built here.
setup_file() {
	local built
	built=$(cd "$(dirname "$(readlink -f "$MIG_X/mig-hash")")/.." && pwd -P)
	if [ ! -x "$built/plant/mig-hash" ] || [ "$built/libmig.a" -nt "$built/plant/mig-hash" ]; then
		built=$BATS_FILE_TMPDIR/build
		make -s -C "$MIG_ROOT" O="$built" plant
	fi
	export PLANT=$built/plant LANDLOCK=0
	MIG_TEST_PLANT=landlock "$PLANT/mig-hash" < /dev/null || LANDLOCK=$?
}

setup() {
	mig_setup
	[ "$LANDLOCK" -ne 97 ] || skip 'a build without the sandbox'
	site
	sqlite3 site/app.db 'CREATE TABLE t (a)'
	mkdir outside
	echo secret > outside/file
	openssl genpkey -algorithm ed25519 -out outside/key.pem
	mkdir site/app site/goose
	echo '{"id": "app", "mode": "sql"}' > site/app/set.json
	printf -- '-- +goose Up\nSELECT 1;\n' > site/goose/1_x.sql
	OWN_ROOT=0
	MIG_TEST_PLANT=read:job/run-1.0.0/manifest.json filter apply || OWN_ROOT=$?
}

# filter NAME: the planted filter, with arguments that take it to its sandbox.
filter() {
	local x=$PLANT/mig-$1
	case $1 in
	extract) "$x" --store fs:site --set "$SETS/manifest" ;;
	transform) "$x" --set "$SETS/manifest" --target-version 1.2.0 ;;
	plan) "$x" --env dev --migration manifest --target-version 1.2.0 ;;
	rollback) "$PLANT/mig-plan" --rollback ;;
	plan-set) "$PLANT/mig-plan" --set site/app --env dev --migration app --target-version 1.0.0 ;;
	import) "$x" --from goose --to site/imported site/goose ;;
	gate) "$x" --env dev --apply ;;
	apply | verify) "$x" --store fs:site ;;
	apply-bound) bound "$PLANT/mig-apply" --store fs:site ;;
	extract-sqlite) "$PLANT/mig-extract" --store sqlite:site/app.db --schema ;;
	rows-sqlite) "$PLANT/mig-extract" --store sqlite:site/app.db ;;
	*-sqlite) "${x%-sqlite}" --store sqlite:site/app.db ;;
	hash | report) "$x" ;;
	approve) "$x" --digest "$(printf '%064d' 0)" --env dev --approver a --ticket t --expires-at 2025-01-01T00:00:00Z \
		--key outside/key.pem ;;
	endpoint) "$PLANT/mig-extract" --store http://127.0.0.1:1/ --tenant acme --env dev --entity notes ;;
	answer) "$PLANT/mig-extract" --store response:domain --tenant acme --env dev ;;
	hash-file) "$PLANT/mig-hash" outside/file ;;
	hash-files) "$PLANT/mig-hash" outside/file outside/file ;;
	esac < /dev/null
}

# bound COMMAND..: as a process that may not change its root, as those of most users.
bound() {
	setpriv --bounding-set=-sys_chroot "$@"
}

# seen_by FILTER WHAT: WHAT with @ for the store, which has no name where it is a filter's own root.
seen_by() {
	case $1 in
	apply) [ "$OWN_ROOT" -ne 99 ] && echo "${2/@/site}" || echo "${2/@\//}" ;;
	*) echo "${2/@/site}" ;;
	esac
}

# tries WHAT FILTER..: each is denied it, and would not have been without its sandbox.
tries() {
	local what=$1 f
	shift
	for f; do
		MIG_TEST_PLANT=$(seen_by "$f" "$what") fails 98 filter "$f"
		stdout_empty
		MIG_TEST_PLANT=${what/@/site} MIG_TEST_PLANT_BARE=1 fails 99 filter "$f"
		echo secret > outside/file
		rm -f outside/new site/new
	done
}

# allowed WHAT FILTER..: the sandbox leaves them that.
allowed() {
	local what=$1 f
	shift
	for f; do
		MIG_TEST_PLANT=$(seen_by "$f" "$what") fails 99 filter "$f"
	done
}

needs_landlock() {
	[ "$LANDLOCK" -eq 99 ] || skip 'this kernel has no Landlock'
}

# a pure filter is what opens nothing more, whatever the kernel has
pure=(transform plan plan-set rollback gate report hash hash-file approve answer)
stores=(extract verify apply apply-bound extract-sqlite rows-sqlite verify-sqlite apply-sqlite)

@test "SG-52 a pure filter can open no file, neither for reading nor for writing" {
	tries read:/etc/passwd "${pure[@]}"
	tries read:outside/file "${pure[@]}"
	tries write:outside/new "${pure[@]}"
	tries write:"$TMPDIR/new" plan rollback gate
}

@test "CH-50 a pure filter can connect to nothing" {
	tries connect "${pure[@]}"
}

@test "SG-52 a pure filter can remove no file, which takes no descriptor" {
	needs_landlock
	tries remove:outside/file "${pure[@]}"
}

@test "a filter on a store sees no file outside it" {
	needs_landlock
	tries read:/etc/passwd "${stores[@]}"
	tries read:outside/file "${stores[@]}"
	tries write:outside/new "${stores[@]}"
	tries write:"$TMPDIR/new" "${stores[@]}"
	tries remove:outside/file "${stores[@]}"
	tries connect "${stores[@]}"
	allowed read:@/job/run-1.0.0/manifest.json "${stores[@]}"
}

@test "CH-25 extract and verify cannot write to the store they read, apply can" {
	needs_landlock
	tries write:@/new extract verify extract-sqlite rows-sqlite verify-sqlite
	tries write:@/job/run-1.0.0/manifest.json extract verify
	tries write:@/app.db extract-sqlite rows-sqlite verify-sqlite
	for f in extract verify; do
		MIG_TEST_PLANT=remove:site/job/run-1.0.0/manifest.json fails 98 filter $f
	done
	allowed write:@/new apply apply-bound apply-sqlite
	allowed remove:@/new apply
}

@test "mig-apply that may change its root has its store for it, and of root's powers those over files" {
	[ "$OWN_ROOT" -eq 99 ] || skip 'not root, or not allowed to change its root'
	planned && permitted
	strace -o trace -e trace=chroot,capset mig-apply --store fs:site < permits > outcomes
	grep -q '^chroot("."). *= 0' trace
	grep -q '^capset.*permitted=1<<CAP_CHOWN|1<<CAP_DAC_OVERRIDE|1<<CAP_FOWNER|1<<CAP_FSETID, inheritable=0}) = 0' trace
	mig-verify --store fs:site < outcomes > verdicts
}

@test "mig-apply that may not change its root does the same" {
	cp -r site other
	planned && permitted && applied
	mig-verify --store fs:site < outcomes > verdicts
	rm -r site && mv other site
	bound mig-apply --store fs:site < permits | cmp - outcomes
	mig-verify --store fs:site < outcomes | cmp - verdicts
}

@test "import can write only beside the set that it makes" {
	needs_landlock
	tries read:/etc/passwd import
	tries write:outside/new import
	tries remove:outside/file import
	tries connect import
	allowed write:site/new import
}

@test "who asks a server may read files and speak TCP, and write nothing" {
	needs_landlock
	tries write:outside/new endpoint
	tries write:"$TMPDIR/new" endpoint
	tries remove:outside/file endpoint
	allowed read:/etc/passwd endpoint
	allowed connect endpoint
}

@test "apply can make no device, not even in its store" {
	[ "$(id -u)" -eq 0 ] && mknod bare c 1 3 || skip 'only root can make devices, and not everywhere'
	tries device:@/new apply apply-bound
}

@test "mig-hash with several files may go on reading, and nothing else" {
	needs_landlock
	tries write:outside/new hash-files
	tries remove:outside/file hash-files
	tries connect hash-files
	allowed read:/etc/passwd hash-files
}

@test "the whole way works with every sandbox closed, from a folder that only its owner may enter" {
	chmod 700 site
	planned --tenant acme
	mig-gate --env dev --apply --tenant acme < plan > permits
	mig-apply --store fs:site < permits > outcomes
	mig-verify --store fs:site --against plan < outcomes > verdicts
	mig-report < verdicts > page
	before=$(tree_hash site)
	mig-plan --rollback < plan | mig-gate --env dev --apply --allow-destructive --tenant acme |
		mig-apply --store fs:site > undone
	[ "$before" != "$(tree_hash site)" ]
	mig-hash --check < undone
	mig-hash plan permits outcomes - < undone > hashes
	[ "$(wc -l < hashes)" -eq "$(cat plan permits outcomes undone | wc -l)" ]
}

@test "a program of a set that is compiled late still compiles" {
	mkdir -p set/1.0.0..1.1.0 t
	cp "$SETS/manifest/set.json" set/
	echo 'def late: {late: ("2015-03-05T23:51:47Z" | strptime("%Y-%m-%dT%H:%M:%SZ") | mktime | strftime("%A %Z"))};' > set/lib.jq
	jq 'del(.before, .after)' "$SETS"/manifest/1.0.0..1.1.0/hop.json > set/1.0.0..1.1.0/hop.json
	echo '. + late' > set/1.0.0..1.1.0/up.jq
	manifest 1.0.0 > t/manifest.json
	mig-extract --store fs:t --set set | mig-transform --set set --target-version 1.1.0 > out
	grep -q '"value":"Thursday UTC"' out || fail "$(cat out)"
}

@test "no filter tries to open anything once its sandbox has closed" {
	planned && permitted
	mig-extract --store fs:site --set "$SETS/manifest" > documents
	mig-transform --set "$SETS/manifest" --target-version 1.2.0 < documents > changes
	# libjq asks for a file below the file /dev/null, and is told that there is none
	traced documents mig-transform --set "$SETS/manifest" --target-version 1.2.0
	traced changes mig-plan --env dev --migration manifest --target-version 1.2.0
	traced plan mig-plan --rollback
	traced plan mig-gate --env dev --apply
	echo 'empty' > policy.jq
	traced plan mig-gate --env dev --apply --sign outside/key.pem --policy policy.jq
	traced /dev/null mig-approve --digest "$(printf '%064d' 0)" --env dev --approver a --ticket t \
		--expires-at 2025-01-01T00:00:00Z --key outside/key.pem
	traced permits mig-report
	traced permits mig-hash --check
	traced /dev/null mig-hash plan
}

# traced INPUT FILTER..: it ends well, and after its RLIMIT_NOFILE opens nothing.
traced() {
	local in=$1
	shift
	env -u SOURCE_DATE_EPOCH -u MIG_ACTOR strace -o trace -e trace=open,openat,openat2,socket,dup,pipe2,prlimit64 "$@" < "$in" > /dev/null
	grep -q 'RLIMIT_NOFILE, {rlim_cur=0, rlim_max=0}' trace || fail "$1 has no sandbox"
	sed '1,/RLIMIT_NOFILE, {rlim_cur=0/d' trace | grep -v '/dev/null/\.jq\|RLIMIT_DATA\|^+++' > late || true
	[ ! -s late ] || fail "$*: $(cat late)"
}

@test "what is installed knows nothing of the plant" {
	for f in "$MIG_X"/mig-*; do
		if [ -x "$f" ] && [ ! -d "$f" ]; then
			run -1 grep -a -q 'MIG_TEST_PLANT\|__wrap_sandbox' "$f"
		fi
	done
	grep -a -q MIG_TEST_PLANT "$PLANT/mig-hash"
}
