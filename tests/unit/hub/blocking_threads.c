/* What coroutines wait for outside of their thread: files and names, which other threads look at;
 * processes. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hubbub/hub.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/blocking.h"

#define UNKNOWN "a name that is looked up for ever"

/* Things that never happen. */
static struct {
	int file;
	pid_t child;
	struct hub_coroutine *holder; /* of the only thread that is offloaded to */
} never;

/* What the only thread reads that could do anything else. Its end is the end. */
static int held[2];

static void *
hold(void *argument)
{
	char byte;

	while (read(held[0], &byte, 1) == -1 && errno == EINTR)
		continue;
	return argument;
}

static void *
offload_for_ever(void *argument)
{
	hub_offload(hold, NULL, NULL);
	return argument;
}

/* Stands before the C library's. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **result)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
		(__typeof__(real))dlsym(RTLD_NEXT, "getaddrinfo");

	if (host != NULL && strcmp(host, UNKNOWN) == 0) {
		hold(NULL);
		return EAI_NONAME;
	}
	return real(host, service, hints, result);
}

static int
call_offload(void)
{
	return hub_offload(hold, NULL, NULL);
}

static int
call_open(void)
{
	return hub_open("/dev/null", O_RDONLY, 0);
}

/* At the end of the file, where nothing can be in the cache. */
static int
call_pread(void)
{
	char byte;

	return (int)hub_pread(never.file, &byte, 1, (off_t)1 << 40);
}

static int
call_pwrite(void)
{
	return (int)hub_pwrite(never.file, "x", 1, 0);
}

static int
call_fsync(void)
{
	return hub_fsync(never.file);
}

static int
call_fdatasync(void)
{
	return hub_fdatasync(never.file);
}

static int
call_getaddrinfo(void)
{
	struct addrinfo *result;

	return hub_getaddrinfo(UNKNOWN, "9090", NULL, &result) == EAI_SYSTEM ? -1 : 0;
}

static int
call_create_server(void)
{
	return hub_create_server(UNKNOWN, "0", 0);
}

static int
call_waitpid(void)
{
	return on_valgrind() ? hub_sleep(HUB_FOREVER) : (int)hub_waitpid(never.child, NULL);
}

static struct hub_process *
start_sleep(void)
{
	char *arguments[] = {"sleep", "60", NULL};
	struct hub_process_options options = {.streams = {0, HUB_PROCESS_PIPE, 0}};

	return hub_process_start(arguments, &options);
}

static int
freed(struct hub_process *process, int result)
{
	int error = errno;

	hub_process_free(process);
	errno = error;
	return result;
}

static int
call_process_wait(void)
{
	struct hub_process *process;

	if (on_valgrind())
		return hub_sleep(HUB_FOREVER);
	process = start_sleep();
	return freed(process, hub_process_wait(process, NULL));
}

static int
call_communicate(void)
{
	struct hub_process *process;

	if (on_valgrind())
		return hub_sleep(HUB_FOREVER);
	process = start_sleep();
	return freed(process, hub_process_communicate(process, NULL, 0, NULL));
}

const struct blocking_call blocking_threads[] = {
	{"hub_offload", call_offload},
	{"hub_open", call_open},
	{"hub_pread", call_pread},
	{"hub_pwrite", call_pwrite},
	{"hub_fsync", call_fsync},
	{"hub_fdatasync", call_fdatasync},
	{"hub_getaddrinfo", call_getaddrinfo},
	{"hub_create_server", call_create_server},
	{"hub_waitpid", call_waitpid},
	{"hub_process_wait", call_process_wait},
	{"hub_process_communicate", call_communicate},
	{0},
};

void
blocking_threads_prepare(void)
{
	setenv("HUBBUB_OFFLOAD_THREADS", "1", 1);
}

void
blocking_threads_begin(void)
{
	memset(&never, 0, sizeof never);
	never.file = open("/dev/null", O_RDWR | O_CLOEXEC);
	never.child = fork();
	if (never.child == 0) {
		pause();
		_exit(0);
	}
	pipe2(held, O_CLOEXEC);
	never.holder = hub_spawn(offload_for_ever, NULL);
	until_it_waits(never.holder);
}

void
blocking_threads_end(void)
{
	close(held[1]);
	hub_join(never.holder, NULL);
	kill(never.child, SIGKILL);
	waitpid(never.child, NULL, 0);
}
