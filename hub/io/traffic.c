/* Where the bytes of a descriptor are counted lies in its entry, in the data of the read watcher,
 * which libev leaves to us, beside what each call has at hand: counting nothing costs a load and a
 * branch. */
#include "hub/io/traffic.h"

#include "hub/base/check.h"
#include "hub/io/fd_priv.h"
#include "hub/io/traffic_priv.h"

int
traffic_begin(int fd, struct traffic *traffic)
{
	struct hub_fd *entry = fd_lookup(hub_this, fd);

	if (entry == NULL)
		return -1;
	CHECK_WHY(entry->read.data == NULL, "a descriptor's bytes have one reader");
	*traffic = (struct traffic){0};
	entry->read.data = traffic;
	return 0;
}

bool
traffic_end(int fd, const struct traffic *traffic)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL || entry->read.data != traffic)
		return false;
	entry->read.data = NULL;
	return true;
}

void
traffic_received(int fd, size_t bytes)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL)
		return;
	fd_note_received(hub_this, entry);
	fd_carry_in(entry, bytes);
}

void
traffic_sent(int fd, size_t bytes)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL)
		return;
	fd_note_sent(hub_this, entry);
	fd_carry_out(entry, bytes);
}
