# strip.awk -- C without comments and without what stands in quotes.
#
#	x = f("a"); /* b */	in lib/f.c, line 7, becomes	lib/f.c:7: x = f("");
#
# For the checks beside this file; line numbers stay true.
FNR == 1 { inside = 0 }
{
	s = $0
	out = ""
	while (s != "") {
		if (inside) {
			i = index(s, "*/")
			if (!i)
				break
			inside = 0
			s = substr(s, i + 2)
		} else if (match(s, /\/\*|\/\/|["\047]/)) {
			out = out substr(s, 1, RSTART - 1)
			c = substr(s, RSTART, 1)
			two = substr(s, RSTART, 2)
			s = substr(s, RSTART + (c == "/" ? 2 : 1))
			if (two == "//")
				break
			if (c == "/") {
				inside = 1
				out = out " "
			} else {
				end = c == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^\047\\\\]|\\\\.)*\047"
				s = match(s, end) ? substr(s, RLENGTH + 1) : ""
				out = out c c
			}
		} else {
			out = out s
			s = ""
		}
	}
	print FILENAME ":" FNR ": " out
}
