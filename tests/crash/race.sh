#!/usr/bin/env bash
# race.sh [--quick | ROUNDS] -- two applies at once, while an editor saves one of the documents by renaming.
# Prints TAP.  MIG_X names the folder of the executables.
#
# What the editor saved last is in its place or in .mig/conflicts, the other documents are old or new, and one
# apply waits for the other.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/crash/lib.bash
. ./lib.bash
rounds=${1:-30}
[ "$rounds" != --quick ] || rounds=5
workload

editor() { # ROUND: saves after a while that differs from round to round
	sleep "0.00$(($1 % 10))$((RANDOM % 10))"
	echo "{\"v\": \"9.9.9\", \"saved\": $1}" >s/d/draft
	mv s/d/draft s/d/b.json
}

begin
for ((i = 1; i <= rounds; i++)); do
	count=$((count + 1))
	rm -rf s && cp -a old s
	"$x/mig-apply" --store fs:s <forward >out1 2>err1 &
	"$x/mig-apply" --store fs:s <forward >out2 2>err &
	editor "$i"
	wait
	grep -qrx "{\"v\": \"9.9.9\", \"saved\": $i}" s/d/b.json s/.mig/conflicts || wrong "round $i" "a saved file is lost"
	for f in a.json d/c.json; do
		cmp -s "s/$f" "old/$f" || cmp -s "s/$f" "new/$f" || wrong "round $i" "$f is neither old nor new"
	done
	empty s/.mig/tmp || wrong "round $i" "tmp is not empty"
	chained s/.mig/ledger.ndjson || wrong "round $i" "the ledger's chain is broken"
done
end "two applies and an editor at once"

begin
for ((i = 1; i <= rounds; i++)); do
	count=$((count + 1))
	rm -rf s && cp -a old s
	"$x/mig-apply" --store fs:s <forward >out1 2>err1 &
	"$x/mig-apply" --store fs:s <forward >out2 2>err || wrong "round $i" "the second apply fails"
	wait $! || wrong "round $i" "the first apply fails"
	why=$(finished s new commit) || wrong "round $i" "$why"
done
end "two applies at once"
echo "1..$tests"
echo "# $all points"
exit $failed
