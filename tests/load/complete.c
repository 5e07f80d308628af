#include "tests/load/complete.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "master/cpus.h"
#include "tests/load/field.h"
#include "tests/load/preflight.h"
#include "tests/load/target.h"
#include "tests/load/value.h"

#define LOOPBACK UINT32_C(0x7f000001)
#define CHURN_SOURCES 64
#define PORTS_SHARE 0.4 /* of an address that are used before another one is */

static bool
is_loopback(const struct address *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&address->socket;

	return address->kind != ADDRESS_UNIX && v4->sin_family == AF_INET &&
	       ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

static void
choose_sources(struct load *load)
{
	/* connect(2) looks for a free port among those of one parity first, and long where few are left. */
	double room = PORTS_SHARE * preflight_ports() * load->target_count;
	double all = (double)load->connections + load->idle;
	bool is_local = true, has_ports = false;

	for (unsigned i = 0; i < load->target_count; i++)
		is_local = is_local && is_loopback(&load->targets[i]);
	for (unsigned i = 0; i < load->target_count; i++)
		has_ports = has_ports || load->targets[i].kind != ADDRESS_UNIX;
	for (unsigned i = 0; i < load->target_count && load->source_count > 0; i++)
		if (load->targets[i].socket.ss_family != AF_INET)
			value_refuse("--source names IPv4 addresses, but the target is %s",
				load->target_text[i]);
	if (load->source_count == 0 && is_local && load->close != LOAD_CLOSE_RST &&
		(load->churn >= 0 || load->lifetime != LOAD_NEVER))
		/* A connection that we close first keeps its port for a minute. */
		field_add_sources(load, LOOPBACK, LOOPBACK + CHURN_SOURCES - 1);
	if (load->source_count > 0 || all <= room || room <= 0 || !has_ports)
		return;
	if (!is_local && all <= room / PORTS_SHARE)
		return;
	if (!is_local) {
		fprintf(stderr,
			"hubbub-load: %.0f connections from one address have only %.0f ports; "
			"spread them with --source\n",
			all, room / PORTS_SHARE);
		return;
	}
	field_add_sources(load, LOOPBACK, LOOPBACK + (uint32_t)(all / room));
}

void
complete_load(struct load *load)
{
	unsigned cpus = cpus_allowed(), all = load->connections + load->idle;
	/* Each thread has a handful of descriptors of its own. */
	uint64_t files = preflight_raise_files(), own = 64;

	if (load->processes == 0) {
		uint64_t room = files > 2 * own ? files - own : own;

		load->processes = (unsigned)((all + room - 1) / room);
		if (load->processes == 0)
			load->processes = 1;
		if (load->processes > LOAD_PROCESSES_MAX)
			load->processes = LOAD_PROCESSES_MAX;
	}
	if (load->threads == 0) {
		load->threads = cpus / 2 / load->processes;
		if (load->threads == 0)
			load->threads = 1;
	}
	if (load->processes * load->threads > LOAD_THREADS_MAX)
		value_refuse("--processes x --threads: %u x %u are more than %d threads",
			load->processes, load->threads, LOAD_THREADS_MAX);
	while (load->threads > 1 && load->processes * load->threads > all)
		load->threads--;
	while (load->processes > 1 && load->processes * load->threads > all)
		load->processes--;
	target_choose(load);
	choose_sources(load);
}

/* ---- printing ---- */

static void
print_time(const char *name, int64_t time)
{
	if (time == LOAD_NEVER)
		printf("# --%s: off\n", name);
	else
		printf("--%s=%.9gs\n", name, (double)time / 1e9);
}

void
complete_print(const struct load *load)
{
	for (unsigned i = 0; i < load->target_count; i++)
		printf("%s\n", load->target_text[i]);
	if (load->is_open)
		printf("--rate=%s\n--arrivals=%s\n--max-inflight=%u\n--overload=%s\n",
			load->rate_text, load->arrivals_text, load->max_inflight,
			load->sheds ? "shed" : "queue");
	else
		printf("--closed=%u\n", load->depth);
	printf("--connections=%u\n--idle=%u\n--processes=%u\n--threads=%u\n--connect-rate=%.0f\n",
		load->connections, load->idle, load->processes, load->threads, load->connect_rate);
	print_time("connect-timeout", load->connect_timeout);
	if (load->churn >= 0)
		printf("--churn=%lld\n", (long long)load->churn);
	else
		printf("# --churn: off\n");
	print_time("lifetime", load->lifetime);
	printf("--close=%s\n", load_close_names[load->close]);
	if (load->source_count > 0)
		printf("# %u source addresses\n", load->source_count);
	if (load->has_tls)
		printf("--tls\n");
	if (load->authorities != NULL)
		printf("--tls-ca=%s\n", load->authorities);
	if (load->trusts_anybody)
		printf("--tls-insecure\n");
	printf("--size=%s\n--framing=%s\n--verify=%s\n--nodelay=%s\n--seed=%llu\n",
		load->sizes_text, message_framing_names[load->framing],
		message_verify_names[load->verify], load->nodelay ? "on" : "off",
		(unsigned long long)load->seed);
	print_time("timeout", load->timeout);
	print_time("deadline", load->deadline);
	print_time("warmup", load->warmup);
	print_time("duration", load->duration);
	if (load->count != 0)
		printf("--count=%llu\n", (unsigned long long)load->count);
	printf("--repeat=%u\n", load->repeat);
	print_time("interval", load->interval);
}
