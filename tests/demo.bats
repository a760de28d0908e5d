#!/usr/bin/env bats
# demo/demo.sh: the tour of the samples.

load helper

@test "the demo runs to its end: what it shows is what happens, and nothing is left" {
	cp -R "$SAMPLES" samples.before
	MIG_STORE=fs:absent LC_ALL=tr_TR.UTF-8 "$MIG_ROOT/demo/demo.sh" > out
	grep -F -A 1 '$ diff -r --exclude=.mig start site && echo the same' out | grep -q '^the same$'
	tail -n 3 out | diff - <(printf '%s\n' '1|16.5|555-0100' '2|4.5|' '3|12|555-0199')
	[ "$(grep -c '^\[exit code 4\]$' out)" = 3 ]
	[ "$(grep -c '^\[exit code 5\]$' out)" = 1 ]
	grep -q '^verify ok$' out
	grep -q 'ok: 115 skipped' out
	[ "$(wc -l < out)" -le 160 ]
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
