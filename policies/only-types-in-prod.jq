# only-types-in-prod -- steps of these types run in prod as they are; others are
# reviewed.
["config", "data", "schema"] as $types
| select($grant.env == "prod")
| [.steps[].type] | unique - $types
| select(length > 0)
| {
	rule_id: "only_types_in_prod",
	severity: "review",
	message: "steps of type \(join(", "))"
}
