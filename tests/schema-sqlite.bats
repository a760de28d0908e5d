#!/usr/bin/env bats
# schema-sqlite.bats -- declared schemas on SQLite: plan, gate, apply, and back.

# shellcheck disable=SC2016,SC2094,SC2154 # another program's $; fails sets stderr
load helper
load schema
load evolve
load casts

setup() {
	mig_setup
	on_sqlite
}

@test "MIGRATION-ALTER-ADD-001 a required field with a default is added to rows that are there" {
	add_required_with_default
}

@test "MIGRATION-ALTER-ADD-002 an optional field is added with no value" {
	add_optional
}

@test "MIGRATION-ALTER-ADD-003 a select field that is added takes its options and nothing else" {
	add_select
}

@test "MIGRATION-ALTER-ADD-004 a decimal field is added with its default" {
	add_decimal
}

@test "MIGRATION-ALTER-ADD-005 MIGRATION-ALTER-ADD-006 a deleted_at field takes the place of the system's column" {
	add_deleted_at
}

@test "MIGRATION-ALTER-REMOVE-001 MIGRATION-ROLLBACK-008 MIGRATION-ERROR-009 a field is removed with permission only, and its values come back" {
	remove_field
}

@test "MIGRATION-ALTER-REMOVE-002 removing a field in the middle keeps the order of the others" {
	remove_middle
}

@test "MIGRATION-ALTER-REMOVE-003 removing an indexed field removes its index" {
	remove_indexed
}

@test "MIGRATION-ALTER-REMOVE-004 removing a relationship removes its foreign key and keeps the rows" {
	remove_foreign_key
}

@test "MIGRATION-ALTER-RENAME-001 a field with another name and the same id is renamed, with its values and its uniqueness" {
	rename_field
}

@test "MIGRATION-ALTER-RENAME-002 an index follows its renamed field and keeps its name" {
	rename_indexed
}

@test "MIGRATION-ALTER-RENAME-003 a foreign key follows its renamed field" {
	rename_foreign_key
}

@test "MIGRATION-ALTER-RENAME-004 SV-04 options follow their renamed field" {
	rename_select
}

@test "MIGRATION-RENAME-TABLE-001 a table with another name and the same id is renamed, with its rows" {
	rename_table
}

@test "MIGRATION-RENAME-TABLE-002 foreign keys follow a renamed table" {
	rename_referenced_table
}

@test "MIGRATION-RENAME-TABLE-003 constraints follow their renamed table" {
	rename_constrained_table
}

@test "MIGRATION-RENAME-TABLE-004 a table is not renamed onto one that is there" {
	rename_onto_existing
}

@test "MIGRATION-MODIFY-TYPE-001 short text becomes long text" {
	text_to_long_text
}

@test "MIGRATION-MODIFY-TYPE-002 long text becomes short text, and what fits stays" {
	long_text_to_text
}

@test "MIGRATION-MODIFY-TYPE-003 an integer becomes a decimal" {
	integer_to_decimal
}

@test "MIGRATION-MODIFY-TYPE-004 SV-04 text that holds numbers becomes an integer" {
	text_to_integer
}

@test "MIGRATION-MODIFY-TYPE-005 text that holds times becomes a time" {
	text_to_datetime
}

@test "MIGRATION-MODIFY-TYPE-004 the spelling of a number comes back, except where another one was written" {
	text_to_integer_spelled
}

@test "MIGRATION-MODIFY-TYPE-005 a time is cut to its day with permission, and comes back where nothing was written" {
	day_of_time
}

@test "every cast goes there and back, whatever the spelling was" {
	casts_and_back
}

@test "MIGRATION-MODIFY-TYPE-006 text that holds no number does not become an integer, and is shown" {
	text_to_integer_fails
}

@test "MIGRATION-MODIFY-CONSTRAINTS-001 SV-04 a range is added" {
	range_added
}

@test "MIGRATION-MODIFY-CONSTRAINTS-002 a range is widened, which needs no review" {
	range_widened
}

@test "MIGRATION-MODIFY-CONSTRAINTS-003 a range that rows are outside of is refused with examples" {
	range_broken
}

@test "MIGRATION-MODIFY-CONSTRAINTS-004 a range is removed" {
	range_removed
}

@test "MIGRATION-MODIFY-DEFAULT-001 SV-04 a default is added for rows to come" {
	default_added
}

@test "MIGRATION-MODIFY-DEFAULT-002 a default is changed for rows to come" {
	default_changed
}

@test "MIGRATION-MODIFY-DEFAULT-003 a default is removed" {
	default_removed
}

@test "MIGRATION-MODIFY-OPTIONS-001 an option is added" {
	option_added
}

@test "MIGRATION-MODIFY-OPTIONS-002 an option that no row has is removed with permission" {
	option_removed
}

@test "MIGRATION-MODIFY-OPTIONS-003 an option that rows have is not removed" {
	option_in_use
}

@test "MIGRATION-MODIFY-OPTIONS-004 the options of a list grow, and its values stay among them" {
	multi_select
}

@test "MIGRATION-MODIFY-REQUIRED-001 a field of an empty table becomes required" {
	required_empty
}

@test "MIGRATION-MODIFY-REQUIRED-002 MIGRATION-ERROR-003 MIGRATION-ROLLBACK-004 a field that rows lack does not become required" {
	required_nulls
}

@test "MIGRATION-MODIFY-REQUIRED-003 MIG-CONSTRAINT-003 SV-04 a field becomes required, and rows that lack it get the default" {
	required_backfill
}

@test "MIGRATION-MODIFY-REQUIRED-003 undoing a backfill leaves what was written since" {
	required_written_since
}

@test "MIGRATION-MODIFY-REQUIRED-003 a backfill of no rows keeps nothing and needs no folder" {
	required_without_state
}

@test "MIGRATION-MODIFY-REQUIRED-003 rows that got the time of day lack it again" {
	required_now
}

@test "MIGRATION-MODIFY-REQUIRED-003 a field gets another type, another name and a default for its rows, and all comes back" {
	required_retyped
}

@test "MIGRATION-MODIFY-REQUIRED-004 a field is no more required" {
	required_no_more
}

@test "MIGRATION-MODIFY-FIELD-UNIQUE-001 MIGRATION-MODIFY-UNIQUE-001 MIG-CONSTRAINT-001 SV-04 a field becomes unique" {
	unique_added
}

@test "MIGRATION-MODIFY-FIELD-UNIQUE-002 MIGRATION-MODIFY-UNIQUE-004 MIG-CONSTRAINT-002 MIGRATION-AUDIT-004 a field with values twice does not become unique" {
	unique_broken
}

@test "MIGRATION-MODIFY-FIELD-UNIQUE-003 MIGRATION-MODIFY-UNIQUE-002 a field is no more unique" {
	unique_removed
}

@test "MIGRATION-MODIFY-UNIQUE-003 MIGRATION-MODIFY-UNIQUE-005 a pair of fields becomes unique in place of one" {
	unique_pair
}

@test "MIGRATION-MODIFY-INDEX-001 an index is added" {
	index_added
}

@test "MIGRATION-MODIFY-INDEX-002 MIGRATION-MODIFY-INDEX-004 an index over two fields takes the place of one over one" {
	index_composite
}

@test "MIGRATION-MODIFY-INDEX-003 an index is removed" {
	index_removed
}

@test "MIGRATION-MODIFY-INDEX-005 an index becomes unique" {
	index_to_unique
}

@test "MIGRATION-VIEW-001 a view is made that nobody writes through" {
	view_added
}

@test "MIGRATION-VIEW-002 a view is removed, which destroys nothing" {
	view_removed
}

@test "MIGRATION-VIEW-003 a view's query changes" {
	view_changed
}

@test "MIGRATION-VIEW-006 a view that reads a removed one goes with it, and is named" {
	view_with_reader
}

@test "SV-01 a table is removed with permission only, and its rows come back" {
	drop_table
}

@test "SV-02 a table and its field are renamed in one plan" {
	rename_both
}

@test "SV-03 fields swap their names, two and three of them" {
	swap_fields
}

@test "SV-03 tables swap their names" {
	swap_tables
}

@test "SV-06 another order of fields changes nothing but the record" {
	order_only
}

@test "SV-08 tables that refer to each other are made" {
	circular
}

@test "SV-10 a junction table is made, and follows a renamed table with its rows" {
	many_to_many
}

@test "SV-12 a table that has gone missing is made anew" {
	missing_table
}

@test "options and defaults come through as they are, whatever they hold" {
	hostile
}

@test "MIGRATION-ALTER-ADD-REGRESSION MIGRATION-ALTER-REMOVE-REGRESSION MIGRATION-ALTER-RENAME-REGRESSION MIGRATION-RENAME-TABLE-REGRESSION MIGRATION-MODIFY-TYPE-REGRESSION MIGRATION-MODIFY-CONSTRAINTS-REGRESSION MIGRATION-MODIFY-DEFAULT-REGRESSION MIGRATION-MODIFY-OPTIONS-REGRESSION MIGRATION-MODIFY-REQUIRED-REGRESSION MIGRATION-MODIFY-FIELD-UNIQUE-REGRESSION MIGRATION-MODIFY-INDEX-REGRESSION MIGRATION-MODIFY-UNIQUE-REGRESSION MIGRATION-VIEW-REGRESSION MIG-CONSTRAINT-REGRESSION MIGRATION-ERROR-REGRESSION one database goes through every kind of change, and back to its first version" {
	chain
}
