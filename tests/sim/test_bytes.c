/* That the world follows the bytes of each call: here it is told of some that the call knows
 * nothing of, while the coroutine is left in the middle of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/fd_priv.h"
#include "sim/invariants/bytes_priv.h"
#include "sim/kernel/file_priv.h"

TestSuite(bytes, .timeout = 60);

static struct {
	int pair[2];
	char out[300000], in[10];
	const struct hub_coroutine *victim;
	void (*lie)(struct file *file);
	bool has_lied;
	bool is_cut; /* the call ends before it is told of more */
} call;

static void
take_one_more(struct file *file)
{
	const struct iovec part = {call.out, 1};
	const struct transfer transfer = {.parts = &part, .count = 1};

	bytes_taken(file, &transfer, 1);
}

static void
take_others(struct file *file)
{
	char other = 'y';
	const struct iovec part = {&other, 1};
	const struct transfer transfer = {.parts = &part, .count = 1};

	bytes_taken(file, &transfer, 1);
}

static void
take_for_another_file(struct file *file)
{
	struct hub_fd *entry = fd_entry(hub_this, call.pair[0]);

	file->inode++;
	entry->generation++;
	take_one_more(file);
	file->inode--;
	entry->generation--;
}

static void
give_one_more(struct file *file)
{
	const struct iovec part = {call.in, 1};
	const struct transfer transfer = {.parts = &part, .count = 1};

	bytes_given(file, &transfer, 1);
}

static void
give_elsewhere(struct file *file)
{
	char other = 'y';
	const struct iovec part = {&other, 1};
	const struct transfer transfer = {.parts = &part, .count = 1};

	bytes_given(file, &transfer, 1);
}

static void
switched(struct hub_coroutine *from, struct hub_coroutine *to, bool throws, void *context)
{
	(void)to, (void)throws, (void)context;
	if (from != call.victim || call.has_lied || call.lie == NULL)
		return;
	call.has_lied = true;
	call.lie(files_get(call.pair[0]));
}

static void *
send_all(void *unused)
{
	hub_send(call.pair[0], call.out, sizeof call.out, 0);
	return unused;
}

static void *
receive_some(void *unused)
{
	hub_recv(call.pair[0], call.in, sizeof call.in, 0);
	return unused;
}

static void *
lie_in(void *body)
{
	static const struct hub_hooks hooks = {.switched = switched};
	struct hub_coroutine *victim;
	char bytes[4096];

	memset(call.out, 'x', sizeof call.out);
	memset(call.in, 'z', sizeof call.in);
	call.has_lied = false;
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, call.pair);
	hub_set_hooks(&hooks);
	victim = hub_spawn(*(hub_fn **)body, NULL);
	call.victim = victim;
	hub_sleep(HUB_MILLISECOND);
	if (call.is_cut)
		hub_kill(victim);
	hub_send(call.pair[1], "z", 1, 0);
	while (!hub_is_done(victim)) {
		hub_recv(call.pair[1], bytes, sizeof bytes, MSG_DONTWAIT);
		hub_sleep(1);
	}
	hub_join(victim, NULL);
	hub_set_hooks(NULL);
	hub_close(call.pair[0]);
	hub_close(call.pair[1]);
	return NULL;
}

static int
run(hub_fn *body, void (*lie)(struct file *file))
{
	call.lie = lie;
	return hub_sim_run(1, NULL, lie_in, &body);
}

static void
assert_told(hub_fn *body, void (*lie)(struct file *file), const char *sentence)
{
	cr_assert_eq(run(body, lie), -1, "not found: %s", sentence);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_not_null(strstr(hub_sim_report(), sentence), "%s", hub_sim_report());
}

Test(bytes, each_is_sent_and_received_once_in_order_and_on_its_connection)
{
	assert_told(send_all, take_others,
		"hub_send gives descriptor 512 bytes that are not the next of the caller's");
	assert_told(send_all, take_one_more,
		"hub_send gives descriptor 512 bytes that are not the next of the caller's");
	assert_told(send_all, take_for_another_file,
		"hub_send goes on with descriptor 512, which was closed and used again");
	assert_told(receive_some, give_one_more,
		"hub_recv of descriptor 512 returns 1, and the socket has given 2 bytes");
	assert_told(receive_some, give_elsewhere,
		"hub_recv puts bytes of descriptor 512 where they do not belong");
}

Test(bytes, as_many_are_sent_as_the_call_says)
{
	call.is_cut = true;
	assert_told(send_all, take_one_more, "and the socket has taken ");
	cr_assert_not_null(strstr(hub_sim_report(), "hub_send of descriptor 512 returns "));
}

Test(bytes, nothing_is_told_of_what_is_whole)
{
	cr_assert_eq(run(send_all, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(run(receive_some, NULL), 0, "%s", hub_sim_report());
}

/* ---- permits ---- */

static void *
conjure_a_permit(void *unused)
{
	struct hub_semaphore semaphore;

	hub_semaphore_init(&semaphore, 2);
	hub_semaphore_acquire(&semaphore);
	semaphore.count++;
	hub_semaphore_release(&semaphore);
	return unused;
}

Test(permits, add_up)
{
	cr_assert_eq(hub_sim_run(1, NULL, conjure_a_permit, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(),
				   "of the 3 permits that a semaphore was given, 1 are taken, 0 on "
				   "their way, and 3 free"),
		"%s", hub_sim_report());
}
