#!/usr/bin/env bats
# shellcheck disable=SC2086,SC2238 # options are words on purpose; permit, gate and the like are files here
# Signed permits, approvals, and permits that are spent.

load helper
load store

setup() {
	mig_setup
	local name
	for name in ops ada bob mallory; do
		openssl genpkey -algorithm ed25519 -out $name.pem
		openssl pkey -in $name.pem -pubout -out $name.pub
	done
	NOW=2025-01-01T00:00:00Z LATER=2025-01-01T01:00:00Z
}

# key_id KEY: what it is called: the SHA-256 of the raw public key.
key_id() {
	openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | sha256sum | cut -c 1-64
}

# signed [GATE FLAG..]: site, its plan and signed permits for it.
signed() {
	[ -d site ] || site
	[ -f plan ] || planned
	permitted --sign ops.pem "$@"
}

# kept DIR: one hash over everything below DIR but the lock, which whoever asks for it writes his name into.
kept() (
	cd "$1" || exit
	{
		find . ! -path ./.mig/lock -printf '%y %p %l %U %G %m %T@ %s\n' | sort
		find . ! -path ./.mig/lock -type f -print0 | sort -z | xargs -0r sha256sum
	} | sha256sum
)

# not_applied CODE RULE [APPLY FLAG..]: the permits are refused by RULE, and nothing at all is written.
not_applied() {
	local code=$1 rule=$2 before
	shift 2
	before=$(kept site)
	fails "$code" mig-apply --store fs:site "$@" < permits
	faulted "$code" "$rule"
	refute_line --partial '"kind":"outcome"'
	[ "$before" = "$(kept site)" ] || fail "the store was touched"
}

@test "a permit that a trusted key signed is used, by either half of the key" {
	signed
	for key in ops.pub ops.pem; do
		rm -rf site && site
		mig-apply --store fs:site --trust mallory.pub --trust $key < permits > outcomes
		[ "$(statuses outcomes | sort -u)" = applied ]
	done
	holds '.[0].grant.key_id == "'"$(key_id ops.pem)"'"' permits
	signed --key-id ops-2025
	holds '.[0].grant.key_id == "ops-2025"' permits
	applied --trust ops.pub
}

@test "the signature is Ed25519 over the plan's hash and the canonical grant, as openssl verifies it" {
	signed
	jq -r 'select(.grant).grant.signature' permits | xxd -r -p > signature
	{
		printf 'mig-permit-v1\n%s\n' "$(jq -r 'select(.grant).plan.plan_hash' permits)"
		jq -c 'select(.grant).grant' permits | mig-hash --canonical --without /signature | tr -d '\n'
	} > message
	openssl pkeyutl -verify -rawin -pubin -inkey ops.pub -sigfile signature -in message
}

@test "an unsigned permit is refused with 5 where keys are trusted, with a hint" {
	site && planned && permitted
	not_applied 5 unsigned_permit --trust ops.pub
	hinted
	[[ $stderr == *'--sign KEY.pem'* ]]
	# and believed where none are
	applied
}

@test "a permit that another key signed is refused with 5, with a hint" {
	signed
	not_applied 5 foreign_signature --trust ada.pub --trust bob.pub
	hinted
	[[ $stderr == *'no trusted key'* ]]
}

@test "every permit of a stream is signed for its own plan, and of no use for another" {
	site && planned --batch 1
	signed
	holds '[.[] | select(.grant).grant.signature] | length == 2 and .[0] != .[1]' permits
	mig-apply --store fs:site --trust ops.pub --now $NOW < permits > outcomes
	rm -rf site && site
	jq -c --slurpfile all permits 'if .grant then .grant.signature = $all[0].grant.signature else . end' permits |
		mig-hash --canonical > swapped && mv swapped permits
	not_applied 5 foreign_signature --trust ops.pub
}

# edited JQ: the permits, changed by JQ and canonical again.
edited() {
	jq -c "if .grant then $1 else . end" whole | mig-hash --canonical > permits
}

@test "one member of the grant changed in any way, and the permit is refused with 5" {
	site && planned --tenant acme
	permitted --tenant acme --sign ops.pem --ttl 3600 --prod-override T-1
	applied --trust ops.pub --now $NOW && rm -rf site && site
	mv permits whole
	for edit in '.actor = "eve"' '.allow_destructive = true' '.expires_at = "2099-01-01T00:00:00Z"' 'del(.expires_at)' \
		'.issued_at = "2025-01-01T00:00:01Z"' '.nonce = "0"' '.rules = []' '.ticket = "T-2"' 'del(.ticket)' \
		'.policy_hash = "0"' '.approvals = []' '.key_id = "x"' 'del(.key_id)' 'del(.signature)'; do
		edited ".grant |= ($edit)"
		case $edit in
		*signature*) not_applied 5 unsigned_permit --trust ops.pub --now $NOW ;;
		*) not_applied 5 foreign_signature --trust ops.pub --now $NOW ;;
		esac
	done
	# these are other rules' affair before the signature is looked at
	edited '.grant.env = "staging"'
	not_applied 4 env_match --trust ops.pub --now $NOW
	edited '.grant.scope = {}'
	not_applied 4 scope_match --trust ops.pub --now $NOW
	edited '.grant.apply = false'
	not_applied 5 apply_flag --trust ops.pub --now $NOW
	edited '.grant.digest = "'"$(printf '%064d' 0)"'"'
	fails 5 mig-apply --store fs:site --trust ops.pub --now $NOW < permits
}

@test "one byte of the signature, the grant or the plan changed, and nothing is written" {
	signed --ttl 3600
	mv permits whole
	line=$(head -n 1 whole)
	signature=${line#*'"signature":"'}
	signature=${signature%%'"'*}
	for at in 0 1 63 64 126 127; do
		digit=${signature:at:1}
		[ "$digit" = 0 ] && other=1 || other=0
		edited ".grant.signature |= .[:$at] + \"$other\" + .[$((at + 1)):]"
		not_applied 5 foreign_signature --trust ops.pub --now $NOW
	done
	for signature in '""' '"zz"' '(.grant.signature | ascii_upcase)' '(.grant.signature + "00")' '.grant.signature[:126]'; do
		edited ".grant.signature = $signature"
		not_applied 5 foreign_signature --trust ops.pub --now $NOW
	done
	n=$(head -n 1 whole | wc -c)
	before=$(whole_tree site)
	for ((at = 3; at < n - 2; at += 61)); do
		LC_ALL=C awk -v i=$at 'NR == 1 { c = substr($0, i, 1); $0 = substr($0, 1, i - 1) (c == "1" ? "2" : "1") substr($0, i + 1) }
			{ print }' whole > permits
		cmp -s whole permits && continue
		rc=0
		mig-apply --store fs:site --trust ops.pub --now $NOW < permits > out 2> err || rc=$?
		[[ $rc =~ ^[245]$ ]] || fail "byte $at: exit $rc: $(cat err)"
	done
	[ "$before" = "$(whole_tree site)" ]
}

@test "a plan with hashes made true again under a signed grant of another plan is refused with 5" {
	signed
	jq -c 'select(.kind == "plan") | .steps[0].description = "something else"' plan | sealed > other
	grant=$(head -n 1 permits | jq -c --arg d "$(jq -r 'select(.kind == "end").digest' other)" '.grant | .digest = $d')
	{
		printf '{"grant":%s,"kind":"permit","plan":%s}\n' "$grant" "$(head -n 1 other)"
		tail -n 1 other
	} > permits
	not_applied 5 foreign_signature --trust ops.pub
}

@test "an expired permit is refused with 5, signed or not, to the second" {
	signed --ttl 3600 --now $NOW
	holds '.[0].grant.expires_at == "'$LATER'"' permits
	not_applied 5 expired_permit --trust ops.pub --now $LATER
	hinted
	not_applied 5 expired_permit --now 2025-01-01T01:00:00.000000001Z
	not_applied 5 expired_permit --trust ops.pub --now 2030-01-01T00:00:00Z
	applied --trust ops.pub --now 2025-01-01T00:59:59.999Z
	rm -rf site && site
	permitted --ttl 3600 --now $NOW
	not_applied 5 expired_permit --now $LATER
	# by the clock
	unset SOURCE_DATE_EPOCH
	not_applied 5 expired_permit
}

@test "a permit that expires while it waits for the lock is not used" {
	unset SOURCE_DATE_EPOCH
	signed --ttl 2
	mkdir site/.mig && : > site/.mig/lock
	flock site/.mig/lock sleep 3 &
	sleep 0.3
	fails 5 mig-apply --store fs:site --trust ops.pub < permits
	faulted 5 expired_permit
	wait
	[ "$(jq -r .schema_version site/job/run-1.0.0/manifest.json)" = 1.0.0 ]
}

@test "--ttl, --key-id, --approvals and --approval are refused with 2 where they say nothing" {
	site && planned
	for flags in '--ttl 0' '--ttl 999999999999' '--key-id x' '--approvals 0' '--approval file' '--sign ops.pem --key-id='; do
		# shellcheck disable=SC2086 # several words
		fails 2 mig-gate --env dev --apply $flags < plan
		stdout_empty
	done
}

@test "a dry run needs no signature, and shows what would be done" {
	site && planned
	mig-gate --env dev --dry-run < plan > permits
	applied --trust ops.pub
	holds '.[0].dry_run' outcomes
	[ ! -e site/.mig ]
}

# trusting KEY..: the keys in the store's own folder.
trusting() {
	mkdir -p site/.mig/trust
	local k
	for k; do cp "$k" "site/.mig/trust/${k%.*}.pem"; done
}

@test "the keys in .mig/trust count where --trust is not given" {
	signed
	trusting ada.pub
	not_applied 5 foreign_signature
	permitted
	not_applied 5 unsigned_permit
	trusting ops.pub
	signed && applied
	[ "$(statuses outcomes | sort -u)" = applied ]
	# a backup or a note beside them is no key
	echo hello > site/.mig/trust/README
	applied
}

@test "--trust stands instead of .mig/trust, which whoever writes the store could add to" {
	signed
	trusting ops.pub
	not_applied 5 foreign_signature --trust ada.pub
	permitted --sign ada.pem
	applied --trust ada.pub
}

@test "an empty .mig/trust trusts nobody" {
	signed
	mkdir -p site/.mig/trust
	not_applied 5 foreign_signature
	cp ada.pub site/.mig/trust/ada.pub # not called NAME.pem
	not_applied 5 foreign_signature
	[[ $stderr == *'warning: the store'?'s folder trust holds no key called NAME.pem'* ]]
	permitted
	not_applied 5 unsigned_permit
}

@test "keys that are not there are 3, files that are no keys are 4, for every filter that reads them" {
	signed
	echo hello > bad.pem
	openssl genpkey -algorithm x25519 -out x.pem
	openssl genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked.pem
	cat ops.pem ada.pem > two.pem
	mkdir folder
	for key in nowhere.pem folder; do
		not_applied 3 missing_key --trust $key
		fails 3 mig-gate --env dev --apply --sign $key < plan
		faulted 3 missing_key
		fails 3 mig-gate --env dev --apply --trust $key < plan
		fails 3 mig-approve --digest "$(printf '%064d' 0)" --env dev --approver a --ticket t --expires-at $NOW --key $key
	done
	for key in bad.pem x.pem locked.pem two.pem; do
		not_applied 4 bad_key --trust $key
		fails 4 mig-gate --env dev --apply --sign $key < plan
		faulted 4 bad_key
		fails 4 mig-gate --env dev --apply --trust $key < plan
		fails 4 mig-approve --digest "$(printf '%064d' 0)" --env dev --approver a --ticket t --expires-at $NOW --key $key
		trusting ops.pub && cp $key site/.mig/trust/z.pem
		not_applied 4 bad_key
		rm -r site/.mig
	done
	cat ops.pub ada.pub > two.pem
	not_applied 4 bad_key --trust two.pem
	[[ $stderr == *'holds more than one key'* ]]
	# a public key signs nothing
	fails 4 mig-gate --env dev --apply --sign ops.pub < plan
	[[ $stderr == *'no private Ed25519 key'* ]]
	trusting ops.pub && ln -s "$PWD/ada.pub" site/.mig/trust/z.pem
	not_applied 3 foreign_state
	rm -r site/.mig/trust && ln -s "$PWD" site/.mig/trust
	not_applied 3 foreign_state
}

@test "no key and no passphrase shows in what a signed run leaves behind" {
	signed
	applied --trust ops.pub
	secret=$(sed 1d ops.pem | head -n 1)
	run ! grep -rqF "$secret" site plan permits outcomes
}

# ---- spent permits ----

@test "a permit is spent once its plan has been rolled back; a fresh one lets the same plan run again" {
	signed && cp permits first
	applied --trust ops.pub
	holds '[.[].nonce] | unique == ["'"$(jq -r 'select(.grant).grant.nonce' first)"'"]' site/.mig/ledger.ndjson
	# until then it may be used again
	applied --trust ops.pub
	[ "$(statuses outcomes | sort -u)" = skipped ]
	rolled_back
	cp first permits
	not_applied 5 spent_permit --trust ops.pub
	hinted
	[[ $stderr == *'rolled back since'* ]]
	signed
	applied --trust ops.pub
	[ "$(statuses outcomes | sort -u)" = applied ]
	# that does not revive the first one
	rolled_back
	cp first permits
	not_applied 5 spent_permit
	chained site
}

@test "an unsigned permit is spent as well" {
	migrated && cp permits first
	rolled_back
	cp first permits
	not_applied 5 spent_permit
}

@test "the permit of a rollback is spent once the plan has been applied again" {
	migrated
	rolled_back && cp permits undo
	mig-apply --store fs:site < undo > outcomes
	[ "$(statuses outcomes | sort -u)" = skipped ]
	permitted && applied
	cp undo permits
	not_applied 5 spent_permit
	[[ $stderr == *'applied again since'* ]]
	rolled_back
	[ "$(statuses outcomes | sort -u)" = applied ]
}

@test "of several plans in a stream, one that was rolled back spends all their permits before the first is begun" {
	site && planned --batch 1 && permitted && cp permits first
	applied
	jq -c 'select(.kind == "plan" and .header.part.index == 2)' plan | sealed | mig-plan --rollback |
		mig-gate --env dev --apply | mig-apply --store fs:site > outcomes
	cp first permits
	not_applied 5 spent_permit
}

@test "an apply that was killed goes on with its own permit" {
	signed
	LC_ALL=C strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=2 \
		mig-apply --store fs:site --trust ops.pub < permits > outcomes 2> err || true
	[ "$(jq -rs '.[-1].event' site/.mig/ledger.ndjson)" = begin ] || skip "it was not killed in the middle"
	applied --trust ops.pub
	[ "$(jq -rs '.[-1].event' site/.mig/ledger.ndjson)" = commit ]
}

@test "where the ledger's chain is broken no permit that it knows is believed" {
	migrated && cp permits first
	rolled_back
	sed -i '2s/tester/eve/' site/.mig/ledger.ndjson
	cp first permits
	not_applied 4 ledger_broken
}

@test "CH-59 a permit is of no use in another env or scope, signed or not" {
	signed
	mv permits whole
	edited '.grant.env = "prod" | .plan.header.env = "prod"'
	fails 4 mig-apply --store fs:site --trust ops.pub < permits
	faulted 4 plan_hash_integrity_failed
	edited '.grant.scope = {tenant: "other"}'
	not_applied 4 scope_match --trust ops.pub
}

# replayed GRANT-EDIT PLAN-FLAG..: the grant of the file whole, edited, over the same change planned for another env or scope.
replayed() {
	local edit=$1 grant
	shift
	changes site | mig-plan --migration manifest --target-version 1.2.0 "$@" > other
	grant=$(jq -c --arg d "$(jq -r 'select(.kind == "end").digest' other)" "select(.grant) | .grant | .digest = \$d | $edit" whole |
		mig-hash --canonical)
	{
		printf '{"grant":%s,"kind":"permit","plan":%s}\n' "$grant" "$(head -n 1 other)"
		tail -n 1 other
	} > permits
}

@test "CH-59 a signed grant that is replayed over the plan for another env or scope is refused, however it is made to fit" {
	signed
	mv permits whole
	replayed . --env prod
	not_applied 4 env_match --trust ops.pub
	replayed '.env = "staging"' --env staging
	not_applied 5 foreign_signature --trust ops.pub
	replayed . --env dev --tenant acme
	not_applied 4 scope_match --trust ops.pub
	replayed '.scope = {tenant: "acme"}' --env dev --tenant acme
	not_applied 5 foreign_signature --trust ops.pub
	replayed . --env dev --project press
	not_applied 4 scope_match --trust ops.pub
	mv whole permits
	applied --trust ops.pub
}

# ---- approvals ----

# reviewed ENV [PLAN FLAG..]: a site, and a plan for it in ENV that leads to a greater major version.
reviewed() {
	local env=$1
	shift
	mkdir -p site && printf '{"a": 1}\n' > site/a.json
	[ -d own ] || set_of own '. + {b: 2}'
	mig-extract --store fs:site --set own | mig-transform --set own --target-version 2.0.0 |
		mig-plan --env "$env" --migration own --target-version 2.0.0 "$@" > plan
	DIGEST=$(jq -r 'select(.kind == "end").digest' plan)
}

# approved WHO [FLAG..]: WHO's approval of the plan, as WHO.approval; later flags win.
approved() {
	local who=$1 digest=$DIGEST env=prod name=$1 ticket=CHG-7 until=$LATER key=$1.pem
	shift
	while [ $# -gt 0 ]; do
		printf -v "$1" %s "$2"
		shift 2
	done
	mig-approve --digest "$digest" --env "$env" --approver "$name" --ticket "$ticket" --expires-at "$until" --key "$key" > "$who.approval"
}

PROD=(--env prod --apply --prod-override T-1)

# unapproved RULE [FLAG..]: the plan in prod is refused by RULE.
unapproved() {
	local rule=$1
	shift
	fails 5 mig-gate "${PROD[@]}" "$@" < plan
	faulted 5 "$rule"
	refute_line --partial '"kind":"permit"'
}

@test "EK-18 a plan that leads to a greater major version is in review: it warns in dev and needs an approval in prod" {
	reviewed dev
	run -0 --separate-stderr mig-gate --env dev --apply < plan
	[[ $stderr == 'mig-gate: warning: review: a greater major version, 1.0.0 to 2.0.0' ]]
	[ "$(mig-report < plan | grep -c -e --approval)" -eq 0 ]
	reviewed prod
	unapproved review_approval
	hinted
	[[ $stderr == *"--digest $DIGEST --env prod"* ]]
	mig-report < plan | sed -z 's/ \\\n */ /g' > page
	grep -q 'next  *mig-gate --env prod --prod-override TICKET --approval FILE --trust KEY.pem' page
	mig-gate --env prod --dry-run < plan > permits
}

@test "EK-18 the rollback of what was reviewed needs no approval" {
	reviewed prod
	approved ada
	mig-gate "${PROD[@]}" --approval ada.approval --trust ada.pub < plan | mig-apply --store fs:site > outcomes
	mig-plan --rollback < plan | mig-gate "${PROD[@]}" | mig-apply --store fs:site > outcomes
	[ "$(cat site/a.json)" = '{"a": 1}' ]
}

@test "EK-20 an approval lets it pass, and the permit keeps approver, ticket and key" {
	reviewed prod
	approved ada
	mig-gate "${PROD[@]}" --approval ada.approval --trust bob.pub --trust ada.pub --sign ops.pem < plan > permits
	holds '.[0].grant.approvals == [{approver: "ada", key_id: "'"$(key_id ada.pem)"'", ticket: "CHG-7"}]' permits
	applied --trust ops.pub
	[ "$(statuses outcomes)" = applied ]
}

@test "EK-20 mig-apply wants the approval too, whoever made the permit" {
	reviewed prod
	approved ada
	mig-gate "${PROD[@]}" --approval ada.approval --trust ada.pub < plan > whole
	edited 'del(.grant.approvals)'
	not_applied 5 review_approval
	edited '.grant.approvals = []'
	not_applied 5 review_approval
	edited '.grant.approvals[0].more = 1'
	not_applied 2 bad_record
}

@test "EK-20 an approval in another spelling holds, the signature is over what it says" {
	reviewed prod
	approved ada
	jq . ada.approval > pretty && mv pretty ada.approval
	mig-gate "${PROD[@]}" --approval ada.approval --trust ada.pub < plan > permits
	jq -r .signature ada.approval | xxd -r -p > signature
	{ echo mig-approval-v1 && mig-hash --canonical --without /signature ada.approval | tr -d '\n'; } > message
	openssl pkeyutl -verify -rawin -pubin -inkey ada.pub -sigfile signature -in message
}

@test "EK-21 an approval of another plan is not accepted" {
	reviewed prod
	approved ada
	reviewed prod --tenant acme
	unapproved approval_digest --tenant acme --approval ada.approval --trust ada.pub
	hinted
	approved ada digest "$(printf '%064d' 0)"
	unapproved approval_digest --tenant acme --approval ada.approval --trust ada.pub
}

@test "EK-21 an approval for another env is not accepted" {
	reviewed prod
	approved ada env staging
	unapproved approval_env --approval ada.approval --trust ada.pub
	hinted
}

@test "EK-21 an expired approval is not accepted, to the second" {
	reviewed prod
	approved ada until 2025-01-01T00:00:01Z
	unapproved approval_expired --approval ada.approval --trust ada.pub --now 2025-01-01T00:00:01Z
	hinted
	mig-gate "${PROD[@]}" --approval ada.approval --trust ada.pub --now 2025-01-01T00:00:00.9Z < plan > permits
}

@test "EK-21 an approval by a foreign key is not accepted, nor one that was edited in any member" {
	reviewed prod
	approved mallory name ada
	unapproved approval_signature --approval mallory.approval --trust ada.pub --trust bob.pub
	[[ $stderr == *'no trusted key'* ]]
	hinted
	approved ada
	for edit in '.approver = "bob"' '.ticket = "CHG-8"' '.expires_at = "2030-01-01T00:00:00Z"' '.env = "dev"' \
		'.digest = "'"$(printf '%064d' 1)"'"' '.signature |= "0" + .[1:] + ""' '.signature = ""' '.signature |= ascii_upcase'; do
		jq "$edit" ada.approval > edited.approval
		[ "$(jq -S . edited.approval)" != "$(jq -S . ada.approval)" ] || continue
		unapproved approval_signature --approval edited.approval --trust ada.pub
		[[ $stderr == *'was edited'* ]] || fail "$edit: $stderr"
	done
}

@test "EK-21 every byte of an approval matters" {
	reviewed prod
	approved ada
	n=$(($(wc -c < ada.approval) - 1))
	for ((at = 2; at <= n; at += 13)); do
		LC_ALL=C awk -v i=$at '{ c = substr($0, i, 1); print substr($0, 1, i - 1) (c == "1" ? "2" : "1") substr($0, i + 1) }' ada.approval > edited
		rc=0
		mig-gate "${PROD[@]}" --approval edited --trust ada.pub < plan > out 2> err || rc=$?
		[[ $rc =~ ^[45]$ ]] || fail "byte $at: exit $rc: $(cat err)"
		[ "$(grep -c '"kind":"permit"' out)" -eq 0 ]
	done
}

@test "an approval given must hold, also where none is needed" {
	site && planned
	DIGEST=$(printf '%064d' 0)
	approved ada env dev
	fails 5 mig-gate --env dev --apply --approval ada.approval --trust ada.pub < plan
	faulted 5 approval_digest
}

@test "files that are no approvals are 4, those that are not there 3" {
	reviewed prod
	mkdir folder
	for file in nowhere folder; do
		fails 3 mig-gate "${PROD[@]}" --approval $file --trust ada.pub < plan
		faulted 3 missing_approval
	done
	approved ada
	: > empty
	echo hello > words
	echo '[]' > array
	cat ada.approval ada.approval > two
	jq 'del(.ticket)' ada.approval > lacking
	jq '.more = 1' ada.approval > more
	jq '.kind = "permit"' ada.approval > kind
	jq '.approver = ""' ada.approval > nobody
	jq '.expires_at = "tomorrow"' ada.approval > tomorrow
	for file in empty words array two lacking more kind nobody tomorrow; do
		fails 4 mig-gate "${PROD[@]}" --approval $file --trust ada.pub < plan
		faulted 4 bad_approval
		[[ $stderr == *"mig-gate: $file: "* ]] || fail "$file: $stderr"
	done
}

@test "--approvals N counts approvers, and one who approves twice is one" {
	reviewed prod
	approved ada
	approved bob
	mig-approve --digest "$DIGEST" --env prod --approver ada --ticket CHG-8 --expires-at $LATER --key ada.pem > again.approval
	two=(--approvals 2 --trust ada.pub --trust bob.pub --trust mallory.pub)
	unapproved review_approval "${two[@]}" --approval ada.approval
	[[ $stderr == *'2 approvals are needed, 1 given'* ]]
	unapproved review_approval "${two[@]}" --approval ada.approval --approval ada.approval
	unapproved review_approval "${two[@]}" --approval ada.approval --approval again.approval
	mig-gate "${PROD[@]}" "${two[@]}" --approval ada.approval --approval again.approval --approval bob.approval < plan > permits
	holds '.[0].grant.approvals | map(.approver) == ["ada", "bob"]' permits
	# with a second key she is still one
	approved mallory name ada
	unapproved review_approval "${two[@]}" --approval ada.approval --approval mallory.approval
	# and a second name under the same key is nobody
	approved bob name bob key ada.pem
	unapproved approval_name "${two[@]}" --approval ada.approval --approval bob.approval
}

@test "EK-22 an approval does not lift what is blocked" {
	reviewed prod
	approved ada
	ok=(--approval ada.approval --trust ada.pub)
	echo '{rule_id: "never", severity: "deny", message: "blocked"}' > never.jq
	unapproved never "${ok[@]}" --policy never.jq
	fails 5 mig-gate --env prod --apply "${ok[@]}" < plan
	faulted 5 prod_ticket
	fails 5 mig-gate --env prod --prod-override T-1 "${ok[@]}" < plan
	faulted 5 apply_flag
	rm -r own site && set_of own 'del(.a)'
	reviewed prod
	approved ada
	unapproved destructive_flag "${ok[@]}"
}

@test "an approval of nothing is not asked for, and does not get in the way" {
	nothing mig-plan > plan
	DIGEST=$(printf '%064d' 1)
	approved ada
	mig-gate "${PROD[@]}" --approval ada.approval --trust ada.pub --approvals 2 < plan > permits
	holds 'map(.kind) == ["end"]' permits
}

@test "mig approve and mig apply do all of it from the front door" {
	reviewed prod
	fails 5 mig apply --plan plan --store fs:site "${PROD[@]}"
	digest=$(mig report plan | grep -oE '[0-9a-f]{64}' | grep -Fx "$DIGEST" | head -n 1)
	[ "$digest" = "$DIGEST" ] || fail "the page does not print the digest"
	for who in ada bob; do
		mig approve --digest "$digest" --env prod --approver $who --ticket CHG-7 --expires-at $LATER --key $who.pem > "$who's approval"
	done
	mig apply --plan plan --store fs:site "${PROD[@]}" --approval "ada's approval" --approval "bob's approval" --approvals 2 \
		--trust ada.pub --trust bob.pub --trust ops.pub --sign ops.pem --key-id ops --ttl 60 > outcomes
	[ "$(statuses outcomes)" = applied ]
	mig rollback --plan plan --store fs:site "${PROD[@]}" --sign ops.pem --trust ops.pub > outcomes
	[ "$(cat site/a.json)" = '{"a": 1}' ]
	fails 2 mig approve --digest short --env prod --approver a --ticket t --expires-at $LATER --key ada.pem
	fails 2 mig approve --digest "$DIGEST" --env prod --approver a --ticket t --expires-at tomorrow --key ada.pem
	fails 2 mig approve --digest "$DIGEST" --env qa --approver a --ticket t --expires-at $LATER --key ada.pem
}
