/* A template is a list of parts; text is unescaped once, when it is parsed. Letters are a slice of
 * one table of 64 letters, which lies twice in a row so that slices are contiguous. The n-th random
 * parts of two templates have the same number behind them, so an expected answer can repeat what is
 * random in its request. */
#include "tests/load/ask/template.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/ask/random.h"

#define TABLE_SIZE (64 * 1024)
#define NUMBER_MAX UINT64_C(1000000000000000000) /* 19 digits: a counter does not overflow */
#define NAME_MAX_LENGTH 64                       /* characters between the braces */

static char table[2 * TABLE_SIZE];
static uint64_t state;

void
template_setup(uint64_t seed)
{
	static const char letters[64] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t random = random_seed(seed, UINT64_MAX - 1);

	state = random;
	for (size_t i = 0; i < TABLE_SIZE; i++)
		table[i] = table[TABLE_SIZE + i] = letters[random_next(&random) & 63];
}

/* ---- parsing ---- */

/* What is being parsed. */
struct source {
	struct template *template;
	const char *at;
	const char *end;
	size_t used;    /* bytes of text */
	unsigned draws; /* random parts so far */
};

static const char *__attribute__((format(printf, 1, 2))) wrong(const char *format, ...)
{
	static char phrase[192];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(phrase, sizeof phrase, format, arguments);
	va_end(arguments);
	return phrase;
}

/* Appends a part. Returns NULL if there are too many. */
static struct template_part *
add_part(struct source *source, int kind)
{
	struct template_part *part = &source->template->parts[source->template->count];

	if (source->template->count == TEMPLATE_PARTS_MAX)
		return NULL;
	source->template->count++;
	*part = (struct template_part){.text = source->used};
	part->kind = kind;
	if (kind == TEMPLATE_RANDOM || kind == TEMPLATE_LETTERS)
		part->draw = source->draws++;
	return part;
}

static const char *
add_byte(struct source *source, char byte)
{
	struct template *template = source->template;
	struct template_part *part = NULL;

	if (template->count > 0 && template->parts[template->count - 1].kind == TEMPLATE_TEXT)
		part = &template->parts[template->count - 1];
	if (part == NULL)
		part = add_part(source, TEMPLATE_TEXT);
	if (part == NULL)
		return wrong("more than %d parts", TEMPLATE_PARTS_MAX);
	template->text[source->used++] = byte;
	part->length++;
	return NULL;
}

/* Reads digits up to end, which follows them. Returns whether they are a number below NUMBER_MAX;
 * *width becomes how many digits there are, if the first is a zero. */
static bool
read_digits(const char **text, char end, uint64_t *number, unsigned *width)
{
	const char *at = *text;

	for (*number = 0; isdigit((unsigned char)*at) && *number < NUMBER_MAX / 10; at++)
		*number = *number * 10 + (uint64_t)(*at - '0');
	if (at == *text || *at != end)
		return false;
	*width = **text == '0' ? (unsigned)(at - *text) : 1;
	*text = at + 1;
	return *width < TEMPLATE_DIGITS;
}

static bool
read_counter(const char *values, struct template_part *part)
{
	part->width = 1;
	return *values == '\0' || read_digits(&values, '\0', &part->low, &part->width);
}

static bool
read_random(const char *values, struct template_part *part)
{
	unsigned width;

	return read_digits(&values, '-', &part->low, &part->width) &&
	       read_digits(&values, '\0', &part->high, &width) && part->low <= part->high;
}

static bool
read_letters(const char *values, struct template_part *part)
{
	double count;

	if (!values_read_number(values, &count) || count < 1 || count > TEMPLATE_LIMIT ||
		count != (uint32_t)count)
		return false;
	part->length = (uint32_t)count;
	return true;
}

/* The parts in braces that make bytes. */
static const struct {
	const char *name;
	int kind;
	bool (*read)(const char *values, struct template_part *part);
	const char *form;
} makers[] = {{"counter", TEMPLATE_COUNTER, read_counter, "\\{counter} or \\{counter:FIRST}"},
	{"random", TEMPLATE_RANDOM, read_random, "\\{random:LOW-HIGH}"},
	{"letters", TEMPLATE_LETTERS, read_letters, "\\{letters:N}, with N from 1 to 16Mi"}};

/* Takes a name, and the values behind its colon; "" for none. */
static const char *
take_name(struct source *source, const char *name, const char *values)
{
	struct template *template = source->template;

	if (strcmp(name, "end") == 0 && *values == '\0') {
		template->ends = true;
		return source->at == source->end ? NULL : wrong("something follows \\{end}");
	}
	if (strcmp(name, "weight") == 0)
		return values_read_number(values, &template->weight) && template->weight > 0
			       ? NULL
			       : wrong("\\{weight:N} takes a number above 0, not '%s'", values);
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		struct template_part *part;

		if (strcmp(name, makers[i].name) != 0)
			continue;
		part = add_part(source, makers[i].kind);
		if (part == NULL)
			return wrong("more than %d parts", TEMPLATE_PARTS_MAX);
		return makers[i].read(values, part)
			       ? NULL
			       : wrong("'%s' should be %s", values, makers[i].form);
	}
	return wrong("there is no \\{%s}: write counter, random, letters, weight or end", name);
}

/* Takes what is between braces; the opening one has been read. */
static const char *
take_braces(struct source *source)
{
	char name[NAME_MAX_LENGTH + 1], *colon;
	const char *close = memchr(source->at, '}', (size_t)(source->end - source->at));
	size_t length = close != NULL ? (size_t)(close - source->at) : 0;

	if (close == NULL || length > NAME_MAX_LENGTH)
		return wrong("a \\{ without its }");
	memcpy(name, source->at, length);
	name[length] = '\0';
	source->at = close + 1;
	colon = strchr(name, ':');
	if (colon != NULL)
		*colon++ = '\0';
	return take_name(source, name, colon != NULL ? colon : "");
}

/* Takes two hexadecimal digits. */
static const char *
take_hex(struct source *source)
{
	char digits[3] = "", *end;
	unsigned long byte;

	if (source->end - source->at < 2)
		return wrong("\\x needs two hexadecimal digits");
	memcpy(digits, source->at, 2);
	byte = strtoul(digits, &end, 16);
	if (end != digits + 2 || !isxdigit((unsigned char)*digits))
		return wrong("\\x needs two hexadecimal digits, not '%s'", digits);
	source->at += 2;
	return add_byte(source, (char)byte);
}

/* Takes what follows a backslash. */
static const char *
take_escape(struct source *source)
{
	static const char escapes[] = "rnt\\", bytes[] = "\r\n\t\\";
	const char *found;
	char escape;

	if (source->at == source->end)
		return wrong("a backslash at the end: write \\\\");
	escape = *source->at++;
	if (escape == '{')
		return take_braces(source);
	if (escape == 'x')
		return take_hex(source);
	if (escape == '\n')
		return NULL;
	found = escape != '\0' ? strchr(escapes, escape) : NULL;
	if (found == NULL)
		return wrong("there is no \\%c: write \\\\ for a backslash",
			isprint((unsigned char)escape) ? escape : '?');
	return add_byte(source, bytes[found - escapes]);
}

/* The bytes of the longest message. */
static uint64_t
longest(const struct template *template)
{
	uint64_t length = 0;

	for (unsigned i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];

		length += part->kind == TEMPLATE_TEXT || part->kind == TEMPLATE_LETTERS
				  ? part->length
				  : TEMPLATE_DIGITS;
	}
	return length;
}

const char *
template_read(struct template *template, const char *text, size_t length)
{
	struct source source = {.template = template, .at = text, .end = text + length};
	const char *why = NULL;

	memset(template, 0, sizeof *template);
	template->weight = 1;
	template->text = malloc(length + 1);
	if (template->text == NULL)
		return "no memory for it";
	while (why == NULL && source.at < source.end) {
		char byte = *source.at++;

		why = byte == '\\' ? take_escape(&source) : add_byte(&source, byte);
	}
	if (why == NULL && longest(template) > TEMPLATE_LIMIT)
		why = "longer than 16Mi";
	if (why != NULL)
		template_free(template);
	return why;
}

void
template_free(struct template *template)
{
	free(template->text);
	template->text = NULL;
	template->count = 0;
}

/* ---- bytes ---- */

static uint64_t
draw(const struct template_part *part, uint64_t number)
{
	return random_mix(state + number * UINT64_C(0x9e3779b97f4a7c15) +
			  (part->draw + 1) * UINT64_C(0xd1342543de82ef95));
}

static uint64_t
value_of(const struct template_part *part, uint64_t number)
{
	return part->low + (part->kind == TEMPLATE_COUNTER
					   ? number
					   : draw(part, number) % (part->high - part->low + 1));
}

/* Writes the part's number. Returns how many digits. */
static uint32_t
write_digits(const struct template_part *part, uint64_t number, char digits[static TEMPLATE_DIGITS])
{
	uint64_t value = value_of(part, number);
	uint32_t count = 0;
	char reversed[TEMPLATE_DIGITS];

	do {
		reversed[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (count < TEMPLATE_DIGITS && (value > 0 || count < part->width));
	for (uint32_t i = 0; i < count; i++)
		digits[i] = reversed[count - 1 - i];
	return count;
}

static uint32_t
part_length(const struct template_part *part, uint64_t number, char digits[static TEMPLATE_DIGITS])
{
	return part->kind == TEMPLATE_TEXT || part->kind == TEMPLATE_LETTERS
		       ? part->length
		       : write_digits(part, number, digits);
}

uint32_t
template_length(const struct template *template, uint64_t number)
{
	char digits[TEMPLATE_DIGITS];
	uint32_t length = 0;

	for (unsigned i = 0; i < template->count; i++)
		length += part_length(&template->parts[i], number, digits);
	return length;
}

const char *
template_bytes(const struct template *template, uint64_t number, uint32_t offset, uint32_t *length,
	char digits[static TEMPLATE_DIGITS])
{
	const struct template_part *part = template->parts;
	uint32_t own, start;

	while (offset >= (own = part_length(part, number, digits))) {
		offset -= own;
		part++;
	}
	if (*length > own - offset)
		*length = own - offset;
	if (part->kind == TEMPLATE_TEXT)
		return template->text + part->text + offset;
	if (part->kind != TEMPLATE_LETTERS)
		return digits + offset;
	start = (uint32_t)((draw(part, number) + offset) % TABLE_SIZE);
	if (*length > 2 * TABLE_SIZE - start)
		*length = 2 * TABLE_SIZE - start;
	return table + start;
}

void
template_write(const struct template *template, uint64_t number, uint32_t offset, char *bytes,
	uint32_t length)
{
	char digits[TEMPLATE_DIGITS];

	for (uint32_t done = 0, part; done < length; done += part) {
		const char *from;

		part = length - done;
		from = template_bytes(template, number, offset + done, &part, digits);
		memcpy(bytes + done, from, part);
	}
}

uint32_t
template_compare(const struct template *template, uint64_t number, uint32_t offset,
	const char *bytes, uint32_t length)
{
	char digits[TEMPLATE_DIGITS];

	for (uint32_t done = 0, part; done < length; done += part) {
		const char *expected;

		part = length - done;
		expected = template_bytes(template, number, offset + done, &part, digits);
		if (memcmp(bytes + done, expected, part) == 0)
			continue;
		while (bytes[done] == *expected++)
			done++;
		return done;
	}
	return length;
}
