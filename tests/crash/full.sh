#!/usr/bin/env bash
# full.sh [--quick] -- apply on a disk that is full, or out of inodes, at every size from too small to large enough.
# Prints TAP.  MIG_X names the folder of the executables.  Needs root: it mounts file systems of its own.
#
# An apply that lacks room exits 3 and leaves every document as it was; with more room the next one goes through.
set -u
cd "$(dirname "$0")" || exit 1
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root may mount"; exit 0; }
if [ "${IN_NAMESPACE-}" != yes ]; then
	unshare -m true 2>/dev/null || { echo "1..0 # SKIP no mount namespace"; exit 0; }
	IN_NAMESPACE=yes exec unshare -m "./${0##*/}" "$@"
fi
# shellcheck source=tests/crash/lib.bash
. ./lib.bash
stride=1 enough=3 few=2
[ "${1-}" != --quick ] || stride=3 enough=1 few=0
workload
mkdir m

# The store s on a file system that is mounted with these options, holding what BASE holds.
on_disk() { # BASE OPTIONS
	umount m 2>/dev/null
	mount -t tmpfs -o "size=4m,nr_inodes=1000" mig-full m && mkdir m/s && cp -a "$1/." m/s &&
		mount -o "remount,$2" m 2>/dev/null
}

# Sweep one option from FROM up, until an apply goes through with room to spare.
sweep() { # BASE PERMITS TARGET EVENT OPTION FROM STEP UNIT
	local n code refused=0 passed=0
	for ((n = $6; passed < enough; n += $7 * stride)); do
		on_disk "$1" "$5=$n$8" || continue
		count=$((count + 1))
		apply m/s "$2"
		code=$?
		if [ "$code" = 0 ]; then
			passed=$((passed + 1))
		else
			refused=$((refused + 1))
			[ "$code" = 3 ] || wrong "$5=$n$8" "exit $code"
			same m/s "$1" || wrong "$5=$n$8" "a document was touched"
			mount -o "remount,size=4m,nr_inodes=1000" m
			apply m/s "$2" || { wrong "$5=$n$8" "the next run fails"; continue; }
		fi
		why=$(finished m/s "$3" "$4") || wrong "$5=$n$8" "$why"
	done
	[ "$refused" -gt "$few" ] || wrong "$5" "no size was too small"
}

begin
sweep old forward new commit size 8 4 k
end "an apply on a full disk"
begin
sweep old forward new commit nr_inodes 6 1 ""
end "an apply on a disk without inodes"
begin
sweep new rollback old rollback size 24 4 k
end "a rollback on a full disk"
begin
sweep new rollback old rollback nr_inodes 14 1 ""
end "a rollback on a disk without inodes"
umount m
echo "1..$tests"
echo "# $all points"
exit $failed
