/* A fleet without processes: real sockets on loopback, real counters, real records, but its
 * workers are fakes, rows and a channel whose other end the test holds. No tick and no timer runs
 * by itself. A fake bears the test's own pid and no pidfd, so a kill is noted in its slot and
 * reaches nobody. */
#ifndef HUBBUB_TESTS_FAKE_FLEET_H
#define HUBBUB_TESTS_FAKE_FLEET_H

#include "master/fleet/fleet.h"

/* What the fleet has told its owner, and how often. */
struct fake_owner {
	unsigned all_ready;
	unsigned risen;
	unsigned fell;
	char why[160]; /* it fell */
	unsigned all_gone;
	unsigned hopeless;
	unsigned dumped;
	unsigned dump_missed; /* hubs */
};

struct fake_fleet {
	struct ev_loop *loop;
	struct sockets sockets;
	struct counters *counters;
	int counters_file;
	struct fleet fleet;
	struct fake_owner told;
};

/* Opens a fleet at that address, "127.0.0.1:0" if it is NULL: one generation that serves, of empty
 * slots, with a seat per hub that does not listen yet. */
void fake_open(struct fake_fleet *fake, const char *address, unsigned processes, unsigned threads);

/* Forgets all fakes, and frees everything. */
void fake_close(struct fake_fleet *fake);

/* Makes another generation of as many slots, and puts it where its phase says. */
struct generation *fake_generation(struct fake_fleet *fake, enum generation_phase phase);

/* Has the slot start a fake, whose hubs are not ready yet. Returns the fake's end of the
 * channel. */
int fake_start(struct slot *slot);

/* The same, and all its hubs become ready. */
int fake_serve(struct slot *slot);

/* A slot of the generation that serves. */
struct slot *fake_slot(struct fake_fleet *fake, unsigned index);

/* Sends a message as the fake, and has the slot hear it. */
void fake_say(struct slot *slot, int end, enum channel_kind kind, unsigned hub);

/* Lets a timer's time be over. */
void fake_fire(struct fake_fleet *fake, ev_timer *timer);

/* Receives what a fake was told: how many messages, all other kinds being dropped, with their
 * descriptors closed. */
unsigned fake_heard(int end, enum channel_kind kind);

/* Connects a client, who is queued on a seat that listens. Returns its socket. */
int fake_client(const struct fake_fleet *fake);

/* Who sits where, seat by seat: "0.1" is hub 1 of slot 0, "+0.1" that of another generation than
 * the one that serves, "-" nobody; in brackets if the seat does not listen, with "!" behind it if
 * it is to leave. Static until the next call. */
const char *fake_seats(const struct fake_fleet *fake);

/* Instead of its reactions, what happens to slots is noted: "serves 0, drained 1.2 (slot 1, hub
 * 2)". */
void fake_record(struct fake_fleet *fake);

/* What was noted since the last time. */
const char *fake_recorded(void);

#endif
