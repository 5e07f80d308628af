#include "tests/unit/worker/holder.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/lease.h"

/* Its child waits for the end of the test, which has the pipe's other end. */
static int outlive[2];

static void
hold(const char *name, int told)
{
	char byte = lease_take(name) ? 'y' : 'n';

	close(outlive[1]);
	if (fork() == 0) {
		byte = (char)read(outlive[0], &byte, 1);
		_exit(byte);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(told, &byte, 1) == 1 && byte == 'y')
		pause();
	_exit(0);
}

pid_t
holder_start(const char *name)
{
	int told[2];
	pid_t pid;
	char byte;

	if (pipe(told) != 0 || pipe(outlive) != 0)
		return 0;
	pid = fork();
	if (pid == 0)
		hold(name, told[1]);
	if (read(told[0], &byte, 1) != 1)
		byte = 'n';
	close(told[0]);
	close(told[1]);
	close(outlive[0]);
	if (byte == 'y')
		return pid;
	holder_end(pid);
	return 0;
}

void
holder_end(pid_t holder)
{
	if (holder == 0)
		return;
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	close(outlive[1]);
}
