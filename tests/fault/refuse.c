/* Runs a program for which the kernel refuses some system calls (by seccomp), as strict sandboxes
 * and old kernels do.
 *
 *	refuse CALL[,CALL...] ERROR PROGRAM [ARGUMENT...]
 *
 * Each of the calls fails with ERROR, EPERM or ENOSYS. Of some calls a single use can be refused,
 * such as fcntl:F_OFD_SETLK. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* index of the argument that names the use; -1: any use */
static const struct {
	const char *name;
	unsigned number;
	int place;
	unsigned value;
} calls[] = {
	{"accept4", SYS_accept4, -1, 0},
	{"clone3", SYS_clone3, -1, 0},
	{"close_range", SYS_close_range, -1, 0},
	{"dup3", SYS_dup3, -1, 0},
	{"epoll_create1", SYS_epoll_create1, -1, 0},
	{"eventfd2", SYS_eventfd2, -1, 0},
	{"fcntl:F_SETLK", SYS_fcntl, 1, F_SETLK},
	{"fcntl:F_OFD_SETLK", SYS_fcntl, 1, F_OFD_SETLK},
	{"flock", SYS_flock, -1, 0},
	{"getrandom", SYS_getrandom, -1, 0},
	{"getsockopt:SO_PEERCRED", SYS_getsockopt, 2, SO_PEERCRED},
	{"madvise", SYS_madvise, -1, 0},
	{"membarrier", SYS_membarrier, -1, 0},
	{"memfd_create", SYS_memfd_create, -1, 0},
	{"mincore", SYS_mincore, -1, 0},
	{"pidfd_getfd", SYS_pidfd_getfd, -1, 0},
	{"pidfd_open", SYS_pidfd_open, -1, 0},
	{"pidfd_send_signal", SYS_pidfd_send_signal, -1, 0},
	{"pipe2", SYS_pipe2, -1, 0},
	{"ppoll", SYS_ppoll, -1, 0},
	{"prctl", SYS_prctl, -1, 0},
	{"prlimit64", SYS_prlimit64, -1, 0},
	{"process_vm_readv", SYS_process_vm_readv, -1, 0},
	{"recvmmsg", SYS_recvmmsg, -1, 0},
	{"recvmsg", SYS_recvmsg, -1, 0},
	{"rseq", SYS_rseq, -1, 0},
	{"sched_getaffinity", SYS_sched_getaffinity, -1, 0},
	{"sched_setaffinity", SYS_sched_setaffinity, -1, 0},
	{"sendfile", SYS_sendfile, -1, 0},
	{"sendmmsg", SYS_sendmmsg, -1, 0},
	{"sendmsg", SYS_sendmsg, -1, 0},
	{"setsockopt:SO_ATTACH_REUSEPORT_CBPF", SYS_setsockopt, 2, SO_ATTACH_REUSEPORT_CBPF},
	{"setsockopt:SO_REUSEPORT", SYS_setsockopt, 2, SO_REUSEPORT},
	{"shutdown", SYS_shutdown, -1, 0},
	{"sigaltstack", SYS_sigaltstack, -1, 0},
	{"socketpair", SYS_socketpair, -1, 0},
	{"splice", SYS_splice, -1, 0},
	{"tgkill", SYS_tgkill, -1, 0},
	{"timer_create", SYS_timer_create, -1, 0},
	{"timerfd_create", SYS_timerfd_create, -1, 0},
	{"waitid", SYS_waitid, -1, 0},
};

enum { CALLS_MAX = sizeof calls / sizeof calls[0] };

/* Refuses one call more. */
static int
refuse(const char *name, unsigned error)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		unsigned at = calls[i].place < 0 ? offsetof(struct seccomp_data, nr)
						 : offsetof(struct seccomp_data, args) +
							   (unsigned)calls[i].place * sizeof(__u64);
		unsigned value = calls[i].place < 0 ? calls[i].number : calls[i].value;
		struct sock_filter steps[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 3),
			/* The lower half of an argument, on a little-endian machine. */
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};

		if (strcmp(calls[i].name, name) == 0)
			return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
	}
	fprintf(stderr, "refuse: there is no call '%s' in the table\n", name);
	return -1;
}

int
main(int argc, char **argv)
{
	char *rest, *name;

	if (argc < 4 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 125;
	rest = argv[1];
	while ((name = strsep(&rest, ",")) != NULL)
		if (refuse(name, strcmp(argv[2], "ENOSYS") == 0 ? ENOSYS : EPERM) != 0)
			return 125;
	execv(argv[3], argv + 3);
	return 126;
}
