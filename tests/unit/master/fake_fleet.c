#include "tests/unit/master/fake_fleet.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "master/fleet/slot.h"

/* ---- the owner ---- */

static void
on_all_ready(void *context)
{
	((struct fake_owner *)context)->all_ready++;
}

static void
on_risen(void *context)
{
	((struct fake_owner *)context)->risen++;
}

static void
on_fell(void *context, const char *why)
{
	struct fake_owner *owner = context;

	cr_assert_not_null(why);
	snprintf(owner->why, sizeof owner->why, "%s", why);
	owner->fell++;
}

static void
on_all_gone(void *context)
{
	((struct fake_owner *)context)->all_gone++;
}

static void
on_hopeless(void *context)
{
	((struct fake_owner *)context)->hopeless++;
}

static void
on_dumped(void *context, int64_t number)
{
	(void)number;
	((struct fake_owner *)context)->dumped++;
}

static void
on_dump_missed(void *context, int64_t number, unsigned hubs)
{
	(void)number;
	((struct fake_owner *)context)->dump_missed += hubs;
}

/* ---- the fleet ---- */

void
fake_open(struct fake_fleet *fake, const char *text, unsigned processes, unsigned threads)
{
	struct fleet_config config = {.processes = processes,
		.threads = threads,
		.heritage = {.addresses = 1},
		.drain_timeout = 30 * CLOCK_SECOND,
		.hang_timeout = 5 * CLOCK_SECOND,
		.balances = true};
	struct address addresses[ADDRESSES_MAX];
	const char *why;

	memset(fake, 0, sizeof *fake);
	cr_assert_eq(address_parse(text != NULL ? text : "127.0.0.1:0", addresses, &why), 1);
	cr_assert_eq(sockets_init(&fake->sockets, addresses, 1, 64), 0);
	cr_assert_eq(sockets_open(&fake->sockets, processes * threads), 0);
	fake->loop = ev_loop_new(EVFLAG_AUTO);
	fake->counters = counters_new(&fake->counters_file);
	cr_assert(fake->loop != NULL && fake->counters != NULL);
	fake->fleet.loop = fake->loop;
	fake->fleet.sockets = &fake->sockets;
	fake->fleet.counters = fake->counters;
	fake->fleet.events = (struct fleet_events){on_all_ready, on_risen, on_fell, on_all_gone,
		on_hopeless, on_dumped, on_dump_missed, &fake->told};
	cr_assert_eq(fleet_init(&fake->fleet), 0);
	fake->fleet.serving = generation_make(&fake->fleet, &config, GENERATION_SERVING);
	cr_assert_not_null(fake->fleet.serving);
}

static void
forget(struct slot *slot, void *unused)
{
	(void)unused;
	ev_timer_stop(slot->generation->fleet->loop, &slot->healthy);
	slot->pid = 0;
	slot->rows = NULL;
	if (slot->channel != -1)
		close(slot->channel);
	slot->channel = -1;
	if (slot->pidfd != -1)
		close(slot->pidfd);
	slot->pidfd = -1;
}

void
fake_close(struct fake_fleet *fake)
{
	struct fleet *fleet = &fake->fleet;

	fleet_each(fleet, forget, NULL);
	if (fleet->serving != NULL)
		generation_free(fleet->serving);
	if (fleet->rising != NULL)
		generation_free(fleet->rising);
	for (struct generation *each; (each = fleet->leaving) != NULL;) {
		fleet->leaving = each->next;
		generation_free(each);
	}
	fleet->serving = fleet->rising = NULL;
	fleet_fini(fleet);
	sockets_close(&fake->sockets);
	counters_free(&fake->counters);
	close(fake->counters_file);
	ev_loop_destroy(fake->loop);
}

struct generation *
fake_generation(struct fake_fleet *fake, enum generation_phase phase)
{
	struct fleet *fleet = &fake->fleet;
	struct generation *made = generation_make(fleet, &fleet->serving->config, phase);

	cr_assert_not_null(made);
	if (phase == GENERATION_RISING)
		fleet->rising = made;
	if (phase == GENERATION_LEAVING) {
		made->next = fleet->leaving;
		fleet->leaving = made;
	}
	return made;
}

/* ---- workers ---- */

struct slot *
fake_slot(struct fake_fleet *fake, unsigned index)
{
	cr_assert_lt(index, fake->fleet.serving->count);
	return fake->fleet.serving->slots[index];
}

int
fake_start(struct slot *slot)
{
	struct generation *generation = slot->generation;
	int pair[2];

	cr_assert_eq(slot->pid, 0);
	slot->rows = counters_claim(generation->fleet->counters, slot->index, generation->number,
		generation->config.threads);
	cr_assert_not_null(slot->rows);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	slot->channel = pair[0];
	slot->pid = getpid();
	/* No pidfd, so that no signal goes anywhere. */
	slot->pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	slot->started = clock_now();
	slot->is_killed = false;
	ev_timer_stop(generation->fleet->loop, &slot->respawn);
	slot->state = SUPERVISION_STARTING;
	return pair[1];
}

int
fake_serve(struct slot *slot)
{
	int end = fake_start(slot);

	slot_event(slot, SUPERVISION_ALL_READY);
	cr_assert_eq(slot->state, SUPERVISION_READY);
	return end;
}

void
fake_say(struct slot *slot, int end, enum channel_kind kind, unsigned hub)
{
	struct channel_message message = {.kind = kind, .hub = hub};

	cr_assert_eq(channel_send(end, &message, -1), 0);
	ev_invoke(slot->generation->fleet->loop, &slot->talk.watcher, EV_READ);
}

void
fake_fire(struct fake_fleet *fake, ev_timer *timer)
{
	cr_assert(ev_is_active(timer));
	ev_timer_stop(fake->loop, timer);
	ev_invoke(fake->loop, timer, EV_TIMER);
}

unsigned
fake_heard(int end, enum channel_kind kind)
{
	struct channel_message message;
	unsigned count = 0;
	int descriptor;

	while (channel_receive(end, &message, &descriptor) == 1) {
		count += message.kind == kind;
		if (descriptor != -1)
			close(descriptor);
	}
	return count;
}

int
fake_client(const struct fake_fleet *fake)
{
	const struct address *address = &fake->sockets.addresses[0];
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (const struct sockaddr *)&address->socket, address->length), 0);
	return fd;
}

/* ---- seats ---- */

const char *
fake_seats(const struct fake_fleet *fake)
{
	static char text[256];
	size_t length = 0;

	for (unsigned i = 0; i < fake->sockets.seat_count; i++) {
		const struct occupant *occupant = &fake->fleet.occupants[i];
		const struct slot *slot = occupant->slot;
		bool listens = fake->sockets.seats[i].listens;
		char who[16] = "-";

		if (slot != NULL)
			snprintf(who, sizeof who, "%s%u.%u",
				slot->generation == fake->fleet.serving ? "" : "+", slot->index,
				occupant->hub);
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%s%s%s%s",
			length > 0 ? " " : "", listens ? "" : "[", who, listens ? "" : "]",
			occupant->is_retiring ? "!" : "");
		cr_assert_lt(length, sizeof text);
	}
	return text;
}

/* ---- what happens to slots ---- */

static char recorded[1024], last[1024];

static void
record(const char *format, ...)
{
	size_t length = strlen(recorded);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(recorded + length, sizeof recorded - length, format, arguments);
	va_end(arguments);
}

static void
note(const char *what, const struct slot *slot)
{
	record("%s%s %u", *recorded != '\0' ? ", " : "", what, slot->index);
}

static void
on_serves(struct slot *slot)
{
	note("serves", slot);
}

static void
on_suspect(struct slot *slot)
{
	note("suspect", slot);
}

static void
on_rejoined(struct slot *slot)
{
	note("rejoined", slot);
}

static void
on_drained(struct slot *slot, unsigned hub)
{
	note("drained", slot);
	record(".%u", hub);
}

/* The rows are there for the last time. */
static void
on_lost(struct slot *slot)
{
	note(slot->rows == NULL                   ? "lost without rows"
		: slot->rows[0].state == ROW_DEAD ? "lost"
						  : "lost, not buried",
		slot);
}

static void
on_failed(struct slot *slot)
{
	note(slot->rows == NULL ? "failed" : "failed with rows", slot);
}

static void
on_gone(struct slot *slot)
{
	note(slot->rows == NULL ? "gone" : "gone with rows", slot);
}

void
fake_record(struct fake_fleet *fake)
{
	static const struct slot_events recorder = {
		on_serves, on_suspect, on_rejoined, on_drained, on_lost, on_failed, on_gone};

	*recorded = '\0';
	fake->fleet.slot_events = &recorder;
}

const char *
fake_recorded(void)
{
	memcpy(last, recorded, sizeof last);
	*recorded = '\0';
	return last;
}
