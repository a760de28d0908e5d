/* report.c -- see report.h */
#include "report.h"

#include "report-intake.h"
#include "report-lines.h"

/* Rows leave as soon as they are finished. */
static void put_rows(const struct report_ask *ask, struct buf *rows, struct out *out)
{
	if (ask->lines && rows->len)
		out_write(out, rows->s, rows->len);
	buf_reset(rows);
}

static void put_page(const struct report_ask *ask, struct report_views *v, struct out *out)
{
	struct page p = PAGE_INIT;
	struct buf b = BUF_INIT;

	if (ask->format == REPORT_JSON) {
		report_views_json(v, &b);
	} else {
		report_views_page(v, &p);
		if (ask->format == REPORT_HTML)
			page_html(&b, &p, "migtools report");
		else
			page_text(&b, &p, ask->bold);
	}
	out_write(out, b.s, b.len);
	page_release(&p);
	buf_release(&b);
}

static int take_in(const struct report_ask *ask, struct report_intake *k, struct out *out)
{
	struct report_views *v = k->views;
	struct record x;
	int rc;

	while ((rc = stream_next(k->in, &x, k->d)) > 0) {
		if (report_intake_add(k, &x) < 0)
			return -1;
		if (ask->lines)
			report_lines_add(v, &x, &k->plan, out);
		put_rows(ask, &v->history.lines, out);
	}
	return rc == 0 && !k->in->fault ? report_intake_end(k) : rc;
}

int report_run(const struct report_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct report_views v;
	struct report_intake k;

	report_views_init(&v, in, d);
	v.status = ask->status;
	v.target = ask->target;
	report_intake_init(&k, in, &v, d);
	int rc = take_in(ask, &k, out);

	history_view_finish(&v.history);
	put_rows(ask, &v.history.lines, out);
	if (ask->lines)
		report_lines_end(&v, out);
	else
		put_page(ask, &v, out);
	report_intake_release(&k);
	report_views_release(&v);
	return rc;
}
