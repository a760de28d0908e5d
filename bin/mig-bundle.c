/*
 * mig-bundle -- lay out, seal or check the folder that a run or a pull request leaves.
 *
 * stdin is not read.  stdout: a line a file.  Exit: 0, 2, 3 (no such folder, or, with
 * --check, something is missing), 4 (a file was changed, or is not of the one
 * before), 1.
 */
#include "bundle.h"
#include "cli.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: mig-bundle --out DIR [--kind run|pr] [--check]\n"
	"\n"
	"Make the folders that a bundle has, and bundle.json with the hash of each file there.\n"
	"\n"
	"  --out DIR     the bundle; made where it lacks\n"
	"  --kind KIND   run: datasets/ transformed/ tx-plan/ reports/ (the default);\n"
	"                pr: scripts/ docs/ verification/\n"
	"  --check       write nothing: is all there that its kind needs, and unchanged?\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage, 3 DIR cannot be written, or,\n"
	"with --check, something is missing, 4 a file was changed, is damaged, or is not of\n"
	"the stage before.\n";

struct opts {
	const char *out, *kind;
	bool check;
	int of;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "out", CLI_TEXT, &o->out },
		                        { "kind", CLI_TEXT, &o->kind },
		                        { "check", CLI_FLAG, &o->check },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->out)
		return cli_usage(help, "--out is required");
	if (!*o->out)
		return cli_usage(help, "--out: empty");
	if (o->kind && (o->of = bundle_kind_of(text_cstr(o->kind))) < 0)
		return cli_usage(help, "invalid --kind: %s (run or pr)", o->kind);
	if (o->kind && o->check)
		return cli_usage(help, "--kind does not go with --check: bundle.json tells it");
	return -1;
}

static void seal(const struct opts *o, struct filter *f)
{
	struct buf page = BUF_INIT;
	int dir = mkdir(o->out, 0777) < 0 && errno != EEXIST ? -1 : open(o->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		diag_add(&f->d, MIG_PRECONDITION, "write_failed", o->out, "%s", strerror(errno));
	else if (sandbox_tree(dir, true, &f->d) == 0 && bundle_seal(dir, (enum bundle_kind)o->of, &page, &f->d) == 0)
		out_write(&f->out, page.s, page.len);
	if (dir >= 0)
		close(dir);
	buf_release(&page);
}

static void check(const struct opts *o, struct filter *f)
{
	struct buf page = BUF_INIT;
	struct bundle b;

	if (sandbox_reading(&f->d) == 0 && bundle_check(&b, o->out, &f->d) == 0) {
		buf_addf(&page, "kind=%s\nbundle_hash=%s\n", bundle_kind_name(b.kind), b.hash);
		out_write(&f->out, page.s, page.len);
	}
	buf_release(&page);
}

int main(int argc, char **argv)
{
	struct opts o = { .of = BUNDLE_RUN };
	struct filter f;

	progname = "mig-bundle";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, false);
	f.page = true;
	(o.check ? check : seal)(&o, &f);
	return filter_finish(&f);
}
