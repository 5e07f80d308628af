/* The list of requests is filled in the sequence of the command line: an expectation belongs to the
 * request before it. Which request a message is, is a function of its number and the seed. */
#include "tests/load/ask/requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/random.h"

/* Reads a whole file, which the caller frees. Returns NULL with errno; EFBIG if it is too long for
 * a template. */
static char *
read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	size_t room = 4096;
	char *text = file != NULL ? malloc(room) : NULL, *grown;

	for (*length = 0; text != NULL;) {
		*length += fread(text + *length, 1, room - *length, file);
		if (*length < room)
			break;
		grown = room <= TEMPLATE_LIMIT ? realloc(text, room *= 2) : NULL;
		if (grown == NULL) {
			free(text);
			errno = EFBIG;
		}
		text = grown;
	}
	if (text != NULL && ferror(file)) {
		free(text);
		text = NULL;
	}
	if (file != NULL)
		fclose(file);
	return text;
}

/* Parses "TEXT" or "@FILE". */
static const char *
read_text(struct requests_text *into, const char *given)
{
	static char phrase[128];
	const char *why;
	size_t length;
	char *text;

	if (into->given != NULL)
		template_free(&into->template);
	into->given = NULL;
	if (*given != '@') {
		why = template_read(&into->template, given, strlen(given));
	} else {
		text = read_file(given + 1, &length);
		if (text == NULL) {
			snprintf(phrase, sizeof phrase, "the file cannot be read: %s",
				strerror(errno));
			return phrase;
		}
		why = template_read(&into->template, text, length);
		free(text);
	}
	if (why == NULL)
		into->given = given;
	return why;
}

/* Sets the shares of all requests, by their weights. */
static void
share_out(struct requests *requests)
{
	double all = 0, before = 0;

	for (unsigned i = 0; i < requests->count; i++)
		all += requests->items[i].request.template.weight;
	for (unsigned i = 0; i < requests->count; i++) {
		before += requests->items[i].request.template.weight;
		requests->items[i].up_to = before / all;
	}
}

const char *
requests_add(struct requests *requests, const char *given)
{
	static const char head[] = "HEAD ";
	struct request *request = &requests->items[requests->count];
	struct template *template = &request->request.template;
	const char *why = NULL;

	if (requests->count == REQUESTS_MAX)
		return "there are 64 already";
	memset(request, 0, sizeof *request);
	why = read_text(&request->request, given);
	if (why == NULL && (template->ends || template_length(template, 0) == 0))
		why = template->ends ? "\\{end} is for --expect" : "it is empty";
	if (why != NULL) {
		template_free(template);
		return why;
	}
	request->is_head = template->parts[0].kind == TEMPLATE_TEXT &&
			   strncmp(template->text, head, sizeof head - 1) == 0;
	requests->count++;
	share_out(requests);
	return NULL;
}

const char *
requests_expect(struct requests *requests, const char *given)
{
	struct requests_text *expected = requests->count == 0
						 ? &requests->expected
						 : &requests->items[requests->count - 1].expected;
	const char *why = read_text(expected, given);

	if (why != NULL || expected->template.weight == 1)
		return why;
	template_free(&expected->template);
	expected->given = NULL;
	return "\\{weight} is for --request";
}

void
requests_clear(struct requests *requests)
{
	for (unsigned i = 0; i < requests->count; i++) {
		template_free(&requests->items[i].request.template);
		template_free(&requests->items[i].expected.template);
	}
	template_free(&requests->expected.template);
	memset(requests, 0, sizeof *requests);
}

const struct request *
requests_choose(const struct requests *requests, uint64_t number)
{
	uint64_t state;
	const struct request *request = requests->items;
	double share;

	if (requests->count == 1)
		return request;
	state = random_seed(requests->seed, number);
	share = random_unit(&state);
	while (share >= request->up_to && request < &requests->items[requests->count - 1])
		request++;
	return request;
}

bool
requests_is_head(const struct requests *requests, uint64_t number)
{
	return requests->count > 0 && requests_choose(requests, number)->is_head;
}

const struct template *
requests_expected(const struct requests *requests, uint64_t number)
{
	const struct requests_text *expected = &requests->expected;

	if (requests->count > 0 && requests_choose(requests, number)->expected.given != NULL)
		expected = &requests_choose(requests, number)->expected;
	return expected->given != NULL ? &expected->template : NULL;
}
