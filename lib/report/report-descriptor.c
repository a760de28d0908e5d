/* report-descriptor.c -- see report-descriptor.h */
#include "report-descriptor.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

void descriptor_view_init(struct descriptor_view *v)
{
	*v = (struct descriptor_view){ .plans = 0 };
}

void descriptor_view_release(struct descriptor_view *v)
{
	page_release(&v->steps);
	buf_release(&v->json);
}

/* What one step says, fit to be shown. */
struct said {
	char *action, *summary, *target, *type;
	const char *severity;
};

static void said_release(struct said *s)
{
	free(s->action);
	free(s->summary);
	free(s->target);
	free(s->type);
}

static void step_json(struct buf *out, int64_t index, const struct said *s)
{
	struct rec w;

	if (out->len)
		buf_addch(out, ',');
	rec_open(&w, out);
	rec_cstr(&w, "action", s->action);
	rec_int(&w, "index", index);
	rec_cstr(&w, "severity", s->severity);
	rec_cstr(&w, "summary", s->summary);
	rec_cstr(&w, "target", s->target);
	rec_cstr(&w, "type", s->type);
	rec_close(&w);
}

static void show_step(struct page *p, const struct step *s, const struct said *it, bool critical)
{
	page_line(p, 0, "%3" PRId64 " %-8s %s %s", s->index, critical ? "CRITICAL" : it->severity, it->type,
	          it->target);
	page_block(p, 2, "", it->summary, strlen(it->summary));
	if (it->action)
		page_block(p, 2, "do  ", it->action, strlen(it->action));
	if (!s->reversible)
		page_line(p, 2, "NO WAY BACK");
}

static void add_step(struct descriptor_view *v, const struct plan *p, const struct step *s)
{
	const struct doc *d = p->doc;
	uint32_t a = s->actions + 1;
	struct said it = { .severity = "review" };
	struct sqlfinding f = { .severity = SQL_REVIEW };

	if (d->tok[s->actions].n) {
		sqlfinding_get(&f, d, s->findings + 1);
		it = (struct said){ shown_member(d, a, "action"), shown_member(d, a, "summary"),
			            shown_member(d, a, "target"), shown_member(d, a, "type"),
			            sqlseverity_name(f.severity) };
	} else {
		it.summary = shown_text(s->description);
		it.target = shown_text(s->ref);
		it.type = xstrdup("unknown");
		v->unknown++;
	}
	v->findings[f.severity]++;
	show_step(&v->steps, s, &it, f.severity == SQL_CRITICAL);
	step_json(&v->json, s->index, &it);
	said_release(&it);
}

void descriptor_view_add(struct descriptor_view *v, const struct plan *p)
{
	v->plans++;
	for (size_t i = 0; i < p->nstep; i++)
		add_step(v, p, &p->step[i]);
}

const char *descriptor_view_gate(const struct descriptor_view *v)
{
	const uint64_t *n = v->findings;

	return n[SQL_CRITICAL] ? "blocked" : n[SQL_REVIEW] + n[SQL_WARNING] ? "review" : "safe";
}

void descriptor_view_page(const struct descriptor_view *v, struct page *p)
{
	const uint64_t *n = v->findings;

	page_heading(p,
	             "GATE %s: %" PRIu64 " critical, %" PRIu64 " for review, %" PRIu64 " warning%s, %" PRIu64 " safe",
	             descriptor_view_gate(v), n[SQL_CRITICAL], n[SQL_REVIEW], n[SQL_WARNING],
	             n[SQL_WARNING] == 1 ? "" : "s", n[SQL_SAFE]);
	page_append(p, &v->steps);
}

void descriptor_view_json(const struct descriptor_view *v, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "gate", descriptor_view_gate(v));
	rec_name(&w, "instructions");
	buf_addch(out, '[');
	buf_add(out, v->json.s, v->json.len);
	buf_addch(out, ']');
	sqlseverity_counts(&w, v->findings);
	rec_close(&w);
}
