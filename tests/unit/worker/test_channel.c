#include "worker/channel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/descriptors.h"
#include "worker/spare.h"

static int pair[2];

static void
begin(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
}

TestSuite(channel, .init = begin, .timeout = 30);

Test(channel, a_message_arrives_whole_with_its_descriptor)
{
	struct channel_message sent = {CHANNEL_ADOPT, {3}, INT64_C(1) << 40}, got;
	int pipes[2], descriptor;
	char byte = 0;

	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(channel_send(pair[0], &sent, pipes[1]), 0);
	close(pipes[1]);
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 1);
	cr_assert_eq(got.kind, (uint32_t)CHANNEL_ADOPT);
	cr_assert_eq(got.hub, 3);
	cr_assert_eq(got.value, INT64_C(1) << 40);
	cr_assert_eq(got.count, 3);
	cr_assert_neq(descriptor, -1);
	cr_assert(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(write(descriptor, "x", 1), 1);
	cr_assert_eq(read(pipes[0], &byte, 1), 1);
	cr_assert_eq(byte, 'x');
}

Test(channel, none_is_none_and_the_end_is_the_end)
{
	struct channel_message got;
	int descriptor;

	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 0);
	cr_assert_eq(descriptor, -1);
	close(pair[0]);
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), -1);
}

Test(channel, one_that_is_not_read_is_not_waited_for)
{
	struct channel_message message = {.kind = CHANNEL_DRAIN};
	int result = 0;

	for (int i = 0; i < 100000 && result == 0; i++)
		result = channel_send(pair[0], &message, -1);
	cr_assert_eq(result, -1);
	cr_assert_eq(errno, EAGAIN);
}

/* Sends a record of so many bytes, with so many file descriptors. */
static void
send_stray(size_t length, unsigned files)
{
	static char bytes[256];
	struct iovec part = {bytes, length};
	union {
		char room[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};

	if (files > 0) {
		envelope.msg_control = &control;
		envelope.msg_controllen = CMSG_SPACE(files * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(files * sizeof(int));
		for (unsigned i = 0; i < files; i++)
			((int *)(void *)CMSG_DATA(&control.align))[i] = pair[0];
	}
	cr_assert_eq(sendmsg(pair[0], &envelope, 0), (ssize_t)length);
}

Test(channel, what_is_no_message_is_dropped_and_the_next_one_is_heard)
{
	static const size_t lengths[] = {
		0, 1, sizeof(struct channel_message) - 1, sizeof(struct channel_message) + 1, 256};
	struct channel_message sent = {.kind = CHANNEL_READY}, got;
	int descriptor, open = open_descriptors();

	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		send_stray(lengths[i], i % 2);
		cr_assert_eq(channel_send(pair[0], &sent, -1), 0);
		cr_assert_eq(channel_receive(pair[1], &got, &descriptor), CHANNEL_STRAY);
		cr_assert_eq(descriptor, -1);
		cr_assert_eq(channel_receive(pair[1], &got, &descriptor), CHANNEL_MESSAGE);
		cr_assert_eq(got.kind, (uint32_t)CHANNEL_READY);
	}
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), CHANNEL_NOTHING);
	cr_assert_eq(open_descriptors(), open);
}

Test(channel, more_descriptors_than_one_do_not_stay_open)
{
	struct channel_message got;
	int descriptor, open = open_descriptors();

	for (unsigned files = 1; files <= 4; files++) {
		send_stray(sizeof got, files);
		cr_assert_eq(channel_receive(pair[1], &got, &descriptor), CHANNEL_MESSAGE);
		cr_assert_neq(descriptor, -1);
		close(descriptor);
	}
	cr_assert_eq(open_descriptors(), open);
}

Test(channel, an_output_that_is_ended_is_the_end)
{
	struct channel_message got;
	int descriptor;

	shutdown(pair[0], SHUT_WR);
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), CHANNEL_GONE);
}

/* ---- files run out ---- */

static int taken[1024], taken_count;

static void
take_all_files(void)
{
	struct rlimit limit = {0, 0};

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 512;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (taken_count < 1024 && (taken[taken_count] = open("/dev/null", O_RDONLY)) != -1)
		taken_count++;
	cr_assert_gt(taken_count, 0);
}

Test(channel, a_descriptor_comes_though_files_have_run_out)
{
	struct channel_message sent = {.kind = CHANNEL_REOPEN}, got;
	int pipes[2], descriptor;

	cr_assert_eq(pipe(pipes), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(channel_send(pair[0], &sent, pipes[1]), 0);
	spare_keep();
	take_all_files();
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 1);
		cr_assert_eq(got.kind, (uint32_t)CHANNEL_REOPEN);
		cr_assert_neq(descriptor, -1, "message %d", i);
		cr_assert_eq(write(descriptor, "x", 1), 1);
		close(descriptor);
		spare_keep();
	}
}

Test(channel, a_message_whose_descriptor_finds_no_number_comes_without)
{
	struct channel_message sent = {.kind = CHANNEL_REOPEN}, got;
	int descriptor;

	cr_assert_eq(channel_send(pair[0], &sent, STDERR_FILENO), 0);
	take_all_files();
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 1);
	cr_assert_eq(got.kind, (uint32_t)CHANNEL_REOPEN);
	cr_assert_eq(descriptor, -1);
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 0);
}

/* From here on recvmsg(2) finds no memory. */
static bool
refuse_recvmsg(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmsg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

Test(channel, no_memory_is_not_the_end)
{
	struct channel_message message = {.kind = CHANNEL_DRAIN}, got;
	int descriptor, status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(refuse_recvmsg() ? channel_receive(pair[1], &got, &descriptor) & 0xff : 2);
	cr_assert_eq(channel_send(pair[0], &message, -1), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (status == 2 << 8)
		cr_skip_test("seccomp is not allowed here");
	cr_assert_eq(status, 0);
	cr_assert_eq(channel_receive(pair[1], &got, &descriptor), 1);
}
