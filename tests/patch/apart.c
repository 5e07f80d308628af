/* A plain program of threads that have what is their own: their names in a child, their signal
 * masks, and the signals that are sent to them. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static int pipes[2][2];
static const char *ends[2];

static void
handle(int number)
{
	(void)number;
	handled = handled + 1;
}

static void *
fork_one(void *argument)
{
	pthread_t self = pthread_self();
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(pthread_equal(self, pthread_self()) && pthread_kill(self, 0) == 0 ? 0 : 1);
	waitpid(child, &status, 0);
	printf("in a child it is %s\n", status == 0 ? "the same" : "another");
	return argument;
}

static void *
read_one(void *argument)
{
	int i = *(int *)argument;
	char byte;
	ssize_t got = read(pipes[i][0], &byte, 1);

	ends[i] = got == 1 ? "its byte" : strerror(errno);
	return NULL;
}

/* The second of two that read is meant. */
static void
signal_one(int by_queue)
{
	static int numbers[] = {0, 1};
	struct sigaction action = {.sa_handler = handle};
	pthread_t readers[2];

	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 2; i++) {
		if (pipe(pipes[i]) != 0)
			exit(1);
		pthread_create(&readers[i], NULL, read_one, &numbers[i]);
		usleep(20000);
	}
	if (by_queue)
		pthread_sigqueue(readers[1], SIGUSR1, (union sigval){.sival_int = 1});
	else
		pthread_kill(readers[1], SIGUSR1);
	pthread_join(readers[1], NULL);
	usleep(20000);
	if (write(pipes[0][1], "x", 1) != 1)
		exit(1);
	pthread_join(readers[0], NULL);
	printf("the first ends with %s, the second with %s\n", ends[0], ends[1]);
}

static int has_blocked;

static void *
block_signals(void *argument)
{
	sigset_t all, now;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	sigemptyset(&now);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	has_blocked = sigismember(&now, SIGUSR2);
	usleep(50000);
	return argument;
}

static void *
look_at_mask(void *argument)
{
	struct sigaction action = {.sa_handler = handle};
	sigset_t now;

	usleep(20000);
	sigemptyset(&now);
	sigprocmask(SIG_BLOCK, NULL, &now);
	sigaction(SIGUSR2, &action, NULL);
	handled = 0;
	pthread_kill(pthread_self(), SIGUSR2);
	printf("one blocks %s, the other %s and handles %d\n", has_blocked ? "all" : "none",
		sigismember(&now, SIGUSR2) ? "all" : "none", (int)handled);
	return argument;
}

int
main(void)
{
	pthread_t one, other;

	pthread_create(&one, NULL, fork_one, NULL);
	pthread_join(one, NULL);
	signal_one(0);
	signal_one(1);
	pthread_create(&one, NULL, block_signals, NULL);
	pthread_create(&other, NULL, look_at_mask, NULL);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
	return 0;
}
