#!/usr/bin/env bats
# demo/demo.sh: the tour of the samples.

load helper

@test "the demo runs to its end: what it shows is what happens, and nothing is left" {
	cp -R "$SAMPLES" samples.before
	MIG_STORE=fs:absent LC_ALL=tr_TR.UTF-8 "$MIG_ROOT/demo/demo.sh" > out
	tail -n 2 out | diff - <(printf '%s\n' '$ diff -r --exclude=.mig start site && echo the same' 'the same')
	[ "$(grep -c '^\[exit code 4\]$' out)" = 2 ]
	[ "$(grep -c '^\[exit code 5\]$' out)" = 1 ]
	grep -q '^verify ok$' out
	grep -q 'ok: 115 skipped' out
	[ "$(wc -l < out)" -le 100 ]
	diff -r samples.before "$SAMPLES"
	[ -z "$(ls -A "$TMPDIR")" ]
}

@test "the demo fails when a step does not exit as it should" {
	mkdir fake
	for f in "$MIG_X"/mig*; do
		ln -s "$(readlink -f "$f")" fake/
	done
	rm fake/mig fake/mig-verify
	cp "$MIG_X/mig" fake/mig
	printf '#!/bin/sh\nexec cat\n' > fake/mig-verify
	chmod +x fake/mig-verify
	MIG_X=$PWD/fake fails 1 "$MIG_ROOT/demo/demo.sh"
	# shellcheck disable=SC2154 # fails sets it
	[[ $stderr == *'demo: exit code 0, not 4'* ]]
	[ -z "$(ls -A "$TMPDIR")" ]
}
