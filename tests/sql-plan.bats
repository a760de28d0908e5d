# SQL plans: read strictly, judged by their findings, turned round, shown to a reviewer.
# shellcheck disable=SC2016 # another program's $
load helper
load store
load sqlplan

setup() {
	mig_setup
	cp "$SQL_PLAN" plan
}

# wrong CODE RULE WHAT EDIT: the fixture after a jq EDIT is refused.
wrong() {
	sqlplan "$4" > edited
	run -"$1" --separate-stderr mig-gate --env dev --dry-run < edited
	grep -q "\"code\":\"$2\"" <<< "$output" || fail "$4: $output"
	grep -qF -- "$3" <<< "$output" || fail "$4: $output"
}

@test "CH-27 CH-29 an SQL plan is read: steps, checks, findings, and what is outside of the transaction" {
	mig-hash --check plan
	mig-gate --env dev --apply --allow-destructive < plan > permits
	holds '.[0].plan.header.dialect == "postgresql" and (.[0].plan.steps | length) == 6 and .[1].kind == "end"' permits
	# what the helper of the tests below makes is the same plan
	sqlplan . | cmp - plan
}

@test "CH-40 members that an SQL step, action, check or finding should not have are refused" {
	wrong 2 bad_record now '.steps[0].now = 1'
	wrong 2 bad_record now '.steps[0].actions[0].now = 1'
	wrong 2 bad_record now '.steps[1].preconditions[0].now = 1'
	wrong 2 bad_record now '.steps[1].findings[0].now = 1'
	wrong 2 bad_record findings 'del(.steps[0].findings)'
	wrong 2 bad_plan 'severity is not one of' '.steps[1].findings[0].severity = "fatal"'
	wrong 2 bad_plan 'rule_id is not' '.steps[1].findings[0].rule_id = "Drop Table"'
	wrong 2 bad_plan 'not a number of rows' '.steps[1].findings[0].rows = -1'
	wrong 2 bad_plan 'an action is not one of sql, backup, record' '.steps[0].actions[0].op = "exec"'
	wrong 2 bad_plan 'an action is not one of sql, backup, restore, unrecord' '.rollback[5].actions[0].op = "record"'
	wrong 2 bad_plan 'a precondition is neither' '.steps[1].preconditions[0].check = "bytes"'
	wrong 2 bad_plan 'said only where it is false' '.steps[5].transaction = true'
	wrong 2 bad_plan 'dialect is not one of sqlite, postgresql, rows' '.header.dialect = "oracle"'
	wrong 2 bad_plan 'columns or key are not names' '.steps[2].actions[0].columns = []'
	wrong 2 bad_plan 'where is not one condition' '.steps[2].actions[0].where = " "'
	wrong 2 bad_plan 'where is not one condition' '.steps[2].actions[0].where = "TRUE) OR (TRUE"'
	wrong 2 bad_plan 'where is not one condition' '.steps[2].actions[0].where = "TRUE; DROP TABLE orders"'
	wrong 2 bad_plan 'where is not one condition' '.steps[2].actions[0].where = "phone = $1"'
	wrong 2 bad_plan 'where is not one condition' '.rollback[3].actions[1].where = "phone = $1$ -- $1$"'
	wrong 2 bad_plan 'a whole table has no where' '.steps[2].actions[0] |= . + {name: .table, where: "TRUE"}'
	wrong 2 bad_record where '.steps[2].actions[0].where = null'
	wrong 2 bad_plan 'no data_safety' '.steps[0].levers = []'
	wrong 2 bad_plan 'needs data_safety' 'del(.rollback[0].undo)'
	wrong 2 bad_plan 'step_id is not' '.steps[3].step_id = "products.rating@1..2"'
}

@test "CH-30 an SQL step of an unknown type is refused with 4" {
	wrong 4 step_type 'type is not one of' '.steps[0].type = "ddl"'
}

@test "CH-20 the rollback list of an SQL plan must be the inverse of its steps" {
	wrong 4 rollback_incomplete 'not one rollback entry a step' 'del(.rollback[0]) | .rollback |= [to_entries[] | .value.index = .key + 1 | .value]'
	wrong 4 rollback_incomplete 'not the inverse' '.rollback |= ([.[1], .[0], .[2], .[3], .[4], .[5]] | [to_entries[] | .value.index = .key + 1 | .value])'
	wrong 4 rollback_incomplete 'not the inverse' '.rollback[1].actions[0].history_version = 3'
	wrong 4 rollback_incomplete 'not the inverse' '.rollback[3].actions[1].name = "orders.fax"'
	wrong 4 rollback_incomplete 'not the inverse' '.rollback[3].actions[1].columns = ["fax"]'
	wrong 4 rollback_incomplete 'not the inverse' '.rollback[3].actions[1].key = ["phone"]'
	wrong 4 bad_plan 'previous_version' '.rollback[0].previous_version = "0"'
}

@test "CH-18 two SQL steps of one step_id are refused, and keys that are not theirs" {
	wrong 4 bad_plan 'the same step_id' '.steps[3].step_id = .steps[1].step_id | .rollback[2].step_id = .steps[1].step_id'
	wrong 4 bad_plan 'different versions' '(.steps[3], .rollback[2]).step_id = "products.rating:add_column@1..3"'
	jq -c 'select(.steps) | .steps[0].idempotency_key = .steps[1].idempotency_key' plan | sealed > edited
	fails 4 mig-gate --env dev --dry-run < edited
	[[ $output == *'"code":"idempotency_key"'* ]]
}

@test "what is recorded stands behind all that the transaction does" {
	wrong 4 bad_plan 'stands behind the record step' 'del(.steps[5].transaction)'
	wrong 4 bad_plan 'stands before the record step' '.steps[3].transaction = false'
	wrong 4 bad_plan 'no step records' 'del(.steps[5].transaction) | .steps[4].actions = [] | .rollback[1].actions = []'
	wrong 4 bad_plan "not the header's" '.header.set.hash = .header.snapshot.digest'
	wrong 4 bad_plan 'does not ask for the schema' '.steps[0].preconditions = []'
	wrong 4 bad_plan 'not of the snapshot' '.steps[0].preconditions[0].hash = .header.set.hash'
	wrong 4 conservation 'other steps' '.header.snapshot.changes = 5'
}

@test "CH-32 what an SQL plan destroys needs --allow-destructive, and no waiver lifts that" {
	fails 5 mig-gate --env dev --apply < plan
	[[ $output == *'"code":"destructive_flag"'*'destructive operation, data loss: orders.phone and its values are dropped'* ]]
	hinted
	fails 2 mig-gate --env dev --apply --allow drop_column=fine < plan
	stdout_empty
	[[ $stderr == *'--allow: drop_column is lifted by --allow-destructive alone'* ]]
	mig-gate --env dev --apply --allow-destructive < plan > permits
	# a dry run shows what it would destroy
	mig-gate --env dev --dry-run < plan > permits
}

@test "what the table declares as destructive needs no flag" {
	sqlplan '.steps[2].findings[0].severity = "warning"' > edited
	mig-gate --env dev --apply < edited > permits
	mig-report < edited > page
	grep -q 'DESTROYS  what its tables let go (allowDestructive): 1, see the warnings' page
	run ! grep -q 'destroys  nothing' page
}

@test "each destroying rule needs the flag" {
	local rule
	for rule in drop_table drop_column narrowing drop_option drop_policy disable_rls drop_schema drop_database truncate delete_all; do
		sqlplan ".steps[2].findings[0].rule_id = \"$rule\"" > edited
		fails 5 mig-gate --env dev --apply < edited
		mig-gate --env dev --apply --allow-destructive < edited > permits
	done
}

@test "CH-32 a step that takes rows away without keeping them is refused with 5, flag or not" {
	sqlplan 'del(.steps[2].actions[0]) | del(.rollback[3].actions[1])' > edited
	fails 5 mig-gate --env dev --apply --allow-destructive < edited
	[[ $output == *'"code":"backup_first"'* ]]
}

@test "CH-21 an SQL step without a way back is named and needs the flag" {
	sqlplan 'del(.steps[2], .rollback[3]) | .header.snapshot.changes = 5 | .steps |= [to_entries[] | .value.index = .key + 1 | .value]
		| .rollback |= [to_entries[] | .value.index = .key + 1 | .value]
		| .rollback[0].data_safety = {note: "made by hand", reversible: false}' > edited
	fails 5 mig-gate --env dev --apply < edited
	[[ $output == *'"code":"irreversible_flag"'* ]]
	mig-report < edited > page
	grep -q 'NO WAY BACK: made by hand' page
	grep -q 'NO UNDO   steps that cannot be undone: 1' page
}

@test "findings for review warn in dev and want an approval in prod, unless each rule is waived with a reason" {
	run -0 --separate-stderr mig-gate --env dev --apply --allow-destructive < plan
	# shellcheck disable=SC2154 # run sets it
	[[ $stderr == *'users.name: warning: review: data_dependent: rows without a name'* ]]
	local grant=(--env prod --apply --allow-destructive --prod-override T-1)
	sqlplan '.header.env = "prod"' > prod
	fails 5 mig-gate "${grant[@]}" < prod
	[[ $output == *'"code":"review_approval"'* ]]
	fails 5 mig-gate "${grant[@]}" --allow 'lock_taking=2 s' < prod
	mig-gate "${grant[@]}" --allow 'lock_taking=measured, "2 s"' \
		--allow data_dependent=checked < prod > permits 2> said
	holds '.[0].grant.waivers == [{reason: "checked", rule_id: "data_dependent"}, {reason: "measured, \"2 s\"", rule_id: "lock_taking"}]' permits
	grep -q 'warning: waived: lock_taking' said
	mig-report < permits > page
	grep -qF 'waived    lock_taking: measured, "2 s"' page
	# mig-apply judges again: without the waivers the same permit is refused
	mkdir tree
	jq -c 'if .grant then del(.grant.waivers) else . end' permits > forged
	fails 5 mig-apply --store fs:tree < forged
	[[ $output == *'"code":"review_approval"'* ]]
}

@test "a critical finding that destroys nothing is for review" {
	sqlplan '.steps[2].findings[0].rule_id = "retype"' > edited
	run -0 --separate-stderr mig-gate --env dev --apply < edited
	[[ $stderr == *'orders.phone: warning: review: retype:'* ]]
}

@test "CH-37 a waiver that is none is a usage error" {
	local waiver
	for waiver in lock_taking 'lock_taking=' 'lock_taking=  ' '=why' 'Lock=why'; do
		fails 2 mig-gate --env dev --apply --allow "$waiver" < plan
		stdout_empty
		[[ $stderr == *'is not RULE=REASON'* ]]
	done
	fails 2 mig-gate --env dev --apply --allow retype=a --allow retype=b < plan
	[[ $stderr == *'is given twice'* ]]
}

@test "CH-57 minor versions of SQL plans may do anything: the rules on breaking changes are for documents" {
	sqlplan '.header.target_version = "1.0.1"' | mig-gate --env dev --apply --allow-destructive > permits
}

@test "CH-22 an SQL plan is turned round, and what undoing destroys needs its flag" {
	mig-plan --rollback --reason 'did not help' < plan > back
	mig-hash --check back
	holds '.[0] | (.header | .dialect == "postgresql" and .mode == "rollback" and .reason == "did not help") and
		(.steps[0].step_id | startswith("products.idx_products_rating")) and .rollback == []' back
	fails 5 mig-gate --env dev --apply < back
	[[ $output == *'"ref":"products.rating"'* ]]
	mig-gate --env dev --apply --allow-destructive < back > permits
	fails 4 mig-plan --rollback < back
	[[ $output == *'"code":"rollback_of_rollback"'* ]]
}

@test "CH-06 an SQL plan that was changed is refused" {
	sed 's/DROP COLUMN ..phone/DROP COLUMN \\"total/' plan > edited
	cmp -s plan edited && fail "nothing was changed"
	fails 4 mig-gate --env dev --dry-run < edited
	[[ $output == *'"code":"plan_hash_integrity_failed"'* ]]
}

@test "CH-59 an SQL plan is not applied to a folder" {
	mkdir tree
	mig-gate --env dev --apply --allow-destructive < plan > permits
	fails 4 mig-apply --store fs:tree < permits
	[[ $output == *'"code":"foreign_plan"'* ]]
}

@test "the reviewer's page shows every statement, the findings by severity, and what is kept" {
	mig-report < plan | golden report/plan-sql.txt
	mig-report --format json < plan | golden report/plan-sql.json
	mig-plan --rollback < plan | mig-report | golden report/plan-sql-rollback.txt
	mig-report --format html < plan > page.html
	grep -q 'ALTER TABLE &quot;orders&quot; DROP COLUMN' page.html
}

@test "parts that lead from version to version are one stream: the page names the last" {
	{
		sqlplan '.header.part = {index: 1, of: 2}'
		sqlplan '.header.part = {index: 2, of: 2} | .header.target_version = "1.2.0" | .steps[0].preconditions = []'
	} | sealed > parts
	mig-report < parts > page
	head -n 1 page | grep -qx 'PLAN shop to 1.2.0 in dev'
	run ! grep -E 'MIXED|MISSING' page
	grep -q 'plans     2, steps 12' page
	mig-plan --rollback < parts | mig-report > page
	head -n 1 page | grep -qx 'ROLLBACK PLAN shop back from 1.2.0 in dev'
	run ! grep MIXED page
	# another set is another matter
	{
		sqlplan .
		sqlplan '.header.snapshot.records = 4'
	} | sealed > parts
	mig-report < parts | grep MIXED
}

@test "CH-54 long statements are shown whole, without secrets and without tricks" {
	sqlplan '.steps[0].actions[0].sql = ("SELECT " + ([range(60) | "column_\(.)"] | join(", ")) + "\n\tFROM t -- password=hunter2 \u202e")' > edited
	mig-report < edited > page
	local i
	for i in $(seq 0 59); do
		grep -q "column_$i\b" page || fail "column_$i is not on the page"
	done
	run ! grep -q hunter2 page
	grep -qF 'password=[redacted] \u202e' page
	[ "$(wc -L < page)" -le 100 ]
	mig-report --format json < edited > page.json
	run ! grep -q hunter2 page.json
}
