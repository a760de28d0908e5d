# levers-required -- who may have to undo a change must know what to stop first:
# each step of a breaking change names its levers.
def major: capture("@(?<from>[0-9]+)[.][^@]*[.][.](?<to>[0-9]+)[.][^@]*$") | [.from, .to] | map(tonumber);
[.rollback[] | select(.levers == []) | .step_id | select(major | .[0] != .[1])]
| select(length > 0)
| {
	rule_id: "levers_required",
	severity: "deny",
	message: "no levers for \(.[0])\(if length > 1 then " and \(length - 1) more" else "" end)"
}
