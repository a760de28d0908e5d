#!/usr/bin/env bash
# xfs.sh [--quick] -- cut the power, for real, before every system call of an apply and of a rollback.
# Prints TAP.  MIG_X names the folder of the executables.  Needs root, mkfs.xfs and a loop device.
#
# mig-apply is killed before the call, and the file system is shut down at once without writing its log: what
# was not synced is gone.  XFS is used because it writes back late, so that a missing sync shows.
# --quick takes every 17th point.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/crash/lib.bash
. ./lib.bash
[ "${1-}" != --quick ] || every=17
[ "$(id -u)" = 0 ] || skip "only root may mount"
type mkfs.xfs xfs_io >/dev/null 2>&1 || skip "xfsprogs is not installed"
needs_strace
if [ "${IN_NAMESPACE-}" != yes ]; then
	unshare -m true 2>/dev/null || skip "no mount namespace"
	cd "$root/tests/crash" && IN_NAMESPACE=yes exec unshare -m "./${0##*/}" "$@"
fi
workload
mkdir m
truncate -s 320M disk
mkfs.xfs -q disk 2>err || skip "mkfs.xfs: $(head -n 1 err)"
device=$(losetup --show -f disk 2>err) || skip "no loop device: $(cat err)"
trap 'umount m 2>/dev/null; losetup -d "$device"; rm -rf "$t"' EXIT
mount -t xfs "$device" m 2>err || skip "no XFS in this kernel: $(cat err)"

cut_and_repair() {
	xfs_io -x -c shutdown m && umount m && mount -t xfs "$device" m
}

power_cut() { # BASE PERMITS TARGET EVENT
	local name n
	while read -r name n; do
		count=$((count + 1))
		rm -rf m/s && cp -a "$1" m/s && sync -f m
		traced "$name:signal=KILL:when=$n" "$name" "$2"
		[ $? = 137 ] || { wrong "$name $n" "was not killed"; continue; }
		cut_and_repair || { wrong "$name $n" "the file system does not come back"; break; }
		old_or_new m/s || { wrong "$name $n" "a document is neither old nor new"; continue; }
		apply m/s "$2" || { wrong "$name $n" "the next run fails"; continue; }
		# what an apply said it did outlives the power, but for the clearing up behind it
		cut_and_repair || { wrong "$name $n" "the file system does not come back"; break; }
		same m/s "$3" || { wrong "$name $n" "exit 0, but a document is not durable"; continue; }
		grep -q "\"event\":\"$4\"" m/s/.mig/ledger.ndjson || { wrong "$name $n" "exit 0, but no $4"; continue; }
		apply m/s "$2" || { wrong "$name $n" "the run after that fails"; continue; }
		why=$(finished m/s "$3" "$4") || wrong "$name $n" "$why"
	done < <(points "$1" "$2" "$writes")
}

store=m/s
begin
power_cut old forward new commit
end "the power is cut before every call of an apply, on XFS"
begin
power_cut new rollback old rollback
end "the power is cut before every call of a rollback, on XFS"
echo "1..$tests"
echo "# $all points"
exit $failed
