#include "tests/load/field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/value.h"

void
field_gate(const char *option, const char *value, struct gate *gates, unsigned *count)
{
	char why[256];

	if (*count == LOAD_GATES_MAX)
		value_refuse("--%s: more than %d", option, LOAD_GATES_MAX);
	if (!gate_read(value, &gates[(*count)++], why, sizeof why))
		value_refuse("--%s: '%s': %s", option, value, why);
}

void
field_rate(struct load *load, const char *value)
{
	const char *why = plan_read_rate(value, &load->rate);

	if (why != NULL)
		value_refuse("--rate: '%s': %s", value, why);
	value_copy("rate", value, load->rate_text, sizeof load->rate_text);
	load->is_open = true;
}

void
field_size(struct load *load, const char *value)
{
	const char *why = sizes_read(value, &load->sizes);

	if (why != NULL)
		value_refuse("--size: '%s': %s", value, why);
	value_copy("size", value, load->sizes_text, sizeof load->sizes_text);
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

void
field_sources(struct load *load, const char *value)
{
	char copy[1024], *rest = NULL;

	value_copy("source", value, copy, sizeof copy);
	load->source_count = 0;
	for (char *item = strtok_r(copy, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		char *slash = strchr(item, '/'), *dash = strchr(item, '-');
		uint32_t first, last;
		unsigned length = 32;
		char more;

		if (slash != NULL)
			*slash = '\0';
		if (dash != NULL)
			*dash = '\0';
		if (!read_address(item, &first) ||
			(dash != NULL && !read_address(dash + 1, &last)) ||
			(slash != NULL && (sscanf(slash + 1, "%u%c", &length, &more) != 1 ||
						  length < 8 || length > 32)))
			value_refuse(
				"--source: '%s' is not A.B.C.D, A.B.C.D/LEN or FIRST-LAST", value);
		if (dash != NULL && last < first)
			value_refuse("--source: '%s' is written from low to high", value);
		if (dash == NULL) {
			uint32_t hosts = length == 32 ? 0 : UINT32_MAX >> length;

			first &= ~hosts;
			last = first + hosts;
			/* Neither the network's address nor its broadcast. */
			if (length < 31) {
				first++;
				last--;
			}
		}
		field_add_sources(load, first, last);
	}
	if (load->source_count == 0)
		value_refuse("--source: names none");
}

void
field_slow(struct load *load, const char *value)
{
	char copy[64], *at;
	double count;

	value_copy("slow", value, copy, sizeof copy);
	at = strchr(copy, '@');
	if (at != NULL)
		*at++ = '\0';
	if (at == NULL || !units_read_count(copy, &count) ||
		!units_read_count(at, &load->slow_rate) || load->slow_rate < 1 ||
		count > LOAD_CONNECTIONS_MAX)
		value_refuse(
			"--slow: '%s' is not N@RATE, as in 8@1k: 8 connections of 1000 bytes a "
			"second",
			value);
	load->slow = (unsigned)count;
}

void
field_percentiles(struct load *load, const char *value)
{
	char copy[256], *rest = NULL;

	value_copy("percentiles", value, copy, sizeof copy);
	load->percentile_count = 0;
	for (char *item = strtok_r(copy, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		double percent;

		if (strcmp(item, "max") == 0)
			continue; /* always shown */
		if (load->percentile_count == LOAD_PERCENTILES_MAX)
			value_refuse("--percentiles: more than %d", LOAD_PERCENTILES_MAX);
		if (!units_read_count(item, &percent) || percent > 100)
			value_refuse("--percentiles: '%s' is not a number from 0 to 100", item);
		load->percentiles[load->percentile_count++] = percent;
	}
	if (*value == '\0')
		value_refuse("--percentiles: names none");
}

void
field_cpus(struct load *load, const char *value)
{
	char copy[512], *rest = NULL;

	value_copy("cpus", value, copy, sizeof copy);
	for (char *item = strtok_r(copy, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		unsigned first, last;
		char more;
		int read = sscanf(item, "%u-%u%c", &first, &last, &more);

		if (read == 1 && sscanf(item, "%u%c", &first, &more) == 1)
			last = first;
		else if (read != 2)
			value_refuse("--cpus: '%s' is not a CPU or a range of them", item);
		if (first > last || last >= CPU_SETSIZE)
			value_refuse(
				"--cpus: '%s' is not a range of CPUs below %d", item, CPU_SETSIZE);
		for (; first <= last; first++)
			if (load->cpu_count < LOAD_CPUS_MAX)
				load->cpus[load->cpu_count++] = first;
	}
	if (load->cpu_count == 0)
		value_refuse("--cpus: names none");
}

void
field_max_lag(struct load *load, const char *value)
{
	load->max_lag = 0;
	if (strchr(value, '%') != NULL)
		load->max_lag_share = value_share("max-lag", value);
	else
		load->max_lag = value_time("max-lag", value, 1);
}

void
field_server_stats(struct load *load, const char *value)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why, *host = strncmp(value, "http://", 7) == 0 ? value + 7 : value;
	char text[ADDRESS_TEXT_SIZE * 4];

	snprintf(text, sizeof text, "%.*s", (int)strcspn(host, "/"), host);
	if (address_parse(text, addresses, &why) == 0)
		value_refuse("--server-stats: '%s' %s", value, why);
	load->server_stats = value;
}

void
field_grid(struct load *load, const char *value)
{
	char copy[512], *rest = NULL;

	value_copy("grid", value, copy, sizeof copy);
	load->grid_count = 0;
	for (char *item = strtok_r(copy, ",", &rest); item != NULL;
		item = strtok_r(NULL, ",", &rest)) {
		struct load_shape *shape = &load->grid[load->grid_count];
		char more;

		if (load->grid_count == LOAD_SHAPES_MAX)
			value_refuse("--grid: more than %d", LOAD_SHAPES_MAX);
		if (sscanf(item, "%ux%u%c", &shape->processes, &shape->threads, &more) != 2 ||
			shape->processes == 0 || shape->threads == 0)
			value_refuse("--grid: '%s' is not processes x threads, as in 2x1", item);
		load->grid_count++;
	}
	if (load->grid_count == 0)
		value_refuse("--grid: names none");
}

/* The host of HOST:PORT, without brackets: whom its certificate is to be for. */
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
	/* To a client, ":PORT" is this machine. */
	int length = snprintf(text, sizeof text, "%s%s%s", is_udp ? "udp:" : "",
		rest[0] == ':' ? "127.0.0.1" : "", rest);

	if (load->target_count == LOAD_TARGETS_MAX)
		value_refuse("more than %d targets", LOAD_TARGETS_MAX);
	if (length >= (int)sizeof text)
		value_refuse("'%s' is too long", value);
	if (address_parse(text, addresses, &why) == 0) {
		if (errno == EINVAL)
			value_refuse("'%s' %s", value, why);
		fprintf(stderr, "hubbub-load: '%s' %s\n", value, why);
		exit(LOAD_FAILED);
	}
	/* If it has others, target_choose looks which one answers. */
	*target = addresses[0];
	if (address_is_open(target))
		value_refuse("'%s': port 0 is none to connect to", value);
	address_format(target, load->target_text[load->target_count]);
	name_host(text, load->tls_name[load->target_count], sizeof load->tls_name[0]);
	load->target_count++;
}
