#!/bin/sh
# demo.sh -- one migration from the first look to the way back, on a copy of the samples.
#
# Prints each command as one would type it, what it says, and its exit code.
# Exit: 0; 1 when a command exits otherwise than it should.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd -P)
bin=$here/bin
[ -z "${MIG_X-}" ] || bin=$(cd "$here" && cd "$MIG_X" && pwd -P)
PATH=$bin:$PATH
LC_ALL=C TZ=UTC MIG_ACTOR=${MIG_ACTOR:-demo}
export PATH LC_ALL TZ MIG_ACTOR
unset MIG_STORE DATABASE_URL MIG_MAX_RECORD MIG_AUDIT CDPATH
for tool in mig mig-report; do
	[ -x "$bin/$tool" ] || { echo "demo: no $tool in $bin: run make first" >&2; exit 1; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch"
ln -s "$here/migrations" migrations
mkdir site
cp -R "$here/samples/manifests/artifacts" "$here/samples/manifests/troubled" site/
cp -R site start

say() {
	printf '\n# %s\n' "$1"
}

# step CODE COMMAND [SED]: run it, show it and what it says (as edited), and expect CODE.
step() {
	printf '$ %s\n' "$2"
	code=0
	eval "$2" > said 2>&1 || code=$?
	sed "${3-}" said
	[ "$code" -eq "$1" ] || { echo "demo: exit code $code, not $1" >&2; exit 1; }
	[ "$code" -eq 0 ] || echo "(exit code $code)"
}

# The last line that mig prints on stderr is about time, the same at every step.
quiet='/duration_ms=/d'
to='--migration manifest --target-version 1.2.0'
file=site/artifacts/press-release/00000000000000000000000000000000/manifest.json
