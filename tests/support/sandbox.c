/* Seccomp filters in front of system calls, one filter for each call. Filters add up and cannot be
 * removed, and children inherit them. */
#include "tests/support/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool
install(struct sock_filter *code, size_t length)
{
	struct sock_fprog filter = {.len = (unsigned short)length, .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool
sandbox_refuse(const long *calls, size_t count, int error)
{
	for (size_t i = 0; i < count; i++) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};

		if (!install(code, sizeof code / sizeof code[0]))
			return false;
	}
	return true;
}

static volatile sig_atomic_t *counted;

static void
on_call(int signal)
{
	(void)signal;
	(*counted)++;
}

bool
sandbox_count(long call, unsigned place, uint32_t value, volatile sig_atomic_t *count)
{
	/* The lower half of the argument. */
	uint32_t argument = (uint32_t)(offsetof(struct seccomp_data, args) + 8 * place);
	struct sigaction action = {.sa_handler = on_call};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	counted = count;
	return sigaction(SIGSYS, &action, NULL) == 0 && install(code, sizeof code / sizeof code[0]);
}

bool
sandbox_refuse_threads(void)
{
	static const long newer = SYS_clone3;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	/* A filter cannot read memory, where clone3 has its flags: refuse it with ENOSYS, so that
	 * the C library uses clone. */
	return sandbox_refuse(&newer, 1, ENOSYS) && install(code, sizeof code / sizeof code[0]);
}
