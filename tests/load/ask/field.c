/* Each option's value is copied before it is taken apart, since the argument itself stays in argv.
 * A refusal is a phrase that completes "... is not"; it lies in a static buffer. */
#include "tests/load/ask/field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/base/values.h"
#include "tests/load/ask/moment.h"
#include "tests/load/ask/refuse.h"

#define START_AT_MOST (366 * 86400 * CLOCK_SECOND)

/* Formats what a value should have been; static until the next call. */
static const char *__attribute__((format(printf, 1, 2))) expected(const char *format, ...)
{
	static char text[384];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return text;
}

/* Copies value, to be split or kept. Returns whether it fits. */
static bool
copy(const char *value, char *to, size_t size)
{
	return snprintf(to, size, "%s", value) < (int)size;
}

#define TOO_LONG(array) expected("shorter than %zu characters", sizeof(array))

static const char *
read_gate(const char *value, struct gate *gate)
{
	char why[256];

	return gate_read(value, gate, why, sizeof why) ? NULL : expected("a gate: %s", why);
}

/* Appends a gate. One that is always or never true is refused: it would only seem to guard
 * something. */
static const char *
add_gate(const char *value, struct gate *gates, unsigned *count)
{
	struct gate *gate = &gates[*count];
	const char *why;

	if (*count == LOAD_GATES_MAX)
		return expected("one of at most %d", LOAD_GATES_MAX);
	why = read_gate(value, gate);
	if (why != NULL)
		return why;
	why = gate_why_idle(gate);
	if (why != NULL)
		return expected("a gate that depends on the measurement: %s", why);
	++*count;
	return NULL;
}

const char *
field_request(const char *value, void *context)
{
	struct load *load = context;
	const char *why = requests_add(load->requests, value);

	return why != NULL ? expected("a request: %s", why) : NULL;
}

const char *
field_expect(const char *value, void *context)
{
	struct load *load = context;
	const char *why = requests_expect(load->requests, value);

	return why != NULL ? expected("an expectation: %s", why) : NULL;
}

const char *
field_reply(const char *value, void *context)
{
	struct load *load = context;
	const char *why = reply_form_read(value, &load->reply);

	if (why != NULL)
		return expected("a form of replies: %s", why);
	return copy(value, load->reply_text, sizeof load->reply_text) ? NULL
								      : TOO_LONG(load->reply_text);
}

const char *
field_fail_if(const char *value, void *context)
{
	struct load *load = context;

	return add_gate(value, load->fail_if, &load->fail_if_count);
}

const char *
field_abort_if(const char *value, void *context)
{
	struct load *load = context;

	return add_gate(value, load->abort_if, &load->abort_if_count);
}

const char *
field_search(const char *value, void *context)
{
	struct gate *gate = &((struct load *)context)->search;
	const char *why = read_gate(value, gate);

	if (why != NULL)
		return why;
	why = gate_why_no_goal(gate);
	return why != NULL ? expected("a goal: %s", why) : NULL;
}

const char *
field_rate(const char *value, void *context)
{
	struct load *load = context;
	const char *why = plan_read_rate(value, &load->rate);

	if (why != NULL)
		return expected("a rate: %s", why);
	load->is_open = true;
	return copy(value, load->rate_text, sizeof load->rate_text) ? NULL
								    : TOO_LONG(load->rate_text);
}

const char *
field_arrivals(const char *value, void *context)
{
	struct load *load = context;

	if (!plan_read_arrivals(value, &load->arrivals, &load->burst))
		return "uniform, poisson or burst:N";
	return copy(value, load->arrivals_text, sizeof load->arrivals_text)
		       ? NULL
		       : TOO_LONG(load->arrivals_text);
}

const char *
field_size(const char *value, void *context)
{
	struct load *load = context;
	const char *why = sizes_read(value, &load->sizes);

	if (why != NULL)
		return expected("a size: %s", why);
	return copy(value, load->sizes_text, sizeof load->sizes_text) ? NULL
								      : TOO_LONG(load->sizes_text);
}

const char *
field_alpn(const char *value, void *context)
{
	struct load *load = context;
	char *rest = load->alpn_names;
	size_t count = 0;

	if (!copy(value, load->alpn_names, sizeof load->alpn_names))
		return TOO_LONG(load->alpn_names);
	copy(value, load->alpn_text, sizeof load->alpn_text);
	while (rest != NULL) {
		const char *name = strsep(&rest, ",");

		if (count == LOAD_ALPN_MAX)
			return expected("at most %d protocols", LOAD_ALPN_MAX);
		for (const char *at = name; at == name || *at != '\0'; at++)
			if (*at < '!' || *at > '~')
				return "names of protocols, as in h2,http/1.1";
		load->alpn[count++] = name;
	}
	load->alpn[count] = NULL;
	return NULL;
}

void
field_add_sources(struct load *load, uint32_t first, uint32_t last)
{
	for (; first <= last && load->source_count < LOAD_SOURCES_MAX; first++)
		load->sources[load->source_count++].s_addr = htonl(first);
}

static bool
read_address(const char *text, uint32_t *address)
{
	struct in_addr read;

	if (inet_pton(AF_INET, text, &read) != 1)
		return false;
	*address = ntohl(read.s_addr);
	return true;
}

const char *
field_sources(const char *value, void *context)
{
	struct load *load = context;
	char text[1024], *rest = NULL;

	if (!copy(value, text, sizeof text))
		return TOO_LONG(text);
	load->source_count = 0;
	for (char *item = strtok_r(text, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		char *slash = strchr(item, '/'), *dash = strchr(item, '-');
		uint32_t first, last;
		uint64_t length = 32;

		if (slash != NULL)
			*slash = '\0';
		if (dash != NULL)
			*dash = '\0';
		if (!read_address(item, &first) ||
			(dash != NULL && !read_address(dash + 1, &last)) ||
			(slash != NULL &&
				(!values_read_plain(slash + 1, 32, &length) || length < 8)))
			return "A.B.C.D, A.B.C.D/LEN or FIRST-LAST";
		if (dash != NULL && last < first)
			return "written from low to high";
		if (dash == NULL) {
			uint32_t hosts = length == 32 ? 0 : UINT32_MAX >> length;

			first &= ~hosts;
			last = first + hosts;
			/* Leave out the network's own address and its broadcast address. */
			if (length < 31) {
				first++;
				last--;
			}
		}
		field_add_sources(load, first, last);
	}
	return load->source_count == 0 ? "the name of any address" : NULL;
}

const char *
field_slow(const char *value, void *context)
{
	struct load *load = context;
	char text[64], *at;
	uint64_t count;

	if (!copy(value, text, sizeof text))
		return TOO_LONG(text);
	at = strchr(text, '@');
	if (at != NULL)
		*at++ = '\0';
	if (at == NULL || !values_read_whole(text, &count) ||
		!values_read_number(at, &load->slow_rate) || load->slow_rate < 1 ||
		count > LOAD_CONNECTIONS_MAX)
		return "N@RATE, as in 8@1k: 8 connections of 1000 bytes a second";
	load->slow = (unsigned)count;
	return NULL;
}

const char *
field_percentiles(const char *value, void *context)
{
	struct load *load = context;
	char text[256], *rest = NULL;

	if (!copy(value, text, sizeof text))
		return TOO_LONG(text);
	load->percentile_count = 0;
	for (char *item = strtok_r(text, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		double percent;

		if (strcmp(item, "max") == 0)
			continue; /* the maximum is always shown */
		if (load->percentile_count == LOAD_PERCENTILES_MAX)
			return expected("at most %d numbers", LOAD_PERCENTILES_MAX);
		if (!values_read_number(item, &percent) || percent > 100)
			return expected("numbers from 0 to 100: '%s'", item);
		load->percentiles[load->percentile_count++] = percent;
	}
	return *value == '\0' ? "any number" : NULL;
}

const char *
field_cpus(const char *value, void *context)
{
	struct load *load = context;
	char text[512], *rest = NULL;

	if (!copy(value, text, sizeof text))
		return TOO_LONG(text);
	for (char *item = strtok_r(text, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		unsigned first, last;
		uint64_t alone;

		if (values_read_plain(item, UINT_MAX, &alone))
			first = last = (unsigned)alone;
		else if (!values_read_pair(item, '-', UINT_MAX, &first, &last))
			return expected("a CPU or a range of them: '%s'", item);
		if (first > last || last >= CPU_SETSIZE)
			return expected("a range of CPUs below %d: '%s'", CPU_SETSIZE, item);
		for (; first <= last; first++)
			if (load->cpu_count < LOAD_CPUS_MAX)
				load->cpus[load->cpu_count++] = first;
	}
	return load->cpu_count == 0 ? "the number of any CPU" : NULL;
}

const char *
field_max_regress(const char *value, void *context)
{
	return values_read_percentage(value, &((struct load *)context)->max_regress)
		       ? NULL
		       : "a percentage, such as 5%";
}

const char *
field_max_lag(const char *value, void *context)
{
	struct load *load = context;

	load->max_lag = 0;
	if (strchr(value, '%') != NULL)
		return values_read_percentage(value, &load->max_lag_share)
			       ? NULL
			       : "a percentage, such as 5%";
	return values_read_time(value, &load->max_lag) && load->max_lag > 0
		       ? NULL
		       : "a time above 0 (250ms; without a unit seconds), or a percentage";
}

const char *
field_server_stats(const char *value, void *context)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why, *host = strncmp(value, "http://", 7) == 0 ? value + 7 : value;
	char text[ADDRESS_TEXT_SIZE * 4];

	snprintf(text, sizeof text, "%.*s", (int)strcspn(host, "/"), host);
	if (strchr(text, ':') == NULL)
		return "the address of an --admin: HOST:PORT, [V6]:PORT or :PORT";
	if (address_parse(text, addresses, &why) == 0)
		return expected("the address of an --admin: it %s", why);
	((struct load *)context)->server_stats = value;
	return NULL;
}

const char *
field_start_at(const char *value, void *context)
{
	struct load *load = context;
	int64_t moment, left;

	if (!moment_read(value, &moment))
		return "a time, such as 2026-12-02T17:00:00Z, @1796230800 or 17:00:00 (today)";
	left = moment - moment_now();
	if (left <= 0)
		return expected("to come: it was %.1f s ago", (double)-left / 1e9);
	if (left > START_AT_MOST)
		return "within a year";
	load->start_at = moment;
	return NULL;
}

const char *
field_grid(const char *value, void *context)
{
	struct load *load = context;
	char text[512], *rest = NULL;

	if (!copy(value, text, sizeof text))
		return TOO_LONG(text);
	load->grid_count = 0;
	for (char *item = strtok_r(text, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		struct load_shape *shape = &load->grid[load->grid_count];

		if (load->grid_count == LOAD_SHAPES_MAX)
			return expected("at most %d shapes", LOAD_SHAPES_MAX);
		if (!values_read_pair(item, 'x', UINT_MAX, &shape->processes, &shape->threads) ||
			shape->processes == 0 || shape->threads == 0)
			return strcmp(item, value) == 0
				       ? "processes x threads, as in 2x1"
				       : expected("processes x threads, as in 2x1: '%s'", item);
		load->grid_count++;
	}
	return load->grid_count == 0 ? "any shape, as in 2x1" : NULL;
}

/* Copies the host of HOST:PORT, without brackets: the name that the server's certificate must
 * have. */
static void
name_host(const char *text, char *host, size_t size)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;

	if (length >= 2 && text[0] == '[')
		snprintf(host, size, "%.*s", (int)length - 2, text + 1);
	else
		snprintf(host, size, "%.*s", (int)length, text);
}

void
field_target(struct load *load, const char *value)
{
	struct address addresses[ADDRESSES_MAX], *target = &load->targets[load->target_count];
	const char *why;
	char text[ADDRESS_TEXT_SIZE * 4];
	bool is_udp = strncmp(value, "udp:", 4) == 0;
	const char *rest = is_udp ? value + 4 : value;
	/* For a client ":PORT" means this machine. */
	int length = snprintf(text, sizeof text, "%s%s%s", is_udp ? "udp:" : "",
		rest[0] == ':' ? "127.0.0.1" : "", rest);

	if (load->target_count == LOAD_TARGETS_MAX)
		refuse("more than %d targets", LOAD_TARGETS_MAX);
	if (length >= (int)sizeof text)
		refuse("'%s' is too long", value);
	if (address_parse(text, addresses, &why) == 0) {
		if (errno == EINVAL)
			refuse("'%s' %s", value, why);
		fprintf(stderr, "hubbub-load: '%s' %s\n", value, why);
		exit(LOAD_FAILED);
	}
	/* If the name has more addresses, target_choose finds one that answers. */
	*target = addresses[0];
	if (address_is_open(target))
		refuse("'%s': port 0 is none to connect to", value);
	address_format(target, load->target_text[load->target_count]);
	name_host(text, load->tls_name[load->target_count], sizeof load->tls_name[0]);
	load->target_count++;
}
