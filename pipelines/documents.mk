# documents.mk -- plan, gate, apply, verify and roll back a store of documents with make.
#
# A deployment repository includes it; the filters are found in PATH.
#
#	MIG_STORE_URI = fs:/srv/site
#	MIG_SET = migrations/manifest
#	MIG_ENV = staging
#	MIG_MIGRATION = manifest
#	MIG_TARGET_VERSION = 1.2.0
#	include /usr/local/share/migtools/pipelines/documents.mk
#
#	make mig-plan mig-report              plan, and read the plan
#	make mig-apply MIG_GATE_FLAGS=--apply
#	make mig-verify
#	make mig-rollback MIG_GATE_FLAGS=--apply MIG_REASON='wrong chain'
#	cat mig-out/exit-code
#
# make turns every failure into its own 2, so MIG_OUT/exit-code holds the
# contract's code of the last step.  Beside it stand the streams of one run:
#
#	plan.ndjson     by mig-plan, always anew; by the others only when there is none
#	permit.ndjson   by mig-gate, always anew: the flags of this call decide
#	outcome.ndjson  by mig-apply, which gates first; also when it failed
#	verdict.ndjson  by mig-verify; also when it failed
#	undone.ndjson   by mig-rollback; also when it failed
#	failed.ndjson   what a plan or gate that failed had to say; never taken for a plan
#	report.txt      by mig-report: a page of each of them
#
# Goals of one command line run in this order, also under -j.  A target of your
# own that needs several says so: "deploy:" with "$(MAKE) mig-apply" and then
# "$(MAKE) mig-verify" in its recipe.  MIG_OUT may hold spaces.

MIG_OUT ?= mig-out
MIG_MAX_REJECTS ?= 0
MIG_TENANT ?=
MIG_PROJECT ?=
MIG_REASON ?=
# The transform runs on MIG_JOBS cores by GNU parallel: the plan has the same
# bytes for any number.  MIG_FANOUT=1 uses parallel for one as well.  No --halt,
# with which parallel can wait for ever: mig-plan notices whatever is missing.
MIG_JOBS ?= 1
MIG_FANOUT ?=
MIG_BLOCK ?= 16M

ifndef MIG_STORE_URI
MIG_STORE_URI := $(MIG_STORE)
endif

# What lets a run write is said on the command line or in the Makefile.
ifneq ($(filter environment%,$(origin MIG_GATE_FLAGS)),)
$(error MIG_GATE_FLAGS: not from the environment: say it to make, or in the Makefile)
endif
unexport MIG_GATE_FLAGS

# With an audit, one name for all the filters of this make.
ifneq ($(MIG_AUDIT),)
ifeq ($(MIG_RUN_ID),)
MIG_RUN_ID := $(shell date +%s)-$(shell echo $$PPID)
endif
export MIG_AUDIT MIG_RUN_ID
endif

# 'one word for the shell', and --flag='value' if the variable has one.
mig-q = '$(subst ','\'',$1)'
mig-flag = $(if $($2),$1=$(call mig-q,$($2)))
mig-need = $(foreach v,$1,$(if $($v),,{ echo '$v is not set' >&2; exit 2; };))

mig-scope = $(call mig-flag,--tenant,MIG_TENANT) $(call mig-flag,--project,MIG_PROJECT)
mig-gates = mig-gate $(call mig-flag,--env,MIG_ENV) $(mig-scope) $(MIG_GATE_FLAGS)
mig-transforms = mig-transform $(call mig-flag,--set,MIG_SET) \
	$(call mig-flag,--target-version,MIG_TARGET_VERSION)
mig-parallel = PARALLEL_SHELL=/bin/sh parallel --plain --will-cite -q --pipe -k --recend '\n' \
	--block $(call mig-q,$(MIG_BLOCK)) -j $(call mig-q,$(MIG_JOBS))


# The commands of each target, in a shell where $out is MIG_OUT.
mig-do-plan = $(call mig-need,MIG_STORE_URI MIG_SET MIG_ENV MIG_MIGRATION MIG_TARGET_VERSION) \
	for old in permit outcome verdict undone failed; do rm -f "$$out/$$old.ndjson"; done; \
	mig-extract $(call mig-flag,--set,MIG_SET) | \
	$(if $(MIG_FANOUT)$(filter-out 1,$(MIG_JOBS)),$(mig-parallel)) $(mig-transforms) | \
	mig-plan $(call mig-flag,--env,MIG_ENV) $(call mig-flag,--migration,MIG_MIGRATION) \
		$(call mig-flag,--target-version,MIG_TARGET_VERSION) $(mig-scope) \
		$(call mig-flag,--max-rejects,MIG_MAX_REJECTS)

# The gate knows env and scope.  That the plan which stands there is for this
# migration and version is known here, by the header of the first plan.
mig-member = $(if $($2),'"$1":"'$(call mig-q,$($2))'"'*)
mig-same-plan = header=$$(sed -n '/^{"header":/{s/"kind":"plan".*//p;q;}' "$$out/plan.ndjson"); \
	case $$header in \
	'' | *$(call mig-member,migration_id,MIG_MIGRATION)$(call mig-member,target_version,MIG_TARGET_VERSION)) ;; \
	*) echo "$$out/plan.ndjson: for another migration or version: make mig-plan" >&2; exit 4 ;; \
	esac;

mig-do-gate = $(call mig-need,MIG_ENV) $(mig-same-plan) $(mig-gates) < "$$out/plan.ndjson"
mig-do-apply = $(call mig-need,MIG_STORE_URI) mig-apply < "$$out/permit.ndjson"
mig-do-verify = $(call mig-need,MIG_STORE_URI) $(mig-same-plan) mig-verify < "$$out/plan.ndjson"
mig-do-rollback = $(call mig-need,MIG_STORE_URI MIG_ENV) $(mig-same-plan) \
	mig-plan --rollback $(call mig-flag,--reason,MIG_REASON) < "$$out/plan.ndjson" | \
	$(mig-gates) | mig-apply
mig-do-report = set --; \
	for kind in failed plan outcome verdict undone; do \
		file=$$out/$$kind.ndjson; \
		[ ! -f "$$file" ] || set -- "$$@" "$$file"; \
	done; \
	[ $$\# -gt 0 ] || { echo "$$out: no stream to report on" >&2; exit 3; }; \
	worst=0; \
	for file; do mig-report < "$$file" || { code=$$?; [ $$worst -ne 0 ] || worst=$$code; }; done; \
	exit $$worst

# $(call mig-run,FILE,COMMANDS,INSTEAD[,SHOW]): what COMMANDS print becomes
# MIG_OUT/FILE, at once and whole; after a failure MIG_OUT/INSTEAD.  With SHOW it
# is printed, too.
define mig-run
@out=$(call mig-q,$(MIG_OUT)); \
mkdir -p "$$out" && echo 1 > "$$out/exit-code" && : > "$$out/$1.tmp" || exit 3; \
rm -f "$$out/$1" "$$out/$3"; \
( $2 ) > "$$out/$1.tmp"; \
code=$$?; \
[ $$code -le 5 ] || code=1; \
[ $$code -eq 0 ] && file=$1 || file=$3; \
mv -f "$$out/$1.tmp" "$$out/$$file" || code=1; \
$(if $4,cat "$$out/$$file" || code=1; )\
echo $$code > "$$out/exit-code"; \
exit $$code
endef

# Those of the goals of this command line that come before: they are waited for.
mig-after = $(filter $1,$(MAKECMDGOALS))
mig-plan-file := $(subst $(subst ,, ),\ ,$(MIG_OUT))/plan.ndjson
mig-recipes := $(mig-plan-file) mig-gate mig-apply mig-verify mig-rollback mig-report

.PHONY: mig-plan mig-gate mig-apply mig-verify mig-rollback mig-report mig-clean mig-always
$(mig-recipes): private SHELL := /bin/sh
$(mig-recipes): private .SHELLFLAGS := -c
# In the environment, where no process list shows a password.
$(mig-recipes): private export MIG_STORE = $(MIG_STORE_URI)

$(mig-plan-file): $(if $(call mig-after,mig-plan mig-clean),mig-always) | $(call mig-after,mig-clean)
	$(call mig-run,plan.ndjson,$(mig-do-plan),failed.ndjson)

mig-always:

mig-plan: $(mig-plan-file)

mig-gate: $(mig-plan-file)
	$(call mig-run,permit.ndjson,$(mig-do-gate),failed.ndjson)

mig-apply: mig-gate
	$(call mig-run,outcome.ndjson,$(mig-do-apply),outcome.ndjson)

mig-verify: $(mig-plan-file) | $(call mig-after,mig-gate mig-apply)
	$(call mig-run,verdict.ndjson,$(mig-do-verify),verdict.ndjson)

mig-rollback: $(mig-plan-file) | $(call mig-after,mig-gate mig-apply mig-verify)
	$(call mig-run,undone.ndjson,$(mig-do-rollback),undone.ndjson)

mig-report: | $(call mig-after,mig-plan mig-gate mig-apply mig-verify mig-rollback)
	$(call mig-run,report.txt,$(mig-do-report),report.txt,show)

mig-clean:
	@cd $(call mig-q,$(MIG_OUT)) 2> /dev/null || exit 0; \
	rm -f exit-code report.txt report.txt.tmp; \
	for kind in plan permit outcome verdict undone failed; do rm -f $$kind.ndjson $$kind.ndjson.tmp; done; \
	rmdir "$$PWD" 2> /dev/null || :
