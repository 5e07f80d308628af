/* Each connection that was accepted is accounted for, all permits are back, and no row of the
 * segment belongs to anybody. A permit that is missing counts as a lost connection. */
#include "tests/sim/worker/account.h"

#include <stdio.h>

#include "tests/sim/worker/background.h"
#include "tests/sim/worker/process.h"

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
