#!/usr/bin/env bash
# recover.sh [--quick] -- several processes at work, and the undoing of what a killed run has begun.  Prints TAP.
# MIG_X names the folder of the executables.
#
# An apply and a rollback of three plans by two jobs are ended before every system call that touches the store:
# now the parent is the one that dies, now a worker.  Then the next run completes it, or, from the same state,
# undoes it.  They are told to stop before every call, and every call fails.  What undoes is killed before every
# call as well, and meets an error in every one; so does what completes.
# --quick takes every 29th point.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/crash/lib.bash
. ./lib.bash
every=1
[ "${1-}" != --quick ] || every=29
command -v strace >/dev/null || skip "strace is not installed"
strace -qq -o /dev/null true 2>/dev/null || skip "strace may not trace here"
workload
# the leak checker cannot work in a traced process
traced_options=${ASAN_OPTIONS-}:detect_leaks=0

writes=openat,openat2,mkdirat,write,ftruncate,fchmod,linkat,renameat,renameat2,unlinkat,fsync,fdatasync,syncfs
writes=$writes,flock,close,clone,pipe2,prctl,wait4
reads=pread64,read,statx,getdents64,flistxattr,poll

# points BASE PERMITS CALLS FLAG..: "NAME N" for the Nth call of that name in the process that makes most of them.
points() {
	local base=$1 permits=$2 calls=$3
	shift 3
	rm -rf s && cp -a "$base" s
	ASAN_OPTIONS=$traced_options strace -f -qq -o trace -e "trace=$calls,openat2" \
		"$x/mig-apply" --store fs:s "$@" <"$permits" >out 2>err || return 1
	awk -v every="$every" '{
		pid = $1; sub(/^[0-9]+ +/, ""); name = $0; sub(/\(.*/, "", name)
		if (name !~ /^[a-z0-9_]+$/) next
		if (name == "openat2") open = 1
		if (!open) { before[pid, name]++; next }
		n = ++seen[pid, name] + before[pid, name]
		if (n > most[name]) { most[name] = n; if (k++ % every == 0) print name, n }
	}' trace
}
traced() { # INJECTION NAME PERMITS FLAG..: run with one call changed; the exit code
	local change=$1 name=$2 permits=$3
	shift 3
	# the group keeps the shell's own "Killed" off the report
	{
		ASAN_OPTIONS=$traced_options timeout -s KILL 60 strace -f -qq -o /dev/null -e "trace=$name" -e "inject=$change" \
			"$x/mig-apply" --store fs:s "$@" <"$permits" >out 2>err
	} 2>/dev/null
}
run() { # STORE PERMITS FLAG..
	local store=$1 permits=$2
	shift 2
	"$x/mig-apply" --store "fs:$store" "$@" <"$permits" >out 2>err
}

# ended_well STORE TARGET EVENT: all as in TARGET; of each of the three plans one EVENT; nothing left lying about.
ended_well() {
	same "$1" "$2" || { echo "# not all documents are as in $2"; return 1; }
	[ "$(grep -c "\"event\":\"$3\"" "$1/.mig/ledger.ndjson")" = 3 ] || { echo "# not three $3"; return 1; }
	tidy_store "$1"
}
# undone STORE BASE EVENT: the first plans are committed, of the others nothing is left, and no plan is open.
undone() {
	local begun ended
	[ -e "$1/.mig/ledger.ndjson" ] || { same "$1" "$2"; return; }
	begun=$(grep -c '"event":"begin"' "$1/.mig/ledger.ndjson" 2>/dev/null)
	ended=$(grep -cE '"event":"(commit|undo|rollback)"' "$1/.mig/ledger.ndjson" 2>/dev/null)
	[ "$begun" = "$ended" ] || { echo "# $begun plans begun, $ended ended"; return 1; }
	old_or_new "$1" || { echo "# a document is neither old nor new"; return 1; }
	[ "$(changed "$1" "$2")" = "$(grep -cE "\"event\":\"$3\"" "$1/.mig/ledger.ndjson")" ] ||
		{ echo "# other documents are changed than are committed"; return 1; }
	[ ! -e "$1/.mig/tmp" ] || tidy_store "$1"
}
changed() { # STORE BASE: how many documents differ from it
	local f n=0
	for f in $docs; do
		cmp -s "$1/$f" "$2/$f" || n=$((n + 1))
	done
	echo $n
}
tidy_store() {
	empty "$1/.mig/tmp" || { echo "# tmp holds $(ls "$1/.mig/tmp")"; return 1; }
	empty "$1/.mig/conflicts" || { echo "# conflicts hold $(ls "$1/.mig/conflicts")"; return 1; }
	chained "$1/.mig/ledger.ndjson" || { echo "# the ledger's chain is broken"; return 1; }
}
fresh() { # BASE
	rm -rf s && cp -a "$1" s
}

killed() { # BASE PERMITS TARGET EVENT
	local name n code
	while read -r name n; do
		fresh "$1"
		traced "$name:signal=KILL:when=$n" "$name" "$2" --jobs 2
		code=$?
		[ $code != 0 ] || continue # another process has made that call this time
		count=$((count + 1))
		[ $code = 137 ] || [ $code = 1 ] || { wrong "$name $n" "exit $code"; continue; }
		old_or_new s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		rm -rf u && cp -a s u
		run s "$2" --jobs 2 || { wrong "$name $n" "the next run fails"; continue; }
		why=$(ended_well s "$3" "$4") || { wrong "$name $n" "$why"; continue; }
		run u nothing --recover undo || { wrong "$name $n" "the undo fails"; continue; }
		why=$(undone u "$1" "$4") || { wrong "$name $n, undone" "$why"; continue; }
		run u "$2" --jobs 2 || { wrong "$name $n, undone" "applying again fails"; continue; }
		why=$(ended_well u "$3" "$4") || wrong "$name $n, undone and applied again" "$why"
	done < <(points "$1" "$2" "$writes" --jobs 2)
}

# An undo is killed before every call, and the next run undoes, or completes.
killed_undo() { # BASE PERMITS TARGET EVENT
	local name n at
	for at in "renameat2 2" "renameat2 3" "syncfs 2"; do
		fresh "$1"
		traced "${at% *}:signal=KILL:when=${at#* }" "${at% *}" "$2"
		rm -rf first && cp -a s first
		while read -r name n; do
			fresh first
			traced "$name:signal=KILL:when=$n" "$name" nothing --recover undo
			[ $? = 137 ] || { wrong "$at, $name $n" "was not killed"; continue; }
			count=$((count + 1))
			old_or_new s || { wrong "$at, $name $n" "a document is neither old nor new"; continue; }
			rm -rf u && cp -a s u
			run u nothing --recover undo || { wrong "$at, $name $n" "the next undo fails"; continue; }
			why=$(undone u "$1" "$4") || { wrong "$at, $name $n" "$why"; continue; }
			same u "$1" || wrong "$at, $name $n" "not undone"
			run s "$2" || { wrong "$at, $name $n" "the next run fails"; continue; }
			same s "$3" || wrong "$at, $name $n" "not completed"
			why=$(tidy_store s) || wrong "$at, $name $n" "$why"
		done < <(points first nothing "$writes" --recover undo)
	done
}

# Whatever fails, each plan is done or not, the next run does the rest, and success is success.
failing() { # BASE PERMITS TARGET EVENT ERRNO
	local name n code
	while read -r name n; do
		fresh "$1"
		traced "$name:error=$5:when=$n" "$name" "$2" --jobs 2
		code=$?
		count=$((count + 1))
		case $code in
		0 | 1 | 3 | 4) ;;
		*) wrong "$name $n" "exit $code"; continue ;;
		esac
		old_or_new s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		[ "$code" != 0 ] || same s "$3" || { wrong "$name $n" "exit 0 without being done"; continue; }
		run s "$2" --jobs 2 || { wrong "$name $n" "the next run fails"; continue; }
		why=$(ended_well s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes,$reads" --jobs 2)
}

# A signal, to the parent or to a worker, lets each plan be done or undone: none is left open.
stopped() { # BASE PERMITS TARGET EVENT SIGNAL
	local name n code
	while read -r name n; do
		fresh "$1"
		traced "$name:signal=$5:when=$n" "$name" "$2" --jobs 2
		code=$?
		count=$((count + 1))
		case $code in
		0) same s "$3" || { wrong "$name $n" "exit 0 without being done"; continue; } ;;
		# more than 128: it did not hold the lock yet, and died of the signal
		1 | 130 | 143) why=$(undone s "$1" "$4") || { wrong "$name $n" "$why"; continue; } ;;
		*) wrong "$name $n" "neither done nor stopped"; continue ;;
		esac
		run s "$2" --jobs 2 || { wrong "$name $n" "the next run fails"; continue; }
		why=$(ended_well s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes" --jobs 2)
}

# An undo in which a call fails undoes, or leaves what the next one undoes.
failing_undo() { # BASE PERMITS TARGET EVENT ERRNO
	local name n code
	fresh "$1"
	traced renameat2:signal=KILL:when=3 renameat2 "$2"
	rm -rf first && cp -a s first
	while read -r name n; do
		fresh first
		traced "$name:error=$5:when=$n" "$name" nothing --recover undo
		code=$?
		count=$((count + 1))
		case $code in
		0 | 1 | 3 | 4) ;;
		*) wrong "$name $n" "exit $code"; continue ;;
		esac
		old_or_new s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		[ "$code" != 0 ] || same s "$1" || { wrong "$name $n" "exit 0 without being undone"; continue; }
		rm -rf u && cp -a s u
		run u nothing --recover undo || { wrong "$name $n" "the next undo fails"; continue; }
		why=$(undone u "$1" "$4") || { wrong "$name $n" "$why"; continue; }
		same u "$1" || wrong "$name $n" "not undone"
		run s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		same s "$3" || wrong "$name $n" "not completed"
		why=$(tidy_store s) || wrong "$name $n" "$why"
	done < <(points first nothing "$writes,$reads" --recover undo)
}

# The run that completes what a killed one has begun meets an error, and the next one completes it.
failing_again() { # BASE PERMITS TARGET EVENT ERRNO
	local name n code
	fresh "$1"
	traced renameat2:signal=KILL:when=3 renameat2 "$2"
	rm -rf first && cp -a s first
	while read -r name n; do
		fresh first
		traced "$name:error=$5:when=$n" "$name" "$2"
		code=$?
		count=$((count + 1))
		case $code in
		0 | 1 | 3 | 4) ;;
		*) wrong "$name $n" "exit $code"; continue ;;
		esac
		old_or_new s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		[ "$code" != 0 ] || same s "$3" || { wrong "$name $n" "exit 0 without being done"; continue; }
		run s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		same s "$3" || wrong "$name $n" "not completed"
		why=$(tidy_store s) || wrong "$name $n" "$why"
	done < <(points first "$2" "$writes,$reads")
}

begin
killed old forward-each new commit
end "an apply by two jobs killed before every call, completed and undone"
begin
killed new-each rollback-each old rollback
end "a rollback by two jobs killed before every call, completed and undone"
begin
killed_undo old forward new commit
end "the undoing of an apply killed before every call"
begin
killed_undo new rollback old rollback
end "the undoing of a rollback killed before every call"
for s in INT TERM; do
	begin
	stopped old forward-each new commit $s
	end "an apply by two jobs sent SIG$s before every call"
done
begin
stopped new-each rollback-each old rollback TERM
end "a rollback by two jobs sent SIGTERM before every call"
for e in ENOSPC EIO; do
	begin
	failing old forward-each new commit $e
	end "an apply by two jobs in which every call fails with $e"
	begin
	failing new-each rollback-each old rollback $e
	end "a rollback by two jobs in which every call fails with $e"
	begin
	failing_undo old forward new commit $e
	end "the undoing of an apply in which every call fails with $e"
	begin
	failing_undo new rollback old rollback $e
	end "the undoing of a rollback in which every call fails with $e"
	begin
	failing_again old forward new commit $e
	failing_again new rollback old rollback $e
	end "the completing of what was killed, in which every call fails with $e"
done
echo "1..$tests"
echo "# $all points"
exit $failed
