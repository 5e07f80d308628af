/* Folding (worker/fold.h) as a model for spin(1):
 *
 *	spin -a fold.pml && cc -O2 -o pan pan.c && ./pan
 *
 * Two masters claim rows for processes that count and end, bury them and fold them into one ledger;
 * one of them may be killed between any two steps, or stopped there for any time. A reader adds up
 * meanwhile. Proven for all interleavings: what was counted is counted once, at every moment, dead
 * master or not; no reading goes back; and whoever is left leaves nothing but the ledger.
 *
 * What is atomic here is so there: a load, a store, one compare-and-swap, a lock of the kernel's. */
#define ROWS 2
#define PROCESSES 1
#define NOBODY 3

mtype = { FREE, LIVE, DEAD };

mtype state[ROWS];
byte count[ROWS];
byte ledger;
byte folds;        /* mod 2 would hide that it has moved */
byte fold_row, sums;
byte right[ROWS];  /* locks: who has them */
byte folder = NOBODY;
byte counted;      /* what there ever was */
byte kills = 1;

/* Death, in which the kernel takes the locks away. */
#define or_die() \
	atomic { \
		if \
		:: kills > 0 -> kills--; \
			right[0] = (right[0] == me -> NOBODY : right[0]); \
			right[1] = (right[1] == me -> NOBODY : right[1]); \
			folder = (folder == me -> NOBODY : folder); \
			goto end \
		:: true \
		fi \
	}

inline fold_finish()
{
	if
	:: folds % 2 == 1 ->
		or_die();
		ledger = sums;
		or_die();
		count[fold_row] = 0;
		or_die();
		folds++
	:: else
	fi
}

inline row_fold(r)
{
	fold_row = r;
	or_die();
	sums = ledger + count[r];
	or_die();
	folds++;
	fold_finish();
	or_die();
	state[r] = FREE
}

inline begin_folding()
{
	atomic { folder == NOBODY -> folder = me };
	or_die();
	fold_finish()
}

inline end_folding()
{
	or_die();
	folder = NOBODY
}

inline take_right(r)
{
	atomic {
		has_right = right[r] == NOBODY;
		if
		:: has_right -> right[r] = me
		:: else
		fi
	};
	or_die()
}

/* A process is born, counts, and is gone. */
inline live(r)
{
	take_right(r);
	atomic {
		is_own = has_right && state[r] == FREE;
		if
		:: is_own -> state[r] = LIVE
		:: else
		fi
	};
	or_die();
	if
	:: is_own -> atomic { count[r] = count[r] + 1; counted++ }; or_die(); state[r] = DEAD; or_die()
	:: !is_own && has_right -> right[r] = NOBODY
	:: else
	fi
}

inline fold_orphan(r)
{
	take_right(r);
	if
	:: has_right ->
		if
		:: state[r] == LIVE -> state[r] = DEAD
		:: else
		fi;
		or_die();
		if
		:: state[r] == DEAD -> row_fold(r)
		:: else
		fi;
		or_die();
		right[r] = NOBODY
	:: else
	fi
}

inline fold_orphans()
{
	begin_folding();
	fold_orphan(0);
	fold_orphan(1);
	end_folding()
}

proctype master(byte me)
{
	byte i, own;
	bool has_right, is_own;

	for (i : 1 .. PROCESSES) {
		if
		:: own = 0
		:: own = 1
		fi;
		live(own);
		if
		:: is_own ->
			if
			:: begin_folding(); row_fold(own); end_folding()
			/* Another one has the right to fold, perhaps for long. */
			:: folder != NOBODY
			fi;
			or_die();
			right[own] = NOBODY
		:: else
		fi;
		if
		:: fold_orphans()
		:: folder != NOBODY
		fi
	}
end:	skip
}

/* The one that is left when both have ended, however they have. */
proctype heir(byte me)
{
	bool has_right;

	kills = 0;
	fold_orphans();
end:	skip
}

/* One reading, begun at any time. */
proctype reader()
{
	byte least, before, sum;

	least = counted;
	do
	:: before = folds;
		sum = (before % 2 == 1 -> sums : ledger);
		sum = sum + (before % 2 == 1 && fold_row == 0 -> 0 : count[0]);
		sum = sum + (before % 2 == 1 && fold_row == 1 -> 0 : count[1]);
		if
		:: folds == before -> break
		:: else
		fi
	od;
	assert(least <= sum && sum <= counted)
}

init {
	atomic {
		state[0] = FREE;
		state[1] = FREE;
		right[0] = NOBODY;
		right[1] = NOBODY;
		run master(0);
		run master(1);
		run reader()
	}
	(_nr_pr == 1);
	run heir(2);
	(_nr_pr == 1);
	assert(folds % 2 == 0 && ledger == counted);
	assert(state[0] == FREE && state[1] == FREE)
}
