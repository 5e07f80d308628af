/* A line is formatted on the thread's stack: the pages that it takes would otherwise stay in memory
 * with the stack of each coroutine that has logged once. A killed coroutine logs as any other. */
#include "worker/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/hub.h"
#include "hub/io/served.h"
#include "worker/client.h"
#include "worker/counters.h"
#include "worker/log_priv.h"
#include "worker/log_words.h"
#include "worker/peer.h"
#include "worker/self.h"

#define AT_ONCE 100
#define EVERY (CLOCK_SECOND / 10) /* in the long run, between two lines of a site */

#define CONTEXT_MAX 5

_Static_assert((int)HUBBUB_ERROR == (int)LOG_ERROR && (int)HUBBUB_WARNING == (int)LOG_WARNING &&
		       (int)HUBBUB_INFO == (int)LOG_INFO && (int)HUBBUB_DEBUG == (int)LOG_DEBUG,
	"the public levels are the log's");

static uint64_t *left_out;

/* From where a line is. */
struct context {
	char texts[CONTEXT_MAX][CLIENT_NAME_SIZE];
	struct log_field fields[CONTEXT_MAX];
	size_t count;
};

/* A line on its way to the thread's stack. */
struct line {
	enum log_level level;
	const char *format;
	va_list arguments;
	int error; /* errno of the caller */
	int file;  /* that it goes to; 0: the log */
	int fault; /* errno of its loss on the way there; 0: it is there */
	struct context context;
};

void
log_count_left_out(struct counters *counters)
{
	left_out = counters != NULL ? &counters_server(counters)->log_limited : NULL;
}

/* ---- the limit ---- */

/* Each line costs EVERY; a site may owe AT_ONCE of them. Any thread. */
static bool
may_log(struct hubbub_log_site *site)
{
	int64_t now = clock_now(), due = __atomic_load_n(&site->due, __ATOMIC_RELAXED), from;

	do {
		from = due > now ? due : now;
		if (from - now > (AT_ONCE - 1) * EVERY) {
			__atomic_fetch_add(&site->left, 1, __ATOMIC_RELAXED);
			if (left_out != NULL)
				counters_note(left_out, 1);
			return false;
		}
	} while (!__atomic_compare_exchange_n(
		&site->due, &due, from + EVERY, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* ---- from where ---- */

/* Adds a text of at most CLIENT_NAME_SIZE. */
static void __attribute__((format(printf, 4, 5)))
add(struct context *context, const char *name, bool is_number, const char *format, ...)
{
	char *text = context->texts[context->count];
	va_list arguments;

	CHECK_WHY(context->count < CONTEXT_MAX, "find_context adds no more");
	va_start(arguments, format);
	vsnprintf(text, sizeof context->texts[0], format, arguments);
	va_end(arguments);
	context->fields[context->count++] = (struct log_field){.name = name,
		.name_length = strlen(name),
		.value = text,
		.length = strlen(text),
		.is_number = is_number};
}

static void
add_client(struct context *context)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;
	char name[CLIENT_NAME_SIZE];
	int client = served_client();

	if (client != -1 && hubbub_peer(client, (struct sockaddr *)&address, &length) == 0)
		add(context, "client", false, "%s", client_name(&address, name));
}

static void
add_hub(struct context *context)
{
	const struct hubbub_self *self = hubbub_self();

	if (self == NULL)
		return;
	add(context, "worker", true, "%u", self->worker);
	add(context, "hub", true, "%u", self->hub);
}

/* Asked on the caller's own stack, where its coroutine is the running one. */
static void
find_context(struct context *context, struct hubbub_log_site *site)
{
	uint64_t left = site != NULL ? __atomic_exchange_n(&site->left, 0, __ATOMIC_RELAXED) : 0;

	add_hub(context);
	if (hub_current() != NULL) {
		add(context, "coroutine", false, "%s", hub_name(hub_current()));
		add_client(context);
	}
	if (left > 0)
		add(context, "left_out", true, "%lu", (unsigned long)left);
}

/* ---- the line ---- */

static void *
put_line(void *argument)
{
	struct line *line = argument;
	struct log_words words;
	struct log_entry entry = {.level = line->level,
		.message = words.message,
		.fields = words.fields,
		.context = line->context.fields,
		.context_count = line->context.count};

	DCHECK(line->level < LOG_LEVEL_MAX);
	errno = line->error;
	log_words(&words, line->format, line->arguments);
	entry.length = words.length;
	entry.field_count = words.field_count;
	if (line->file == 0)
		log_put(&entry);
	else if (!log_put_in(line->file, &entry))
		line->fault = errno;
	return NULL;
}

static void
put_on_thread_stack(struct line *line)
{
	struct hub_timeout shield;
	bool is_put;

	if (hub_current() == NULL) {
		put_line(line);
		return;
	}
	hub_shield_start(&shield);
	is_put = hub_on_thread_stack(put_line, line, NULL) == 0;
	hub_shield_stop(&shield);
	if (!is_put)
		put_line(line);
}

void
hubbub_log_at(struct hubbub_log_site *site, enum hubbub_level level, const char *format, ...)
{
	struct line line = {.format = format, .error = errno, .context.count = 0};

	line.level = (unsigned)level <= HUBBUB_DEBUG ? (enum log_level)level : LOG_DEBUG;
	if (!log_wants(line.level) || (site != NULL && !may_log(site)))
		return;
	find_context(&line.context, site);
	va_start(line.arguments, format);
	put_on_thread_stack(&line);
	va_end(line.arguments);
	errno = line.error;
}

bool
log_of_client(int file, const char *client, const char *format, ...)
{
	struct line line = {.level = LOG_INFO,
		.format = format,
		.error = errno,
		.file = file,
		.context.count = 0};

	if (file == 0 && !log_wants(LOG_INFO))
		return true;
	add_hub(&line.context);
	add(&line.context, "client", false, "%s", client);
	va_start(line.arguments, format);
	put_on_thread_stack(&line);
	va_end(line.arguments);
	errno = line.fault != 0 ? line.fault : line.error;
	return line.fault == 0;
}
