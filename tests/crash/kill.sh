#!/usr/bin/env bash
# kill.sh [--quick] -- end mig-apply before every system call that touches the store, and let every one of
# them fail, then run it again.  Prints TAP.  MIG_X names the folder of the executables.
#
# After every kill each document has its old or its new bytes; after every error all have the old or all the
# new ones; and after the next run all have the new ones, once committed, with nothing left lying about.
# --quick takes every 13th point.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/crash/lib.bash
. ./lib.bash
[ "${1-}" != --quick ] || every=13
needs_strace
workload
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

# SIGTERM ends a run that only waits (143); later it is an error between two documents: what was done is undone.
stopped() { # BASE PERMITS TARGET EVENT
	local name n
	while read -r name n; do
		count=$((count + 1))
		rm -rf s && cp -a "$1" s
		traced "$name:signal=TERM:when=$n" "$name" "$2"
		case $? in
		0) same s "$3" || wrong "$name $n" "exit 0 without being done" ;;
		# 143: it did not hold the lock yet, and died of the signal
		1 | 143) same s "$1" || wrong "$name $n" "stopped, but not undone" ;;
		*) wrong "$name $n" "neither done nor stopped" ;;
		esac
		apply s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		why=$(finished s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes")
}

# A run is killed, and so is the one that repairs what it left: in the full form at every call that writes.
repairs=$writes
[ "$every" = 1 ] || repairs=renameat2,unlinkat,linkat,fdatasync
killed_twice() { # BASE PERMITS TARGET EVENT
	local name n again m
	while read -r name n; do
		rm -rf s && cp -a "$1" s
		traced "$name:signal=KILL:when=$n" "$name" "$2"
		rm -rf first && cp -a s first
		while read -r again m; do
			count=$((count + 1))
			rm -rf s && cp -a first s
			traced "$again:signal=KILL:when=$m" "$again" "$2"
			old_or_new s || { wrong "$name $n, $again $m" "a document is neither old nor new"; continue; }
			apply s "$2" || { wrong "$name $n, $again $m" "the next run fails"; continue; }
			why=$(finished s "$3" "$4") || wrong "$name $n, $again $m" "$why"
		done < <(points first "$2" "$repairs")
	done < <(points "$1" "$2" renameat2,linkat,syncfs)
}

begin
killed old forward new commit
end "an apply killed before every call"
begin
killed new rollback old rollback
end "a rollback killed before every call"
begin
killed_twice old forward new commit
end "an apply killed, and its repair killed"
begin
killed_twice new rollback old rollback
end "a rollback killed, and its repair killed"
begin
stopped old forward new commit
end "an apply told to stop before every call"
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
