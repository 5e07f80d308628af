/* The upgrade's protocol (master/change/upgrade.h) as a model for spin(1):
 *
 *	spin -a upgrade.pml && cc -O2 -DNOREDUCE -o pan pan.c && ./pan -E
 *
 * Master 0 upgrades to 1; with -DMASTERS=3 that one upgrades to 2, perhaps while 0 still drains.
 * Steps interleave at will, so each master may pause for any time between any two; every deadline
 * may come at any time; and EVILS of these happen, at any step: a master is killed, a launcher is,
 * TERM is sent. What a dead one has said is still read, and then comes the end of file. Atomic is
 * only what is so there: a compare-and-swap, a message, a system call.
 *
 * No execution has a cycle, so each comes to rest; and then whoever lives owns all and serves. */
#ifndef MASTERS
#define MASTERS 2
#endif
#ifndef EVILS
#define EVILS 3
#endif
#define LAST (MASTERS - 1)
#define NOBODY MASTERS

mtype = { PREPARING, OFFERED, TAKEN, WITHDRAWN, LEFT, RETAKEN }; /* a commit word */
mtype = { RISEN, GO, TOOK, NAMED, LEAVING, DRAIN };     /* messages */
mtype = { RISING, WAITING, OWNER };                     /* a master, */
mtype = { NONE, STARTING, OFFERING, SUCCEEDED, GONE };  /* and its successor, as it sees it */

bool is_born[MASTERS];
bool is_alive[MASTERS];
bool accepts[MASTERS]; /* its workers open connections */
bool doors[MASTERS];   /* it answers by control, admin and agent */
bool holds[MASTERS];   /* listening sockets, locks, pid file */
bool is_told[MASTERS]; /* by TERM, to drain */
bool has_owned[MASTERS];
bool must_end;    /* whoever served was told to stop, and nobody is to serve any more */
byte pidfile = 0;
byte manager = 0; /* the main process, as the service manager knows it */
byte evils = EVILS;
byte kills;
bool is_excused; /* nobody needs to be left */

/* Of each master, and the former one, which is the one before. */
mtype word[MASTERS];
bool launcher[MASTERS];  /* lives, and is its parent */
bool is_known[MASTERS];  /* the launcher has told its pid */
bool leash[MASTERS];     /* holds the launcher */
bool is_closed[MASTERS]; /* the channel, by the former one */
chan up[MASTERS] = [3] of { mtype };   /* to the former one */
chan down[MASTERS] = [3] of { mtype }; /* from it */

#define former (me - 1)
#define next (me + 1)
#define is_dead(who) (is_born[who] && !is_alive[who])
/* The service manager ends all with its main process, so each waits for the one before. */
#define is_last (me == 0 || is_closed[me] || !is_alive[former])
#define sees_end (me > 0 && (is_closed[me] || !is_alive[former]) && empty(down[me]))

#define serves(who) (is_alive[who] && accepts[who])
#define answers(who) (is_alive[who] && doors[who])
#define lives(who) (is_alive[who])
#define may_serve(who) (is_alive[who] && word[who] != WITHDRAWN)
#if MASTERS == 3
#define number(of) (of(0) + of(1) + of(2))
#else
#define number(of) (of(0) + of(1))
#endif

inline swap(who, from, to)
{
	atomic {
		has_swapped = word[who] == from;
		if
		:: has_swapped -> word[who] = to
		:: else
		fi
	}
}

/* It owns the server, and serves. */
inline serve()
{
	phase = OWNER;
	assert(holds[me] && heir != GONE);
	atomic { accepts[me] = true; assert(number(serves) <= 1) };
	pidfile = me;
	atomic { doors[me] = true; assert(number(answers) <= 1) };
	has_owned[me] = true
}

/* Nobody ends without a reason. */
inline exit()
{
	assert(is_told[me] || heir == SUCCEEDED || heir == GONE || word[me] == WITHDRAWN ||
		word[former] == RETAKEN);
	accepts[me] = false;
	doors[me] = false;
	if
	:: phase == OWNER && heir == NONE -> pidfile = NOBODY
	:: else
	fi;
	atomic { holds[me] = false; is_alive[me] = false }
}

/* ---- the new master ---- */

inline take()
{
	swap(me, OFFERED, TAKEN);
	if
	:: !has_swapped && is_alone -> swap(me, PREPARING, TAKEN)
	:: else
	fi;
	if
	:: has_swapped ->
		/* Unless that one's own former one was quicker, it is not to serve again. */
		swap(former, TAKEN, LEFT);
		if
		:: me > 1 && word[former] == RETAKEN -> exit(); goto end
		:: else -> serve(); up[me]!TOOK
		fi
	:: else
	fi
}

/* The former one is not to serve again. */
inline leave()
{
	if
	:: me > 0 && !has_left -> swap(me, TAKEN, LEFT); has_left = true; up[me]!LEAVING
	:: me == 0 || has_left
	fi
}

/* ---- the old master ---- */

inline report(is_done)
{
	if
	:: !has_reported -> has_reported = true; assert(is_done == (has_owned[next] && heir != NONE))
	:: else
	fi
}

inline launch()
{
	atomic {
		launcher[next] = true;
		leash[next] = true;
		holds[next] = true;
		is_born[next] = true;
		is_alive[next] = true;
		heir = STARTING
	}
}

inline offer()
{
	accepts[me] = false;
	doors[me] = false;
	swap(next, PREPARING, OFFERED);
	heir = OFFERING;
	down[next]!GO
}

inline hand_over()
{
	assert(!accepts[me] && is_known[next]);
	heir = SUCCEEDED;
	leave();
	leash[next] = false
}

inline withdraw()
{
	swap(next, PREPARING, WITHDRAWN);
	if
	:: !has_swapped -> swap(next, OFFERED, WITHDRAWN)
	:: else
	fi;
	if
	:: has_swapped ->
		is_closed[next] = true;
		heir = NONE;
		kill_if_known();
		serve();
		report(false)
	:: else -> hand_over()
	fi
}

inline kill_if_known()
{
	if
	:: is_known[next] -> atomic { assert(word[next] != TAKEN); is_alive[next] = false }
	:: else
	fi
}

inline take_back()
{
	swap(next, TAKEN, RETAKEN);
	if
	:: !has_swapped -> renounce()
	:: else ->
		heir = NONE;
		report(false);
		if
		:: has_passed_drain -> is_told[me] = true
		:: else -> serve(); manager = me
		fi
	fi
}

inline renounce()
{
	heir = GONE;
	leash[next] = false;
	holds[me] = false;
	report(true)
}

/* ---- a master ---- */

proctype master(byte me) provided (is_alive[me])
{
	mtype phase = (me == 0 -> OWNER : RISING);
	mtype heir = NONE;
	bool has_swapped, is_alone, has_left, is_ready = me == 0;
	bool has_tried, has_heard, is_named, has_reported, has_passed_drain;

	do
	/* The new one. */
	:: phase == RISING -> up[me]!RISEN; phase = WAITING
	:: phase == WAITING && down[me]?[GO] -> down[me]?GO; take()
	:: phase == WAITING && word[me] == OFFERED -> take()
	:: phase == WAITING && sees_end && word[me] != WITHDRAWN -> is_alone = true; take()
	:: phase != OWNER && word[me] == WITHDRAWN -> exit(); goto end
	:: phase != OWNER && is_told[me] -> exit(); goto end
	:: phase == OWNER && down[me]?[GO] -> down[me]?GO
	:: phase == OWNER && down[me]?[NAMED] -> down[me]?NAMED; is_ready = true
	:: phase == OWNER && down[me]?[DRAIN] -> down[me]?DRAIN; is_told[me] = true
	:: phase == OWNER && !is_ready && sees_end -> manager = me; is_ready = true

	/* The old one. */
	:: phase == OWNER && me < LAST && !has_tried && !is_told[me] && is_ready ->
		has_tried = true;
		launch()
	:: heir == STARTING && is_known[next] && up[next]?[RISEN] -> up[next]?RISEN; offer()
	:: heir == OFFERING && word[next] == TAKEN -> hand_over()
	/* A deadline, TERM, a death of the new one or of its launcher. */
	:: heir == STARTING || heir == OFFERING -> withdraw()
	:: heir == SUCCEEDED && up[next]?[TOOK] -> up[next]?TOOK; has_heard = true
	:: heir == SUCCEEDED && !is_named && !launcher[next] && !is_dead(next) ->
		atomic { assert(!launcher[next]); manager = next };
		down[next]!NAMED;
		is_named = true
	:: heir == SUCCEEDED && !has_reported && has_heard && is_named -> report(true)
	:: heir == SUCCEEDED && up[next]?[LEAVING] -> up[next]?LEAVING; renounce()
	:: heir == SUCCEEDED && is_dead(next) -> take_back()
	:: heir == SUCCEEDED && is_told[me] && !is_named && !has_passed_drain ->
		is_told[me] = false;
		has_passed_drain = true;
		down[next]!DRAIN;
		must_end = true
	/* The last of its workers is gone. */
	:: heir == SUCCEEDED && has_heard && is_named && !is_dead(next) && is_last ->
		is_excused = true;
		report(true);
		exit();
		goto end
	:: heir == GONE && is_last -> exit(); goto end

	/* Either. */
	:: phase == OWNER && heir == NONE && is_told[me] ->
		leave();
		must_end = true;
		is_last;
		assert(manager != me || number(may_serve) == 1 || kills > 0);
		exit();
		goto end
	od;
end:	skip
}

#define befall(who) \
	:: atomic { evils > 0 && is_alive[who] -> evils--; is_alive[who] = false; kills++; \
		is_excused = is_excused || kills > 1 || number(may_serve) == 0 } \
	:: atomic { evils > 0 && is_alive[who] && !is_told[who] -> evils--; \
		is_told[who] = true; is_excused = true }
#define launch_between(old, new) \
	:: atomic { launcher[new] && !is_known[new] -> is_known[new] = true } \
	:: atomic { launcher[new] && is_known[new] && \
		(!leash[new] || !is_alive[old] || !is_alive[new]) -> launcher[new] = false } \
	:: atomic { evils > 0 && launcher[new] -> evils--; launcher[new] = false }

proctype world()
{
	do
	befall(0)
	befall(1)
	launch_between(0, 1)
#if MASTERS == 3
	befall(2)
	launch_between(1, 2)
#endif
	/* No more of it. */
	:: evils > 0 -> evils = 0
	od
}

init {
	byte i;

	atomic {
		is_born[0] = true;
		is_alive[0] = true;
		accepts[0] = true;
		doors[0] = true;
		holds[0] = true;
		has_owned[0] = true;
		for (i : 0 .. LAST) {
			word[i] = PREPARING;
			run master(i)
		}
		run world()
	}
	timeout;
	assert(number(lives) == 1 || is_excused);
	for (i : 0 .. LAST) {
		if
		:: is_alive[i] ->
			assert(accepts[i] && doors[i] && holds[i]);
			assert(pidfile == i && manager == i);
			assert(number(lives) == 1 && !must_end)
		:: else
		fi
	}
}
