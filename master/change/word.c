/* In the upgrade itself words only wake the other master, which then reads the commit word. So a
 * word that cannot be sent is logged, and is no error. */
#include "master/change/word.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change/reopen.h"
#include "master/master.h"
#include "master/say/logfile.h"

#define WORDS_AT_ONCE 1000 /* more than a socket holds */

void
word_send(int channel, enum word word, int file)
{
	struct channel_message message = {.kind = word};

	/* The commit word tells the same; and the death of the other master is noticed. */
	if (channel_send(channel, &message, file) != 0)
		log_debug("cannot send to the other master: %s", strerror(errno));
}

/* A pipe holds more than these texts have; nobody waits for its other end. */
void
word_send_text(int channel, enum word word, const char *text)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	if (write(ends[1], text, strlen(text)) > 0)
		word_send(channel, word, ends[0]);
	close(ends[0]);
	close(ends[1]);
}

void
word_text(int file, char *text, size_t size)
{
	ssize_t length = read(file, text, size - 1);

	text[length > 0 ? length : 0] = '\0';
}

void
word_reopen(struct master *master, int file)
{
	reopen_access_log(master);
	if (file != -1)
		logfile_replace(file);
	else if (!logfile_reopen())
		return;
	fleet_reopen(&master->fleet);
}

bool
word_receive(struct master *master, const int *channel,
	void (*on_word)(struct master *master, enum word word, int file))
{
	for (int i = 0; i < WORDS_AT_ONCE && *channel != -1; i++) {
		struct channel_message message;
		int file, result = channel_receive(*channel, &message, &file);

		if (result == CHANNEL_STRAY)
			continue;
		if (result != CHANNEL_MESSAGE)
			return result == CHANNEL_NOTHING;
		on_word(master, message.kind, file);
		if (file != -1)
			close(file);
	}
	return true;
}
