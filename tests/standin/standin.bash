# shellcheck shell=bash
# standin.bash -- the stand-in server of a suite:  load standin/standin  (after helper)
#
#	setup_file() { standin_start; }
#	teardown_file() { standin_stop; }
#	mig-extract --store "$(at auth+flaky)" ..
#
# tests/standin/server says what it can do.

# standin_start [CERT KEY]: start it; its port in STANDIN_PORT.
standin_start() {
	local dir
	dir=$(mktemp -d "$BATS_FILE_TMPDIR/standin.XXXXXX")
	mkfifo "$dir/hold"
	"$MIG_ROOT/tests/standin/server" "$@" < "$dir/hold" > "$dir/port" 2> "$dir/err" 3>&- 4>&- &
	export STANDIN_PID=$!
	exec 9> "$dir/hold"
	for _ in $(seq 100); do
		[ ! -s "$dir/port" ] || break
		sleep 0.1
	done
	STANDIN_PORT=$(cat "$dir/port")
	export STANDIN_PORT
	[ "$STANDIN_PORT" ] || fail "the stand-in does not start: $(cat "$dir/err")"
}

standin_stop() {
	exec 9>&-
	kill "$STANDIN_PID" 2> /dev/null || true
	wait "$STANDIN_PID" 2> /dev/null || true
}

# at MODE [SCHEME]: the base URL of the stand-in in that mode, for this test alone.
at() {
	echo "${2-http}://127.0.0.1:$STANDIN_PORT/$1/$BATS_TEST_NUMBER"
}

# asked MODE: what this test has asked the stand-in in that mode, a line a request.
asked() {
	curl -s "$(at "$1")/log"
}
