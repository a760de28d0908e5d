/* db-pg-lib.c -- see db-pg-lib.h */
#include "db-pg-lib.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct pq pq;

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define PQ_PLACE(f) { #f, offsetof(struct pq, f) },
	PQ_EACH(PQ_PLACE)
#undef PQ_PLACE
};

int pq_load(struct diag *d)
{
	if (pq.PQclear)
		return 0;
	/* never closed: OpenSSL and others leave handlers behind that run at exit */
	void *lib = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);

	if (!lib) {
		diag_hint(d, "apt-get install libpq5");
		return diag_add(d, MIG_PRECONDITION, "library_missing", NULL,
		                "PostgreSQL's client library is not here: %s", dlerror());
	}
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *f = dlsym(lib, functions[i].name);

		if (!f) {
			pq = (struct pq){ .PQclear = NULL };
			return diag_add(d, MIG_PRECONDITION, "library_missing", NULL,
			                "PostgreSQL's client library is too old: it lacks %s", functions[i].name);
		}
		memcpy((char *)&pq + functions[i].at, &f, sizeof f);
	}
	return 0;
}
