/* A library to preload, which interrupts a master of an upgrade at a word that it exchanges with
 * the other master or sends to its workers.
 *
 *	HUBBUB_INTERRUPT="WHEN WORD HOW FILE"
 *
 * The first process that is about to send the word (WHEN is "before"), has sent it ("after";
 * "late": long ago), or has received it ("heard") writes its pid to FILE, and then kills itself, or
 * stops until it gets SIGCONT (HOW is "kill" or "stop"). Once FILE exists, no other process is
 * interrupted. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "master/change/word.h"

#define EXPORT __attribute__((visibility("default")))
/* How long "late" waits: the other master receives the word and does everything that follows from
 * it. */
#define LATE 500 /* milliseconds */

static const struct {
	const char *name;
	unsigned kind;
	bool is_successors; /* only the word of a new master counts */
} words[] = {
	{"RISEN", WORD_RISEN, false},
	{"GO", WORD_GO, false},
	{"TOOK", WORD_TOOK, false},
	{"NAMED", WORD_NAMED, false},
	{"LEAVING", WORD_LEAVING, false},
	/* The first word of a new master that owns the server, and the last of an old one. */
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
			(!words[i].is_successors || getenv("HUBBUB_HANDOVER") != NULL))
			wanted.kind = words[i].kind;
	wanted.signal = strcmp(how, "kill") == 0 ? SIGKILL : SIGSTOP;
}

/* Whether this is the word to interrupt at, and no process was interrupted yet. */
static bool
is_wanted(const char *when, const struct channel_message *message)
{
	char pid[16];
	int fd;

	if (wanted.kind == 0 || strcmp(when, wanted.when) != 0 || message->kind != wanted.kind)
		return false;
	if (strcmp(when, "late") == 0)
		poll(NULL, 0, LATE);
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
interrupt_at(const char *when, const void *bytes, size_t length)
{
	if (length == sizeof(struct channel_message) && is_wanted(when, bytes))
		kill(getpid(), wanted.signal);
}

static void
interrupt_sender(const char *when, const struct msghdr *envelope)
{
	/* A call that only asks whether the kernel refuses it sends nothing. */
	if (envelope != NULL && envelope->msg_iovlen == 1)
		interrupt_at(when, envelope->msg_iov[0].iov_base, envelope->msg_iov[0].iov_len);
}

EXPORT ssize_t
sendmsg(int fd, const struct msghdr *envelope, int flags)
{
	ssize_t sent;

	interrupt_sender("before", envelope);
	sent = syscall(SYS_sendmsg, fd, envelope, flags);
	if (sent > 0) {
		interrupt_sender("after", envelope);
		interrupt_sender("late", envelope);
	}
	return sent;
}

EXPORT ssize_t
recv(int fd, void *bytes, size_t size, int flags)
{
	ssize_t length = syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);

	if (length > 0 && !(flags & MSG_PEEK))
		interrupt_at("heard", bytes, (size_t)length);
	return length;
}
