# freeze-window -- no changes in prod from Friday 16:00 to Monday 06:00 UTC, nor
# from December 20 to January 2.  The time is the permit's; going back is always
# allowed.
($grant.issued_at[0:19] + "Z" | fromdate | gmtime) as [$_, $month, $day, $hour, $minute, $second, $weekday]
| ($weekday == 6 or $weekday == 0 or ($weekday == 5 and $hour >= 16) or ($weekday == 1 and $hour < 6)) as $weekend
| (($month == 11 and $day >= 20) or ($month == 0 and $day <= 2)) as $holidays
| select($grant.env == "prod" and .header.mode == "forward" and ($weekend or $holidays))
| {
	rule_id: "freeze_window",
	severity: "deny",
	message: "prod is frozen at \($grant.issued_at): \(if $holidays then "holidays" else "weekend" end)"
}
