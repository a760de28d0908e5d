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
ln -s "$here/samples/app" app
mkdir site
cp -R "$here/samples/manifests/artifacts" "$here/samples/manifests/troubled" site/
cp -R site start

# step CODE COMMAND [SHOW..]: run it, show it and what it says (through SHOW), and expect CODE.
step() {
	want=$1 command=$2 code=0
	shift 2
	printf '$ %s\n' "$command"
	eval "$command" > said 2>&1 || code=$?
	# the time it took is the last line of every run, and no run's is another's
	sed '/ duration_ms=[0-9]*$/d' said | "${@:-cat}" > shown
	cat shown
	[ "$code" -eq 0 ] || echo "[exit code $code]"
	[ "$code" -eq "$want" ] || { echo "demo: exit code $code, not $want" >&2; exit 1; }
}

say() {
	printf '\n%s\n' "$1"
}

# sections HEADING..: of a page, only these.
sections() {
	awk -v keep=" $* " '/^[A-Z]/ { on = index(keep, " " $1 " ") } on && NF'
}

# two_kinds: of a reviewer's page, two of the kinds of change, without what was read above.
two_kinds() {
	sections PLAN CHANGES SAFETY APPROVE | sed '/^  [a-z]* *none$/d; /^  set /d; /^  1 x /,/^  also/{/^  also/!d;}'
}

# findings: of a reviewer's page of SQL, what is to be known of it.
findings() {
	sections PLAN FINDINGS APPROVE | sed '/^  [a-z]* *none$/d; /^  set /d; /^  safe /d' | cut -c 1-110
}

# refs: of findings, who and why.
refs() {
	sed -n 's/^mig-plan: \(troubled[^:]*\): /  \1: /p; s/^mig-plan: \([0-9].*\)/  \1/p' | sed 's/^\(.\{94\}\).\{3,\}$/\1../'
}

site='--store fs:site'
to='--env dev --migration manifest --target-version 1.2.0'
run=site/artifacts/press-release/113ea33b325c6ea4238ac8cbcebc3e2d

echo 'A site keeps 138 manifests of three versions, eleven of them in trouble; 1.2.0 is wanted.'
step 0 "mig versions $site --set migrations/manifest" sed '/^ *set/d'

say 'What cannot be migrated stops the plan, and is named:'
step 4 "mig plan $site --set migrations/manifest $to" refs

say 'To go on without those eleven has to be said.  The plan, as a reviewer reads it,
here with two of its four kinds of change:'
step 0 "mig plan $site --set migrations/manifest $to --max-rejects 11 --plan plan.ndjson"
step 0 'mig report plan.ndjson' two_kinds

say 'Without --apply nothing happens; with it, exactly that plan:'
step 5 "mig apply $site --env dev --plan plan.ndjson --format text" grep '^mig-gate:'
step 0 "mig apply $site --env dev --plan plan.ndjson --apply --format text"
step 0 "mig verify $site --plan plan.ndjson --format text"

say 'A second time, every step finds its work done:'
step 0 "mig apply $site --env dev --plan plan.ndjson --apply | mig report" sections PLANS

say 'Somebody edits a file.  verify notices, and says what is different:'
step 0 "sed -i 's/\"partial\"/\"lost\"/' $run/manifest.json"
step 4 "mig verify $site --plan plan.ndjson | mig report" sections VERIFY: FINDINGS
step 0 "sed -i 's/\"lost\"/\"partial\"/' $run/manifest.json"
step 0 "mig verify $site --plan plan.ndjson --format text"

say 'And back: every byte as it was, no backup left behind.'
step 0 "mig rollback $site --env dev --plan plan.ndjson --apply --reason 'end of demo' --format text"
step 0 'diff -r --exclude=.mig start site && echo the same'

db='--store sqlite:shop.db'
to='--env dev --migration app'

say 'The same for a database: a schema is declared, the plan is the SQL that leads there.'
step 0 "mig apply $db --create --schema app/app-1.json $to --target-version 1.0.0 --apply --format text"
step 0 "sqlite3 shop.db < app/rows.sql"
step 0 "mig plan $db --schema app/app-2.json $to --target-version 1.1.0 --plan shop.ndjson"
step 0 'mig report shop.ndjson' findings

say 'Forth and back on a copy, before anything happens:'
step 0 "mig verify $db --plan shop.ndjson --rehearse --format text"

say 'A phone number goes, so the rows that hold one are kept in a file first.'
step 0 "mig apply $db --env dev --plan shop.ndjson --apply --format text" grep -v '^mig-gate:'
step 0 "mig verify $db --plan shop.ndjson --format text"

say 'Somebody alters the database by hand:'
step 0 "sqlite3 shop.db 'ALTER TABLE users ADD COLUMN extra TEXT'"
step 4 "mig verify $db --drift --format text" grep -v '^verify'
step 0 "sqlite3 shop.db 'ALTER TABLE users DROP COLUMN extra'"

say 'And back to the first version of its history, phone numbers included.'
step 0 "mig rollback $db --to 1 --env dev --apply --allow-destructive --reason 'end of demo' --format text" \
	grep -v '^mig-gate:'
step 0 "sqlite3 shop.db 'SELECT id, total, phone FROM orders'"
