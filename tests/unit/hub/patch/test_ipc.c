/* Messages, semaphores and queues between processes, and counters. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/scenes.h"

static int scene_id; /* of System V */

/* ---- eventfds ---- */

void
scenes_make_event(struct scene *s)
{
	s->ends[0] = eventfd(0, 0);
}

void
scenes_add_to_event(struct scene *s)
{
	eventfd_write(s->ends[0], 5);
}

void
scenes_eventfd_read(struct scene *s)
{
	eventfd_t value = 0;

	SCENE_CALL(s, eventfd_read(s->ends[0], &value));
	if (s->result == 0)
		s->result = (long)value;
}

void
scenes_make_full_event(struct scene *s)
{
	s->ends[0] = eventfd(0, 0);
	eventfd_write(s->ends[0], UINT64_MAX - 1);
}

void
scenes_take_from_event(struct scene *s)
{
	eventfd_t value;

	eventfd_read(s->ends[0], &value);
}

void
scenes_eventfd_write(struct scene *s)
{
	SCENE_CALL(s, eventfd_write(s->ends[0], 1));
}

/* ---- System V ---- */

void
scenes_make_messages(struct scene *s)
{
	scene_id = msgget(IPC_PRIVATE, 0600);
	(void)s;
}

static const struct {
	long type;
	char text[8];
} message = {1, "hello"};

void
scenes_send_message(struct scene *s)
{
	(void)s;
	msgsnd(scene_id, &message, 5, 0);
}

void
scenes_msgrcv(struct scene *s)
{
	struct {
		long type;
		char text[8];
	} got;

	SCENE_CALL(s, msgrcv(scene_id, &got, sizeof got.text, 0, 0));
	msgctl(scene_id, IPC_RMID, NULL);
}

void
scenes_make_full_messages(struct scene *s)
{
	struct msqid_ds settings;

	scenes_make_messages(s);
	msgctl(scene_id, IPC_STAT, &settings);
	settings.msg_qbytes = 5;
	msgctl(scene_id, IPC_SET, &settings);
	scenes_send_message(s);
}

void
scenes_take_message(struct scene *s)
{
	struct {
		long type;
		char text[8];
	} got;

	(void)s;
	msgrcv(scene_id, &got, sizeof got.text, 0, IPC_NOWAIT);
}

void
scenes_msgsnd(struct scene *s)
{
	SCENE_CALL(s, msgsnd(scene_id, &message, 5, 0));
	msgctl(scene_id, IPC_RMID, NULL);
}

void
scenes_make_semaphores(struct scene *s)
{
	scene_id = semget(IPC_PRIVATE, 1, 0600);
	(void)s;
}

void
scenes_raise_semaphore(struct scene *s)
{
	struct sembuf up = {0, 1, 0};

	(void)s;
	semop(scene_id, &up, 1);
}

void
scenes_semop(struct scene *s)
{
	struct sembuf down = {0, -1, 0};

	SCENE_CALL(s, semop(scene_id, &down, 1));
	semctl(scene_id, 0, IPC_RMID);
}

void
scenes_semtimedop(struct scene *s)
{
	struct timespec ten = {10, 0};
	struct sembuf down = {0, -1, 0};

	SCENE_CALL(s, semtimedop(scene_id, &down, 1, &ten));
	semctl(scene_id, 0, IPC_RMID);
}

/* ---- message queues ---- */

void
scenes_make_queue(struct scene *s)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
	char name[64];

	snprintf(name, sizeof name, "/hubbub-%d", getpid());
	s->ends[0] = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
	mq_unlink(name);
}

void
scenes_fill_queue(struct scene *s)
{
	mq_send(s->ends[0], "hello", 5, 1);
}

void
scenes_make_full_queue(struct scene *s)
{
	scenes_make_queue(s);
	scenes_fill_queue(s);
}

void
scenes_empty_queue(struct scene *s)
{
	char got[8];

	mq_receive(s->ends[0], got, sizeof got, NULL);
}

void
scenes_mq_receive(struct scene *s)
{
	SCENE_CALL(s, mq_receive(s->ends[0], s->buffer, 8, NULL));
}

void
scenes_mq_timedreceive(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, mq_timedreceive(s->ends[0], s->buffer, 8, NULL, &end));
}

void
scenes_mq_send(struct scene *s)
{
	SCENE_CALL(s, mq_send(s->ends[0], "hello", 5, 0));
}

void
scenes_mq_timedsend(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, mq_timedsend(s->ends[0], "hello", 5, 0, &end));
}

/* ---- how they end ---- */

static void *
remove_late(void *waiter)
{
	until_it_waits(waiter);
	semctl(scene_id, 0, IPC_RMID);
	return NULL;
}

static void *
end_all(void *argument)
{
	struct sembuf down = {0, -1, 0}, both[] = {{0, 1, 0}, {0, -2, IPC_NOWAIT}};
	struct timespec soon = {0, 5000000}, past = {1, 0};
	struct hub_coroutine *remover;
	static struct scene scene;
	char text[8];

	scenes_make_semaphores(&scene);
	trace_call("semtimedop", semtimedop(scene_id, &down, 1, &soon));
	trace_call("semop of two", semop(scene_id, both, 2));
	remover = hub_spawn(remove_late, hub_current());
	trace_call("semop", semop(scene_id, &down, 1));
	hub_join(remover, NULL);
	scenes_make_queue(&scene);
	trace_call(
		"mq_timedreceive", mq_timedreceive(scene.ends[0], text, sizeof text, NULL, &past));
	fcntl(scene.ends[0], F_SETFL, O_NONBLOCK);
	trace_call("mq_receive", mq_receive(scene.ends[0], text, sizeof text, NULL));
	close(scene.ends[0]);
	return argument;
}

TestSuite(ipc, .timeout = 60);

Test(ipc, ends_as_the_kernel_ends_it)
{
	hub_patch_all();
	in_hub(end_all, NULL);
	EXPECT_TRACE("semtimedop EAGAIN, semop of two EAGAIN, semop EIDRM, "
		     "mq_timedreceive ETIMEDOUT, mq_receive EAGAIN");
}

/* ---- operations of which some wait and others do not: a thread waits for them ---- */

static void *
operate_mixed(void *argument)
{
	struct sembuf both[] = {{0, -1, 0}, {0, 1, IPC_NOWAIT}};

	trace_call("semop", semop(scene_id, both, 2));
	return argument;
}

static struct hub_coroutine *
begin_mixed(void)
{
	static struct scene scene;
	struct hub_coroutine *waiter;

	scenes_make_semaphores(&scene);
	waiter = hub_spawn(operate_mixed, NULL);
	until_it_waits(waiter);
	return waiter;
}

static void *
mix(void *argument)
{
	struct sembuf up = {0, 1, 0};
	struct hub_coroutine *waiter = begin_mixed();

	semop(scene_id, &up, 1);
	hub_join(waiter, NULL);
	semctl(scene_id, 0, IPC_RMID);
	waiter = begin_mixed();
	hub_kill(waiter);
	hub_join(waiter, NULL);
	semctl(scene_id, 0, IPC_RMID);
	return argument;
}

Test(ipc, who_waits_by_a_thread_may_be_killed)
{
	hub_patch_all();
	in_hub(mix, NULL);
	EXPECT_TRACE("semop 0, semop ECANCELED");
}

/* ---- signals ---- */

static void
handle(int number)
{
	(void)number;
}

static void *
receive_in_time(void *argument)
{
	struct scene *scene = argument;

	scenes_mq_timedreceive(scene);
	return NULL;
}

static void *
be_signalled(void *argument)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	struct scene *scene = argument;
	struct hub_coroutine *receiver;

	scenes_make_queue(scene);
	sigaction(SIGUSR1, &action, NULL);
	receiver = hub_spawn(receive_in_time, scene);
	until_it_waits(receiver);
	raise(SIGUSR1);
	hub_sleep(5 * HUB_MILLISECOND);
	mq_send(scene->ends[0], "hello", 5, 0);
	hub_join(receiver, NULL);
	close(scene->ends[0]);
	return NULL;
}

Test(ipc, a_queue_with_a_time_is_restarted_too)
{
	static struct scene scene;

	hub_patch_all();
	in_hub(be_signalled, &scene);
	cr_expect_eq(scene.result, 5, "%s", strerror(scene.error));
}
