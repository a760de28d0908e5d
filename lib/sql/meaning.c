/* meaning.c -- see meaning.h */
#include "meaning.h"

#include "base.h"

#include <stdlib.h>
#include <strings.h>

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "safe", "review", "warning", "critical" };

	return names[s];
}

void meaning_reset(struct meaning *m)
{
	for (size_t i = 0; i < m->nremark; i++) {
		free(m->remark[i].message);
		free(m->remark[i].table);
	}
	for (size_t i = 0; i < m->nusage; i++) {
		free(m->usage[i].schema);
		free(m->usage[i].name);
	}
	free(m->protects);
	*m = (struct meaning){
		.remark = m->remark, .remarkcap = m->remarkcap, .usage = m->usage, .usagecap = m->usagecap
	};
}

void meaning_release(struct meaning *m)
{
	meaning_reset(m);
	free(m->remark);
	free(m->usage);
	*m = (struct meaning)MEANING_INIT;
}

void meaning_add(struct meaning *m, const char *rule, enum severity severity, const char *table, char *message)
{
	if (m->nremark == m->remarkcap) {
		m->remarkcap = m->remarkcap ? m->remarkcap * 2 : 8;
		m->remark = xrealloc(m->remark, m->remarkcap, sizeof *m->remark);
	}
	m->remark[m->nremark++] = (struct remark){ rule, severity, message, table ? xstrdup(table) : NULL };
	m->destroys |= severity == SEVERITY_CRITICAL;
}

void meaning_guard(struct meaning *m, bool is, const char *name)
{
	if (is && !m->protects)
		m->protects = xstrdup(name);
}

void meaning_use(struct meaning *m, enum use use, const char *schema, const char *name)
{
	if (m->nusage == m->usagecap) {
		m->usagecap = m->usagecap ? m->usagecap * 2 : 8;
		m->usage = xrealloc(m->usage, m->usagecap, sizeof *m->usage);
	}
	m->usage[m->nusage++] = (struct usage){ use, schema ? xstrdup(schema) : NULL, xstrdup(name) };
}

static bool begins(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

bool meaning_ours(const char *schema, const char *name, enum dialect dialect)
{
	static const char *const schemas[] = { "system", "mig", "pg_catalog", "information_schema" };

	for (size_t i = 0; schema && dialect == DIALECT_POSTGRESQL && i < sizeof schemas / sizeof *schemas; i++)
		if (strcmp(schema, schemas[i]) == 0)
			return true;
	return begins(name, "system_") || begins(name, "mig_") || begins(name, "sqlite_");
}

bool meaning_protected(const char *schema, const char *name, enum dialect dialect)
{
	return meaning_ours(schema, name, dialect) || begins(name, "auth_");
}
