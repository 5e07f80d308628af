/* What each further hub costs those that all hubs share: a connection on its way through the
 * group's steering program, and the master, which attaches that program and asks the sockets how
 * many wait. Seats are listening sockets of one group; nothing sits on them but this thread. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "master/sockets/steering.h"
#include "tests/bench/bench.h"
#include "tests/load/count/median.h"

#define SEATS STEERING_MEMBERS_MAX
#define ROUNDS 5
#define ROUNDS_MAX 31
#define CONNECTS 5000 /* of a round */
#define ATTACHES 50

static const unsigned sizes[] = {1, 2, 16, 64, 256, 1000, SEATS};

#define SIZES (sizeof sizes / sizeof sizes[0])

struct group {
	struct sockaddr_in address;
	int listeners[SEATS];
	unsigned count;
	int epoll;
};

/* ---- the group ---- */

static bool
add_seat(struct group *group)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	socklen_t length = sizeof group->address;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&group->address, length) != 0 || listen(fd, 128) != 0 ||
		getsockname(fd, (struct sockaddr *)&group->address, &length) != 0 ||
		epoll_ctl(group->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	group->listeners[group->count++] = fd;
	return true;
}

static bool
open_group(struct group *group, unsigned seats)
{
	*group = (struct group){
		.address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.epoll = epoll_create1(EPOLL_CLOEXEC)};
	while (group->count < seats)
		if (!add_seat(group)) {
			perror("hubbub-bench: a seat");
			return false;
		}
	return true;
}

static void
close_group(struct group *group)
{
	while (group->count > 0)
		close(group->listeners[--group->count]);
	close(group->epoll);
}

/* ---- measuring, in microseconds of this thread's CPU ---- */

static double
cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* On loopback the connecting thread itself runs the kernel's side of the listener. */
static double
connect_often(struct group *group)
{
	const struct linger reset = {.l_onoff = 1};
	double began = cpu_now();

	for (int i = 0; i < CONNECTS; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), served;
		struct epoll_event event;

		if (connect(client, (struct sockaddr *)&group->address, sizeof group->address) !=
				0 ||
			epoll_wait(group->epoll, &event, 1, -1) != 1)
			abort();
		served = accept4(event.data.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(client);
		close(served);
	}
	return (cpu_now() - began) / CONNECTS;
}

static double
attach_often(struct group *group)
{
	static unsigned weights[SEATS];
	double began;

	for (unsigned i = 0; i < group->count; i++)
		weights[i] = STEERING_WEIGHT_MAX / SEATS;
	began = cpu_now();
	for (int i = 0; i < ATTACHES; i++)
		if (steering_attach(group->listeners[0], weights, group->count) != 0)
			abort();
	return (cpu_now() - began) / ATTACHES;
}

static double
look_once(struct group *group)
{
	double began = cpu_now();

	for (unsigned i = 0; i < group->count; i++) {
		struct tcp_info info;
		socklen_t length = sizeof info;

		getsockopt(group->listeners[i], IPPROTO_TCP, TCP_INFO, &info, &length);
	}
	return cpu_now() - began;
}

struct seats_sample {
	double hashed, attach, steered, look;
};

static bool
measure(unsigned seats, struct seats_sample *sample)
{
	struct group group;

	if (!open_group(&group, seats))
		return false;
	sample->hashed = connect_often(&group);
	sample->attach = attach_often(&group);
	sample->steered = connect_often(&group);
	sample->look = look_once(&group);
	close_group(&group);
	return true;
}

/* ---- results ---- */

static void
print_size(const struct bench_options *options, unsigned seats, const struct seats_sample *samples,
	unsigned rounds)
{
	static const struct {
		const char *name, *note;
		size_t offset;
	} rows[] = {
		{"hashed", "a connect and close, spread by the kernel's hash",
			offsetof(struct seats_sample, hashed)},
		{"steered", "the same through the steering program",
			offsetof(struct seats_sample, steered)},
		{"attach", "giving the group another program",
			offsetof(struct seats_sample, attach)},
		{"look", "asking each seat how many wait", offsetof(struct seats_sample, look)},
	};

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		double values[ROUNDS_MAX];
		char name[64];

		for (unsigned i = 0; i < rounds; i++)
			values[i] = *(const double *)((const char *)&samples[i] + rows[row].offset);
		snprintf(name, sizeof name, "seats_%u_%s", seats, rows[row].name);
		bench_print(options, name, median(values, rounds), "us", rows[row].note);
	}
}

int
bench_seats(const struct bench_options *options)
{
	static struct seats_sample samples[SIZES][ROUNDS_MAX];
	unsigned rounds = options->rounds != 0 ? options->rounds : ROUNDS;
	struct rlimit files;

	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < rounds; i++)
		for (size_t size = 0; size < SIZES; size++)
			if (!measure(sizes[size], &samples[size][i]))
				return 1;
	for (size_t size = 0; size < SIZES; size++)
		print_size(options, sizes[size], samples[size], rounds);
	return 0;
}
