# phases-required -- what cleans up in prod is the contract phase of a migration
# that has phases, so that those before it are done.
select($grant.env == "prod" and .header.mode == "forward" and .header.phase == null)
| [.steps[] | select(.type == "cleanup") | .step_id]
| select(length > 0)
| {
	rule_id: "phases_required",
	severity: "deny",
	message: "\(.[0])\(if length > 1 then " and \(length - 1) more" else "" end): a cleanup, and the plan is no phase"
}
