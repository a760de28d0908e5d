#!/usr/bin/env bats
# pipelines/documents.mk: included by a Makefile from elsewhere.
#
# shellcheck disable=SC2016,SC2154 # text for make and sh; fails sets stderr

load helper

setup() {
	mig_setup
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
	mkdir deploy && cd deploy || return
	cat > Makefile <<-END
		MIG_STORE_URI = fs:site
		MIG_SET = $SETS/manifest
		MIG_ENV = dev
		MIG_MIGRATION = manifest
		MIG_TARGET_VERSION = 1.2.0
		include $MIG_ROOT/pipelines/documents.mk
	END
}

# site [VERSION..]: one manifest a version as site/.
site() {
	local v
	for v in "${@:-1.0.0}"; do
		mkdir -p "site/run-$v"
		manifest "$v" > "site/run-$v/manifest.json"
	done
}

# code N: that is what the last step left.
code() {
	[ "$(cat "${2:-mig-out}/exit-code")" = "$1" ] || fail "exit-code holds $(cat "${2:-mig-out}/exit-code"), not $1"
}

@test "plan, gate, apply, verify, report and roll back from a Makefile outside this tree" {
	manifests site
	before=$(tree_hash site)
	make mig-plan && code 0
	plan_manifests site | cmp - mig-out/plan.ndjson
	make mig-gate MIG_GATE_FLAGS=--apply && code 0
	[ "$before" = "$(tree_hash site)" ]
	make mig-apply MIG_GATE_FLAGS=--apply && code 0
	jq -se '.[0].ok and (.[0].steps | length == 115)' mig-out/outcome.ndjson
	make mig-verify && code 0
	make -s mig-report > page && code 0
	cmp page mig-out/report.txt
	grep -q 115 page
	make mig-rollback MIG_GATE_FLAGS=--apply MIG_REASON="it's wrong" && code 0
	[ "$before" = "$(tree_hash site)" ]
	grep -q "it's wrong" mig-out/undone.ndjson
	make mig-clean
	[ ! -e mig-out ]
}

@test "CH-01 -j1, -j8 and no parallel give the same bytes, for any block" {
	manifests site && troubled site
	make mig-plan MIG_MAX_REJECTS=11
	cp mig-out/plan.ndjson one
	for how in 'MIG_FANOUT=1' 'MIG_JOBS=8 MIG_BLOCK=32k' 'MIG_JOBS=3 MIG_BLOCK=50k'; do
		# shellcheck disable=SC2086 # words are meant
		PARALLEL='--shuf --jobs 1 --tag' make mig-plan MIG_MAX_REJECTS=11 $how
		cmp one mig-out/plan.ndjson
	done
	[ "$(grep -c '"kind":"reject"' one)" = 11 ]
	rm -rf site && site 1.0.0 1.1.0
	make mig-plan
	cp mig-out/plan.ndjson one
	make mig-plan MIG_JOBS=2 MIG_BLOCK=10 # less than a record
	cmp one mig-out/plan.ndjson
}

@test "a transform that is killed inside parallel is noticed: no plan" {
	manifests site
	mkdir fake
	cat > fake/mig-transform <<-END
		#!/bin/sh
		"$MIG_X/mig-transform" "\$@" > "\$TMPDIR/out.\$\$"
		if mkdir "\$TMPDIR/third" 2> /dev/null || ! mkdir "\$TMPDIR/again.\$\$"; then
			head -c 1000 "\$TMPDIR/out.\$\$"
			kill -9 \$\$
		fi
		cat "\$TMPDIR/out.\$\$"
	END
	chmod +x fake/mig-transform
	PATH=$PWD/fake:$PATH fails 2 make mig-plan MIG_JOBS=2 MIG_BLOCK=16k
	[[ $(cat mig-out/exit-code) == [234] ]]
	[ ! -e mig-out/plan.ndjson ]
	fails 2 make mig-apply MIG_GATE_FLAGS=--apply MIG_SET=absent
	[ ! -e site/.mig ]
}

@test "CH-08 exit-code holds 0, 4 and 5 where make itself says 2" {
	site 1.0.0 1.1.0
	before=$(tree_hash site)
	fails 2 make mig-apply
	code 5
	[ "$before" = "$(tree_hash site)" ]
	make mig-apply MIG_GATE_FLAGS=--apply
	code 0
	sed -i 's/succeeded/edited/' site/run-1.1.0/manifest.json
	fails 2 make mig-verify
	code 4
	jq -se '.[0].findings[0].rule_id == "drift"' mig-out/verdict.ndjson
	fails 2 make mig-rollback MIG_GATE_FLAGS=--apply
	code 4
}

@test "SG-34 too many rejects leave 4, no plan, and who they are" {
	site && troubled site
	fails 2 make mig-plan
	code 4
	[ ! -e mig-out/plan.ndjson ]
	[ "$(grep -c '"kind":"reject"' mig-out/failed.ndjson)" = 11 ]
	fails 2 make -s mig-report
	grep -q no_path mig-out/report.txt
	# what is wrong is on the page, so it is shown all the same
	[ "$output" = "$(cat mig-out/report.txt)" ]
	make mig-plan MIG_MAX_REJECTS=11
	code 0
	[ ! -e mig-out/failed.ndjson ]
}

@test "CH-33 CH-36 SG-36 usage is 2, what is missing is 3" {
	site
	fails 2 make mig-plan MIG_TARGET_VERSION=latest
	code 2
	fails 2 make mig-plan MIG_ENV=
	code 2
	[[ $stderr == *'MIG_ENV is not set'* ]]
	fails 2 make mig-plan MIG_STORE_URI=fs:absent
	code 3
	fails 2 make mig-plan MIG_SET=absent
	code 3
	fails 2 make mig-report MIG_OUT=nothing
	code 3 nothing
	[ "$(ls -A site)" = run-1.0.0 ]
}

@test "CH-09 CH-10 prod needs its ticket, said to make" {
	site
	fails 2 make mig-apply MIG_ENV=prod MIG_GATE_FLAGS=--apply
	code 5
	make mig-apply MIG_ENV=prod MIG_GATE_FLAGS="--apply --prod-override 'T 1'"
	jq -se '.[0].ticket == "T 1"' mig-out/outcome.ndjson
}

@test "safety flags do not come from the environment" {
	site
	MIG_GATE_FLAGS=--apply fails 2 make mig-apply
	[[ $stderr == *'MIG_GATE_FLAGS: not from the environment'* ]]
	MIG_GATE_FLAGS=--apply fails 2 make -e mig-apply
	[ ! -e site/.mig ]
	printf 'show:\n\t@echo "in: $$MIG_GATE_FLAGS"\n' >> Makefile
	[ "$(make -s show MIG_GATE_FLAGS=--apply)" = 'in: ' ]
}

@test "a plan that stands is the plan that is applied, until mig-plan or another version" {
	site 1.0.0
	make mig-plan
	cp mig-out/plan.ndjson reviewed
	site 1.1.0
	make mig-apply MIG_GATE_FLAGS=--apply
	cmp reviewed mig-out/plan.ndjson
	[ ! -e site/run-1.1.0/manifest.json.backup ]
	fails 2 make mig-apply MIG_GATE_FLAGS=--apply MIG_TARGET_VERSION=1.1.0
	code 4
	[[ $stderr == *'for another migration or version'* ]]
	fails 2 make mig-verify MIG_MIGRATION=other
	code 4
	fails 2 make mig-apply MIG_GATE_FLAGS=--apply MIG_TENANT=acme
	code 4
	make mig-plan mig-apply MIG_GATE_FLAGS=--apply
	[ -e site/run-1.1.0/manifest.json.backup ]
}

@test "the flags of this call decide, not an older permit" {
	site
	make mig-gate MIG_GATE_FLAGS=--apply
	fails 2 make mig-apply
	code 5
	[ ! -e mig-out/permit.ndjson ]
	make mig-apply MIG_GATE_FLAGS=--dry-run
	jq -se '.[0].dry_run' mig-out/outcome.ndjson
	[ ! -e site/.mig ]
}

@test "goals of one command line run in order under -j" {
	manifests site
	before=$(tree_hash site)
	make -j4 mig-report mig-rollback mig-verify mig-apply mig-plan mig-clean MIG_GATE_FLAGS=--apply MIG_JOBS=2
	code 0
	[ "$before" = "$(tree_hash site)" ]
	jq -se '.[0].ok' mig-out/verdict.ndjson
	fails 2 make -j4 mig-verify mig-apply
	code 5
}

@test "a gate and a check of one command line are not at once, so the code is that of the last" {
	site
	make mig-plan
	mkdir slow
	printf '#!/bin/sh\nsleep 0.5\nexec %s/mig-gate "$@"\n' "$MIG_X" > slow/mig-gate && chmod +x slow/mig-gate
	PATH=$PWD/slow:$PATH fails 2 make -j4 mig-gate mig-verify MIG_GATE_FLAGS=--apply
	[ -s mig-out/permit.ndjson ]
	code 4
}

@test "targets of one's own, sub-makes, odd shells and odd names" {
	site
	cp -R "$SETS/manifest" "a set, it's \$(odd)"
	{
		cat Makefile
		printf '%s\n' 'SHELL = /bin/bash' '.SHELLFLAGS = -euo pipefail -c' '.ONESHELL:' '.DELETE_ON_ERROR:' \
			'deploy:' '	$(MAKE) mig-apply' '	$(MAKE) mig-verify' 'mine: mig-verify' '	@echo mine'
	} > own.mk
	make -f own.mk deploy MIG_GATE_FLAGS=--apply 'MIG_OUT=out put' "MIG_SET=a set, it's \$\$(odd)" MIG_JOBS=2 MIG_TENANT="a'b c"
	code 0 'out put'
	jq -se --arg t "a'b c" '.[0].header.scope.tenant == $t' 'out put/plan.ndjson'
	[ "$(make -s -f own.mk mine 'MIG_OUT=out put' MIG_TENANT="a'b c")" = mine ]
	fails 2 make -f own.mk mig-apply 'MIG_OUT=out put' MIG_TENANT="a'b c"
	code 5 'out put'
	sed -i 's/succeeded/edited/' site/run-1.0.0/manifest.json
	fails 2 make -f own.mk mig-verify 'MIG_OUT=out put' MIG_TENANT=
	[ -e 'out put/verdict.ndjson' ]
	make -f own.mk mig-clean 'MIG_OUT=out put'
	[ ! -e 'out put' ]
}

@test "EK-65 the store's URI is in no output, no stream and no argument list" {
	site
	mkdir fake
	for f in extract apply verify; do
		printf '#!/bin/sh\necho "$0 $*" >> %s/args\nexec %s/mig-%s "$@"\n' "$PWD" "$MIG_X" $f > fake/mig-$f
	done
	chmod +x fake/*
	mv site secret-site
	PATH=$PWD/fake:$PATH make mig-apply mig-verify MIG_GATE_FLAGS=--apply MIG_STORE_URI=fs:secret-site > said 2>&1
	[ "$(wc -l < args)" = 3 ]
	run ! grep -q secret-site said args mig-out/*
	mkdir other
	sed -i '/^MIG_STORE_URI/d' Makefile
	MIG_STORE=fs:secret-site make mig-verify
}

@test "SG-30 make killed in the middle of a plan leaves no plan" {
	site
	mkdir fake
	printf '#!/bin/sh\nhead -c 10 > /dev/null\necho "{\\"kind\\":"\ntouch started\nexec sleep 5\n' > fake/mig-plan
	chmod +x fake/mig-plan
	PATH=$PWD/fake:$PATH setsid make mig-plan 3>&- &
	pid=$!
	for _ in $(seq 50); do
		[ ! -e started ] || break
		sleep 0.1
	done
	kill -KILL -- "-$pid"
	wait "$pid" || true
	[ ! -e mig-out/plan.ndjson ]
	code 1
	make mig-plan
	code 0
}

@test "nothing to do is 0 all the way" {
	site 1.2.0
	make mig-apply mig-verify mig-rollback MIG_GATE_FLAGS=--apply
	code 0
	make -s mig-report
	code 0
}
