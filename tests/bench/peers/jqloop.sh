#!/bin/sh
# jqloop.sh DIR: what onepass.py does, as a shell loop with one jq a file.
set -eu

# shellcheck disable=SC2016  # the dollars are jq's
program='
	["add input_snapshots {} if absent", "add inputs_hash null if absent"] as $snapshots
	| ["add chain_metadata {is_chainable_stage: false, prior_stages: []} if absent"] as $chain
	| {"1.0.0": ($snapshots + $chain), "1.1.0": $chain} as $changes
	| (.schema_version // "1.0.0") as $from
	| if $changes[$from] == null then empty else
		(if $from == "1.0.0" then {input_snapshots: {}, inputs_hash: null} else {} end)
		+ {chain_metadata: {is_chainable_stage: false, prior_stages: []}} + .
		+ {schema_version: "1.2.0"}
		| .migration_history += [{from_version: $from, to_version: "1.2.0",
			applied_at: $at, changes: [$changes[$from]]}]
	end'
at=$(date -u +%Y-%m-%dT%H:%M:%SZ)

find "$1" -name manifest.json | LC_ALL=C sort | while read -r file; do
	jq -S --arg at "$at" "$program" "$file" >"$file.tmp"
	if [ -s "$file.tmp" ]; then
		cp "$file" "$file.backup"
		mv "$file.tmp" "$file"
	else
		rm "$file.tmp"
	fi
done
