/* Producer and consumer over a generator, as the tutorial has them in Python: the consumer sends,
 * the producer yields; then a million items by next. */
#include <hubbub/hub.h>
#include <stdio.h>
#include <string.h>

/* consumer(): receives numbers, answers each with "200 OK". */
static void *
consumer(void *argument)
{
	const char *answer = "";

	(void)argument;
	for (;;) {
		intptr_t number = (intptr_t)hub_yield((void *)(uintptr_t)answer);

		if (number == 0)
			return NULL;
		printf("[CONSUMER] Consuming %ld...\n", (long)number);
		answer = "200 OK";
	}
}

static void
produce(struct hub_generator *generator)
{
	void *answer;

	hub_generator_next(generator, &answer);
	for (intptr_t number = 1; number <= 5; number++) {
		printf("[PRODUCER] Producing %ld...\n", (long)number);
		hub_generator_send(generator, (void *)number, &answer);
		printf("[PRODUCER] Consumer return: %s\n", (const char *)answer);
	}
	hub_generator_send(generator, NULL, &answer);
}

static void *
count(void *argument)
{
	for (intptr_t number = 1; number <= (intptr_t)argument; number++)
		hub_yield((void *)number);
	return NULL;
}

int
main(void)
{
	struct hub_generator *generator = hub_generator_new(consumer, NULL);
	int64_t began;
	intptr_t sum = 0;
	void *value;

	produce(generator);
	hub_generator_free(generator);
	generator = hub_generator_new(count, (void *)1000000);
	began = hub_now();
	while (hub_generator_next(generator, &value))
		sum += (intptr_t)value;
	printf("sum of a million items: %ld\n", (long)sum);
	fprintf(stderr, "%.3f s\n", (double)(hub_now() - began) / 1e9);
	hub_generator_free(generator);
	return 0;
}
