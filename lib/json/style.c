/* style.c -- see style.h */
#include "style.h"

uint32_t style_first(const struct doc *d, uint32_t parent)
{
	return parent + (d->tok[parent].type == DOC_OBJECT ? 2 : 1);
}

uint32_t style_second(const struct doc *d, uint32_t parent)
{
	return d->tok[style_first(d, parent)].next + (d->tok[parent].type == DOC_OBJECT);
}

struct text style_close_lead(const struct doc *d, uint32_t parent)
{
	return style_space_before(style_end(d, parent) - 1);
}

struct text style_colon(const struct doc *d, uint32_t object)
{
	struct text colon = style_between(style_end(d, object + 1), d->text + d->tok[object + 2].off);

	return memchr(colon.s, '\n', colon.n) ? TEXT(": ") : colon;
}

struct text style_line(struct text lead)
{
	const char *lf = memrchr(lead.s, '\n', lead.n);

	if (!lf)
		return (struct text){ lead.s, 0 };
	return style_between(lf > lead.s && lf[-1] == '\r' ? lf - 1 : lf, lead.s + lead.n);
}

struct text style_break(struct text line)
{
	return line.s[0] == '\r' ? TEXT("\r\n") : TEXT("\n");
}

struct text style_indent(struct text line)
{
	size_t nl = line.s[0] == '\r' ? 2 : 1;

	return (struct text){ line.s + nl, line.n - nl };
}

bool style_unit(const struct doc *d, uint32_t t, struct text *unit)
{
	struct text in = style_line(style_lead(d, t, style_first(d, t))), out = style_line(style_close_lead(d, t));

	if (in.n == 0 || out.n == 0)
		return false;
	in = style_indent(in);
	out = style_indent(out);
	if (in.n <= out.n || memcmp(in.s, out.s, out.n) != 0)
		return false;
	*unit = style_between(in.s + out.n, in.s + in.n);
	return true;
}

/* What the containers of a text have shown so far. */
struct seen {
	bool unit, colon, comma;
};

static void look_at(struct style *s, struct seen *seen, const struct doc *d, uint32_t t)
{
	if (s->lines && !seen->unit)
		seen->unit = style_unit(d, t, &s->unit);
	if (d->tok[t].type == DOC_OBJECT && !seen->colon) {
		s->colon = style_colon(d, t);
		seen->colon = true;
	}
	if (d->tok[t].n > 1 && !seen->comma) {
		struct text lead = style_lead(d, t, style_second(d, t));

		seen->comma = style_line(lead).n == 0;
		if (seen->comma)
			s->comma = lead;
	}
}

struct style style_of(const struct doc *d)
{
	struct text root = style_span(d, 0);
	const char *lf = memchr(root.s, '\n', root.n);
	struct seen seen = { .unit = false };
	struct style s = {
		.nl = TEXT("\n"), .indent = TEXT(""), .unit = TEXT("  "), .colon = TEXT(":"), .comma = TEXT("")
	};

	if (lf) {
		s.lines = true;
		s.nl = lf[-1] == '\r' ? TEXT("\r\n") : TEXT("\n");
		s.colon = TEXT(": ");
	}
	for (uint32_t t = 0; t < d->ntok && !(seen.colon && (lf ? seen.unit : seen.comma)); t++)
		if (d->tok[t].type >= DOC_ARRAY && d->tok[t].n > 0)
			look_at(&s, &seen, d, t);
	/* who puts a space behind a colon does so behind a comma, and the other way round */
	if (!seen.comma && s.colon.s[s.colon.n - 1] == ' ')
		s.comma = TEXT(" ");
	if (!seen.colon && !lf && seen.comma && s.comma.n > 0)
		s.colon = TEXT(": ");
	return s;
}

bool style_is_bare(const struct style *s)
{
	return !s->lines && s->comma.n == 0 && text_is(s->colon, ":");
}
