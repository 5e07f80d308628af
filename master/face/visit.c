/* A visit is the state of its request, which libmicrohttpd keeps until the request ends, and that
 * is after the worker's answer: a suspended connection is not closed. */
#include "master/face/visit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "master/face/ask.h"
#include "master/face/offered.h"

/* The arguments of a URL, while they are collected. */
struct query {
	struct offered_arguments arguments;
	const char *why; /* they are none; or NULL */
};

/* Adds "key=value", or "key". */
static enum MHD_Result
add_argument(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
	const char *value, size_t value_size)
{
	struct query *query = context;
	char text[REPLY_ARGUMENTS_SIZE];
	size_t size = key_size + (value != NULL ? 1 + value_size : 0);

	(void)kind;
	if (size > sizeof text) {
		query->why = "an argument is too long";
		return MHD_NO;
	}
	memcpy(text, key, key_size);
	if (value != NULL) {
		text[key_size] = '=';
		memcpy(text + key_size + 1, value, value_size);
	}
	query->why = offered_add(&query->arguments, text, size);
	return query->why == NULL ? MHD_YES : MHD_NO;
}

static void
set_text(struct visit *visit, unsigned code, const char *text, size_t length)
{
	visit->code = code;
	visit->text = malloc(length + 1);
	if (visit->text != NULL)
		memcpy(visit->text, text, length);
	visit->length = length;
}

/* The page is a line that says why there is no other. */
static void
set_why(struct visit *visit, unsigned code, const char *why)
{
	set_text(visit, code, why, strlen(why) + 1);
	if (visit->text != NULL)
		visit->text[visit->length - 1] = '\n';
	visit->type = "text/plain; charset=utf-8";
}

static void
on_answer(const struct ask_answer *answer, void *context)
{
	static const unsigned codes[] = {
		[ASK_DONE] = MHD_HTTP_OK,
		[ASK_FAILED] = MHD_HTTP_INTERNAL_SERVER_ERROR,
		[ASK_REFUSED] = MHD_HTTP_BAD_REQUEST,
		[ASK_LOST] = MHD_HTTP_BAD_GATEWAY,
		[ASK_LATE] = MHD_HTTP_GATEWAY_TIMEOUT,
	};
	struct visit *visit = context;

	if (answer->end == ASK_DONE)
		set_text(visit, codes[answer->end], answer->output, answer->length);
	else
		set_why(visit, codes[answer->end], answer->why);
	http_resume(visit->http, visit->connection);
}

struct visit *
visit_new(struct master *master, struct http *http, struct MHD_Connection *connection,
	const struct hubbub_command *command)
{
	struct query query = {0};
	struct visit *visit = calloc(1, sizeof *visit);
	const char *why;

	if (visit == NULL)
		return NULL;
	*visit = (struct visit){http, connection, .type = command->page};
	MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, add_argument, &query);
	if (query.why != NULL)
		set_why(visit, MHD_HTTP_BAD_REQUEST, query.why);
	else if (ask_begin(master, ASK_MAX_PAGES, command, query.arguments.text,
			 query.arguments.size, on_answer, visit, &why) == NULL)
		set_why(visit, MHD_HTTP_SERVICE_UNAVAILABLE, why);
	else
		MHD_suspend_connection(connection);
	return visit;
}

void
visit_free(struct visit *visit)
{
	if (visit == NULL)
		return;
	free(visit->text);
	free(visit);
}
