#!/usr/bin/env bash
# kill.sh [--quick] -- end mig-apply before every system call that touches the store, and let every one of
# them fail, then run it again.  Prints TAP.  MIG_X names the folder of the executables.
#
# After every kill each document has its old or its new bytes; after every error all have the old or all the
# new ones; and after the next run all have the new ones, once committed, with nothing left lying about.
# --quick takes every 7th point.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
x=$(cd "$root" && cd "${MIG_X:-bin}" && pwd -P) || exit 1
every=1
[ "${1-}" != --quick ] || every=7
export LC_ALL=C TZ=UTC MIG_ACTOR=tester SOURCE_DATE_EPOCH=1735689600

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
command -v strace >/dev/null || skip "strace is not installed"
strace -qq -o /dev/null true 2>/dev/null || skip "strace may not trace here"

dir=/tmp
[ ! -w /dev/shm ] || dir=/dev/shm
t=$(mktemp -d "$dir/mig-kill-XXXXXX") || exit 1
trap 'rm -rf "$t"' EXIT
cd "$t" || exit 1

# --- three documents, a set, and the permits for there and back
mkdir -p old/d set/1.0.0..1.1.0
printf '{\n  "v": "1.0.0",\n  "name": "a"\n}\n' >old/a.json
printf '{"v": "1.0.0", "name": "b", "history": []}\n' >old/d/b.json
printf '{"name":"c","v":"1.0.0"}' >old/d/c.json
cat >set/set.json <<'EOF'
{"id": "crash", "entity": "thing", "mode": "document", "match": ["**/*.json"], "version": {"pointer": "/v"},
 "required": [], "immutable": [], "additive": true, "history": "/history", "backup_suffix": ".bak"}
EOF
cat >set/1.0.0..1.1.0/hop.json <<'EOF'
{"from": "1.0.0", "to": "1.1.0", "type": "data", "description": "add a mark", "changes": ["add mark"]}
EOF
echo '. + {"mark": 1}' >set/1.0.0..1.1.0/up.jq
"$x/mig-extract" --store fs:old --set set | "$x/mig-transform" --set set --target-version 1.1.0 |
	"$x/mig-plan" --env dev --migration crash --target-version 1.1.0 >plan
"$x/mig-gate" --env dev --apply <plan >forward || exit 1
"$x/mig-plan" --rollback --reason test <plan | "$x/mig-gate" --env dev --apply >rollback || exit 1
docs='a.json d/b.json d/c.json'

apply() { # STORE PERMITS
	"$x/mig-apply" --store "fs:$1" <"$2" >out 2>err
}
cp -a old new
apply new forward || { cat err; exit 1; }

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

# --- the points: "NAME N" for the Nth call of that name, from the opening of the store on
writes=openat,openat2,mkdirat,write,ftruncate,fchmod,fchown,linkat,renameat,renameat2,unlinkat,fsync,fdatasync
writes=$writes,syncfs,flock,fsetxattr,fremovexattr,close
reads=pread64,read,statx,newfstatat,getdents64,flistxattr,fgetxattr,faccessat2
points() { # BASE PERMITS CALLS
	rm -rf s && cp -a "$1" s
	strace -f -qq -o trace -e "trace=$3,openat2" "$x/mig-apply" --store fs:s <"$2" >out 2>err || return 1
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
		strace -f -qq -o /dev/null -e "trace=$2" -e "inject=$1" "$x/mig-apply" --store fs:s <"$3" >out 2>err
	} 2>/dev/null
}

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
failed=0

killed() { # BASE PERMITS TARGET EVENT
	local name n
	while read -r name n; do
		count=$((count + 1))
		rm -rf s && cp -a "$1" s
		traced "$name:signal=KILL:when=$n" "$name" "$2"
		[ $? = 137 ] || { wrong "$name $n" "was not killed"; continue; }
		old_or_new s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		apply s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		why=$(finished s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes")
}

failing() { # BASE PERMITS TARGET EVENT ERRNO
	local name n code
	while read -r name n; do
		count=$((count + 1))
		rm -rf s && cp -a "$1" s
		traced "$name:error=$5:when=$n" "$name" "$2"
		code=$?
		case $code in
		0 | 1 | 3 | 4) ;;
		*) wrong "$name $n" "exit $code"; continue ;;
		esac
		same s old || same s new || { wrong "$name $n" "some documents are old and some new"; continue; }
		[ "$code" != 0 ] || same s "$3" || { wrong "$name $n" "exit 0 without being done"; continue; }
		apply s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		why=$(finished s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes,$reads")
}

# A run is killed, and so is the one that repairs what it left.
killed_twice() {
	local name n again m
	while read -r name n; do
		rm -rf s && cp -a old s
		traced "$name:signal=KILL:when=$n" "$name" forward
		rm -rf first && cp -a s first
		while read -r again m; do
			count=$((count + 1))
			rm -rf s && cp -a first s
			traced "$again:signal=KILL:when=$m" "$again" forward
			old_or_new s || { wrong "$name $n, $again $m" "a document is neither old nor new"; continue; }
			apply s forward || { wrong "$name $n, $again $m" "the next run fails"; continue; }
			why=$(finished s new commit) || wrong "$name $n, $again $m" "$why"
		done < <(points first forward renameat2,unlinkat,linkat,fdatasync)
	done < <(points old forward renameat2,linkat,syncfs)
}

begin
killed old forward new commit
end "an apply killed before every call"
begin
killed new rollback old rollback
end "a rollback killed before every call"
begin
killed_twice
end "an apply killed, and its repair killed"
for e in ENOSPC EIO; do
	begin
	failing old forward new commit $e
	end "an apply in which every call fails with $e"
	begin
	failing new rollback old rollback $e
	end "a rollback in which every call fails with $e"
done
echo "1..$tests"
echo "# $all points"
exit $failed
