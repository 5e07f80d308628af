/* A library to preload: interrupts a master in an upgrade, at what it says to the other one or to
 * its workers.
 *
 *	HUBBUB_INTERRUPT="WHEN WORD HOW FILE"
 *
 * The first process that is about to say the word (WHEN is "before"), has said it ("after"), or has
 * heard it ("heard") kills itself, or stops until it is sent CONT (HOW is "kill" or "stop"); before
 * that it has written its pid to FILE. Where FILE is, nobody is interrupted any more. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "master/word.h"

#define EXPORT __attribute__((visibility("default")))

static const struct {
	const char *name;
	unsigned kind;
	bool is_heirs; /* only a new master's is meant */
} words[] = {
	{"RISEN", WORD_RISEN, false},
	{"GO", WORD_GO, false},
	{"TOOK", WORD_TOOK, false},
	{"NAMED", WORD_NAMED, false},
	{"LEAVING", WORD_LEAVING, false},
	/* What a new master says first when it owns the server, and an old one when it does no
	 * more. */
	{"ACCEPT", CHANNEL_ACCEPT, true},
	{"HANDOVER", CHANNEL_HANDOVER, false},
};

static struct {
	char when[8];
	unsigned kind;
	int signal;
	char file[256];
} wanted;

static void __attribute__((constructor)) read_environment(void)
{
	const char *text = getenv("HUBBUB_INTERRUPT");
	char word[16], how[8];

	if (text == NULL ||
		sscanf(text, "%7s %15s %7s %255s", wanted.when, word, how, wanted.file) != 4)
		return;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i].name) == 0 &&
			(!words[i].is_heirs || getenv("HUBBUB_HANDOVER") != NULL))
			wanted.kind = words[i].kind;
	wanted.signal = strcmp(how, "kill") == 0 ? SIGKILL : SIGSTOP;
}

/* Whether this is the message, and nobody was interrupted yet. */
static bool
is_wanted(const char *when, const struct msghdr *envelope)
{
	const struct channel_message *message = envelope->msg_iov[0].iov_base;
	char pid[16];
	int fd;

	if (wanted.kind == 0 || strcmp(when, wanted.when) != 0 || envelope->msg_iovlen != 1 ||
		envelope->msg_iov[0].iov_len != sizeof *message || message->kind != wanted.kind)
		return false;
	fd = open(wanted.file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (write(fd, pid, strlen(pid)) < 0)
		abort();
	close(fd);
	return true;
}

static void
interrupt_at(const char *when, const struct msghdr *envelope)
{
	if (is_wanted(when, envelope))
		kill(getpid(), wanted.signal);
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *envelope, int flags)
{
	ssize_t sent;

	interrupt_at("before", envelope);
	sent = syscall(SYS_sendmsg, fd, envelope, flags);
	if (sent > 0)
		interrupt_at("after", envelope);
	return sent;
}

EXPORT ssize_t
recvmsg(int fd, struct msghdr *envelope, int flags)
{
	ssize_t length = syscall(SYS_recvmsg, fd, envelope, flags);

	if (length == sizeof(struct channel_message))
		interrupt_at("heard", envelope);
	return length;
}
