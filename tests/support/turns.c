#include "tests/support/turns.h"

#include <stdio.h>

#define PROCESSES_MAX 1000

struct turns {
	pid_t processes[PROCESSES_MAX]; /* in the order of their first turns */
	unsigned process_count;
	unsigned count;
	bool are_alone;
};

static void
add(struct turns *turns, pid_t pid)
{
	turns->count++;
	if (turns->process_count > 0 && turns->processes[turns->process_count - 1] == pid)
		return;
	for (unsigned i = 0; i < turns->process_count; i++)
		if (turns->processes[i] == pid)
			turns->are_alone = false;
	if (turns->process_count < PROCESSES_MAX)
		turns->processes[turns->process_count++] = pid;
}

static const struct turns *
turns_read(const char *path)
{
	static struct turns turns;
	FILE *file = fopen(path, "re");
	int pid;

	turns = (struct turns){.are_alone = true};
	while (file != NULL && fscanf(file, "%d", &pid) == 1)
		add(&turns, pid);
	if (file != NULL)
		fclose(file);
	return &turns;
}

pid_t
turns_last(const char *path)
{
	const struct turns *turns = turns_read(path);

	return turns->process_count > 0 ? turns->processes[turns->process_count - 1] : 0;
}

unsigned
turns_count(const char *path)
{
	return turns_read(path)->count;
}

bool
turns_are_alone(const char *path)
{
	return turns_read(path)->are_alone;
}
