/* Orders are remembered in the slot until the channel takes them: the master never waits for a
 * worker. */
#include "master/fleet/orders.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "worker/nofile.h"

#define LOGS_MISSED_MAX 200

bool
orders_send(struct slot *slot, const struct channel_message *message, int descriptor)
{
	CHECK_WHY(channel_has_file(message->kind) == (descriptor != -1),
		"a file goes with the kinds that bring one, or it is missing or lost");
	if (slot->channel == -1)
		return false;
	if (channel_send(slot->channel, message, descriptor) == 0)
		return true;
	if (errno != EPIPE && errno != ECONNRESET)
		log_warning("cannot reach worker %u (pid %d): %s", slot->index, (int)slot->pid,
			strerror(errno));
	return false;
}

void
orders_catch_up(struct slot *slot)
{
	const int logs[CHANNEL_LOG_MAX] = {STDERR_FILENO, slot->generation->fleet->access_file};
	struct channel_message accept = {.kind = CHANNEL_ACCEPT};
	struct channel_message leave_message = {
		.kind = slot->leave_message, .value = slot->generation->config.drain_timeout};

	for (int log = 0; log < CHANNEL_LOG_MAX; log++) {
		struct channel_message reopen = {.kind = CHANNEL_REOPEN, .value = log};

		if (slot->must_reopen[log] && logs[log] != 0 &&
			orders_send(slot, &reopen, logs[log]))
			slot->must_reopen[log] = false;
	}
	if (slot->must_accept && orders_send(slot, &accept, -1))
		slot->must_accept = false;
	if (slot->must_leave && orders_send(slot, &leave_message, -1))
		slot->must_leave = false;
}

void
orders_accept(struct slot *slot)
{
	slot->must_accept = true;
	orders_catch_up(slot);
}

void
orders_reopen(struct slot *slot, enum channel_log log)
{
	CHECK(log < CHANNEL_LOG_MAX);
	slot->must_reopen[log] = slot->channel != -1;
	slot->logs_missed = 0;
	orders_catch_up(slot);
}

void
orders_reopen_again(struct slot *slot, int64_t log)
{
	if (log < 0 || log >= CHANNEL_LOG_MAX)
		return;
	slot->must_reopen[log] = ++slot->logs_missed < LOGS_MISSED_MAX;
	if (slot->logs_missed == LOGS_MISSED_MAX)
		log_warning("worker %u (pid %d) has no file left for the new log, and writes to "
			    "the old one (raise the limit: %s)",
			slot->index, (int)slot->pid, nofile_advice_here());
}
