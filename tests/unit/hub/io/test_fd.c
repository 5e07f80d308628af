#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int pair[2];
	int results[8];
	int errors[8];
	char bytes[8];
};

static void *
receive(void *argument)
{
	struct record *record = argument;

	record->results[0] = (int)hub_recv(record->pair[0], record->bytes, 8, 0);
	record->errors[0] = errno;
	return NULL;
}

static void *
close_under_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	reader = hub_spawn(receive, record);
	until_it_waits(reader);
	record->results[1] = hub_close(record->pair[0]);
	hub_join(reader, NULL);
	hub_close(record->pair[1]);
	/* libev must survive polling after the close. */
	hub_sleep(2 * HUB_MILLISECOND);
	return NULL;
}

Test(fd, close_wakes_who_waits_with_ebadf)
{
	struct record record = {0};

	in_hub(close_under_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EBADF);
	cr_assert_eq(record.results[1], 0);
}

/* Woken by data, but before it runs another coroutine closes the descriptor and its number comes
 * back as another connection: it must not read from that. */
static void *
recycle_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;
	int other[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	reader = hub_spawn(receive, record);
	hub_sleep(0);
	hub_send(record->pair[1], "old", 3, 0);
	/* Lets the loop wake the reader, which queues behind this coroutine. */
	while (hub_wait_fd(record->pair[1], POLLOUT) < 0)
		continue;
	hub_close(record->pair[0]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, other);
	record->results[2] = other[0] == record->pair[0];
	hub_send(other[1], "new", 3, 0);
	hub_join(reader, NULL);
	hub_close(other[0]);
	hub_close(other[1]);
	hub_close(record->pair[1]);
	return NULL;
}

Test(fd, a_recycled_number_is_not_read_by_who_waited_for_the_old_one)
{
	struct record record = {0};

	in_hub(recycle_body, &record);
	cr_assert_eq(record.results[2], 1, "the number was not recycled");
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EBADF);
}

static void *
repaired_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;
	int first[2];

	/* A watched number is closed behind the hub's back, with a watcher on it... */
	socketpair(AF_UNIX, SOCK_STREAM, 0, first);
	record->pair[0] = first[0];
	reader = hub_spawn(receive, record);
	until_it_waits(reader);
	hub_kill(reader);
	hub_join(reader, NULL);
	close(first[0]);
	/* ...and comes back by an adoption. */
	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	record->results[1] = record->pair[0] == first[0];
	record->results[2] = hub_adopt(record->pair[0]);
	reader = hub_spawn(receive, record);
	until_it_waits(reader);
	hub_send(record->pair[1], "x", 1, 0);
	hub_join(reader, NULL);
	hub_close(record->pair[0]);
	hub_close(record->pair[1]);
	hub_close(first[1]);
	return NULL;
}

Test(fd, a_number_that_comes_back_without_hub_close_is_repaired_at_entry)
{
	struct record record = {0};

	in_hub(repaired_body, &record);
	cr_assert_eq(record.results[1], 1, "the number was not recycled");
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.results[0], 1);
	cr_assert_eq(record.bytes[0], 'x');
}

static void *
wait_fd_body(void *argument)
{
	struct record *record = argument;
	int pipes[2];

	record->errors[0] = hub_wait_fd(99, POLLIN) == -1 ? errno : 0;
	record->errors[1] = hub_wait_fd(0, 0) == -1 ? errno : 0;
	record->errors[2] = hub_wait_fd(0, POLLIN | POLLPRI) == -1 ? errno : 0;
	if (pipe(pipes) != 0)
		return NULL;
	record->results[0] = hub_wait_fd(pipes[1], POLLOUT);
	hub_write(pipes[1], "x", 1);
	record->results[1] = hub_wait_fd(pipes[0], POLLIN | POLLOUT);
	hub_close(pipes[1]);
	hub_read(pipes[0], record->bytes, 8);
	record->results[2] = hub_wait_fd(pipes[0], POLLIN);
	hub_close(pipes[0]);
	return NULL;
}

Test(fd, wait_fd_tells_what_is_ready_or_why_it_cannot)
{
	struct record record = {0};

	in_hub(wait_fd_body, &record);
	cr_assert_eq(record.errors[0], EBADF);
	cr_assert_eq(record.errors[1], EINVAL);
	cr_assert_eq(record.errors[2], EINVAL);
	cr_assert_eq(record.results[0], POLLOUT);
	cr_assert_eq(record.results[1], POLLIN);
	cr_assert_eq(record.results[2], POLLIN, "the end of file is readable");
}

static void *
wait_either(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_wait_fd(record->pair[0], POLLIN | POLLOUT);
	return NULL;
}

static void *
either_body(void *argument)
{
	static char big[1 << 20];
	struct record *record = argument;
	struct hub_coroutine *waiter;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	while (hub_send(record->pair[0], big, sizeof big, MSG_DONTWAIT) > 0)
		continue;
	waiter = hub_spawn(wait_either, record);
	hub_sleep(0);
	hub_send(record->pair[1], "x", 1, 0);
	hub_join(waiter, NULL);
	hub_close(record->pair[0]);
	hub_close(record->pair[1]);
	return NULL;
}

Test(fd, waiting_for_both_directions_ends_with_the_first)
{
	struct record record = {0};

	in_hub(either_body, &record);
	cr_assert_eq(record.results[0], POLLIN);
}

static void *
file_body(void *argument)
{
	struct record *record = argument;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	record->results[0] = (int)hub_read(file, record->bytes, 4);
	record->results[1] = hub_wait_fd(file, POLLIN);
	hub_close(file);
	return NULL;
}

Test(fd, regular_files_are_always_ready)
{
	struct record record = {0};

	in_hub(file_body, &record);
	cr_assert_eq(record.results[0], 4);
	cr_assert_eq(record.bytes[1], 'E');
	cr_assert_eq(record.results[1], POLLIN);
}

/* Others have their turns until they wait, also those whose slice is used up on the way there. */
static void
let_wait(void)
{
	for (int i = 0; i < 10; i++)
		hub_sleep(0);
}

static void *
two_readers_body(void *argument)
{
	struct record *record = argument;
	struct record other = {0};
	struct hub_coroutine *first, *second;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	other.pair[0] = record->pair[0];
	first = hub_spawn(receive, record);
	let_wait();
	second = hub_spawn(receive, &other);
	let_wait();
	hub_send(record->pair[1], "a", 1, 0);
	hub_join(first, NULL);
	hub_send(record->pair[1], "b", 1, 0);
	hub_join(second, NULL);
	record->bytes[1] = other.bytes[0];
	hub_close(record->pair[0]);
	hub_close(record->pair[1]);
	return NULL;
}

Test(fd, several_readers_are_woken_in_the_order_in_which_they_came)
{
	struct record record = {0};

	in_hub(two_readers_body, &record);
	cr_assert_eq(record.bytes[0], 'a');
	cr_assert_eq(record.bytes[1], 'b');
}

static void *
release_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->pair);
	reader = hub_spawn(receive, record);
	until_it_waits(reader);
	hub_release(record->pair[0]);
	hub_join(reader, NULL);
	record->results[1] = fcntl(record->pair[0], F_GETFD) != -1;
	hub_close(record->pair[0]);
	hub_close(record->pair[1]);
	hub_release(12345);
	hub_release(-1);
	return NULL;
}

Test(fd, release_forgets_but_does_not_close)
{
	struct record record = {0};

	in_hub(release_body, &record);
	cr_assert_eq(record.errors[0], EBADF);
	cr_assert_eq(record.results[1], 1);
}

/* The end of input: what has arrived is received first, who waits is told at once, and sending goes
 * on. */
static void *
end_input_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *reader;
	int *pair = record->pair;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive, record);
	until_it_waits(reader);
	hub_end_input(pair[0]);
	hub_join(reader, NULL);
	record->results[1] = (int)hub_send(pair[0], "out", 3, 0);
	record->results[2] = (int)hub_recv(pair[1], record->bytes, 8, 0);
	hub_send(pair[1], "late", 4, 0);
	record->results[3] = (int)hub_recv(pair[0], record->bytes, 8, 0);
	record->results[4] = (int)hub_recv(pair[0], record->bytes, 8, 0);
	record->results[5] = (int)hub_recv(pair[0], record->bytes, 8, MSG_DONTWAIT);
	record->results[6] = hub_wait_fd(pair[0], POLLIN);
	/* A number that enters again has its input again. */
	hub_adopt(pair[0]);
	record->results[7] = (int)hub_recv(pair[0], record->bytes, 8, MSG_DONTWAIT);
	record->errors[7] = errno;
	hub_end_input(-1);
	hub_end_input(100000);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(fd, the_end_of_input_comes_after_what_has_arrived)
{
	struct record record = {0};

	in_hub(end_input_body, &record);
	cr_assert_eq(record.results[0], 0, "who waited was told something else");
	cr_assert_eq(record.results[1], 3);
	cr_assert_eq(record.results[2], 3);
	cr_assert_eq(record.results[3], 4, "what had arrived is lost");
	cr_assert_eq(record.results[4], 0);
	cr_assert_eq(record.results[5], 0);
	cr_assert_eq(record.results[6], POLLIN);
	cr_assert_eq(record.results[7], -1);
	cr_assert_eq(record.errors[7], EAGAIN);
}

static void *
await_once(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_await_fd(record->pair[0], POLLIN, HUB_FOREVER);
	record->errors[0] = errno;
	return NULL;
}

/* Waits in another coroutine, until what ends it. */
static void
await_until(struct record *record, void (*end)(struct record *record, struct hub_coroutine *waiter))
{
	struct hub_coroutine *waiter = hub_spawn(await_once, record);

	until_it_waits(waiter);
	end(record, waiter);
	hub_join(waiter, NULL);
}

static void
by_byte(struct record *record, struct hub_coroutine *waiter)
{
	(void)waiter;
	write(record->pair[1], "x", 1);
}

static void
by_interrupt(struct record *record, struct hub_coroutine *waiter)
{
	record->results[7] = hub_interrupt(waiter);
}

static void
by_close(struct record *record, struct hub_coroutine *waiter)
{
	(void)waiter;
	hub_close(record->pair[0]);
}

static void
by_kill(struct record *record, struct hub_coroutine *waiter)
{
	(void)record;
	hub_kill(waiter);
}

static void
by_end_of_input(struct record *record, struct hub_coroutine *waiter)
{
	(void)waiter;
	hub_end_input(record->pair[0]);
}

static void *
await_body(void *argument)
{
	struct record *all = argument;
	struct record record = {0};
	struct hub_timeout scope;
	int *pair = record.pair, *results = all->results, *errors = all->errors;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	results[0] = hub_await_fd(pair[0], POLLIN, HUB_MILLISECOND);
	await_until(&record, by_byte);
	results[1] = record.results[0];
	/* Its flags are as they were, until the hub reads from it. */
	results[2] = !(fcntl(pair[0], F_GETFL) & O_NONBLOCK) && !hub_made_nonblocking(pair[0]);
	hub_read(pair[0], record.bytes, 1);
	results[3] = (fcntl(pair[0], F_GETFL) & O_NONBLOCK) && hub_made_nonblocking(pair[0]);
	await_until(&record, by_interrupt);
	errors[0] = record.results[0] == -1 && record.results[7] ? record.errors[0] : 0;
	await_until(&record, by_kill);
	errors[1] = record.results[0] == -1 ? record.errors[0] : 0;
	hub_timeout_start(&scope, HUB_MILLISECOND);
	errors[2] = hub_await_fd(pair[0], POLLIN, HUB_SECOND) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	await_until(&record, by_end_of_input);
	results[4] = record.results[0];
	errors[3] = hub_await_fd(pair[0], POLLIN, HUB_FOREVER) == -1 ? errno : 0;
	hub_adopt(pair[0]);
	await_until(&record, by_close);
	errors[4] = record.results[0] == -1 ? record.errors[0] : 0;
	errors[5] = hub_await_fd(-1, POLLIN, 0) == -1 ? errno : 0;
	errors[6] = hub_await_fd(pair[1], POLLIN | POLLOUT, 0) == -1 ? errno : 0;
	results[5] = hub_await_fd(pair[1], POLLOUT, HUB_SECOND);
	results[6] = hub_can_wait() && hub_is_running();
	hub_close(pair[1]);
	return NULL;
}

Test(fd, awaiting_leaves_the_flags_alone_and_tells_why_it_ended)
{
	static const int expected[] = {
		EINTR, ECANCELED, ETIMEDOUT, ESHUTDOWN, EBADF, EBADF, EINVAL};
	struct record record = {0};

	in_hub(await_body, &record);
	cr_expect_eq(record.results[0], 0, "the time is up");
	cr_expect_eq(record.results[1], 1);
	cr_expect_eq(record.results[2], 1);
	cr_expect_eq(record.results[3], 1);
	cr_expect_eq(record.results[4], 1, "who waits is told that there is something to find out");
	cr_expect_eq(record.results[5], 1);
	cr_expect_eq(record.results[6], 1);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
	cr_assert(!hub_can_wait() && !hub_is_running() && !hub_made_nonblocking(0));
}
