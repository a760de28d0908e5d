/* gate-ask.c -- see gate-ask.h */
#include "gate-ask.h"

#include <stdlib.h>

void gate_ask_release(struct gate_ask *a)
{
	char **lists[] = { a->allow, a->policies, a->approvals, a->trust, a->evidence, a->confirmed };

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		free(lists[i]);
	buf_release(&a->waivers);
}

const char *gate_ask_wrong(const struct gate_ask *a)
{
	if (a->key_name && !a->sign)
		return "--key-id goes with --sign";
	if (a->approvals && !a->trust)
		return "--approval needs --trust: the keys of those who may approve";
	if (!a->phases && (a->evidence || a->confirmed))
		return "--evidence and --confirmed go with --phases";
	if (a->confirmed && !a->trust)
		return "--confirmed needs --trust: the keys of those who may confirm";
	if (a->needed == 0 || a->needed > 1000)
		return "--approvals: from 1 to 1000";
	if (a->ttl == 0 || a->ttl > 3650 * INT64_C(86400))
		return "--ttl: from a second to ten years";
	return NULL;
}

struct grant gate_ask_grant(const struct gate_ask *a)
{
	return (struct grant){
		.env = text_cstr(a->env),
		.tenant = text_cstr(a->tenant),
		.project = text_cstr(a->project),
		.apply = a->apply,
		.dry_run = a->dry_run,
		.allow_destructive = a->destructive,
		.ticket = text_cstr(a->ticket),
		.waivers = { a->waivers.s, a->waivers.len },
		.actor = text_cstr(a->actor),
		.issued_at = text_cstr(a->issued_at),
	};
}
