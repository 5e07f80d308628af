/* What the command line leaves open is derived here from the machine and the targets. The number of
 * source addresses follows from ports: connect(2) finds a free port quickly only while most are
 * free, and a connection that the load closes first keeps its port for a minute. */
#include "tests/load/ask/complete.h"

#include <arpa/inet.h>

#include "master/start/cpus.h"
#include "tests/load/ask/field.h"
#include "tests/load/ask/machine.h"
#include "tests/load/ask/refuse.h"
#include "tests/load/ask/target.h"

#define LOOPBACK UINT32_C(0x7f000001)
#define CHURN_SOURCES 64
/* Of a source address's ports that are used before another address is added. */
#define PORTS_SHARE 0.4

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
	/* connect(2) first searches the ports of one parity, and searches long where few are
	 * free. */
	double room = PORTS_SHARE * machine_ports() * load->target_count;
	double all = (double)load->connections + load->idle;
	bool is_local = true, has_ports = false;

	for (unsigned i = 0; i < load->target_count; i++)
		is_local = is_local && is_loopback(&load->targets[i]);
	for (unsigned i = 0; i < load->target_count; i++)
		has_ports = has_ports || load->targets[i].kind != ADDRESS_UNIX;
	for (unsigned i = 0; i < load->target_count && load->source_count > 0; i++)
		if (load->targets[i].socket.ss_family != AF_INET)
			refuse("--source names IPv4 addresses, but the target is %s",
				load->target_text[i]);
	if (load->source_count == 0 && is_local && load->close != LOAD_CLOSE_RST &&
		(load->churn >= 0 || load->lifetime != LOAD_NEVER))
		/* A connection that this end closes first keeps its port for a minute
		 * (TIME_WAIT). */
		field_add_sources(load, LOOPBACK, LOOPBACK + CHURN_SOURCES - 1);
	if (load->source_count > 0 || all <= room || room <= 0 || !has_ports)
		return;
	/* Which source addresses lead to another machine is not known here; preflight warns
	 * instead. */
	if (!is_local)
		return;
	field_add_sources(load, LOOPBACK, LOOPBACK + (uint32_t)(all / room));
}

void
complete_load(struct load *load)
{
	unsigned cpus = cpus_allowed(), all = load->connections + load->idle;
	/* Descriptors that a process has besides its connections: a handful for each thread. */
	uint64_t files = machine_raise_files(), own = 64;

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
		refuse("--processes x --threads: %u x %u are more than %d threads", load->processes,
			load->threads, LOAD_THREADS_MAX);
	while (load->threads > 1 && load->processes * load->threads > all)
		load->threads--;
	while (load->processes > 1 && load->processes * load->threads > all)
		load->processes--;
	target_choose(load);
	choose_sources(load);
}
