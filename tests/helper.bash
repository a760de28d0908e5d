# shellcheck shell=bash
# helper.bash -- what every suite here loads:  load helper
#
#	@test "SG-10 a second run changes nothing" {
#		manifests tree
#		plan_manifests tree > plan.ndjson
#		fails 5 mig-gate --env dev < plan.ndjson
#		stdout_empty
#	}
#
# Each test runs in a folder of its own, so that `bats -j 2` is safe; a suite
# with its own setup() calls mig_setup first.

bats_require_minimum_version 1.5.0
for lib in support assert file; do
	load "/usr/lib/bats/bats-$lib/load.bash"
done
unset lib

MIG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
MIG_X=$(cd "$MIG_ROOT" && cd "${MIG_X:-bin}" && pwd -P) || exit 1
SETS=$MIG_ROOT/migrations
SAMPLES=$MIG_ROOT/samples
export MIG_ROOT MIG_X SETS SAMPLES

mig_setup() {
	unset MIG_STORE DATABASE_URL MIG_MAX_RECORD MIG_AUDIT MIG_RUN_ID MIG_TOKEN NO_COLOR "${!PG@}" CDPATH
	export PATH=$MIG_X:$PATH LC_ALL=C.UTF-8 TZ=UTC MIG_ACTOR=tester
	export SOURCE_DATE_EPOCH=1735689600 # 2025-01-01T00:00:00Z
	# The sanitizers' own exit code, so that no abort passes for a "general error".
	export ASAN_OPTIONS=exitcode=99:${ASAN_OPTIONS-} UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir -p "$TMPDIR" "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here" || return
}

setup() {
	mig_setup
}

# fails CODE COMMAND..: it must exit with exactly CODE; $output and $stderr hold what it said.
fails() {
	local code=$1
	shift
	run "-$code" --separate-stderr "$@"
}

# After fails or run: nothing came out on stdout.
stdout_empty() {
	# shellcheck disable=SC2154 # run sets it
	[ -z "$output" ] || fail "unexpected stdout: $output"
}

# manifests DIR: a fresh copy of the 127 sample manifests (and what stands beside them) as DIR.
manifests() {
	mkdir -p "$1" && cp -R "$SAMPLES/manifests/artifacts" "$1/"
}

# troubled DIR: the manifests that must come out as rejects.
troubled() {
	mkdir -p "$1" && cp -R "$SAMPLES/manifests/troubled" "$1/"
}

# changes DIR [VERSION]: the change stream that takes DIR's manifests to VERSION (1.2.0).
changes() {
	mig-extract --store "fs:$1" --set "$SETS/manifest" |
		mig-transform --set "$SETS/manifest" --target-version "${2:-1.2.0}"
}

# plan_manifests DIR [PLAN FLAG..]: the plans for it; the exit code is mig-plan's.
plan_manifests() {
	local dir=$1
	shift
	changes "$dir" | mig-plan --env dev --migration manifest --target-version 1.2.0 "$@"
}

# manifest VERSION [MEMBERS]: one small manifest, e.g. manifest 1.0.0 '"meta": {"n": 1}'.
manifest() {
	printf '{\n  "schema_version": "%s",\n  "job_id": "press-release",\n' "$1"
	printf '  "run_id": "00112233445566778899aabbccddeeff",\n'
	[ -z "${2-}" ] || printf '  %s,\n' "$2"
	printf '  "status": "succeeded"\n}\n'
}

# golden NAME < TEXT: byte for byte what tests/golden/NAME holds; MIG_BLESS=1 rewrites it.
golden() {
	local want=$MIG_ROOT/tests/golden/$1 got
	got=$(mktemp "$BATS_TEST_TMPDIR/golden.XXXXXX")
	cat > "$got"
	if [ "${MIG_BLESS-}" = 1 ]; then
		mkdir -p "${want%/*}" && cp "$got" "$want"
	fi
	[ -f "$want" ] || fail "no tests/golden/$1: MIG_BLESS=1 writes it"
	cmp -s "$want" "$got" || fail "not tests/golden/$1:
$(diff -u "$want" "$got" | head -n 40)"
}

# tree_hash DIR: one SHA-256 over every name, kind, link target and byte below DIR, .mig left out.
tree_hash() (
	cd "$1" || exit
	{
		find . -path ./.mig -prune -o -printf '%y %p %l\n' | sort
		find . -path ./.mig -prune -o -type f -print0 | sort -z | xargs -0r sha256sum
	} | sha256sum | cut -d ' ' -f 1
)
