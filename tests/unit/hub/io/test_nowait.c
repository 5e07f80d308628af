/* What others share, such as a shell its terminal, is never left non-blocking, and yet no call
 * blocks. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

enum kind { PIPE, TERMINAL, STANDARD_SOCKET, KINDS };
static const char *const kinds[] = {"a pipe", "a terminal", "a socket as standard input"};

enum call { READ, WRITE, SENDFILE, WAIT, ADOPT, CALLS };
static const char *const calls[] = {
	"hub_read", "hub_write", "hub_sendfile", "hub_wait_fd", "hub_adopt"};

static struct trial {
	int kind, call;
	int fd, other; /* what the call is about, and what feeds or drains it */
	int file;
	long result;
	bool was_blocking_meanwhile, is_blocking, has_suspended;
} trials[KINDS * CALLS];

static bool
is_sending(const struct trial *trial)
{
	return trial->call == WRITE || trial->call == SENDFILE;
}

/* Two ends of which the first is to be read, or written. */
static void
make(struct trial *trial)
{
	bool is_writing = is_sending(trial);
	struct termios raw;
	int ends[2];

	if (trial->kind == PIPE && pipe(ends) == 0) {
		trial->fd = ends[is_writing];
		trial->other = ends[!is_writing];
	} else if (trial->kind == TERMINAL) {
		trial->other = posix_openpt(O_RDWR | O_NOCTTY);
		grantpt(trial->other);
		unlockpt(trial->other);
		trial->fd = open(ptsname(trial->other), O_RDWR | O_NOCTTY);
		tcgetattr(trial->fd, &raw);
		cfmakeraw(&raw);
		tcsetattr(trial->fd, TCSANOW, &raw);
	} else if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
		trial->fd = dup2(ends[0], STDIN_FILENO);
		trial->other = ends[1];
		if (ends[0] != STDIN_FILENO)
			close(ends[0]);
	}
}

static bool
is_blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

#define LENGTH (256 * 1024) /* more than any of them holds */

static void *
look_and_go_on(void *argument)
{
	struct trial *trial = argument;
	static char sink[LENGTH];

	trial->has_suspended = true;
	trial->was_blocking_meanwhile = is_blocking(trial->fd);
	if (trial->call == READ || trial->call == WAIT)
		write(trial->other, "x", 1);
	for (ssize_t left = LENGTH, got; left > 0 && is_sending(trial); left -= got) {
		got = hub_read(trial->other, sink, sizeof sink);
		if (got <= 0)
			break;
	}
	return NULL;
}

static void
act(struct trial *trial)
{
	static char block[LENGTH];
	off_t offset = 0;

	switch (trial->call) {
	case READ:
		trial->result = hub_read(trial->fd, block, 100);
		break;
	case WRITE:
		trial->result = hub_write(trial->fd, block, LENGTH) / LENGTH;
		break;
	case SENDFILE:
		trial->result = hub_sendfile(trial->fd, trial->file, &offset, LENGTH) / LENGTH;
		break;
	case WAIT:
		trial->result = hub_wait_fd(trial->fd, POLLIN) != -1;
		break;
	default:
		trial->result = hub_adopt(trial->fd) == 0;
		hub_sleep(0);
	}
}

static void *
try_all(void *argument)
{
	char path[] = "/tmp/hubbub-nowait-XXXXXX";
	int file = mkstemp(path), standard = dup(STDIN_FILENO);
	struct trial *trial = trials;

	unlink(path);
	ftruncate(file, LENGTH);
	for (int kind = 0; kind < KINDS; kind++)
		for (int call = 0; call < CALLS; call++, trial++) {
			struct hub_coroutine *other;

			*trial = (struct trial){.kind = kind, .call = call, .file = file};
			make(trial);
			other = hub_spawn(look_and_go_on, trial);
			act(trial);
			hub_join(other, NULL);
			trial->is_blocking = is_blocking(trial->fd);
			hub_close(trial->fd);
			hub_close(trial->other);
		}
	dup2(standard, STDIN_FILENO);
	close(standard);
	close(file);
	return argument;
}

Test(nowait, what_others_share_stays_blocking_and_no_call_blocks)
{
	in_hub(try_all, NULL);
	for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
		const char *kind = kinds[trials[i].kind], *call = calls[trials[i].call];

		cr_expect_eq(trials[i].result, 1, "%s of %s: %ld", call, kind, trials[i].result);
		cr_expect(trials[i].has_suspended, "%s of %s", call, kind);
		/* Who adopts it has asked for that. */
		if (trials[i].call == ADOPT && trials[i].kind != STANDARD_SOCKET)
			continue;
		cr_expect(trials[i].was_blocking_meanwhile, "%s of %s, meanwhile", call, kind);
		cr_expect(trials[i].is_blocking, "%s of %s, afterwards", call, kind);
	}
}
