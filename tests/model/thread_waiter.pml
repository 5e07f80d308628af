/* The sleeping protocol of hub/thread/waiter.c, with the mailbox of hub/thread/mailbox.c, as a model for spin(1):
 *
 *	spin -a thread_waiter.pml && cc -O2 -o pan pan.c && ./pan
 *
 * Two coroutines of one hub wait for permits of a shared semaphore and may be timed out at any moment; another
 * thread releases permits. Proven for all interleavings: no permit is lost or made, the hub never sleeps
 * with a message in its mailbox, and no message refers to a frame that is gone.
 *
 * What is atomic here is so there: the mutex, one compare-and-swap, one exchange. */
#define WAITERS 2
#define RELEASES 2

mtype = { RUNS, WAITS, READY };

bool mutex;
byte count;                /* free permits */
bool is_queued[WAITERS];   /* waiters in the semaphore's list */
bool is_woken[WAITERS];    /* under the mutex */
bool has_arrived[WAITERS]; /* the hub's */
bool frame[WAITERS];       /* the waiter's memory is alive */
mtype state[WAITERS];
byte acquired, released;
byte done;
byte interrupts = 3;

bool box[WAITERS];         /* messages in the mailbox */
bool wakeup;               /* the loop's eventfd */
#define box_is_empty (!box[0] && !box[1])

#define lock() atomic { !mutex -> mutex = true }
#define unlock() mutex = false

/* hub_mailbox_post: one push; only that which finds the box empty wakes the loop, in a second step. */
inline post(i)
{
	bool was_empty;

	atomic { was_empty = box_is_empty; box[i] = true }
	if
	:: was_empty -> wakeup = true
	:: else
	fi
}

proctype releaser()
{
	byte i;

	do
	:: released == RELEASES -> break
	:: else ->
		lock();
		if
		:: is_queued[0] -> i = 0; is_queued[0] = false; is_woken[0] = true; post(i)
		:: !is_queued[0] && is_queued[1] ->
			i = 1; is_queued[1] = false; is_woken[1] = true; post(i)
		:: else -> count++
		fi;
		released++;
		unlock()
	od
}

/* One acquire with a deadline. The hub's thread: a step of it holds `hub`. */
bool hub;
#define hub_take() atomic { !hub -> hub = true }
#define hub_give() hub = false
#define hub_suspend(i) state[i] = WAITS; hub_give(); atomic { state[i] == READY && !hub -> hub = true; state[i] = RUNS }

proctype waiter(byte i)
{
	hub_take();
	frame[i] = true;
	lock();
	if
	:: count > 0 -> count--; unlock(); acquired++
	:: else ->
		is_queued[i] = true;
		unlock();
		hub_suspend(i);
		if
		:: has_arrived[i] -> acquired++
		:: else ->
			/* Timed out, perhaps. */
			lock();
			if
			:: is_woken[i] ->
				unlock();
				do
				:: has_arrived[i] -> break
				:: else -> hub_suspend(i)
				od;
				acquired++
			:: else -> is_queued[i] = false; unlock()
			fi
		fi
	fi;
	frame[i] = false;
	done++;
	hub_give()
}

/* The hub's loop: delivers messages, and sleeps for the eventfd alone. */
proctype loop()
{
	bool taken[WAITERS];
	byte i;

	do
	:: atomic { wakeup && !hub -> hub = true; wakeup = false };
		atomic { taken[0] = box[0]; taken[1] = box[1]; box[0] = false; box[1] = false };
		for (i : 0 .. WAITERS - 1) {
			if
			:: taken[i] ->
				assert(frame[i]);
				has_arrived[i] = true;
				if
				:: state[i] == WAITS -> state[i] = READY
				:: else
				fi
			:: else
			fi
		}
		hub_give()
	/* A deadline or a kill, at any time; not without end, or it would hide a wake that is lost. */
	:: atomic { !hub && state[0] == WAITS && interrupts > 0 -> interrupts--; state[0] = READY }
	:: atomic { !hub && state[1] == WAITS && interrupts > 0 -> interrupts--; state[1] = READY }
	:: done == WAITERS && box_is_empty && !wakeup -> break
	od
}

init {
	atomic {
		state[0] = RUNS;
		state[1] = RUNS;
		run releaser();
		run waiter(0);
		run waiter(1);
		run loop()
	}
	/* All has ended: what was released was acquired, or is free. */
	(_nr_pr == 1);
	assert(acquired + count == RELEASES)
}
