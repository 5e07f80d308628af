/* Parses --reply. The mark of until:STR is a template without parts that vary. */
#include "tests/load/ask/reply_form.h"

#include <string.h>

#include "master/base/values.h"
#include "tests/load/ask/template.h"

const char *const reply_kind_names[REPLY_KIND_MAX] = {
	"echo", "line", "len32", "until", "bytes", "http", "resp"};

static void
find_falls(struct reply_form *form)
{
	unsigned matched = 0;

	form->falls[0] = 0;
	for (unsigned i = 1; i < form->mark_length; i++) {
		while (matched > 0 && form->mark[i] != form->mark[matched])
			matched = form->falls[matched - 1];
		matched += form->mark[i] == form->mark[matched];
		form->falls[i] = (uint8_t)matched;
	}
}

static const char *
read_mark(const char *text, struct reply_form *form)
{
	struct template template;
	const char *why = template_read(&template, text, strlen(text));
	unsigned length;

	if (why != NULL)
		return why;
	length = template_length(&template, 0);
	if (template.count != 1 || template.parts[0].kind != TEMPLATE_TEXT ||
		length > sizeof form->mark)
		why = "until:STR takes 1 to 64 bytes that do not vary";
	else
		memcpy(form->mark, template.text, length);
	template_free(&template);
	form->mark_length = length;
	if (why == NULL)
		find_falls(form);
	return why;
}

static const char *
read_length(const char *text, struct reply_form *form)
{
	double length;

	if (!values_read_number(text, &length) || length < 1 || length > 1e15 ||
		length != (double)(uint64_t)length)
		return "bytes:N takes a number of bytes from 1 on";
	form->length = (uint64_t)length;
	return NULL;
}

const char *
reply_form_read(const char *text, struct reply_form *form)
{
	size_t length = strcspn(text, ":");
	const char *value = text[length] == ':' ? text + length + 1 : NULL;

	memset(form, 0, sizeof *form);
	for (unsigned kind = 0; kind < REPLY_KIND_MAX; kind++) {
		bool has_value = kind == REPLY_UNTIL || kind == REPLY_BYTES;

		if (strlen(reply_kind_names[kind]) != length ||
			strncmp(text, reply_kind_names[kind], length) != 0 ||
			has_value != (value != NULL))
			continue;
		form->kind = kind;
		return !has_value            ? NULL
		       : kind == REPLY_UNTIL ? read_mark(value, form)
					     : read_length(value, form);
	}
	return "it is echo, line, len32, until:STR, bytes:N, http or resp";
}
