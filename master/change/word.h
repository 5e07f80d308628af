/* Words: the messages between two masters in an upgrade (upgrade.h), as kinds of struct
 * channel_message. */
#ifndef HUBBUB_CHANGE_WORD_H
#define HUBBUB_CHANGE_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/channel.h"

struct master;

enum word {
	WORD_RISEN = 10, /* to the old master: all hubs are ready. Workers use other kinds */
	WORD_GO,         /* to the new master: the commit word is OFFERED */
	WORD_TOOK,       /* to the old master: the commit word is TAKEN */
	WORD_NAMED,      /* to the new master: the service manager knows the new pid */
	WORD_LEAVING,    /* to the old master: the commit word is LEFT */
	WORD_DRAIN,      /* to the new master: drain, as the old master was told to */
	WORD_STOP,       /* to the old master: end at once */
	WORD_REOPEN,     /* to either, with a file: the reopened log, for standard error */
	WORD_MORE,       /* to the new master: the old master was told to add a worker */
	WORD_FEWER,      /* to the new master: the old master was told to remove a worker */
	WORD_FELL,       /* to the old master, with a text: why the new master cannot take over */
};

/* Sends a word, with a file descriptor unless file is -1; the descriptor stays the caller's. Never
 * waits. */
void word_send(int channel, enum word word, int file);

/* Sends a word with a text, which word_text reads from the word's file: long ones are cut. If no
 * file is to be had, the word is not sent. */
void word_send_text(int channel, enum word word, const char *text);
void word_text(int file, char *text, size_t size);

/* Does what REOPEN asks for: opens the access log again, and logs to file from now on. If file is
 * -1, because this process had no fd left for the message's file, opens the log again by its
 * name. */
void word_reopen(struct master *master, int file);

/* Receives all words that have come, and calls on_word for each. on_word may close *channel and set
 * it to -1. Returns false at the end of the channel. */
bool word_receive(struct master *master, const int *channel,
	void (*on_word)(struct master *master, enum word word, int file));

#endif
