# shellcheck shell=bash
# shellcheck disable=SC2034,SC2119,SC2120 # the suites use and call these, with arguments
# postgres.bash -- a PostgreSQL server of a suite's own:  load postgres  (after helper)
#
#	setup_file() { server_begin; }
#	teardown_file() { server_end; }
#	setup() { mig_setup && database; }
#
#	@test "MIG-RLS-001 .." {
#		sql 'CREATE TABLE t (id int)'
#		mig-extract --store "$DB" --schema
#	}
#
# It is Debian's server, in a folder of its own below /tmp, on a unix socket and
# nothing else: one a suite, and a database a test.  It trusts the user owner, and
# wants a password of the user shy.  When the suite's processes are no more,
# however they ended, it is stopped and its folder removed.

# server_as: how a command is run by somebody who is not root, as PostgreSQL insists: the array $as.
server_as() {
	as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv "--reuid=$SERVER_USER" "--regid=$(id -g "$SERVER_USER")" --clear-groups --)
}

# server_folder: a new folder of the server's user.  Not below bats' own, which is closed to him.
server_folder() {
	local dir
	dir=$(mktemp -d /tmp/migtools-pg.XXXXXX)
	[ "$(id -u)" -ne 0 ] || chown "$SERVER_USER" "$dir"
	echo "$dir"
}

# server_template: the data folder that every suite of this run copies, which takes a tenth of initdb's time.
server_template() (
	flock 8
	[ -e "$BATS_RUN_TMPDIR/postgres/ready" ] && exit
	server_as
	at=$(server_folder)
	trap 'rm -rf "$at"' EXIT
	"${as[@]}" "$SERVER_BIN/initdb" -D "$at/data" -U owner -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$at/log" 2>&1 || {
		cat "$at/log" >&2
		exit 1
	}
	printf '%s\n' 'local all shy scram-sha-256' 'local all all trust' > "$at/data/pg_hba.conf"
	cp -a "$at/data" "$BATS_RUN_TMPDIR/postgres" && touch "$BATS_RUN_TMPDIR/postgres/ready"
) 8> "$BATS_RUN_TMPDIR/postgres.lock"

# server_begin [NAME=VALUE..]: copy the template, start the server with these settings, wait for its first answer.
server_begin() {
	local bin i
	for bin in /usr/lib/postgresql/*/bin; do
		[ ! -x "$bin/initdb" ] || SERVER_BIN=$bin
	done
	[ -n "${SERVER_BIN-}" ] || {
		echo 'no PostgreSQL server here: make deps' >&2
		return 1
	}
	SERVER_USER=nobody
	! id postgres > /dev/null 2>&1 || SERVER_USER=postgres
	export SERVER_BIN SERVER_USER
	unset DATABASE_URL MIG_STORE "${!PG@}"
	server_template || return
	SERVER=$(server_folder)
	export SERVER
	cp -a "$BATS_RUN_TMPDIR/postgres" "$SERVER/data"
	mkfifo "$SERVER/alive"
	server_run "$@" < "$SERVER/alive" > "$SERVER/log" 2>&1 3>&- &
	SERVER_KEEPER=$!
	exec {SERVER_ALIVE}> "$SERVER/alive"
	for ((i = 0; i < 500; i++)); do
		! "$SERVER_BIN/pg_isready" -q -h "$SERVER" -U owner -d postgres || break
		sleep 0.02
	done
	sql_in postgres "CREATE ROLE shy LOGIN SUPERUSER PASSWORD 'sesame'" || {
		cat "$SERVER/log" >&2
		return 1
	}
}

# server_run: the server, until nobody has the other end of stdin any more; then its folder goes.
server_run() {
	local settings=() s as
	server_as
	for s in fsync=off "$@"; do
		settings+=(-c "$s")
	done
	"${as[@]}" "$SERVER_BIN/postgres" -D "$SERVER/data" -k "$SERVER" -c listen_addresses= -c max_connections=40 \
		-c shared_buffers=16MB -c log_statement="${SERVER_LOG-none}" "${settings[@]}" < /dev/null &
	trap '' INT TERM
	read -r _ || true
	kill -QUIT $!
	wait $! || true
	rm -rf "$SERVER"
}

server_end() {
	[ -n "${SERVER_KEEPER-}" ] || return 0
	# a line will do: a test that failed may have left somebody who has the pipe open
	echo >&"$SERVER_ALIVE"
	wait "$SERVER_KEEPER" || true
}

# database: an empty database for this test, as the store $DB.
database() {
	DATABASE=t$BATS_TEST_NUMBER
	sql_in postgres "CREATE DATABASE $DATABASE"
	DB=$(store_of owner)
	export DATABASE DB
}

# store_of USER [PASSWORD]: the test's database, as another user.
store_of() {
	echo "postgresql:///$DATABASE?host=$SERVER&user=$1${2+&password=$2}"
}

# sql_in DATABASE STATEMENT..: run them; rows come out unadorned, columns parted by |.
sql_in() {
	local database=$1 s
	local args=()
	shift
	for s; do
		args+=(-c "$s")
	done
	psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$SERVER" -U owner -d "$database" ${args+"${args[@]}"}
}

# sql [STATEMENT..]: in the test's database; without one, what stdin holds.
sql() {
	sql_in "$DATABASE" "$@"
}

# by_hand < STEPS: the plan of these steps (see sqlplan.py) for the database as it is, as the file plan.
by_hand() {
	python3 "$MIG_ROOT/tests/sqlplan.py" postgresql \
		"$(mig-extract --store "$DB" --schema | head -n 1 | jq -r .hash)" > plan
}

# recorded [VERSION]: the step that every plan has.
recorded() {
	printf '{"id":"schema:record","actions":[{"checksum":"%064d","history_version":%d,"op":"record",' 7 "${1:-1}"
	printf '"schema":{"tables":[]}}],"undo":[{"history_version":%d,"op":"unrecord"}]}' "${1:-1}"
}

# planned_sql STATEMENT..: a plan of a step each, and permits for it.
planned_sql() {
	local i=0 s
	{
		for s; do
			jq -nc --arg s "$s" --arg id "thing$((i++)):sql" '{id: $id, actions: [$s], undo: []}'
		done
		recorded
	} | jq -s . | by_hand
	mig-gate --env dev --apply < plan > permits
}

# proxied CUT WHEN: the store $PROXY, which leads to the server through pgproxy.py, cut there; line_ends stops it.
proxied() {
	mkdir -p line
	rm -f line/requests
	echo "$1 $2" > line/cut
	[ -z "${LINE-}" ] || return 0
	python3 "$MIG_ROOT/tests/pgproxy.py" "$PWD/line" "$SERVER" 3>&- &
	LINE=$!
	PROXY="postgresql:///$DATABASE?host=$PWD/line&user=owner"
	for _ in {1..500}; do
		[ ! -S line/.s.PGSQL.5432 ] || return 0
		sleep 0.01
	done
	fail 'the proxy does not listen'
}

# requests: how many the proxied connection has sent.
requests() {
	cat line/requests
}

line_ends() {
	[ -n "${LINE-}" ] || return 0
	kill "$LINE"
	wait "$LINE" || true
	LINE=
}
