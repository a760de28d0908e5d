# shellcheck shell=bash disable=SC2154 # DIALECT is set elsewhere
# casts.bash -- a column of each cast, all in one table:  load casts  (after schema)

CASTS='long-text/integer long-text/decimal long-text/checkbox long-text/datetime long-text/date long-text/time
	long-text/json long-text/multi-select integer/decimal integer/long-text decimal/long-text decimal/integer
	checkbox/long-text checkbox/integer date/datetime date/long-text datetime/date datetime/long-text json/long-text
	multi-select/long-text time/long-text long-text/duration integer/duration duration/long-text
	single-line-text/color integer/color'

# casts SIDE: the fields c1, c2, .. of the types before (1) or behind (2) the strokes.
casts() {
	local pair type i=0
	for pair in $CASTS; do
		i=$((i + 1)) type=$(cut -d / -f "$1" <<< "$pair")
		field "$i" "c$i" "$type" "$([ "$type" != multi-select ] || echo '"options":["a","b"]')"
	done
}

# Values that are not spelled as their types spell them, or do not fit.
casts_and_back() {
	local list="'{a}'" span="'00:01:30'"
	[ "$DIALECT" != sqlite ] || list="'[\"a\"]'" span=90
	migrate "$(table 1 t "$(casts 1)")"
	q "INSERT INTO t ($(seq -s , -f c%.0f 26)) VALUES ('007', '1.50', 'yes', '2025-01-01T10:00:00Z', '2025-01-01', '10:00',
		'{\"b\": 1,\"a\":2}', 'a', 7, 7, 1.50, 3, TRUE, TRUE, '2025-01-01', '2025-01-01', '2025-01-01 10:11:12',
		'2025-01-01 10:11:12', '{\"a\":1}', $list, '10:11:12', '90', 90, $span, '#ffffffff', 1234567890)"
	q "INSERT INTO t (c1) VALUES (NULL)"
	rehearsed "$(table 1 t "$(casts 2)")"
	migrate "$(table 1 t "$(casts 2)")"
	undo
}
