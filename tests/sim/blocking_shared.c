/* In the place of tests/unit/hub/blocking_threads.c, since no thread takes for ever here: what
 * threads share. And what blocking_descriptors.c needs of calls that block elsewhere. */
#include <fcntl.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/support/full.h"
#include "tests/unit/hub/blocking.h"

/* The simulated kernel's; and what blocking_descriptors.c calls by the name connect. */
int kernel_connect(int fd, const struct sockaddr *address, socklen_t length);
int connect_in_world(int fd, const struct sockaddr *address, socklen_t length);

int
connect_in_world(int fd, const struct sockaddr *address, socklen_t length)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK ? kernel_connect(fd, address, length)
					       : hub_connect(fd, address, length);
}

void
full_stream(int ends[2])
{
	static const char zeros[65536];
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[0] = hub_socket(AF_INET, SOCK_STREAM, 0);
	hub_connect(ends[0], (struct sockaddr *)&address, length);
	ends[1] = hub_accept(listener, NULL, NULL);
	hub_close(listener);
	/* What is on its way makes room once it has arrived. */
	for (int i = 0; i < 2; i++) {
		while (hub_send(ends[0], zeros, sizeof zeros, MSG_DONTWAIT) > 0)
			continue;
		hub_sleep(HUB_SECOND);
	}
}

/* Things that never happen. */
static struct {
	struct hub_shared_semaphore *semaphore;
	struct hub_shared_event *event;
	struct hub_shared_queue *empty, *full;
} never;

static int
call_shared_semaphore(void)
{
	return hub_shared_semaphore_acquire(never.semaphore);
}

static int
call_shared_event(void)
{
	return hub_shared_event_wait(never.event);
}

static int
call_shared_queue_get(void)
{
	void *item;

	return hub_shared_queue_get(never.empty, &item);
}

static int
call_shared_queue_put(void)
{
	return hub_shared_queue_put(never.full, NULL);
}

const struct blocking_call blocking_threads[] = {
	{"hub_shared_semaphore_acquire", call_shared_semaphore},
	{"hub_shared_event_wait", call_shared_event},
	{"hub_shared_queue_get", call_shared_queue_get},
	{"hub_shared_queue_put", call_shared_queue_put},
	{0},
};

void
blocking_threads_prepare(void)
{
}

void
blocking_threads_begin(void)
{
	never.semaphore = hub_shared_semaphore_new(0);
	never.event = hub_shared_event_new();
	never.empty = hub_shared_queue_new(0);
	never.full = hub_shared_queue_new(1);
	hub_shared_queue_put(never.full, NULL);
}

void
blocking_threads_end(void)
{
	void *item;

	hub_shared_queue_try_get(never.full, &item);
	hub_shared_queue_free(never.full);
	hub_shared_queue_free(never.empty);
	hub_shared_event_free(never.event);
	hub_shared_semaphore_free(never.semaphore);
}
