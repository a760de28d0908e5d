# shellcheck shell=bash
# shellcheck disable=SC2034,SC2016,SC2119,SC2120,SC2154 # the suites use and call these, with arguments; other programs' $; run sets output
# rows.bash -- rows made by hand, and databases that take them:  load rows  (after helper and postgres)
#
#	each_database moved       # calls moved with $KIND sqlite, then postgresql, and a database of each
#
#	moved() {
#		ask "$TABLES"
#		planned < <(echo 'users 1 {"name":"Ada"}')
#		permitted
#		applied
#	}

# A table of users, and posts that they write.
TABLES='CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER);
	CREATE TABLE posts (id TEXT PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES users (id))'

# What migrations/threads makes of stories.
THREAD_TABLES=$(sed 1d "$SAMPLES/threads/tables.sql") # without its comment, which sqlite3 takes for an option

# each_database CASE: in a folder of its own for each kind.
each_database() {
	local kind
	for kind in sqlite postgresql; do
		mkdir "$kind"
		# shellcheck disable=SC2164 # bats stops at what fails
		pushd "$kind" > /dev/null
		KIND=$kind
		fresh
		echo "on $kind:" # what follows is shown where it fails; "||" would let every line of the case fail but the last
		"$1"
		# shellcheck disable=SC2164
		popd > /dev/null
	done
}

# fresh: a new, empty database of $KIND: $STORE, which ask knows; its backups go to the folder state.
fresh() {
	mkdir -p state
	if [ "$KIND" = sqlite ]; then
		rm -rf app.db* state/*
		sqlite3 app.db VACUUM
		STORE=sqlite:app.db
	else
		[ -z "${DATABASE-}" ] || sql_in postgres "DROP DATABASE IF EXISTS $DATABASE"
		rm -rf state/*
		database
		STORE=$DB
	fi
}

# ask SQL: what the database says, columns parted by |.
ask() {
	if [ "$KIND" = sqlite ]; then
		sqlite3 -cmd 'PRAGMA foreign_keys=ON' app.db "$1"
	else
		sql "$1"
	fi
}

# copying [MEMBERS] [TARGETS]: a set that takes rows as they are; "links" and "op" of the row are those of the record.
copying() {
	local targets=${2:-'{"users":{},"posts":{"links":{"author":"users"},"optional":["author"],"outside":["author"]}}'}
	mkdir -p copy/1.0.0..2.0.0
	printf '{"id":"copy","mode":"records","version":{"default":"1.0.0"}%s,"targets":%s}\n' "${1-}" "$targets" > copy/set.json
	echo '{"from":"1.0.0","to":"2.0.0","type":"data","description":"d","changes":["copied"]}' > copy/1.0.0..2.0.0/hop.json
	cat > copy/1.0.0..2.0.0/up.jq <<- 'EOF'
		. as $r | .data | if .op == "delete" then {op, entity: $r.entity, id: $r.id}
		else {entity: $r.entity, id: $r.id, data: del(.links), links: (.links // {})} end
	EOF
}

# rows: lines of ENTITY ID JSON, sorted, as the stream that mig-extract makes of them
rows() {
	local entity id json hash body
	: > names
	: > bodies
	while read -r entity id json; do
		echo "$entity $entity/$id" >> names
		echo "$json" >> bodies
	done
	mig-hash --canonical bodies > canonical
	mig-hash bodies > hashes
	while read -r entity id <&3 && read -r hash <&4 && IFS= read -r body <&5; do
		printf '{"body":%s,"entity":"%s","hash":"%s","kind":"document","raw":"%s","ref":"%s","version":"0.0.0"}\n' \
			"$body" "$entity" "$hash" "$hash" "$id"
	done 3< names 4< hashes 5< canonical
	printf '{"digest":"%s","kind":"end","records":%d,"tool":"mig-extract"}\n' \
		"$(paste -d ' ' <(cut -d ' ' -f 2 names) hashes | tr ' ' '\0' | sha256sum | cut -d ' ' -f 1)" "$(wc -l < names)"
}

# planned [PLAN FLAG..] < ENTITY ID JSON..: their plan, as the file plan.
planned() {
	[ -d copy ] || copying
	# by reference: entity, slash, id
	sed 's/ /\//' | sort -s -t ' ' -k 1,1 | sed 's/\// /' | rows | mig-transform --set copy --target-version 2.0.0 |
		mig-plan --env dev --migration copy --target-version 2.0.0 --set copy "$@" > plan
}

# permitted [GATE FLAG..]: permits for the file plan, as the file permits.
permitted() {
	mig-gate --env dev --apply "$@" < plan > permits
}

# applied [APPLY FLAG..]: use the file permits; the file outcomes says what came of it.
applied() {
	mig-apply --store "$STORE" --state state "$@" < permits > outcomes
}

# not_applied CODE [APPLY FLAG..]: the same, which fails with that code.
not_applied() {
	fails "$1" mig-apply --store "$STORE" --state state "${@:2}" < permits
	printf '%s\n' "$output" > outcomes
}

# permitted_back: permits to undo the file plan.
permitted_back() {
	mig-plan --rollback < plan | mig-gate --env dev --apply --allow-destructive > permits
}

# rolled_back: undo the file plan.
rolled_back() {
	permitted_back
	applied
}

# verified: the file verdicts.
verified() {
	mig-verify --store "$STORE" < plan > verdicts
}

# not_verified [FILE]: the plan, or that file, is not as it is there; the file verdicts.
not_verified() {
	fails 4 mig-verify --store "$STORE" < "${1:-plan}"
	printf '%s\n' "$output" > verdicts
}

# outcome FILTER: what jq makes of each outcome.
outcome() {
	jq -rc "select(.kind == \"outcome\") | $1" outcomes
}

# verdict FILTER: what jq makes of each verdict.
verdict() {
	jq -rc "select(.kind == \"verdict\") | $1" verdicts
}

# statuses: those of the steps of all outcomes, in order.
statuses() {
	outcome '.steps[].status' | paste -sd ' '
}

# events: what the ledger says, in order.
events() {
	mig-extract --store "$STORE" --ledger | jq -r 'select(.kind == "entry").event' | paste -sd ' '
}

# users FROM TO: a line each, for planned.
users() {
	local i
	for ((i = $1; i <= $2; i++)); do
		echo "users $i {\"name\":\"U$i\",\"age\":$i}"
	done
}
