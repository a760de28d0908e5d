# shellcheck shell=bash
# lib.bash -- what the crash tests share; source it in a test that prints TAP.  Leaves the shell in a folder
# of its own, with the workload of workload.sh in it.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
x=$(cd "$root" && cd "${MIG_X:-bin}" && pwd -P) || exit 1
export LC_ALL=C TZ=UTC MIG_ACTOR=tester SOURCE_DATE_EPOCH=1735689600
docs='a.json d/b.json d/c.json'

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

workload() {
	local dir=/tmp
	[ ! -w /dev/shm ] || dir=/dev/shm
	t=$(mktemp -d "$dir/mig-crash-XXXXXX") || exit 1
	trap 'rm -rf "$t"' EXIT
	cd "$t" && MIG_X=$x "$root/tests/crash/workload.sh" . || exit 1
}

apply() { # STORE PERMITS
	"$x/mig-apply" --store "fs:$1" <"$2" >out 2>err
}

# --- tracing; $store is where a test has its store
store=s every=1
needs_strace() {
	command -v strace >/dev/null || skip "strace is not installed"
	strace -qq -o /dev/null true 2>/dev/null || skip "strace may not trace here"
}
# the leak checker cannot work in a traced process
traced_options=${ASAN_OPTIONS-}:detect_leaks=0

# --- the points: "NAME N" for the Nth call of that name, from the opening of the store on
writes=openat,openat2,mkdirat,write,ftruncate,fchmod,fchown,linkat,renameat,renameat2,unlinkat,fsync,fdatasync
writes=$writes,syncfs,flock,fsetxattr,fremovexattr,close
# shellcheck disable=SC2034 # kill.sh lets them fail
reads=pread64,read,statx,newfstatat,getdents64,flistxattr,fgetxattr,faccessat2
points() { # BASE PERMITS CALLS
	rm -rf "$store" && cp -a "$1" "$store"
	ASAN_OPTIONS=$traced_options strace -f -qq -o trace -e "trace=$3,openat2" "$x/mig-apply" --store "fs:$store" <"$2" >out 2>err || return 1
	awk -v every="$every" '{
		sub(/^[0-9]+ +/, ""); name = $0; sub(/\(.*/, "", name)
		if (name !~ /^[a-z0-9_]+$/) next
		n[name]++
		if (name == "openat2") open = 1
		if (open && k++ % every == 0) print name, n[name]
	}' trace
}
traced() { # INJECTION NAME PERMITS: run with one call changed; the exit code
	# the group keeps the shell's own "Killed" off the report
	{
		ASAN_OPTIONS=$traced_options strace -f -qq -o /dev/null -e "trace=$2" -e "inject=$1" "$x/mig-apply" --store "fs:$store" <"$3" >out 2>err
	} 2>/dev/null
}

# --- what must hold of a store
same() { # STORE as every document of OTHER
	local f
	for f in $docs; do
		cmp -s "$1/$f" "$2/$f" || return 1
	done
}
old_or_new() {
	local f
	for f in $docs; do
		cmp -s "$1/$f" "old/$f" || cmp -s "$1/$f" "new/$f" || return 1
	done
}
empty() {
	[ -z "$(ls -A "$1" 2>/dev/null)" ]
}
chained() { # LEDGER: every hash is that of its entry, and the next one's prev
	"$x/mig-hash" --without /hash <"$1" | cut -c1-64 >is &&
		sed -n 's/.*,"hash":"\([0-9a-f]*\)".*/\1/p' "$1" | cmp -s - is &&
		sed -n 's/.*,"prev":"\([0-9a-f]*\)".*/\1/p' "$1" | sed 1d | cmp -s - <(sed '$d' is)
}
finished() { # STORE TARGET EVENT: all as in TARGET, one commit or rollback, nothing left lying about
	same "$1" "$2" || { echo "# not all documents are as in $2"; return 1; }
	[ "$(grep -c "\"event\":\"$3\"" "$1/.mig/ledger.ndjson")" = 1 ] || { echo "# not one $3"; return 1; }
	empty "$1/.mig/tmp" || { echo "# tmp holds $(ls "$1/.mig/tmp")"; return 1; }
	empty "$1/.mig/conflicts" || { echo "# conflicts hold $(ls "$1/.mig/conflicts")"; return 1; }
	chained "$1/.mig/ledger.ndjson" || { echo "# the ledger's chain is broken"; return 1; }
	if [ "$2" = new ]; then
		cmp -s "$1/a.json.bak" old/a.json || { echo "# no backup"; return 1; }
	else
		[ -z "$(find "$1" -name '*.bak*')" ] || { echo "# a backup is left"; return 1; }
	fi
}

# --- counting
count=0 tests=0 bad=0 all=0
begin() {
	bad=0
	count=0
}
wrong() { # POINT WHAT
	bad=$((bad + 1))
	echo "# $1: $2"
	sed 's/^/#   /' err
}
end() { # WHAT
	tests=$((tests + 1))
	all=$((all + count))
	if [ "$bad" = 0 ] && [ "$count" -gt 0 ]; then
		echo "ok $tests - $1 ($count points)"
	else
		echo "not ok $tests - $1 ($bad of $count points)"
		failed=1
	fi
}
# shellcheck disable=SC2034 # the tests exit with it
failed=0
