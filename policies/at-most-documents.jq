# at-most-documents -- not more than 1000 documents at once.  The count is that
# of the whole stream, so that a small --batch does not get around it.
1000 as $most
| .header.snapshot.changes
| select(. > $most)
| {
	rule_id: "at_most_documents",
	severity: "deny",
	message: "\(.) documents at once, \($most) are allowed: use --ref"
}
