/* A program that knows nothing of hubs until it runs: it loads a library, and runs a hub. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void *body_fn(void *argument);

static int (*sleep_of)(int64_t nanoseconds);
static void *(*spawn)(body_fn *body, void *argument);
static int (*join)(void *coroutine, void **result);

static void *
child(void *argument)
{
	sleep_of(1000000);
	return argument;
}

static void *
body(void *argument)
{
	void *result = NULL;

	join(spawn(child, argument), &result);
	return result;
}

static void
find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof found);
}

int
main(int argc, char **argv)
{
	int (*run)(body_fn * body, void *argument, void **result) = NULL;
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	void *result = NULL;

	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	find(library, "hub_run", &run);
	find(library, "hub_sleep", &sleep_of);
	find(library, "hub_spawn", &spawn);
	find(library, "hub_join", &join);
	if (run == NULL || run(body, argv, &result) != 0 || result != argv)
		return 1;
	return argc > 2 && dlsym(library, argv[2]) == NULL;
}
