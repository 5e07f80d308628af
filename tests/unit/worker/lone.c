#include "tests/unit/worker/lone.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

static void
ignore(struct hub_message *message)
{
	(void)message;
}

void
lone_begin(struct lone *lone, void (*serve)(int client, void *context))
{
	socklen_t length = sizeof lone->address;

	lone->address = (struct sockaddr_in){.sin_family = AF_INET};
	lone->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lone->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(lone->listener, (struct sockaddr *)&lone->address, length), 0);
	cr_assert_eq(listen(lone->listener, 16), 0);
	getsockname(lone->listener, (struct sockaddr *)&lone->address, &length);
	lone->counters = counters_new(&lone->file);
	lone->row = counters_claim(lone->counters, 0, 1, 1);
	lone->heritage = (struct worker_heritage){.serve = serve,
		.threads = 1,
		.addresses = 1,
		.backlog = 16,
		.sockets = &lone->listener,
		.counters = lone->counters,
		.rows = lone->row};
	cr_assert_eq(thread_init(&lone->thread, &lone->heritage, 0, NULL), 0);
	lone->thread.siblings = &lone->thread;
	lone->thread.on_news = ignore;
	lone->thread.sibling_count = 1;
}

void
lone_end(struct lone *lone)
{
	thread_fini(&lone->thread);
	counters_free(&lone->counters);
	close(lone->file);
}
