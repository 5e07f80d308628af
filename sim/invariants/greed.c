/* A peer may send for ever. Whoever receives from one descriptor again and again, in one stay at
 * the processor, must look at the clock now and then, or the hub's others never run. */
#include "sim/invariants/greed_priv.h"

#include "hub/scheduler_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

#define IN_A_ROW 64

/* The last call that has received. */
static struct {
	const struct hub *hub;
	uint64_t taken; /* by which coroutines are told apart that run one after another */
	unsigned long inode;
} last;

unsigned greed_count; /* of such calls */

void
greed_received(const struct file *file, int fd)
{
	const struct hub *hub = hub_this;

	if (hub == NULL)
		return;
	if (hub != last.hub || hub->taken != last.taken || file->inode != last.inode)
		greed_count = 0;
	last.hub = hub;
	last.taken = hub->taken;
	last.inode = file->inode;
	if (++greed_count > IN_A_ROW)
		world_fail("descriptor %d is received from more than %d times in a row, without a "
			   "look at the clock or at others",
			fd, IN_A_ROW);
}
