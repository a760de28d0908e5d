# shellcheck shell=bash
# sqlplan.bash -- SQL plans made by hand:  load helper; load store; load sqlplan

SQL_PLAN=$MIG_ROOT/tests/fixtures/sql/plan.ndjson

# sqlplan [EDIT]: the stream of the fixture's plan after a jq EDIT, with its keys, hash and end made true again.
sqlplan() {
	local plan id env key
	plan=$(head -n 1 "$SQL_PLAN" | jq -c "${1:-.}")
	env=$(jq -r .header.env <<< "$plan")
	while IFS= read -r id; do
		key=$(jq -cjn --arg env "$env" --arg id "$id" '[$env, null, null, "shop", $id]' | sha256sum)
		plan=$(jq -c --arg id "$id" --arg key "${key%% *}" \
			'(.steps[], .rollback[] | select(.step_id == $id)).idempotency_key = $key' <<< "$plan")
	done < <(jq -r '[(.steps + .rollback)[].step_id] | unique[]' <<< "$plan")
	sealed <<< "$plan"
}
