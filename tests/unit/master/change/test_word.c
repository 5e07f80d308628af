#include "master/change/word.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

static int pair[2];
static struct {
	enum word words[2000];
	int count;
	char byte; /* what was read from the file that came with the last one */
	bool hangs_up;
} heard;

static void
start(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void
end(void)
{
	for (int i = 0; i < 2; i++)
		if (pair[i] != -1)
			close(pair[i]);
}

TestSuite(word, .init = start, .fini = end);

static void
hear(struct master *master, enum word word, int file)
{
	(void)master;
	heard.words[heard.count++] = word;
	if (file != -1 && read(file, &heard.byte, 1) != 1)
		heard.byte = '?';
	if (heard.hangs_up) {
		close(pair[1]);
		pair[1] = -1;
	}
}

/* As releases before and after this one do: a master that hears another length takes the other one
 * for dead. */
Test(word, its_length_is_that_of_all_releases)
{
	struct {
		uint32_t kind, hub;
		int64_t value;
	} word = {.kind = 11};
	char room[64];

	word_send(pair[0], WORD_RISEN, -1);
	cr_assert_eq(recv(pair[1], room, sizeof room, MSG_DONTWAIT), (ssize_t)sizeof word);
	cr_assert_eq(send(pair[0], &word, sizeof word, 0), (ssize_t)sizeof word);
	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.count, 1);
	cr_assert_eq(*heard.words, WORD_GO);
}

Test(word, all_that_came_is_heard_in_order)
{
	static const enum word said[] = {WORD_RISEN, WORD_GO, WORD_TOOK, WORD_NAMED, WORD_LEAVING,
		WORD_DRAIN, WORD_STOP, WORD_REOPEN, WORD_MORE, WORD_FEWER, WORD_FELL};

	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.count, 0);
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		word_send(pair[0], said[i], -1);
	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.count, (int)(sizeof said / sizeof *said));
	cr_assert_arr_eq(heard.words, said, sizeof said);
}

Test(word, no_word_is_what_a_worker_says)
{
	/* Both go over channels: a message of the wrong channel must not be understood. */
	cr_assert_geq(WORD_RISEN, CHANNEL_TO_MASTER_MAX);
	cr_assert_lt(WORD_FELL, CHANNEL_ACCEPT);
}

Test(word, what_was_said_before_the_end_is_heard_before_it)
{
	word_send(pair[0], WORD_TOOK, -1);
	word_send(pair[0], WORD_LEAVING, -1);
	close(pair[0]);
	pair[0] = -1;
	cr_assert_not(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.count, 2);
	cr_assert_not(word_receive(NULL, &pair[1], hear), "the end lasts");
	cr_assert_eq(heard.count, 2);
}

Test(word, a_file_comes_with_its_word_and_stays_nobodys)
{
	int ends[2], before = open_descriptors();

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	word_send(pair[0], WORD_REOPEN, ends[0]);
	cr_assert_neq(fcntl(ends[0], F_GETFD), -1, "it stays the caller's");
	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.byte, 'x');
	close(ends[0]);
	close(ends[1]);
	cr_assert_eq(open_descriptors(), before);
}

static char text[8];

static void
hear_text(struct master *master, enum word word, int file)
{
	(void)master, (void)word;
	word_text(file, text, sizeof text);
}

Test(word, a_text_comes_with_its_word_and_is_cut_where_there_is_no_room)
{
	static const char *const texts[][2] = {{"short", "short"}, {"far too long", "far too"}};
	int before = open_descriptors();

	for (int i = 0; i < 2; i++) {
		word_send_text(pair[0], WORD_FELL, texts[i][0]);
		cr_assert(word_receive(NULL, &pair[1], hear_text));
		cr_assert_str_eq(text, texts[i][1]);
	}
	cr_assert_eq(open_descriptors(), before);
	word_text(-1, text, sizeof text);
	cr_assert_str_eq(text, "", "there was no room for the file");
}

Test(word, the_channel_may_be_closed_by_what_is_heard)
{
	heard.hangs_up = true;
	word_send(pair[0], WORD_STOP, -1);
	word_send(pair[0], WORD_GO, -1);
	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert_eq(heard.count, 1, "nothing is heard on a channel that is closed");
}

Test(word, nobody_waits_for_one_who_does_not_hear_or_is_dead, .timeout = 10)
{
	for (int i = 0; i < 5000; i++)
		word_send(pair[0], WORD_DRAIN, -1);
	cr_assert(word_receive(NULL, &pair[1], hear));
	cr_assert(heard.count > 0 && heard.count < 2000, "%d", heard.count);
	close(pair[1]);
	pair[1] = -1;
	/* It is no SIGPIPE either. */
	word_send(pair[0], WORD_DRAIN, -1);
}
