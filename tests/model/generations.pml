/* Generations (master/fleet/fleet.h, master/change/change.h) as a model for spin(1):
 *
 *	cc -I../.. -o table table.c ../../master/fleet/supervision.c && ./table >supervision.pml
 *	spin -a generations.pml && cc -DNP -DNOREDUCE -o pan pan.c && ./pan -l
 *
 * A master with one worker or two is reloaded or scaled CHANGES times, whenever it allows that. What a
 * slot does is the master's own table, printed as Promela; what follows for its generation and for the
 * seats is written here. EVILS of these happen, at any step: a worker dies, gives no sign of life, or
 * never gets ready; a fork or a listen is refused; a deadline comes though all workers do what they
 * should; the server is told to drain, or to stop; the master is killed. Atomic is what the master
 * does in one callback, and each step of a worker.
 *
 * Proven for all interleavings: no execution has a cycle, so each comes to rest. One generation is
 * current at a time. Until the server is to end, its first seat listens, each worker that serves
 * accepts on its own seat, and somebody accepts on each seat that is not about to leave, unless a
 * worker was hurt that had become ready. Each change ends, and one that fails leaves the serving generation as it was. At rest all workers of
 * that one serve; no other generation is left, nor a seat or a worker of one. Workers do not
 * outlive their master.
 *
 * Permits are modelled in permits.pml, and another master in upgrade.pml. */
#include "supervision.pml"

#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef EVILS
#define EVILS 2
#endif
#define GENERATIONS (CHANGES + 1)
#define SEATS 2
#define SLOTS (SEATS * GENERATIONS)
#define NONE GENERATIONS
#define NOBODY SLOTS

mtype = { ABSENT, BORN, STUNTED, RUNS, STUCK, GONE };   /* a process; GONE: not yet reaped */
mtype = { UNMADE, RISING, SERVING, LEAVING, FREED };    /* a generation */
mtype = { HANDOVER, DRAIN, STOP };                      /* how a worker is to leave */
mtype = { RELOAD, SCALE };                              /* a change */
mtype = { BOOTING, OPEN, CLOSING, ENDED, KILLED };      /* the master */

/* Of each slot. A slot belongs to another generation once it has joined it. */
mtype state[SLOTS] = DEAD;
mtype process[SLOTS] = ABSENT;
byte owner[SLOTS] = NONE;
bool has_said[SLOTS];  /* that it is ready; not yet read */
bool is_killed[SLOTS]; /* and perhaps not dead yet, as the master sees it */
bool is_paused[SLOTS]; /* until another process is forked */
bool accepts[SLOTS];   /* it was told to, or is about to be */
mtype told[SLOTS];     /* to leave */

/* Of each generation. */
mtype phase[GENERATIONS] = UNMADE;
byte processes[GENERATIONS];
bool joins[GENERATIONS];
bool is_abandoned[GENERATIONS];
bool is_stopped[GENERATIONS];
bool deadline[GENERATIONS]; /* runs */

/* Of each seat. */
bool listens[SEATS];
bool is_retiring[SEATS];
byte occupant[SEATS] = NOBODY;

/* Of the master. */
mtype master = BOOTING;
byte made = 1; /* generations */
byte serving = NONE;
byte rising = NONE;
byte bound;    /* seats that have sockets, */
byte kept;     /* and those that stay if the rising generation is dropped */
bool is_leaving;
bool is_stopping;
bool sweep;    /* is due */
bool settled;  /* the timer runs */
bool has_fallen;
mtype change;  /* 0: none is under way */
byte before, size_before; /* what served when it began, and how many workers that had */

byte evils = EVILS;
bool is_hurt; /* a worker that had become ready was, or could not be put on its seat */

/* Of one step, and 0 between steps: the events of slots that are still to be handled, as a stack,
 * since the master calls; and what inlines use. */
#define DEPTH 8
byte depth;
byte slots[DEPTH];
mtype events[DEPTH];
byte who, it, former, i, j;
mtype event, action, becomes, how;
bool is_so, must_abandon;

#define seat_of(s) ((s) % SEATS)
#define is_alive(s) (process[s] != ABSENT && process[s] != GONE)
#define has_process(s) (state[s] != DEAD && state[s] != BACKING_OFF)
#define serves(s) (owner[s] == serving && state[s] == READY && process[s] == RUNS && accepts[s] && \
	occupant[seat_of(s)] == s && listens[seat_of(s)])
#define is_open (master == OPEN && !is_leaving)

inline push(s, what)
{
	assert(depth < DEPTH);
	slots[depth] = s;
	events[depth] = what;
	depth++
}

/* is_so: all slots of the generation are in that state, or READY and not about to die. */
inline ask_all(g, what)
{
	is_so = true;
	for (j : 0 .. SLOTS - 1) {
		is_so = is_so && (owner[j] != g || (state[j] == what && (what == DEAD || !is_killed[j])))
	}
}

inline kill(s)
{
	if
	:: is_alive(s) -> process[s] = GONE; is_killed[s] = true
	:: else
	fi
}

/* ---- seats ---- */

inline sit(s)
{
	assert(process[s] != ABSENT && listens[seat_of(s)]);
	occupant[seat_of(s)] = s;
	is_retiring[seat_of(s)] = false
}

inline retire(seat)
{
	occupant[seat] = NOBODY;
	is_retiring[seat] = true
}

inline give_seats_back()
{
	is_so = rising == NONE && !is_leaving;
	for (j : 0 .. GENERATIONS - 1) {
		is_so = is_so && !(phase[j] == LEAVING && is_abandoned[j])
	}
	if
	:: is_so ->
		for (j : 0 .. SEATS - 1) {
			assert(j < kept || j >= bound || !listens[j])
		}
		bound = kept
	:: else
	fi
}

/* ---- the end of a generation ---- */

inline retire_generation(g)
{
	assert(g != serving && g != rising && phase[g] != LEAVING);
	phase[g] = LEAVING
}

/* The slots are told in their order. */
inline tell(g, how)
{
	for (i : 1 .. SLOTS) {
		if
		:: owner[SLOTS - i] == g ->
			assert(state[SLOTS - i] != DRAINING || how == STOP);
			told[SLOTS - i] = how;
			push(SLOTS - i, LEAVE)
		:: else
		fi
	}
}

inline leave(g, how)
{
	if
	:: phase[g] != LEAVING -> retire_generation(g)
	:: else
	fi;
	if
	:: how == STOP && !is_stopped[g] -> deadline[g] = false
	:: else
	fi;
	if
	:: !deadline[g] -> is_stopped[g] = how == STOP; deadline[g] = true
	:: else
	fi;
	tell(g, how);
	sweep = true
}

inline kill_all(g)
{
	for (i : 0 .. SLOTS - 1) {
		if
		:: owner[i] == g -> kill(i)
		:: else
		fi
	}
}

inline on_deadline(g)
{
	assert(phase[g] == LEAVING);
	if
	:: is_stopped[g] -> deadline[g] = false; kill_all(g)
	:: else -> is_stopped[g] = true; tell(g, STOP)
	fi
}

inline abandon()
{
	it = rising;
	assert(phase[it] == RISING);
	rising = NONE;
	is_abandoned[it] = true;
	leave(it, STOP);
	kill_all(it)
}

/* The change is told, and ends in a timer. */
inline fall()
{
	assert(serving == before && processes[serving] == size_before);
	must_abandon = true;
	has_fallen = true;
	settled = true
}

/* What is left of it makes no difference, and so no states. */
inline free(g)
{
	phase[g] = FREED;
	processes[g] = 0;
	joins[g] = false;
	is_abandoned[g] = false;
	is_stopped[g] = false;
	deadline[g] = false;
	for (j : 0 .. SLOTS - 1) {
		if
		:: owner[j] == g -> assert(process[j] == ABSENT); owner[j] = NONE
		:: else
		fi
	}
}

inline on_sweep()
{
	sweep = false;
	former = NONE;
	for (i : 0 .. GENERATIONS - 1) {
		ask_all(i, DEAD);
		if
		:: phase[i] == LEAVING && is_so -> free(i)
		:: phase[i] == LEAVING && !is_so -> former = i
		:: else
		fi
	}
	give_seats_back();
	if
	:: is_leaving && former == NONE ->
		assert(serving == NONE && rising == NONE);
		is_leaving = false;
		master = ENDED
	:: else
	fi
}

inline leave_all(how)
{
	is_leaving = true;
	sweep = true;
	must_abandon = rising != NONE;
	former = serving;
	serving = NONE;
	for (who : 0 .. GENERATIONS - 1) {
		if
		:: who == former || (how == STOP && phase[who] == LEAVING) -> leave(who, how)
		:: else
		fi
	}
}

/* ---- changes ---- */

inline change_ends()
{
	assert(change != 0);
	change = 0;
	before = 0;
	size_before = 0;
	settled = false;
	has_fallen = false
}

/* Seats, slots and forks of another generation, which has the slots of these indices. */
inline rise(first, count)
{
	rising = made;
	made++;
	phase[rising] = RISING;
	processes[rising] = count;
	bound = (count > bound -> count : bound);
	for (i : 1 .. SEATS) {
		if
		:: SEATS - i >= first && SEATS - i < count ->
			owner[SEATS * rising + SEATS - i] = rising;
			push(SEATS * rising + SEATS - i, START)
		:: else
		fi
	}
}

/* The last slot becomes a generation of its own, which leaves. */
inline shrink()
{
	it = made;
	made++;
	for (i : 0 .. SLOTS - 1) {
		if
		:: owner[i] == serving && seat_of(i) == SEATS - 1 -> owner[i] = it
		:: else
		fi
	}
	processes[serving] = SEATS - 1;
	retire(SEATS - 1);
	retire_generation(it);
	leave(it, HANDOVER)
}

inline join()
{
	for (i : 0 .. SLOTS - 1) {
		if
		:: owner[i] == it -> owner[i] = serving; sit(i); accepts[i] = true
		:: else
		fi
	}
	processes[serving] = SEATS;
	retire_generation(it);
	sweep = true
}

inline take_over()
{
	former = serving;
	phase[it] = SERVING;
	serving = it;
	retire_generation(former);
	for (i : 0 .. SLOTS - 1) {
		if
		:: owner[i] == it -> sit(i); accepts[i] = true
		:: else
		fi
	}
	for (i : 0 .. SEATS - 1) {
		if
		:: listens[i] && i >= processes[it] -> retire(i)
		:: else
		fi
	}
	leave(former, HANDOVER)
}

inline commit()
{
	assert(!is_leaving);
	it = rising;
	rising = NONE;
	kept = bound;
	if
	:: joins[it] -> join()
	:: else -> take_over()
	fi;
	change_ends()
}

inline on_risen()
{
	if
	:: true ->
		for (i : 0 .. SLOTS - 1) {
			listens[seat_of(i)] = listens[seat_of(i)] || owner[i] == rising
		}
		commit()
	:: evils > 0 -> evils--; fall()
	fi
}

/* ---- a slot ---- */

inline on_ready(s)
{
	ask_all(owner[s], READY);
	if
	:: phase[owner[s]] == RISING && is_so -> on_risen()
	:: master == BOOTING && owner[s] == serving && is_so -> master = OPEN
	:: else
	fi
}

inline serve(s)
{
	if
	:: phase[owner[s]] == SERVING ->
		if
		:: listens[seat_of(s)] = true; sit(s); accepts[s] = true
		/* Then it has not served, and does not count. */
		:: evils > 0 && !listens[seat_of(s)] ->
			evils--;
			is_hurt = true;
			kill(s);
			action = NOTHING
		fi
	:: else
	fi
}

inline clean_up(s)
{
	assert(process[s] == GONE);
	process[s] = ABSENT;
	is_killed[s] = false;
	accepts[s] = false;
	occupant[seat_of(s)] = (occupant[seat_of(s)] == s -> NOBODY : occupant[seat_of(s)])
}

inline back_off(s)
{
	assert(phase[owner[s]] != LEAVING);
	if
	:: phase[owner[s]] == SERVING -> is_paused[s] = true
	:: else -> fall()
	fi
}

inline spawn(s)
{
	assert(process[s] == ABSENT && seat_of(s) < bound);
	if
	:: process[s] = BORN
	:: evils > 0 -> evils--; push(s, FORK_FAILED)
	fi
}

/* No worker will follow. */
inline on_gone(s)
{
	assert(state[s] == DEAD);
	if
	:: (told[s] == DRAIN || (is_leaving && told[s] == STOP)) && occupant[seat_of(s)] == NOBODY ->
		retire(seat_of(s))
	:: else
	fi;
	told[s] = 0;
	sweep = true
}

inline act(s)
{
	if
	:: action == SERVE -> serve(s)
	:: action == REPLACE || action == RETIRE -> clean_up(s)
	:: action == GIVE_UP_PAUSE -> is_paused[s] = false
	:: else
	fi;
	if
	:: action == SPAWN -> spawn(s)
	:: action == SERVE || action == REJOIN -> on_ready(s)
	:: action == BACK_OFF || action == REPLACE -> back_off(s)
	:: action == KILL -> kill(s)
	:: action == TELL -> accepts[s] = false
	:: action == RETIRE || action == GIVE_UP_PAUSE -> on_gone(s)
	:: action == NOTHING || action == STEER_AROUND
	fi
}

inline handle_all()
{
	do
	:: must_abandon -> must_abandon = false; abandon()
	:: !must_abandon && depth > 0 ->
		depth--;
		who = slots[depth];
		event = events[depth];
		slots[depth] = 0;
		events[depth] = 0;
		if
		/* Another one has failed, and the rest are not started. */
		:: event == START && phase[owner[who]] == LEAVING
		:: else ->
			assert(supervision_can_come(state[who], event));
			supervision_step(state[who], event);
			state[who] = becomes;
			act(who)
		fi
	:: !must_abandon && depth == 0 -> break
	od
}

/* ---- what holds between any two steps of the master ---- */

inline check_slot(s)
{
	assert(has_process(s) == (process[s] != ABSENT));
	assert(process[s] == ABSENT || seat_of(s) < bound);
	assert(!is_paused[s] || state[s] == BACKING_OFF);
	assert(owner[s] == NONE || phase[owner[s]] != LEAVING || state[s] == DRAINING || state[s] == DEAD);
	/* Who is ready and serves accepts, on its own seat. */
	assert(serving == NONE || owner[s] != serving || state[s] != READY || process[s] != RUNS || serves(s))
}

inline check_generation(g)
{
	assert((phase[g] == SERVING) == (g == serving));
	assert((phase[g] == RISING) == (g == rising))
}

inline check_seat(seat)
{
	assert(occupant[seat] == NOBODY ||
		(process[occupant[seat]] != ABSENT && listens[seat] && !is_retiring[seat]));
	assert(!is_open || is_hurt || !listens[seat] || is_retiring[seat] ||
		(occupant[seat] != NOBODY && serves(occupant[seat])))
}

inline finish()
{
	handle_all();
	d_step {
	for (i : 0 .. SLOTS - 1) { check_slot(i) };
	for (i : 0 .. GENERATIONS - 1) { check_generation(i) };
	for (i : 0 .. SEATS - 1) { check_seat(i) };
	assert(!is_open || (listens[0] && !is_retiring[0]));
	how = 0; who = 0; it = 0; former = 0; i = 0; j = 0; event = 0; action = 0; becomes = 0; is_so = false
	}
}

/* Its memory is gone, and its workers have only themselves. */
inline die()
{
	d_step {
	master = KILLED;
	serving = NONE; rising = NONE; bound = 0; kept = 0; made = 0;
	is_leaving = false; is_stopping = false; sweep = false; settled = false; has_fallen = false;
	change = 0; before = 0; size_before = 0; is_hurt = true;
	for (i : 0 .. SLOTS - 1) {
		state[i] = DEAD; owner[i] = NONE; has_said[i] = false; is_killed[i] = false; is_paused[i] = false;
		accepts[i] = false; told[i] = 0
	}
	for (i : 0 .. GENERATIONS - 1) {
		phase[i] = UNMADE; processes[i] = 0; joins[i] = false; is_abandoned[i] = false;
		is_stopped[i] = false; deadline[i] = false
	}
	for (i : 0 .. SEATS - 1) {
		listens[i] = false; is_retiring[i] = false; occupant[i] = NOBODY
	}
	i = 0
	}
}

/* ---- who acts ---- */

#define hurt(s) is_hurt = is_hurt || process[s] == RUNS || owner[s] == serving

proctype worker(byte me)
{
end:	do
	:: atomic { process[me] == BORN -> process[me] = RUNS; has_said[me] = true }
	:: atomic { process[me] == BORN && evils > 0 -> evils--; hurt(me); process[me] = STUNTED }
	:: atomic { process[me] == RUNS && evils > 0 -> evils--; hurt(me); process[me] = STUCK }
	:: atomic { process[me] == STUCK -> process[me] = RUNS }
	:: atomic { is_alive(me) && evils > 0 -> evils--; hurt(me); process[me] = GONE }
	:: atomic { process[me] == RUNS && state[me] == DRAINING -> process[me] = GONE }
	:: atomic { is_alive(me) && master == KILLED -> process[me] = GONE }
	od
}

/* What the master may notice of it. */
#define is_silent(s) (state[s] == READY && process[s] == STUCK)
#define is_heard(s) (state[s] == HUNG && process[s] == RUNS)
#define is_late(s) ((state[s] == HUNG && process[s] == STUCK) || (state[s] == STARTING && process[s] == STUNTED))
#define is_news(s) (has_said[s] || process[s] == GONE || is_paused[s] || is_silent(s) || is_heard(s) || is_late(s))

inline notice(s)
{
	if
	/* What a dead worker has said is still read. */
	:: process[s] == GONE ->
		push(s, EXIT);
		if
		:: has_said[s] -> has_said[s] = false; push(s, ALL_READY)
		:: else
		fi
	:: process[s] != GONE && has_said[s] -> has_said[s] = false; push(s, ALL_READY)
	:: is_paused[s] -> is_paused[s] = false; push(s, PAUSE_OVER)
	:: is_silent(s) -> push(s, SILENT)
	:: is_heard(s) -> push(s, HEARD)
	:: is_late(s) -> push(s, HANG_TIMEOUT)
	fi
}

inline start()
{
	serving = 0;
	phase[0] = SERVING;
	if
	:: processes[0] = SEATS - 1
	:: processes[0] = SEATS
	fi;
	bound = processes[0];
	kept = bound;
	for (i : 1 .. processes[0]) {
		owner[processes[0] - i] = 0;
		push(processes[0] - i, START)
	}
}

inline begin_change()
{
	before = serving;
	size_before = processes[serving];
	if
	:: change = RELOAD; rise(0, SEATS - 1)
	:: change = RELOAD; rise(0, SEATS)
	:: processes[serving] < SEATS ->
		change = SCALE;
		joins[made] = true;
		settled = true;
		rise(SEATS - 1, SEATS)
	:: processes[serving] == SEATS -> change = SCALE; settled = true; shrink()
	fi
}

inline end_server()
{
	if
	:: change != 0 -> change_ends()
	:: else
	fi;
	if
	:: master != CLOSING -> how = DRAIN
	:: how = STOP
	fi;
	master = CLOSING;
	is_stopping = how == STOP;
	leave_all(how)
}

#define is_idle(s, g) (owner[s] == g && (process[s] == STUCK || process[s] == STUNTED))
#if CHANGES == 2
#define waits_in_vain(g) (is_idle(0, g) || is_idle(1, g) || is_idle(2, g) || is_idle(3, g) || \
	is_idle(4, g) || is_idle(5, g))
#else
#define waits_in_vain(g) (is_idle(0, g) || is_idle(1, g) || is_idle(2, g) || is_idle(3, g))
#endif
#define may_notice(s) :: is_news(s) -> notice(s)
#define may_pass(g) \
	:: deadline[g] && waits_in_vain(g) -> on_deadline(g) \
	:: deadline[g] && !waits_in_vain(g) && evils > 0 -> evils--; on_deadline(g)
#define may_leave_group(seat) \
	:: is_retiring[seat] && occupant[seat] == NOBODY -> is_retiring[seat] = false; listens[seat] = false

proctype server()
{
	atomic { start(); finish() };
end:	do
	:: atomic {
		if
		may_notice(0)
		may_notice(1)
		may_notice(2)
		may_notice(3)
		may_pass(0)
		may_pass(1)
#if CHANGES == 2
		may_notice(4)
		may_notice(5)
		may_pass(2)
#endif
		may_leave_group(0)
		may_leave_group(1)
		:: sweep -> on_sweep()
		:: rising != NONE && waits_in_vain(rising) -> fall()
		:: rising != NONE && !waits_in_vain(rising) && evils > 0 -> evils--; fall()
		:: settled && (has_fallen || rising == NONE) -> change_ends()
		:: master == OPEN && change == 0 && made < GENERATIONS -> begin_change()
		:: evils > 0 && (master == BOOTING || master == OPEN || (master == CLOSING && !is_stopping)) ->
			evils--;
			end_server()
		fi;
		finish() }
	:: atomic { evils > 0 -> evils--; die(); break }
	od
}

init {
	byte s;

	atomic {
		for (s : 0 .. SLOTS - 1) { run worker(s) };
		run server()
	};
	timeout;
	/* At rest. */
	assert(change == 0 || master == KILLED);
	for (s : 0 .. SLOTS - 1) {
		assert(master == OPEN || !is_alive(s));
		assert(master != OPEN || owner[s] != serving || serves(s));
	}
	for (s : 0 .. GENERATIONS - 1) {
		assert(master == KILLED || phase[s] == UNMADE || phase[s] == FREED || (master == OPEN && s == serving))
	}
	assert(master == OPEN || master == ENDED || master == KILLED);
	assert(master != OPEN || (bound == kept && processes[serving] > 0));
	for (s : 0 .. SEATS - 1) {
		assert(master != OPEN || listens[s] == (s < processes[serving]));
	}
}
