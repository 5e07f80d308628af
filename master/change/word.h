/* What two masters say to each other in an upgrade (upgrade.h): kinds of struct channel_message. */
#ifndef HUBBUB_CHANGE_WORD_H
#define HUBBUB_CHANGE_WORD_H

#include <stdbool.h>

#include "worker/channel.h"

struct master;

enum word {
	WORD_RISEN = 10, /* a worker's messages are others */
	WORD_GO,
	WORD_TOOK,
	WORD_NAMED,
	WORD_LEAVING,
	WORD_DRAIN,  /* to the new one: the old one was told to */
	WORD_STOP,   /* to the old one: at once */
	WORD_REOPEN, /* with a file: standard error from now on; to the one that was not told to */
	WORD_MORE,   /* to the new one: the old one was told to have one worker more */
	WORD_FEWER,  /* the same, fewer */
};

/* Sends a word, with a file unless that is -1, which stays the caller's. Never waits. */
void word_send(int channel, enum word word, int file);

/* What REOPEN asks for; the name is opened again if the message could not bring the file. */
void word_reopen(struct master *master, int file);

/* Receives all that has come, and calls on_word for each; that may close *channel and set it to -1.
 * Returns false at the end of the channel. */
bool word_receive(struct master *master, const int *channel,
	void (*on_word)(struct master *master, enum word word, int file));

#endif
