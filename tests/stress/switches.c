/* A hundred thousand switches, kills and unwinds: each switch preserves what the ABI asks for. With
 * a plain main, also for emulators of other architectures. Prints "ok" and exits with 0, or says
 * what went wrong. */
#include <errno.h>
#include <execinfo.h>
#include <hubbub/hub.h>
#include <stdio.h>
#include <string.h>

#define SWITCHES 100000

static long unwound, canceled, wrong;

static void *
sleeper(void *argument)
{
	double a = 1.5;
	long b = (long)(intptr_t)argument;

	while (hub_sleep(HUB_FOREVER) == 0) {
		a += 1;
		b += 1;
	}
	if (errno == ECANCELED && a == 1.5 && b == (long)(intptr_t)argument)
		canceled++;
	return argument;
}

/* Unwinding stops at the coroutine's first frame: it neither fails nor runs beyond it. */
static void *
unwinder(void *argument)
{
	void *frames[64];
	int depth = backtrace(frames, 64);

	if (depth >= 2 && depth < 32)
		unwound++;
	return argument;
}

static void *
yielder(void *argument)
{
	double sum = 0;

	for (int i = 1; i <= SWITCHES / 2; i++) {
		sum += i;
		if (hub_sleep(0) != 0)
			wrong++;
	}
	if (sum != SWITCHES / 2 * (SWITCHES / 2 + 1.) / 2)
		wrong++;
	return argument;
}

static void *
echo(void *value)
{
	for (;;)
		value = hub_yield((void *)((intptr_t)value + 1));
	return NULL;
}

static void *
body(void *argument)
{
	struct hub_coroutine *yielders[2];
	struct hub_generator *generator = hub_generator_new(echo, NULL);
	void *value;

	for (int i = 0; i < 2; i++)
		yielders[i] = hub_spawn(yielder, NULL);
	for (int i = 0; i < 2; i++)
		hub_join(yielders[i], NULL);
	hub_generator_next(generator, &value);
	for (intptr_t i = 0; i < SWITCHES; i++)
		if (!hub_generator_send(generator, (void *)i, &value) || (intptr_t)value != i + 1)
			wrong++;
	hub_generator_free(generator);
	for (intptr_t i = 0; i < SWITCHES; i++) {
		struct hub_coroutine *victim = hub_spawn(sleeper, (void *)i);
		void *result;

		hub_sleep(0);
		hub_kill(victim);
		if (hub_join(victim, &result) != 0 || (intptr_t)result != i)
			wrong++;
		hub_join(hub_spawn(unwinder, NULL), NULL);
	}
	return argument;
}

int
main(void)
{
	if (hub_run(body, NULL, NULL) != 0 || wrong != 0 || canceled != SWITCHES ||
		unwound != SWITCHES) {
		printf("%ld wrong, %ld killed, %ld unwound\n", wrong, canceled, unwound);
		return 1;
	}
	printf("ok: %d switches, %ld kills, %ld unwinds\n", SWITCHES, canceled, unwound);
	return 0;
}
