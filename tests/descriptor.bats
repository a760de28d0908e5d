#!/usr/bin/env bats
# Descriptors of domains: what makes one another, a planner's steps, and how the gate takes them.

load helper

# source_is: from.json, a descriptor as an endpoint answers it.
source_is() {
	cat > from.json << 'END'
{"domain": {"available": true, "entities": ["notes", "users"], "links": ["notesAuthor"], "rooms": []}, "mode": "full",
 "schema": {
  "entities": {
   "notes": {"attrs": {"title": {"valueType": "string", "required": true, "config": {"indexed": false, "unique": false}},
                       "body": {"valueType": "string"}, "n": {"valueType": "number"}}},
   "users": {"attrs": {"email": {"valueType": "string", "isIndexed": true, "config": {"indexed": true, "unique": true}}}}},
  "links": {"notesAuthor": {"forward": {"on": "notes", "has": "one", "label": "author"},
                            "reverse": {"on": "users", "has": "many", "label": "notes"}}},
  "rooms": {}}}
END
}

# target [JQ]: to.json, the source's schema, changed.
target_is() {
	jq ".schema | $1" from.json > to.json
}

setup() {
	mig_setup
	source_is
}

# planned [PLAN FLAG..]: what makes to.json of from.json, as the file plan.
planned() {
	mig-plan --descriptor to.json --source from.json --env dev --migration domain --target-version 1.0.0 "$@" > plan
}

# steps_planned STEPS [FLAG..]: of a planner's steps.
steps_planned() {
	printf '%s\n' "$1" > steps.json
	shift
	mig-plan --steps steps.json --env dev --migration domain --target-version 1.0.0 "$@" > plan
}

# of TYPE..: a planner's steps of these types, on notes.title, notes.title2 ..
of() {
	jq -nc '[$ARGS.positional | to_entries[] | {type: .value, friendlyDescription: "\(.value) it",
		forwardIdentity: ["11111111-1111-4111-8111-111111111111", "notes", "title\(.key)"]}]' --args "$@"
}

# deltas: "type target severity" of each step of the file plan.
deltas() {
	jq -r 'select(.kind == "plan").steps[] | .actions[0].type + " " + .actions[0].target + " " + .findings[0].severity' plan
}

# gated [FLAG..] : of the file plan, in dev.
gated() {
	mig-gate --env dev --apply "$@" < plan > permits
}

# key NAME: an Ed25519 pair, NAME.pem and NAME.pub.
key() {
	openssl genpkey -algorithm ed25519 -out "$1.pem" 2> /dev/null && openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}

# approved: the file approval says that the file plan may run in prod.
approved() {
	[ -f boss.pem ] || key boss
	mig-approve --digest "$(jq -r 'select(.kind == "end").digest' plan)" --env prod --approver boss --ticket CHG-1 \
		--expires-at 2025-06-01T00:00:00Z --key boss.pem > approval
}

@test "EK-04 entities, links, attributes and rooms that come, go and change are listed" {
	target_is 'del(.entities.notes.attrs.body) | .entities.notes.attrs.due = {valueType: "date"}
		| .entities.tags = {attrs: {name: {valueType: "string", required: true}}} | del(.entities.users)
		| .links.notesAuthor.forward.has = "many" | .rooms.lobby = {presence: {}}
		| .links.noteTags = {forward: {on: "notes", has: "many", label: "tags"}, reverse: {on: "tags", has: "many", label: "notes"}}'
	planned
	diff -u - <(deltas) << 'END'
add-room lobby review
update-attr notes.author critical
delete-attr notes.body critical
add-attr notes.due safe
add-attr notes.tags safe
add-attr tags.id safe
add-attr tags.name safe
delete-attr users.email critical
delete-attr users.id critical
END
	mig-hash --check plan
}

@test "EK-04 every property of an attribute that changes is a delta of its own" {
	target_is '.entities.notes.attrs.title = {valueType: "string", required: false, config: {indexed: true, unique: true}}
		| .entities.notes.attrs.n.valueType = "string" | .entities.notes.attrs.body.valueType = "any"
		| .entities.users.attrs.email = {valueType: "string", required: true, metadata: {pii: true}}'
	planned
	diff -u - <(deltas) << 'END'
remove-data-type notes.body warning
check-data-type notes.n critical
remove-required notes.title warning
unique notes.title critical
index notes.title safe
change-attr users.email review
required users.email critical
remove-unique users.email warning
remove-index users.email warning
END
}

@test "EK-04 EK-19 descriptors that say the same give no plan, however they are spelled" {
	target_is '.links = {other: .links.notesAuthor} | .entities.notes.attrs.id = {valueType: "string"}
		| .entities.notes.attrs.body += {required: false, isIndexed: false, config: {unique: false}, metadata: {}}'
	planned
	[ "$(jq -rs 'map(.kind) | join(" ")' plan)" = end ]
	gated
}

@test "EK-04 a new required attribute is refused only where rows are that lack it" {
	target_is '.entities.notes.attrs.due = {valueType: "date", required: true, config: {unique: true}}
		| .entities.tags = {attrs: {name: {valueType: "string", required: true}}}'
	planned
	diff -u - <(deltas) << 'END'
add-attr notes.due safe
required notes.due critical
add-attr tags.id safe
add-attr tags.name safe
END
}

@test "EK-04 the source is the snapshot that mig-extract gives, if the stream is whole" {
	jq -c '{"ok": true, "data": {"notes": [{"id": "b", "title": "B"}, {"id": "a", "title": "A"}]}, "truncated": null}' <<< null |
		mig-extract --store response:domain --tenant acme --env dev --entity notes > rows
	# a saved answer has no descriptor: give it one, as the endpoint would
	head -n 1 rows | jq -c --slurpfile d from.json '.descriptor = $d[0] | del(.sum)' > bare
	sum=$(mig-hash bare | cut -c 1-64)
	jq -cS --arg sum "$sum" '.sum = $sum' bare > whole && sed 1d rows >> whole
	target_is 'del(.entities.notes.attrs.body)'
	planned
	mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < whole | cmp - plan
	fails 4 mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < rows
	[[ $stderr == *'only domain endpoints describe themselves'* ]]
	sed 2d whole > cut_short
	fails 4 mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < cut_short
	sed 1d whole > headless
	fails 4 mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < headless
	sed '1s/"notes"/"nodes"/' whole > edited
	fails 4 mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < edited
	sed '$d' whole > torn
	fails 3 mig-plan --descriptor to.json --env dev --migration domain --target-version 1.0.0 < torn
}

@test "EK-12 EK-17 critical steps are blocked, whatever flag, approval or waiver there is" {
	for type in delete-attr update-attr unique required check-data-type; do
		steps_planned "$(of "$type")" --tenant acme
		[ "$(deltas)" = "$type notes.title0 critical" ]
		fails 5 mig-gate --env dev --tenant acme --apply --allow-destructive --allow "${type//-/_}=because" < plan
		[[ $stderr == *"notes.title0: $type it: blocked"* ]]
		jq -se 'map(.kind) == ["fault"] and .[0].code == "critical_delta"' <<< "$output"
	done
}

@test "EK-13 EK-18 a warning is in review: it warns in dev and needs an approval in prod" {
	for type in remove-unique remove-required remove-index remove-data-type; do
		steps_planned "$(of "$type")"
		[ "$(deltas)" = "$type notes.title0 warning" ]
		gated 2> said
		grep -q "warning: review: $type it" said
	done
	printf '%s\n' "$(of remove-index)" > steps.json
	mig-plan --steps steps.json --env prod --migration domain --target-version 1.0.0 > plan
	fails 5 mig-gate --env prod --apply --prod-override CHG-1 < plan
	jq -se 'map(.code) == ["review_approval"]' <<< "$output"
	approved
	mig-gate --env prod --apply --prod-override CHG-1 --approval approval --trust boss.pub < plan > permits 2> said
	jq -se '.[0].grant.approvals[0].approver == "boss"' permits
}

@test "EK-14 EK-19 safe steps pass without a word, in prod too" {
	printf '%s\n' "$(of add-attr index)" > steps.json
	mig-plan --steps steps.json --env prod --migration domain --target-version 1.0.0 > plan
	[ "$(deltas | tr '\n' ,)" = 'add-attr notes.title0 safe,index notes.title1 safe,' ]
	mig-gate --env prod --apply --prod-override CHG-1 < plan > permits 2> said
	[ ! -s said ]
}

@test "EK-15 a step of an unknown type is in review at least, and cannot be taken back" {
	local type
	for type in frobnicate 'strange: thing@1..2' Delete-Attr add-attr-2 ' add-attr' $'a\nb'; do
		steps_planned "$(of "$type")"
		jq -se --arg t "$type" '.[0].steps[0] | .findings[0].severity == "review" and .findings[0].rule_id == "unknown_step"
			and .actions[0].type == $t' plan
		fails 5 mig-gate --env dev --apply < plan
		jq -se 'map(.code) == ["irreversible_flag"]' <<< "$output"
		gated --allow-destructive 2> said
		grep -q 'warning: review' said
		mig-plan --steps steps.json --env prod --migration domain --target-version 1.0.0 > plan
		fails 5 mig-gate --env prod --apply --prod-override CHG-1 --allow-destructive --allow unknown_step=because < plan
		jq -se 'map(.code) == ["review_approval"]' <<< "$output"
	done
}

@test "EK-16 each step says index, type, severity, target, summary and what to do, in the plan and on the page" {
	target_is 'del(.entities.notes.attrs.body) | .entities.notes.attrs.due = {valueType: "date"}'
	planned
	mig-report --format json < plan > page
	jq -e '.plan // . | .descriptor.instructions == [
		{index: 1, type: "delete-attr", severity: "critical", target: "notes.body", summary: "gone: attribute notes.body: string",
		 action: "keep it in the target until nothing reads or writes it and its values are kept elsewhere"},
		{index: 2, type: "add-attr", severity: "safe", target: "notes.due", summary: "a new attribute notes.due: date",
		 action: "push it: nothing reads it yet"}]' page
	mig-report --format text < plan | golden descriptor/page
	jq -se '.[0].steps | map(.index) == [1, 2] and .[0].actions[0].before.valueType == "string" and .[0].actions[0].after == null' plan
}

@test "EK-16 the planner's own step is in the plan, whole, and its words are the summary" {
	steps_planned '{"steps": [{"type": "add-attr", "attr": {"forwardIdentity": ["x", "notes", "due"], "id": 7}, "friendlyDescription": "Add due"},
		["index", {"forward-identity": ["x", "notes", "due"]}]]}'
	jq -se '.[0].steps | map(.actions[0].summary) == ["Add due", "index notes.due"]
		and .[0].actions[0].step == {type: "add-attr", attr: {forwardIdentity: ["x", "notes", "due"], id: 7}, friendlyDescription: "Add due"}
		and .[1].actions[0].step[0] == "index"' plan
}

@test "two steps of one type for one attribute have keys of their own" {
	steps_planned "$(of frobnicate | jq -c '. + . + .')"
	jq -se '.[0].steps | map(.step_id) == ["notes.title0:frobnicate@0..1.0.0", "notes.title0#2:frobnicate@0..1.0.0",
		"notes.title0#3:frobnicate@0..1.0.0"] and (map(.idempotency_key) | unique | length) == 3' plan
}

@test "steps and descriptors that are not understood are refused, never taken for nothing" {
	local bad
	for bad in '{}' '{"steps": {}}' '[1]' '[{}]' '[{"type": ""}]' '[{"type": 1}]' '[["index"]]' '[["index", 1]]' '[{"type": "index"}]' \
		'[{"type": "delete-attr", "forwardIdentity": ["x", "notes"]}]' '[{"type": "index", "forwardIdentity": [1, 2, 3]}]'; do
		fails 4 steps_planned "$bad"
		jq -se 'map(.code) == ["bad_steps"]' plan || fail "$bad"
	done
	for bad in 'del(.entities)' 'del(.links)' '.rooms = []' '.entities.notes = {}' '.entities.notes.attrs = []' \
		'.entities.notes.attrs.body = "string"' '.entities.notes.attrs.body = {}' '.entities.notes.attrs.body.required = "yes"' \
		'.entities.notes.attrs.body.config = 1' '.entities.notes.attrs.body.config = {unique: 1}' '.links.notesAuthor.forward.has = "some"' \
		'del(.links.notesAuthor.reverse)' '.links.again = .links.notesAuthor' '.entities.notes.attrs.author = {valueType: "string"}'; do
		target_is "$bad"
		fails 4 planned
		jq -se 'map(.code) == ["bad_descriptor"]' plan || fail "$bad"
	done
	echo '{' > to.json
	fails 4 planned
	fails 3 mig-plan --descriptor nowhere --source from.json --env dev --migration m --target-version 1.0.0
	fails 2 mig-plan --source from.json --env dev --migration m --target-version 1.0.0
	fails 2 mig-plan --descriptor to.json --steps steps.json --env dev --migration m --target-version 1.0.0
	fails 2 mig-plan --descriptor to.json --batch 2 --env dev --migration m --target-version 1.0.0
	fails 2 mig-plan --rollback --source from.json
}

@test "EK-12 a plan whose steps were made harmless by hand is no plan" {
	local edit
	target_is 'del(.entities.notes.attrs.body) | .entities.notes.attrs.due = {valueType: "date"}'
	planned
	gated --dry-run # to look is never unsafe
	for edit in '.steps[0].findings[0].severity = "safe"' '.steps[0].findings[0] |= (.severity = "safe" | .rule_id = "add_attr")' \
		'.steps[0].findings = []' '.steps[0].type = "schema"' '.steps[0].actions = []' '.steps[0].actions[0].target = "notes.due"' \
		'.steps[0].actions[0].type = "add-attr"' '.rollback[1].data_safety.reversible = true' '.rollback[1].actions[0].before = {}' \
		'.rollback[1].actions[0].type = "index"' '.rollback = []' '.steps[0].preconditions = [{}]' '.header.snapshot.changes = 1' \
		'.steps[0].actions[0].step = {}' 'del(.steps[0].actions[0].before)' '.rollback[0].actions = []'; do
		head -n 1 plan | jq -c "$edit | del(.plan_hash)" > edited
		hash=$(mig-hash edited | cut -c 1-64)
		jq -cS --arg h "$hash" '.plan_hash = $h' edited > forged
		printf '{"digest":"%s","kind":"end","records":1,"tool":"mig-plan"}\n' "$(printf '%s\n' "$hash" | sha256sum | cut -c 1-64)" >> forged
		fails 4 mig-gate --env dev --apply --allow-destructive < forged
		[[ $output == *bad_plan* || $output == *rollback_incomplete* || $output == *conservation* ]] || fail "$edit: $output"
	done
}

@test "a plan of descriptors is taken back by one that puts the definitions back, judged like any other" {
	target_is '.entities.notes.attrs.due = {valueType: "date"} | .entities.notes.attrs.n.config = {indexed: true}'
	planned
	gated
	mig-plan --rollback < plan > back
	jq -se '.[0].header.mode == "rollback" and (.[0].steps | map(.actions[0].type) == ["remove-index", "delete-attr"])' back
	cp back plan
	fails 5 gated
	jq -se 'map(.code) == ["critical_delta"]' permits
}

@test "no store takes a plan of descriptors, and none is touched" {
	target_is '.entities.notes.attrs.due = {valueType: "date"}'
	planned && gated
	mkdir site && sqlite3 app.db VACUUM
	cp app.db before.db
	for store in fs:site sqlite:app.db; do
		fails 4 mig-apply --store "$store" < permits
		jq -se 'map(.code) == ["validation_failed", "foreign_plan"]' <<< "$output"
		fails 4 mig-verify --store "$store" < plan
	done
	[ -z "$(find site -name '*.json')" ]
	[ "$(sqlite3 app.db "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'mig%' AND name NOT LIKE 'system%'")" = 0 ]
}

@test "the same descriptors give the same plan to the byte, anywhere, in any order of members" {
	target_is 'del(.entities.notes.attrs.body) | .entities.notes.attrs.due = {valueType: "date"}'
	planned --tenant acme
	cp plan first
	jq 'walk(if type == "object" then to_entries | reverse | from_entries else . end)' to.json > other && mv other to.json
	(cd / && TZ=Asia/Tokyo LC_ALL=C mig-plan --descriptor "$OLDPWD/to.json" --source "$OLDPWD/from.json" --env dev --migration domain \
		--target-version 1.0.0 --tenant acme) | cmp - first
}

# shown: the example step of mig-stream(5) as one line.
shown() {
	awk '$0 == ".\\\" example: descriptor-step" { near = 1 }
		near && /^\.Bd / { inside = 1; next }
		inside && /^\.Ed/ { exit }
		inside { sub(/^ */, ""); printf "%s", $0 }' "$MIG_ROOT/docs/man/mig-stream.5"
	echo
}

@test "the step of a plan of descriptors in mig-stream(5) is what mig-plan writes" {
	target_is 'del(.entities.notes.attrs.body)'
	planned
	head -n 1 plan | jq -c '.steps[0]' | mig-hash --canonical > step
	shown | cmp - step
}
