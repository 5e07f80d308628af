/* A library to preload beside libhubbub-patch: the program's main is a coroutine then, so that what
 * it does on its first thread is patched, too. */
#include <dlfcn.h>
#include <hubbub/hub.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* As large as the stack that main has otherwise: programs were written for it. */
#define STACK_SIZE ((size_t)8 << 20)

typedef int main_fn(int argc, char **argv, char **environment);
typedef int start_fn(main_fn *program, int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*loader_fini)(void), void *stack_end);

struct call {
	main_fn *program;
	int argc;
	char **argv, **environment;
};

static main_fn *program_main;

static void *
run_main(void *argument)
{
	struct call *call = argument;
	pid_t process = getpid();
	int result = call->program(call->argc, call->argv, call->environment);

	/* A child's coroutine cannot return: its hub is the parent's. */
	if (getpid() != process)
		exit(result);
	return (void *)(intptr_t)result;
}

static int
main_as_coroutine(int argc, char **argv, char **environment)
{
	struct hub_options options = {.stack_size = STACK_SIZE};
	struct call call = {program_main, argc, argv, environment};
	void *result;

	if (hub_run_with(&options, run_main, &call, &result) != 0) {
		perror("patch-main: hub_run");
		return 127;
	}
	return (int)(intptr_t)result;
}

int __libc_start_main(main_fn *program, int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*loader_fini)(void), void *stack_end);

__attribute__((visibility("default"))) int
__libc_start_main(main_fn *program, int argc, char **argv, void (*init)(void), void (*fini)(void),
	void (*loader_fini)(void), void *stack_end)
{
	start_fn *real = (start_fn *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");

	program_main = program;
	return real(main_as_coroutine, argc, argv, init, fini, loader_fini, stack_end);
}
