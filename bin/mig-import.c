/*
 * mig-import -- make a migration set of another tool's migrations.
 *
 * stdin is not read.  stdout: a line a hop.  Exit: 0, 2, 3 (no such folder), 4
 * (names or scripts that cannot be read, or something else stands there), 1.
 */
#include "cli.h"
#include "import-write.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
	"usage: mig-import --from flyway|golang-migrate|dbmate|goose --to DIR [--id ID]\n"
	"                  [--dialect sqlite|postgresql] FOLDER\n"
	"\n"
	"Make a migration set of mode sql, DIR, of another tool's migrations in FOLDER.\n"
	"\n"
	"  --from TOOL        whose migrations they are\n"
	"  --to DIR           the set to write; nothing is overwritten\n"
	"  --id ID            the set's id (the last part of DIR)\n"
	"  --dialect DIALECT  sqlite or postgresql: what the scripts are read as\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, also if the same set stands there, 1 unexpected error,\n"
	"2 usage, 3 no such folder, 4 a name or a script cannot be read, two have one\n"
	"version, or something else stands in DIR.\n";

struct opts {
	const char *from, *to, *id, *dialect, *folder;
	enum import_tool tool;
	enum dialect read_as;
	char *parent, *name; /* of --to */
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "from", CLI_TEXT, &o->from },
		                        { "to", CLI_TEXT, &o->to },
		                        { "id", CLI_TEXT, &o->id },
		                        { "dialect", CLI_TEXT, &o->dialect },
		                        { NULL, CLI_FLAG, NULL } };
	int operand, rc = cli_parse(argc, argv, help, opts, &operand);

	if (rc >= 0)
		return rc;
	if (!o->from || !o->to)
		return cli_usage(help, "--%s is required", o->from ? "to" : "from");
	if (import_tool_of(o->from) < 0)
		return cli_usage(help, "invalid --from: %s (flyway, golang-migrate, dbmate or goose)", o->from);
	o->tool = (enum import_tool)import_tool_of(o->from);
	if (o->dialect && strcmp(o->dialect, "sqlite") != 0 && strcmp(o->dialect, "postgresql") != 0)
		return cli_usage(help, "invalid --dialect: %s (sqlite or postgresql)", o->dialect);
	o->read_as = o->dialect && *o->dialect == 's' ? DIALECT_SQLITE : DIALECT_POSTGRESQL;
	if (operand + 1 != argc || !*argv[operand])
		return cli_usage(help, operand == argc ? "FOLDER is required" : "one FOLDER is read");
	o->folder = argv[operand];
	if (!cli_text(help, "id", o->id) || !cli_text(help, "to", o->to))
		return MIG_USAGE;
	return import_place(o->to, &o->parent, &o->name) ? -1 : cli_usage(help, "--to: names no folder");
}

static int open_parent(const struct opts *o, struct diag *d)
{
	int fd = open(o->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		diag_add(d, MIG_PRECONDITION, "missing_parent", o->parent, "%s", strerror(errno));
	return fd;
}

static void run(const struct opts *o, struct filter *f)
{
	struct import im = IMPORT_INIT;
	struct buf line = BUF_INIT;
	int parent = open_parent(o, &f->d);

	if (parent >= 0 && import_read(&im, o->tool, o->folder, o->dialect ? &o->read_as : NULL, &f->d) == 0 &&
	    sandbox_tree(parent, true, &f->d) == 0 &&
	    import_write(&im, o->id ? o->id : o->name, o->dialect, parent, o->name, &f->d) == 0) {
		for (size_t i = 0; i < im.n; i++)
			buf_addf(&line, "%s..%s %s\n", im.hop[i].from, im.hop[i].to, im.hop[i].file);
		out_write(&f->out, line.s, line.len);
	}
	buf_release(&line);
	import_release(&im);
	if (parent >= 0)
		close(parent);
}

int main(int argc, char **argv)
{
	struct opts o = { .from = NULL };
	struct filter f;

	progname = "mig-import";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0) {
		filter_init(&f, progname, false);
		f.page = true;
		run(&o, &f);
		rc = filter_finish(&f);
	}
	free(o.parent);
	free(o.name);
	return rc;
}
