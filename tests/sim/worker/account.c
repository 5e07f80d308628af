/* Each connection that was accepted is accounted for, all permits are back, and no row of the
 * segment belongs to anybody. A permit that is missing counts as a lost connection. */
#include "tests/sim/worker/account.h"

#include <netinet/in.h>
#include <stdio.h>

#include "tests/sim/worker/background.h"
#include "tests/sim/worker/process.h"
#include "worker/tally.h"

bool
account_are_closed(const struct counters *counters)
{
	for (uint32_t i = 0; i < counters->used; i++)
		if (counters->rows[i].state == ROW_LIVE && counters_open(&counters->rows[i]) != 0)
			return false;
	return true;
}

static bool
are_folded(const struct counters *counters)
{
	for (uint32_t i = 0; i < counters->used; i++)
		if (counters->rows[i].state != ROW_FREE && counters->rows[i].state != ROW_LEDGER)
			return false;
	return true;
}

/* Each connection that was accepted was served and closed, by whichever hub, or refused at once;
 * or there was no memory to serve it, or its worker was killed before. */
static bool
adds_up(const struct worker_row *total, bool may_drop)
{
	uint64_t served = total->opened + total->refused_sender;

	return total->opened == total->closed &&
	       (total->accepted == served || (may_drop && total->accepted > served));
}

const char *
account_check(const struct counters *counters, const struct worker_row *total,
	const struct server_shape *shape, bool has_died)
{
	struct processes_deaths deaths = processes_deaths();
	static char text[200];

	if (deaths.hung != 0)
		return "a worker had to be killed that nothing held up";
	if (deaths.failed != 0 && !shape->is_starved)
		return "a worker has ended with an error";
	if (background_were_two())
		return "two processes have run the background function of the server at once";
	if (processes_are_left())
		return "a worker is left";
	if (!are_folded(counters))
		return "a row of the counters still belongs to a process";
	if (adds_up(total, shape->is_starved || deaths.sudden > 0) &&
		(total->lost == 0 || has_died || deaths.sudden > 0))
		return NULL;
	snprintf(text, sizeof text, "accepted %lu, opened %lu, closed %lu, refused %lu, lost %lu",
		(unsigned long)total->accepted, (unsigned long)total->opened,
		(unsigned long)total->closed, (unsigned long)total->refused_sender,
		(unsigned long)total->lost);
	return text;
}

/* The connections that a peer has left in cells of the tally. */
static uint64_t
count_left(const struct tally *tally, uint64_t peer)
{
	const struct tally_cell *bucket = tally->buckets[tally_bucket(tally, peer)];
	uint64_t left = 0;

	for (unsigned i = 0; i < TALLY_CELLS; i++)
		left += bucket[i].peer == peer ? tally_open(&bucket[i]) : 0;
	return left;
}

const char *
account_check_peers(const struct tally *tally, const struct worker_row *total)
{
	struct sockaddr_storage v4 = {.ss_family = AF_INET}, v6 = {.ss_family = AF_INET6};
	uint64_t peer = 0, other = 0, left;

	((struct sockaddr_in *)&v4)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	((struct sockaddr_in6 *)&v6)->sin6_addr = in6addr_loopback;
	tally_peer(&v4, &peer);
	tally_peer(&v6, &other);
	left = count_left(tally, peer) + count_left(tally, other);
	if (total->refused_peer != 0 || total->uncounted != 0)
		return "a peer has met a limit that it has not reached";
	/* A worker that is killed takes nothing back: its cells count no more. */
	if (left > 0 && processes_deaths().sudden == 0)
		return "a connection that has ended still counts for its peer";
	return NULL;
}
