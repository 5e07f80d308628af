/* For the probes of idle connections, and for `check`. The request is written as a whole: there are
 * few of these at a time. */
#include "tests/load/drive/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/hub.h"

static int
send_message(int fd, const struct message *message)
{
	char *bytes = malloc(message->length);
	ssize_t sent;

	if (bytes == NULL)
		return -1;
	message_write(message, 0, bytes, message->length);
	sent = hub_send(fd, bytes, message->length, 0);
	free(bytes);
	return sent == (ssize_t)message->length ? 0 : -1;
}

static enum answer
receive_answer(int fd, const struct answer_rule *rule, bool is_head, struct answer_fault *fault)
{
	struct reply reply = {.is_head = is_head};
	enum answer answer = ANSWER_GOES_ON;
	uint64_t offset = 0;
	char bytes[1024];

	while (answer == ANSWER_GOES_ON) {
		ssize_t received = hub_recv(fd, bytes, sizeof bytes, 0);
		size_t taken;

		if (received < 0)
			return ANSWER_GOES_ON;
		errno = 0;
		if (received == 0)
			return offset > 0 ? answer_end(rule, &reply, fault) : ANSWER_GOES_ON;
		answer = answer_take(rule, &reply, offset, bytes, (size_t)received, &taken, fault);
		offset += taken;
	}
	return answer;
}

enum answer
exchange_message(
	const struct load *load, int fd, const struct message *message, struct answer_fault *fault)
{
	const struct answer_rule rule = {
		&load->reply, requests_expected(load->requests, message->ticket), message->ticket};
	enum answer answer = ANSWER_GOES_ON;
	struct hub_timeout scope;

	hub_timeout_start(&scope, load->timeout);
	if (send_message(fd, message) == 0)
		answer = receive_answer(
			fd, &rule, requests_is_head(load->requests, message->ticket), fault);
	hub_timeout_stop(&scope);
	return answer;
}
