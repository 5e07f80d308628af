#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/flight.h"
#include "hub/debug/recording.h"
#include "tests/support/in_hub.h"

#define SIZE (FLIGHT_HEAD + 1024 * sizeof(struct flight_record))
#define TEXT 4096

static char ring_memory[SIZE] __attribute__((aligned(64)));
static struct flight_ring *ring = (struct flight_ring *)(void *)ring_memory;

static const char *const kinds[FLIGHT_KINDS] = {[FLIGHT_SWITCH] = "switch",
	[FLIGHT_WAKE] = "wake",
	[FLIGHT_POLL] = "poll",
	[FLIGHT_POLLED] = "polled",
	[FLIGHT_SPAWN] = "spawn",
	[FLIGHT_END] = "end",
	[FLIGHT_RECEIVED] = "received",
	[FLIGHT_SENT] = "sent",
	[FLIGHT_LATE] = "late",

	[FLIGHT_LOG] = "log",
	[FLIGHT_TEXT] = "text"};

static uint32_t
records(void)
{
	return flight_records(SIZE);
}

static struct flight_event
at(uint64_t number)
{
	struct flight_record record;

	cr_assert_eq(flight_read(ring, records(), number, &record), FLIGHT_FOUND);
	return flight_event(&record);
}

/* All records of the coroutines, without what the loop does, as "KIND NAME"; of a switch also why
 * the former one stops. */
static const char *
told(void)
{
	static char text[TEXT];
	size_t length = 0;

	text[0] = '\0';
	for (uint64_t i = 0; i < flight_written(ring) && length < TEXT - 100; i++) {
		struct flight_event event = at(i);
		char name[FLIGHT_NAME_SIZE] = "", why[FLIGHT_NAME_SIZE] = "";

		if (event.kind == FLIGHT_POLL || event.kind == FLIGHT_POLLED)
			continue;
		if (event.kind == FLIGHT_SWITCH || event.kind == FLIGHT_SPAWN)
			flight_read_name(ring, event.detail & 0xffff, name);
		if (event.kind == FLIGHT_SWITCH)
			flight_read_name(ring, event.detail >> 16, why);
		length += (size_t)snprintf(text + length, TEXT - length, "%s%s%s%s%s\n",
			kinds[event.kind], why[0] != '\0' ? " " : "", why,
			name[0] != '\0' ? " " : "", name);
	}
	return text;
}

static bool
has(enum flight_kind kind, uint32_t detail, uint64_t value)
{
	for (uint64_t i = 0; i < flight_written(ring); i++)
		if (at(i).kind == kind && at(i).detail == detail && at(i).value == value)
			return true;
	return false;
}

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	return argument;
}

static void *
spawn_and_join(void *argument)
{
	struct hub_coroutine *other;

	recording_start(ring, SIZE);
	other = hub_spawn(sleeper, NULL);
	hub_set_name(other, "other one");
	hub_join(other, NULL);
	recording_name_functions();
	recording_stop();
	return argument;
}

/* Whether the lines are told, in this sequence; others may lie between, since a slow machine polls
 * more often, and finds deadlines late. */
static bool
are_told(const char *const *lines)
{
	const char *rest = told();

	for (; *lines != NULL && rest != NULL; lines++) {
		rest = strstr(rest, *lines);
		rest = rest != NULL ? rest + strlen(*lines) : NULL;
	}
	return rest != NULL;
}

Test(recorder, records_switches_with_why_and_wakes)
{
	static const char *const lines[] = {"switch other main\n", "spawn sleeper\n",
		"switch join ", "other one\n", "switch sleep ", "wake\n", "other one\n", "end\n",
		"wake\n", "switch end ", "main\n", NULL};

	in_hub(spawn_and_join, NULL);
	cr_assert(are_told(lines), "%s", told());
}

struct ends {
	int left, right;
};

static void *
send_and_receive(void *argument)
{
	struct ends *kept = argument;
	char byte[4];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		return NULL;
	*kept = (struct ends){ends[0], ends[1]};
	recording_start(ring, SIZE);
	hub_send(ends[0], "abc", 3, 0);
	hub_recv(ends[1], byte, sizeof byte, 0);
	recording_note_text(1, "a line", 6);
	recording_stop();
	hub_send(ends[0], "abcd", 4, 0);
	hub_close(ends[0]);
	hub_close(ends[1]);
	return NULL;
}

Test(recorder, records_bytes_with_their_descriptor_until_it_is_stopped)
{
	struct ends ends;

	in_hub(send_and_receive, &ends);
	cr_assert(has(FLIGHT_SENT, (uint32_t)ends.left, 3));
	cr_assert(has(FLIGHT_RECEIVED, (uint32_t)ends.right, 3));
	cr_assert(has(FLIGHT_LOG, 1, 6));
	cr_assert_not(has(FLIGHT_SENT, (uint32_t)ends.left, 4));
}
