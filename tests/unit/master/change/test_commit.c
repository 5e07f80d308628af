#include "master/change/commit.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *
		acts; /* o: offered, t: taken, T: taken by a master that is alone, w: withdrawn, l: left,
			   * r: retaken */
	const char *results; /* what each act but an offer returns */
	enum commit_state state;
} cases[] = {
	{"t", "0", COMMIT_PREPARING},
	{"T", "1", COMMIT_TAKEN},
	{"w", "1", COMMIT_WITHDRAWN},
	{"wt", "10", COMMIT_WITHDRAWN},
	{"wT", "10", COMMIT_WITHDRAWN},
	{"ww", "11", COMMIT_WITHDRAWN},
	{"wot", "1-0", COMMIT_WITHDRAWN},
	{"o", "-", COMMIT_OFFERED},
	{"ot", "-1", COMMIT_TAKEN},
	{"oT", "-1", COMMIT_TAKEN},
	{"ow", "-1", COMMIT_WITHDRAWN},
	{"otw", "-10", COMMIT_TAKEN},
	{"owt", "-10", COMMIT_WITHDRAWN},
	{"owT", "-10", COMMIT_WITHDRAWN},
	{"ott", "-10", COMMIT_TAKEN},
	{"Tow", "1-0", COMMIT_TAKEN},
	{"ol", "-0", COMMIT_OFFERED},
	{"or", "-0", COMMIT_OFFERED},
	{"otl", "-11", COMMIT_LEFT},
	{"otll", "-111", COMMIT_LEFT},
	{"otlw", "-110", COMMIT_LEFT},
	{"otlt", "-110", COMMIT_LEFT},
	{"otlr", "-110", COMMIT_LEFT},
	{"otr", "-11", COMMIT_RETAKEN},
	{"otrl", "-110", COMMIT_RETAKEN},
	{"otrw", "-110", COMMIT_RETAKEN},
	{"otrT", "-110", COMMIT_RETAKEN},
};

/* Every order in which the two masters can act: at most one of them owns the server. */
Test(commit, one_of_two_wins_and_both_know)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd;
		struct commit *old = commit_new(&fd), *new = commit_map(fd);

		cr_assert(old != NULL && new != NULL);
		for (size_t act = 0; cases[i].acts[act] != '\0'; act++) {
			char result = '-';

			if (cases[i].acts[act] == 'o')
				commit_offer(old);
			else if (cases[i].acts[act] == 'l')
				result = commit_leave(new) ? '1' : '0';
			else if (cases[i].acts[act] == 'r')
				result = commit_retake(old) ? '1' : '0';
			else if (cases[i].acts[act] == 'w')
				result = commit_withdraw(old) ? '1' : '0';
			else
				result = commit_take(new, cases[i].acts[act] == 'T') ? '1' : '0';
			cr_assert_eq(
				result, cases[i].results[act], "%s, act %zu", cases[i].acts, act);
		}
		cr_assert_eq(commit_state(old), cases[i].state, "%s", cases[i].acts);
		cr_assert_eq(commit_state(new), cases[i].state, "%s", cases[i].acts);
		commit_free(&old);
		commit_free(&new);
		cr_assert_null(old);
		commit_free(&old);
		close(fd);
	}
}

/* Both at the same time, many times. */
Test(commit, never_both)
{
	for (int i = 0; i < 300; i++) {
		int fd, status;
		struct commit *commit = commit_new(&fd);
		bool is_withdrawn;
		pid_t new;

		cr_assert_not_null(commit);
		commit_offer(commit);
		new = fork();
		if (new == 0)
			_exit(commit_take(commit, false) ? 1 : 0);
		is_withdrawn = commit_withdraw(commit);
		cr_assert_eq(waitpid(new, &status, 0), new);
		cr_assert_neq(is_withdrawn, WEXITSTATUS(status) == 1);
		commit_free(&commit);
		close(fd);
	}
}

Test(commit, what_is_no_commit_word_is_not_mapped)
{
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	cr_assert_null(commit_map(pair[0]));
	cr_assert_null(commit_map(-1));
	close(pair[0]);
	close(pair[1]);
}
