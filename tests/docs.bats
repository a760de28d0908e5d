#!/usr/bin/env bats
# docs.bats -- what the documentation shows is what the filters do.
#
# Transcripts are run: a line that begins with "$ " is a command, goes on after
# "|", "&&" or a backslash, and prints exactly what stands below it.  One that
# fails is followed by "$ echo $?".  A here-document ends with END.  How long
# something took is not compared.
#
#	$ echo hello | tr a-z A-Z
#	HELLO
#
# MIG_BLESS=1 rewrites what is shown: the example records of mig-stream(5) and
# what commands print.

load helper

MAN=$MIG_ROOT/docs/man
EXAMPLE=$MIG_ROOT/tests/fixtures/example

# display MARK PAGE: the lines of the display behind the comment  .\" MARK , unescaped.
display() {
	MARK=$1 awk '
	$0 == ".\\\" " ENVIRON["MARK"] { near = 1; next }
	near && /^\.Bd / { inside = 1; next }
	inside && /^\.Ed/ { exit }
	inside { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print }' "$2"
}

# set_of_page DIR: write the migration set that mig-set(5) shows below DIR.
set_of_page() {
	awk -v dir="$1" '
	/^\.Pa ticket\/.* :$/ { file = dir "/" $2; next }
	file && /^\.Bd / { folder = file; sub(/\/[^\/]*$/, "", folder); system("mkdir -p " folder); inside = 1; next }
	inside && /^\.Ed/ { close(file); file = ""; inside = 0 }
	inside { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print > file }' "$MAN/mig-set.5"
}

# example: the run that mig-stream(5) shows; each filter's output in a file named after what it holds.
example() {
	export MIG_ACTOR=ada
	set_of_page .
	mkdir store && cp -R "$EXAMPLE/tickets" store/
	mig-extract --store fs:store --set ticket > documents
	mig-extract --store fs:store --set ticket --list-versions > versions
	mig-transform --set ticket --target-version 2.0.0 < documents > changes
	mig-plan --env dev --tenant acme --migration ticket --target-version 2.0.0 --max-rejects 1 < changes > plans
	mig-plan --env dev --tenant acme --migration ticket --target-version 2.0.0 < changes > faults 2> /dev/null || :
	mig-gate --env dev --tenant acme --apply --allow-destructive < plans > permits
	mig-apply --store fs:store < permits > outcomes
	echo '{"ok": true, "data": {"tickets": []}, "truncated": null}' |
		mig-extract --store response:domain --tenant acme --env dev --entity tickets > snapshots
	cp store/.mig/ledger.ndjson ledger
	mig-extract --store fs:store --ledger --ref tickets/7.json > asked
	sed -i 's/"high"/"low"/' store/tickets/7.json
	mig-verify --store fs:store < outcomes > verdicts 2> /dev/null || :
}

# record KIND FILE: the last record of that kind, as the page shows it.
record() {
	grep "\"kind\":\"$1\"" "$2" | tail -n 1 |
		sed -E '/^\{"grant"/s/"plan":\{.*\}\}$/"plan":{..}}/'
}

# Who runs this shows in the ledger and its hashes, and the nonce is random.
masked() {
	sed -E 's/("(nonce|user)":)"[^"]*"/\1"*"/; /"kind":"entry"/s/("(hash|prev)":)"[^"]*"/\1"*"/g
		s/("ledger":\{"head":)"[^"]*"/\1"*"/'
}

KINDS="document:documents snapshot:snapshots change:changes current:changes reject:changes versions:versions plan:plans permit:permits
	outcome:outcomes verdict:verdicts entry:ledger step:asked end:plans fault:faults"

# bless MARK FILE: put FILE's text into the display of mig-stream(5).
bless() {
	sed 's/\\/\\e/g' "$2" > text
	MARK=$1 awk '
	inside && !/^\.Ed/ { next }
	{ print; inside = 0 }
	$0 == ".\\\" " ENVIRON["MARK"] { near = 1 }
	near && /^\.Bd / { while ((getline line < "text") > 0) print line; inside = 1; near = 0 }' "$MAN/mig-stream.5" > page
	cp page "$MAN/mig-stream.5"
}

@test "every record in mig-stream(5) is what the filters write" {
	example
	for pair in $KINDS; do
		kind=${pair%:*}
		record "$kind" "${pair#*:}" > want
		[ -s want ] || fail "the example run has no $kind"
		display "example: $kind" "$MAN/mig-stream.5" | sed 's/^ *//' | tr -d '\n' > shown
		diff -u <(masked < want) <(masked < shown; echo) && continue
		[ "${MIG_BLESS-}" = 1 ] || fail "mig-stream(5): $kind"
		awk -f "$EXAMPLE/wrap.awk" want > wrapped
		bless "example: $kind" wrapped
	done
}

# shown KIND: an example record of mig-stream(5) as one line.
shown() {
	display "example: $1" "$MAN/mig-stream.5" | sed 's/^ *//' | tr -d '\n'
}

@test "the SQL plan in mig-stream(5) does to a database what the page shows, and can be undone" {
	shown sql-plan > plan
	hash=$(jq -r .plan_hash plan | sha256sum)
	printf '\n{"digest":"%s","kind":"end","records":1,"tool":"mig-plan"}\n' "${hash%% *}" >> plan
	mig-extract --store sqlite:shop.db --schema --create > empty
	[ "$(head -n 1 plan | jq -r .header.snapshot.digest)" = "$(head -n 1 empty | jq -r .hash)" ]
	mig-gate --env dev --apply < plan | mig-apply --store sqlite:shop.db --create > outcomes
	mig-extract --store sqlite:shop.db --schema > schema
	diff -u <(shown schema; echo) <(head -n 1 schema) || {
		[ "${MIG_BLESS-}" = 1 ] || fail "mig-stream(5): schema"
		head -n 1 schema | awk -f "$EXAMPLE/wrap.awk" > wrapped
		bless "example: schema" wrapped
	}
	mig-plan --rollback < plan | mig-gate --env dev --apply --allow-destructive |
		mig-apply --store sqlite:shop.db > outcomes
	mig-extract --store sqlite:shop.db --schema > undone
	jq -se '(.[0].hash == .[1].hash) and .[1].recorded == null' <(head -n 1 empty) <(head -n 1 undone)
}

@test "the example in mig-set(5) gives the patch it shows" {
	example
	display "example: patch" "$MAN/mig-set.5" | jq -c . > shown
	jq -c 'select(.kind == "change") | .patch' changes | diff -u shown -
}

@test "the hashes in mig-stream(5) hold" {
	for kind in document snapshot change current reject plan sql-plan schema fault; do
		display "example: $kind" "$MAN/mig-stream.5" | sed 's/^ *//' | tr -d '\n' | mig-hash --check
	done
	# an entry's hash is over the entry without it
	display "example: entry" "$MAN/mig-stream.5" > entry
	[ "$(mig-hash --without /hash entry)" = "$(jq -r .hash entry)" ]
}

@test "the field types in mig-schema(5) are those of the code, and its example is JSON" {
	display types "$MAN/mig-schema.5" | awk '
	/^[^ ]/ { type = $1; $1 = $2 = "" }
	{ gsub(/,/, " "); n = split($0, name, " "); for (i = 1; i <= n; i++) print name[i], type }' | sort > shown
	sed -n 's/^\t{ "\([a-z-]*\)", "\([^"]*\)", FIELD_.*/\1 \2/p' "$MIG_ROOT/lib/schema/fieldtype.c" | sort > known
	[ -s known ]
	diff -u known shown
	display "example: schema" "$MAN/mig-schema.5" | jq -e '.tables | length == 2' > example
}

# split_transcript: from the lines on stdin, step/N.cmd and step/N.want for each command.
split_transcript() {
	rm -rf step && mkdir step
	awk '
	/^\$ / || more {
		if (!more) { n++; printf "" > ("step/" n ".want") }
		if (!here) sub(/^\$ /, "")
		print > ("step/" n ".cmd")
		here = here ? $0 != "END" : /<<.*END/
		more = here || /(\\|\||&&)$/
		next
	}
	n { print > ("step/" n ".want") }'
}

# run_steps: all in one shell; each one's output and exit code beside it.
run_steps() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'rc=0
	for ((i = 1; ; i++)); do
		[ -f "step/$i.cmd" ] || break
		(exit $rc)
		. "step/$i.cmd" > "step/$i.out" 2>&1
		rc=$?
		echo $rc > "step/$i.rc"
	done'
}

timeless() {
	sed -E 's/(duration_ms=)[0-9]+/\1N/' "$1"
}

# refill FILE: put what the commands printed below them.
refill() {
	awk '
	FNR == 1 { man = FILENAME !~ /[.]md$/ }
	/^\.S[hs] / { section = $2 == "EXAMPLES" || $2 == "Sixty" }
	!inside { print; inside = man ? section && /^\.Bd / : $0 == "```console"; next }
	/^\.Ed/ || /^```/ { inside = 0; print; next }
	/^\$ / || more {
		print
		if (!more) n++
		if (man) gsub(/\\e/, "\\")
		here = here ? $0 != "END" : /<<.*END/
		more = here || /(\\|\||&&)$/
		while (!more && (getline line < ("step/" n ".out")) > 0) {
			if (man) gsub(/\\/, "\\e", line)
			print line
		}
	}' "$1" > refilled
	cp refilled "$1"
}

# transcript FILE < LINES: run the lines, which come from FILE.
transcript() {
	local file=$1 i stale=
	split_transcript
	[ -f step/1.cmd ] || fail "$file: no command"
	run_steps
	for ((i = 1; ; i++)); do
		[ -f "step/$i.cmd" ] || break
		diff -u <(timeless "step/$i.want") <(timeless "step/$i.out") || stale=1
		[ -z "$stale" ] || [ "${MIG_BLESS-}" = 1 ] || fail "$file: $(cat "step/$i.cmd")"
		# shellcheck disable=SC2016 # literally
		[ "$(cat "step/$i.rc")" = 0 ] || grep -qxF 'echo $?' "step/$((i + 1)).cmd" 2> /dev/null ||
			fail "$file: exit $(cat "step/$i.rc"): $(cat "step/$i.cmd")"
	done
	[ -z "$stale" ] || refill "$file"
}

# workplace: the samples and sets, as seen from the top of the source tree.
workplace() {
	export MIG_ACTOR=ada
	ln -s "$SAMPLES" samples && ln -s "$SETS" migrations
}

# fences LANGUAGE FILE: the fenced blocks of a Markdown file.
fences() {
	awk -v open="\`\`\`$1" '
	$0 == open { inside = 1; next }
	/^```/ { inside = 0 }
	inside' "$2"
}

# examples PAGE: the displays of its EXAMPLES section, or of its "Sixty seconds", unescaped.
examples() {
	awk '
	/^\.S[hs] / { here = $2 == "EXAMPLES" || $2 == "Sixty" }
	here && /^\.Bd / { inside = 1; next }
	/^\.Ed/ { inside = 0 }
	here && inside { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print }' "$1"
}

@test "the EXAMPLES of the manual pages do what they show" {
	for page in "$MAN"/*.1 "$MAN/migtools.7"; do
		rm -rf here && mkdir here && cd here || return
		workplace
		examples "$page" | transcript "$page"
		cd ..
	done
}

# usage_of PROGRAM: its usage lines, and SYNOPSIS of its page, in single spaces.
usage_of() {
	"$1" --help | sed -n '/^$/q; s/^usage: //; p' | tr -s ' \n' ' '
}

synopsis_of() {
	mandoc -T ascii "$MAN/$1.1" | col -bx | sed -n '/^SYNOPSIS/,/^DESCRIPTION/{/^ /p;}' | tr -s ' \n' ' ' | sed 's/^ //'
}

@test "CH-53 the SYNOPSIS of every page is the usage that its program prints" {
	command -v mandoc > /dev/null || skip "no mandoc"
	for page in "$MAN"/*.1; do
		tool=${page##*/}
		tool=${tool%.1}
		diff -u <(usage_of "$tool" | fold -s) <(synopsis_of "$tool" | fold -s) || fail "$tool"
	done
}

@test "every page of a filter names MIG_AUDIT, and migtools(7) every variable that is asked for" {
	for page in "$MAN"/mig-*.1; do
		grep -q '^\.Ev MIG_AUDIT' "$page" || fail "${page##*/}"
	done
	cd "$MIG_ROOT" || return
	grep -ohE 'getenv\("[A-Z_]+"' lib/*/*.c bin/*.c | cut -d '"' -f 2 | sort -u > "$TMPDIR/asked"
	[ -s "$TMPDIR/asked" ]
	while IFS= read -r name; do
		# HOME is kept from libjq, not asked for
		[ "$name" = HOME ] || grep -qE "^\.(It )?Ev .*\b$name\b" "$MAN/migtools.7" || fail "$name"
	done < "$TMPDIR/asked"
}

@test "every program has a page, and every page a program" {
	for x in "$MIG_ROOT"/bin/mig "$MIG_ROOT"/bin/mig-*.c; do
		x=${x##*/}
		[ -f "$MAN/${x%.c}.1" ] || fail "no page: ${x%.c}"
	done
	for page in "$MAN"/*.1; do
		page=${page##*/}
		command -v "${page%.1}" > /dev/null || fail "no program: ${page%.1}"
	done
}

@test "the guides do what they show" {
	for guide in "$MIG_ROOT"/docs/guides/*.md; do
		rm -rf here && mkdir here && cd here || return
		export MIG_ACTOR=ada
		fences console "$guide" | transcript "$guide"
		cd ..
	done
}

@test "README.md does what it shows" {
	workplace
	fences console "$MIG_ROOT/README.md" | transcript "$MIG_ROOT/README.md"
}

@test "the make goals in README.md and CONTRIBUTING.md exist" {
	cd "$MIG_ROOT" || return
	cat README.md CONTRIBUTING.md | grep -oE '^make( [a-z]+)+' | tr ' ' '\n' | sort -u > "$TMPDIR/goals"
	while IFS= read -r goal; do
		[ "$goal" = make ] || grep -q "^$goal:" Makefile || fail "make $goal"
	done < "$TMPDIR/goals"
}

# unknown NAME: true for a name that looks like a path, a source file or an identifier, and is none.
unknown() {
	case $1 in
	*[!A-Za-z0-9_./-]* | build/* | /*) return 1 ;;
	lib/* | bin/* | docs/* | tests/* | samples/* | migrations/* | pipelines/* | demo/*) [ ! -e "${1%/}" ] ;;
	?*.[ch]) ! compgen -G "lib/*/$1" > /dev/null && [ ! -e "bin/$1" ] ;;
	[a-z]*_[a-z]*) ! grep -qwF -- "$1" lib/*/*.[ch] bin/mig bin/*.c ;;
	*) return 1 ;;
	esac
}

@test "the files, functions and codes that the texts name exist" {
	cd "$MIG_ROOT" || return
	for page in *.md docs/*.md docs/*/*.md; do
		# shellcheck disable=SC2016 # backquotes of Markdown
		grep -oE '`[^` ]+`' "$page" | tr -d '`' | sort -u | while IFS= read -r name; do
			! unknown "$name" || echo "$page: $name"
		done
		# shellcheck disable=SC2016
		grep -oE '`[a-z-]+\.c`: `[a-z_]+`' "$page" | tr -d '`:' | while read -r file name; do
			cat lib/*/"$file" "bin/$file" 2> /dev/null | grep -q "\b$name(" || echo "$page: $file has no $name"
		done
		grep -oE '\]\([^):]+\)' "$page" | sed 's/^](//; s/)$//' | while IFS= read -r link; do
			[ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
		done
	done > "$TMPDIR/missing"
	[ ! -s "$TMPDIR/missing" ] || fail "$(cat "$TMPDIR/missing")"
}

@test "the floors in ARCHITECTURE.md are those of lib/LAYERS" {
	cd "$MIG_ROOT" || return
	awk -F '|' '
	FILENAME ~ /LAYERS$/ { if (split($0, name, " ") && name[1] ~ /^[0-9]+$/) for (i in name) floor[name[i]] = name[1]; next }
	!/^\| [0-9]/ { next }
	{
		n = split($2, from, /,| to /)
		split($4, name, ",")
		for (i in name) {
			gsub(/[ `]/, "", name[i])
			if (name[i] in floor && (floor[name[i]] < from[1] + 0 || floor[name[i]] > from[n] + 0))
				print name[i] " is on floor " floor[name[i]] ", not on" $2
			known += name[i] in floor
		}
	}
	END { if (known < 40) print "the table is not found any more" }' lib/LAYERS docs/ARCHITECTURE.md > "$TMPDIR/wrong"
	[ ! -s "$TMPDIR/wrong" ] || fail "$(cat "$TMPDIR/wrong")"
}

@test "every code that the manual pages name is in the source" {
	cd "$MIG_ROOT" || return
	for page in docs/man/*; do
		sed -nE 's/^\.(It )?Cm //p' "$page" | grep -oE '[a-z]+(_[a-z]+)+' | sort -u | while IFS= read -r name; do
			grep -qwF "$name" lib/*/*.[ch] bin/*.c || echo "$page: $name"
		done
	done > "$TMPDIR/missing"
	[ ! -s "$TMPDIR/missing" ] || fail "$(cat "$TMPDIR/missing")"
}

@test "every code of a reject is in a manual page" {
	cd "$MIG_ROOT" || return
	{
		sed -nE 's/.*put_reject\([^"]*"([a-z_]+)".*/\1/p; s/.*return "([a-z]+_[a-z]+)";/\1/p' lib/verb/extract.c lib/verb/transform.c
		sed -nE 's/.*because\(p, "([a-z_]+)".*/\1/p' lib/set/promises.c
		sed -nE 's/.*unread\([^"]*"([a-z_]+)".*/\1/p' lib/fs/fs-scan.c
		sed -nE 's/.*add_(predicates|error)\(out, [^"]*"([a-z_]+)".*/\2/p' lib/set/set-program.c
		sed -nE 's/^ \*   ([a-z_]+) +JQ_REJECT.*/\1/p' lib/jq/jqrun.h
	} | sort -u > "$TMPDIR/codes"
	[ "$(wc -l < "$TMPDIR/codes")" -gt 10 ] || fail "the codes are not found any more"
	while IFS= read -r code; do
		grep -qw "$code" docs/man/mig-set.5 docs/man/mig-stream.5 || fail "$code"
	done < "$TMPDIR/codes"
}
