/* Permits (master/fleet/permits.h) as a model for spin(1):
 *
 *	spin -a permits.pml && cc -O2 -o pan pan.c && ./pan
 *
 * Two workers of one master, and one of another, which takes over in an upgrade, or because the first
 * one is dead. With -DRETAKE the second one may be killed, too; then the first one serves again, with
 * its second worker. With -DRELOAD there is no other master: the second worker is the next
 * generation's, for which the limit is NEXT_LIMIT. A tick moves permits from and to any hub: which,
 * and how many, is the level's to say, and not modelled. Hubs of a worker take each other's permits;
 * one row stands for them all. A worker takes a permit before it accepts and gives it back when the
 * connection has ended. A worker may be killed between any two steps, and so may the first master.
 * Proven for all interleavings: never are more connections open than the limit says, in all three
 * together; whoever has opened one under a higher limit keeps it, but a new generation opens none
 * before the number is below its own limit; and when all is quiet no permit is lost.
 *
 * What is atomic here is so there: a load, a store, one compare-and-swap or addition. */
#ifndef LIMIT
#define LIMIT 1 /* of which two may be made, or none be left, as of any other */
#endif
#ifndef NEXT_LIMIT
#define NEXT_LIMIT LIMIT
#endif
#ifndef ACCEPTS
#define ACCEPTS 1 /* of each worker */
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define WORKERS 3
#define NOBODY 9

#define master_of(w) (w / 2) /* 0 and 1 are the first master's, 2 is the second one's */

short permits[WORKERS]; /* in a row: worker and master take and give */
short granted[WORKERS]; /* in a row: its master writes, and the worker once that is dead */
byte open[WORKERS];
bool is_dead[WORKERS];   /* the process is gone, and what it had open is closed */
bool is_told[WORKERS];   /* to drain */
bool is_folded[WORKERS]; /* the row is not LIVE any more */
byte owner = 0;          /* the master that grants */
byte limit = LIMIT;      /* by which it grants */
bool master_is_dead[2];
bool has_returned;       /* the first master, or it has reloaded: its second worker serves */
byte kills = KILLS;

#define all_open (open[0] + open[1] + open[2])
#define has_master(w) (!master_is_dead[master_of(w)])
#if defined(RELOAD) || defined(RETAKE)
#define serves(w) (w == 2 || has_returned == (w == 1))
#define is_later(w) (w == 1)
#else
#define serves(w) true
#define is_later(w) false
#endif
#ifdef RETAKE
#define is_mortal(m) true
#else
#define is_mortal(m) (m == 0)
#endif

/* A worker's death. */
#define or_die() \
	atomic { \
		if \
		:: kills > 0 -> kills--; open[me] = 0; is_dead[me] = true; goto end \
		:: true \
		fi \
	}

/* A master's. */
#define or_die_as_master() \
	atomic { \
		if \
		:: is_mortal(me) && kills > 0 -> kills--; master_is_dead[me] = true; goto end \
		:: true \
		fi \
	}

/* ---- a worker ---- */

/* It may accept if there is a permit. */
inline take()
{
	atomic {
		has_permit = permits[me] > 0;
		if
		:: has_permit -> permits[me]--
		:: else
		fi
	}
}

inline accept()
{
	accepts++;
	atomic {
		open[me]++;
		assert(all_open <= (serves(me) || LIMIT < limit -> limit : LIMIT))
	}
}

inline end_one()
{
	open[me]--;
	or_die();
	permits[me]++
}

/* Of a dead master nobody writes the row any more. */
inline give_up()
{
	atomic { given = permits[me]; permits[me] = 0 };
	or_die();
	granted[me] = granted[me] - given;
	given = 0
}

proctype worker(byte me)
{
	bool has_permit;
	byte accepts;
	short given;

	do
	:: accepts < ACCEPTS && permits[me] > 0 ->
		or_die();
		take();
		or_die();
		if
		:: has_permit ->
			if
			:: accept()
			/* Nobody was queued after all. */
			:: permits[me]++
			fi
		:: else
		fi
	:: open[me] > 0 -> or_die(); end_one()
	:: !has_master(me) && permits[me] > 0 -> give_up()
	:: open[me] == 0 && (is_told[me] || !has_master(me)) -> break
	:: me == 2 && owner == 1 && open[me] == 0 && accepts == ACCEPTS -> break
	od;
	/* A worker that has drained leaves by itself, whatever it holds. */
	is_dead[me] = true;
end:	skip
}

/* ---- a master ---- */

/* One of its own that accepts. */
inline select_worker()
{
	if
	:: me == 0 && serves(0) && !is_folded[0] -> who = 0
	:: me == 0 && serves(1) && !is_folded[1] -> who = 1
	:: me == 1 && !is_folded[2] -> who = 2
	:: else -> who = NOBODY
	fi
}

/* Takes so many at most from a worker's row. */
inline take_back(w, most)
{
	d_step {
		taken = (permits[w] < most -> permits[w] : most);
		permits[w] = permits[w] - taken
	};
	or_die_as_master();
	atomic { granted[w] = granted[w] - taken; available = available + taken; taken = 0 }
}

/* What a worker of this master holds too much is given to another one, with what is free. The
 * balance decides how many that is, by what it read before. */
inline share()
{
	atomic {
		available = limit - granted[0] - granted[1] - granted[2];
		select_worker();
		count = LIMIT
	};
	if
	:: who != NOBODY ->
		take_back(who, count);
		atomic {
			select_worker();
			if
			:: count = available
			:: available > 1 -> count = 1
			fi
		};
		if
		:: who != NOBODY && count > 0 ->
			granted[who] = granted[who] + count;
			or_die_as_master();
			permits[who] = permits[who] + count
		:: else
		fi
	:: else
	fi;
	atomic { who = NOBODY; count = 0; available = 0 }
}

/* From one that leaves, or is to open nothing for a while. */
inline revoke(w)
{
	take_back(w, LIMIT);
	available = 0
}

/* A dead worker's permits come back, those that it used as well. */
inline reap(w)
{
	atomic {
		if
		:: is_dead[w] && !is_folded[w] && (master_of(w) == me || !has_master(w)) ->
			permits[w] = 0;
			granted[w] = 0;
			is_folded[w] = true
		:: else
		fi
	}
}

/* The upgrade has one owner at any time; see upgrade.pml. */
inline take_over()
{
	atomic {
		if
		:: owner == 1
		:: master_is_dead[0] && owner == 0 -> owner = 1
		fi
	}
}

/* The second worker serves from now on. */
inline bear_second()
{
	atomic { has_returned = true; is_folded[1] = false; run worker(1) }
}

/* The former generation is told when its permits are back, but may use one that comes back. */
inline reload()
{
	atomic { limit = NEXT_LIMIT; bear_second() };
	revoke(0);
	share();
	is_told[0] = true
}

inline hand_over()
{
	revoke(0);
	revoke(1);
	if
	:: atomic { owner = 1; is_told[0] = true; is_told[1] = !is_later(1) }
	/* The other one could not take over. */
	:: skip
	fi
}

proctype master(byte me)
{
	byte who = NOBODY;
	short taken, available, count;

	if
	:: me == 1 -> take_over()
	:: else
	fi;
	do
	:: owner == me -> share()
	:: is_dead[0] && !is_folded[0] -> reap(0)
	:: is_dead[1] && !is_folded[1] -> reap(1)
	:: (me == 1 || master_is_dead[1]) && is_dead[2] && !is_folded[2] -> reap(2)
	:: me == 0 && (owner == 1 || is_told[0]) && !is_folded[0] && permits[0] > 0 -> revoke(0)
	:: me == 0 && (owner == 1 || is_told[1]) && !is_folded[1] && permits[1] > 0 -> revoke(1)
#ifdef RELOAD
	:: !has_returned -> reload()
#else
	:: owner == me && me == 0 && !has_returned -> hand_over()
#endif
#ifdef RETAKE
	:: me == 0 && owner == 1 && master_is_dead[1] -> owner = 0; bear_second()
#endif
	/* The server ends. */
	:: me == 0 && has_returned && !is_told[1] -> is_told[1] = true
	:: me == 0 && owner == 1 && is_folded[0] && is_folded[1] && !master_is_dead[1] -> break
	:: (me == 1 || has_returned) && is_folded[0] && is_folded[1] && is_folded[2] -> break
	od;
	assert((me == 0 && owner == 1) || granted[0] + granted[1] + granted[2] == 0);
	assert((me == 0 && owner == 1) || permits[0] + permits[1] + permits[2] == 0);
end:	skip
}

init {
	atomic {
		run master(0);
		run worker(0);
		if
		:: is_later(1) -> is_folded[1] = true
		:: !is_later(1) -> run worker(1)
		fi;
#ifdef RELOAD
		is_folded[2] = true
#else
		run master(1);
		run worker(2)
#endif
	}
}
