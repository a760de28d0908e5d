#!/usr/bin/env bats
# Secrets: what a user may put into the environment, an argument or a document does not come out again where
# people and machines are told what happened.  Each test plants a canary and looks for it in every byte.

load helper
load store

# Every place of the environment where somebody keeps a secret; none of them is ours to repeat.
canaries() {
	export DATABASE_URL=postgresql://ada:canary-url@db.example/x PGPASSWORD=canary-pg API_TOKEN=canary-token
	export MIG_AUDIT=file:$PWD/audit MIG_RUN_ID=run-1 MIG_TOKEN=canary-token MIG_SIGNING_KEY=canary-key AWS_SECRET_ACCESS_KEY=canary-aws
	export MIG_STORE=fs:site
}

# said COMMAND..: run it, whatever becomes of it, and keep what it says below said/.
said() {
	mkdir -p said
	n=$((${n-0} + 1))
	code=0
	"$@" > "said/$n.out" 2> "said/$n.err" < "${in:-/dev/null}" || code=$?
	[ "$code" -le 5 ] || fail "$*: exit $code"
	[ -s "said/$n.out" ] || [ -s "said/$n.err" ] || fail "$*: said nothing"
	cp "said/$n.out" last
}

# silent ABOUT PATH..: none of the files below these holds it.
silent() {
	local about=$1
	shift
	run grep -raF -- "$about" "$@"
	[ -z "$output" ] || fail "$output"
}

# some documents with secrets in them, none of which the migration touches
secret_site() {
	local v
	for v in 1.0.0 1.1.0; do
		mkdir -p "site/job/run-$v"
		manifest $v '"api_token": "body-canary-1", "db": {"password": "body-canary-2"}, "dsn": "postgresql://u:body-canary-3@h/x"' \
			> "site/job/run-$v/manifest.json"
	done
}

@test "CH-54 EK-65 a full run repeats no secret of the environment, the ledger included" {
	site
	canaries
	said mig-extract --set "$SETS/manifest" && mv last documents
	in=documents said mig-transform --set "$SETS/manifest" --target-version 1.2.0 && mv last changed
	in=changed said mig-plan --env dev --migration manifest --target-version 1.2.0 && mv last plan
	in=plan said mig-gate --env dev --apply && mv last permits
	in=permits said mig-apply && mv last outcomes
	in=outcomes said mig-verify && mv last verdicts
	for format in text json html; do
		in=verdicts said mig-report --format $format
		in=plan said mig-report --format $format
	done
	in=plan said mig-hash
	in=plan said mig-plan --rollback --reason test && mv last back
	in=back said mig-gate --env dev --apply && mv last permits
	in=permits said mig-apply
	[ -s site/.mig/ledger.ndjson ] && [ "$(grep -c . site/.mig/ledger.ndjson)" -ge 4 ]
	silent canary said site documents changed plan permits outcomes verdicts audit
}

@test "CH-54 EK-65 the front door and the make fragment repeat no secret of the environment" {
	site
	canaries
	said mig plan --set "$SETS/manifest" --env dev --migration manifest --target-version 1.2.0 --plan plan
	said mig apply --plan plan --env dev --apply --out reports
	said mig verify --plan plan --format text
	said mig report plan
	said mig versions --set "$SETS/manifest"
	said mig rollback --plan plan --env dev --apply --reason test
	cat > Makefile <<- END
		MIG_SET = $SETS/manifest
		MIG_ENV = dev
		MIG_MIGRATION = manifest
		MIG_TARGET_VERSION = 1.2.0
		include $MIG_ROOT/pipelines/documents.mk
	END
	said make mig-apply mig-verify mig-report MIG_GATE_FLAGS=--apply
	[ "$(cat mig-out/exit-code)" = 0 ]
	# and with a store that is not there
	MIG_STORE=postgresql://ada:canary-store@db.example/x said make mig-plan || true
	silent canary said site plan reports mig-out audit
}

@test "CH-54 EK-65 a refused run repeats no secret of its arguments" {
	site && planned && permitted
	local uri
	for uri in postgresql://ada:canary@db.example/x postgresql://ada:can/canary@h/x "postgresql://ada:it's-canary@h/x" \
		postgresql://h/x?user=ada\&password=canary 'host=h user=ada password=canary' 'host=h password = '\''canary x'\''' \
		fs:https://ada:canary@h/x sqlite://:canary@h; do
		in=permits said mig-apply --store "$uri"
		in=plan said mig-verify --store "$uri"
		said mig-extract --store "$uri" --set "$SETS/manifest"
		MIG_STORE=$uri said mig-extract --set "$SETS/manifest"
		said mig plan --store "$uri" --set "$SETS/manifest" --env dev --migration manifest --target-version 1.2.0
		MIG_STORE=$uri said mig apply --plan plan --env dev --apply
		for tool in extract transform plan gate apply verify hash report; do
			said "mig-$tool" "--store=$uri" "--stor=$uri"
			[[ $uri != *://* ]] || said "mig-$tool" -- "$uri" # for mig-hash a file's name
		done
		said mig plan "$uri"
		said mig apply "--tokn=$uri"
	done
	export MIG_RUN_ID=run-1
	MIG_AUDIT=https://log:canary@log.example/ said mig-hash plan
	MIG_AUDIT=file:audit said mig-verify --store fs:https://ada:canary@h/x
	MIG_AUDIT=file:audit said mig-plan --rollback --reason 'the password: canary, ada' < plan
	MIG_AUDIT=file:audit said mig-hash https://ada:canary@h/file
	grep -q operands audit
	silent canary audit
	for tool in extract transform plan gate apply verify hash report; do
		said "mig-$tool" --api-token=canary
		said "mig-$tool" --password canary
		said "mig-$tool" '--header=Authorization: Bearer canary'
		said "mig-$tool" --set https://ada:canary@h/set
	done
	said mig-extract --store fs:site --set https://ada:canary@h/set
	said mig-extract --store fs:site --set "$SETS/manifest" --ref https://ada:canary@h/x.json
	in=plan said mig-gate --env token=canary
	in=plan said mig-gate --env dev --now password:canary
	in=permits said mig-apply --store fs:site --lock-timeout secret=canary
	said mig-plan --env dev --migration manifest --target-version private_key=canary
	said mig plan --api-token=canary
	said mig apply --plan https://ada:canary@h/plan --store fs:site --env dev
	said mig plan --store fs:site 'password=canary'
	silent canary said
}

@test "CH-54 a run over documents with secrets writes them nowhere but in their own bodies and bytes" {
	secret_site
	said mig-extract --store fs:site --set "$SETS/manifest" && mv last documents && rm said/1.out
	in=documents said mig-transform --set "$SETS/manifest" --target-version 1.2.0 && mv last changed
	grep -q body-canary documents # else there is nothing to prove
	in=changed said mig-plan --env dev --migration manifest --target-version 1.2.0 && mv last plan
	in=plan said mig-gate --env dev --apply && mv last permits
	in=permits said mig-apply --store fs:site && mv last outcomes
	sed -i 's/body-canary/after-canary/; s/succeeded/failed/' site/job/run-1.0.0/manifest.json
	in=plan said mig-verify --store fs:site && mv last verdicts
	grep -q failed verdicts
	in=verdicts said mig-report
	in=plan said mig-plan --rollback && mv last back
	in=back said mig-gate --env dev --apply && mv last permits
	in=permits said mig-apply --store fs:site
	silent canary said changed plan permits outcomes back site/.mig/ledger.ndjson site/.mig/plans
	run ! grep -aF 'after-canary' verdicts
}

@test "CH-54 what a jq program says of a secret is hidden in the reject, on stderr and on the page" {
	mkdir site
	echo '{"v": "1.0.0", "password": "canary-long-enough", "pin": {"secret": [271828, "can\"ary"]}, "n": 5,
		"dsn": "postgresql://u:p@h"}' > site/a.json
	local i=0 program
	while read -r program; do
		i=$((i + 1))
		set_of "set$i" "$program"
		mig-extract --store fs:site --set "set$i" > documents
		in=documents said mig-transform --set "set$i" --target-version 2.0.0
		grep -q '"kind":"reject"' last || fail "$program: no reject: $(cat last)"
		mv last changed
		in=changed said mig-plan --env dev --migration own --target-version 2.0.0 --max-rejects 9
		in=changed said mig-plan --env dev --migration own --target-version 2.0.0
		for format in text json html; do
			in=changed said mig-report --format $format
		done
		mig-hash --check < changed > /dev/null
	done << 'END'
error("cannot log in with \(.password)")
error({password, n})
error("token: abc-canary is wrong")
error(.)
.password.x
.password + 1
.password | tonumber
.pin.secret[0].x
.pin.secret[1] + 1
.x = (.password | fromjson)
error("no answer from \(.dsn | sub("p@"; "canary@"))")
END
	[ "$i" -eq 11 ]
	silent canary said
	silent canary-lon said
	silent 271828 said
	silent 'can\\"ary' said
}

@test "CH-54 a reject's reason still says what is wrong" {
	mkdir site
	echo '{"v": "1.0.0", "password": "canary-long-enough", "n": 5}' > site/a.json
	set_of set '.password + .n'
	mig-extract --store fs:site --set set | mig-transform --set set --target-version 2.0.0 > changed
	run jq -r 'select(.kind == "reject").reason' changed
	assert_output '1.0.0..2.0.0: string ("[redacted]) and number (5) cannot be added'
}

@test "CH-54 redacting is the same everywhere: a reject keeps its sum, a plan its hash" {
	mkdir site
	echo '{"v": "1.0.0", "password": "canary"}' > site/a.json
	set_of set '.api_token = "patch-canary" | .password = "patch-canary-2"'
	planned_by set
	grep -q patch-canary plan # data: what will be written is in the plan, and hashed
	mig-hash --check < plan > /dev/null
	in=plan said mig-report
	in=plan said mig-gate --env dev
	rm said/2.out
	mig-gate --env dev --apply --allow-destructive < plan > permits
	in=permits said mig-apply --store fs:site
	grep -q patch-canary site/a.json
	silent canary said site/.mig/ledger.ndjson
}

@test "EK-65 a plan of rows that goes to an app repeats the app's token nowhere, whatever becomes of it" {
	load standin/standin
	load instant
	standin_start
	user 1 | planned
	permitted
	umask 077
	echo canary-token-file > token
	export MIG_AUDIT=file:$PWD/audit MIG_RUN_ID=run-1
	for mode in plain s401 s500 s400 liar words late+auth; do
		# shellcheck disable=SC2034 # app takes it
		APP=$mode
		export MIG_TOKEN=canary-token
		in=permits said mig-apply --store instantdb:live --state "state-$mode" --api "$(app $mode)" --retries 0
		in=permits said mig-apply --store instantdb:live --state "state-$mode" --api "$(app $mode)" --retries 0 --token-file token
		said mig-extract --store instantdb:live --state "state-$mode" --ledger
		said mig-verify --store instantdb:live --state "state-$mode" --ledger
		in=plan said mig-verify --store instantdb:live --state "state-$mode" --api "$(app $mode)"
		said mig history --store instantdb:live --state "state-$mode"
		said mig status --store instantdb:live --state "state-$mode"
	done
	# a header that would be two, and a server that says what it was told
	MIG_TOKEN=$'canary\nX-Evil: 1' in=permits said mig-apply --store instantdb:live --state state --api "$(app plain)"
	in=permits said mig-apply --store instantdb:live --state state --api https://ada:canary@db.example/
	standin_stop
	[ -s state-plain/ledger.ndjson ]
	rm token
	silent canary .
}
