/* One request and its reply, which is no echo, on a connection that is used for nothing else. */
#ifndef HUBBUB_LOAD_EXCHANGE_H
#define HUBBUB_LOAD_EXCHANGE_H

#include "tests/load/ask/load.h"
#include "tests/load/drive/answer.h"
#include "tests/load/drive/message.h"

/* Sends the message, and judges its reply, within --timeout. Returns ANSWER_GOES_ON if the
 * connection ended before the reply was complete (errno is 0) or a call failed (errno). Sets fault
 * if the answer is wrong. Switches. */
enum answer exchange_message(
	const struct load *load, int fd, const struct message *message, struct answer_fault *fault);

#endif
