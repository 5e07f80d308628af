/* The format is walked through once. Each conversion is printed by snprintf(3) alone, with the
 * argument of the type that its letters name, so that each value has its own bytes, whatever other
 * values contain. A format that this file cannot follow (a position, %n) is printed as it stands
 * from there on, because the types of all later arguments are unknown. */
#include "worker/log_words.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "hub/base/check.h"
#include "hub/base/log_text.h"

#define SPECIFIER_SIZE 48 /* "%-20.10lld", with the NUL */

/* A conversion of the format. */
struct conversion {
	const char *end;                /* behind it */
	char specifier[SPECIFIER_SIZE]; /* with the numbers that '*' stands for */
	char width[3];                  /* hh, h, l, ll, j, z, t, L, q or "" */
	char letter;                    /* d, s...; 0: a conversion that cannot be followed */
};

/* The walk; a struct, because a va_list that is an array cannot be passed on as a pointer. */
struct walk {
	const char *at;
	va_list arguments;
	int error; /* errno of the call */
};

/* Where a text is printed. */
struct room {
	char *text;
	size_t size;
	size_t length;
};

/* ---- conversions ---- */

static bool
append(struct conversion *conversion, const char *text)
{
	size_t used = strlen(conversion->specifier), length = strlen(text);

	if (used + length >= SPECIFIER_SIZE)
		return false;
	memcpy(conversion->specifier + used, text, length + 1);
	return true;
}

/* A negative precision counts as none, and "%.-1s" is no conversion. */
static void
print_number(struct conversion *conversion, int number, char text[static 16])
{
	size_t used = strlen(conversion->specifier);

	text[0] = '\0';
	if (number < 0 && conversion->specifier[used - 1] == '.')
		conversion->specifier[used - 1] = '\0';
	else
		snprintf(text, 16, "%d", number);
}

/* Takes flags, width and precision. Returns what is behind them; NULL if they are too long. */
static const char *
take_flags(struct conversion *conversion, struct walk *walk, const char *from)
{
	char text[16];

	for (; *from != '\0' && strchr("#0- +'I.*123456789", *from) != NULL; from++) {
		if (*from == '*')
			print_number(conversion, va_arg(walk->arguments, int), text);
		else
			snprintf(text, sizeof text, "%c", *from);
		if (!append(conversion, text))
			return NULL;
	}
	return from;
}

/* Reads the conversion at which the walk is, and its arguments for '*'. */
static struct conversion
read_conversion(struct walk *walk)
{
	struct conversion conversion = {.specifier = "%"};
	const char *from = take_flags(&conversion, walk, walk->at + 1);
	size_t width = from != NULL ? strspn(from, "hlqjztL") : 0;
	char letter[2] = "";

	if (from == NULL || width >= sizeof conversion.width ||
		strchr("diouxXaAeEfFgGcsCSpm%", from[width]) == NULL || from[width] == '\0')
		return conversion;
	memcpy(conversion.width, from, width);
	letter[0] = from[width];
	if (append(&conversion, conversion.width) && append(&conversion, letter)) {
		conversion.letter = letter[0];
		conversion.end = from + width + 1;
	}
	return conversion;
}

static bool
is_integer(char letter)
{
	return strchr("diouxX", letter) != NULL;
}

static bool
is_real(char letter)
{
	return strchr("aAeEfFgG", letter) != NULL;
}

/* ---- printing ---- */

#define PRINT(value) snprintf(text, size, conversion->specifier, value)

static int
print_integer(char *text, size_t size, const struct conversion *conversion, struct walk *walk)
{
	const char *width = conversion->width;

	/* glibc takes L for a long long, too. */
	if (strcmp(width, "ll") == 0 || strcmp(width, "q") == 0 || strcmp(width, "L") == 0)
		return PRINT(va_arg(walk->arguments, long long));
	if (strcmp(width, "l") == 0)
		return PRINT(va_arg(walk->arguments, long));
	if (strcmp(width, "j") == 0)
		return PRINT(va_arg(walk->arguments, intmax_t));
	if (strcmp(width, "z") == 0)
		return PRINT(va_arg(walk->arguments, ssize_t));
	if (strcmp(width, "t") == 0)
		return PRINT(va_arg(walk->arguments, ptrdiff_t));
	return PRINT(va_arg(walk->arguments, int));
}

/* As snprintf(3), in the program's locale. */
static int
print_in_locale(char *text, size_t size, const struct conversion *conversion, struct walk *walk)
{
	if (is_integer(conversion->letter))
		return print_integer(text, size, conversion, walk);
	if (is_real(conversion->letter))
		return strcmp(conversion->width, "L") == 0
			       ? PRINT(va_arg(walk->arguments, long double))
			       : PRINT(va_arg(walk->arguments, double));
	switch (conversion->letter) {
	case 'c':
	case 'C':
		/* wint_t is passed as an int is. */
		return PRINT(va_arg(walk->arguments, int));
	case 'm':
	case '%':
		errno = walk->error;
		return PRINT(0);
	default:
		return PRINT(va_arg(walk->arguments, const void *));
	}
}

#undef PRINT

/* As snprintf(3). Other programs read numbers: they have a decimal point and no groups, whatever
 * locale the program has set. The C locale is one of libc's own, which takes no memory. */
static int
print(char *text, size_t size, const struct conversion *conversion, struct walk *walk)
{
	locale_t programs = (locale_t)0;
	int length;

	if (is_integer(conversion->letter) || is_real(conversion->letter))
		programs = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
	length = print_in_locale(text, size, conversion, walk);
	if (programs != (locale_t)0)
		uselocale(programs);
	return length;
}

/* Ends a text that has found no room: from now on there is none. */
static void
cut(struct room *room)
{
	size_t mark = strlen(LOG_CUT);

	DCHECK(room->length <= room->size);
	room->length =
		room->size > mark ? log_cut(room->text, room->size, room->size - mark - 1) : 0;
	mark = room->size - room->length < mark ? room->size - room->length : mark;
	memcpy(room->text + room->length, LOG_CUT, mark);
	room->length += mark;
	room->size = room->length;
}

static void
add(struct room *room, const char *text, size_t length)
{
	size_t left = room->size - room->length;

	memcpy(room->text + room->length, text, length < left ? length : left);
	if (length <= left)
		room->length += length;
	else if (left > 0)
		cut(room);
}

/* Prints a conversion, and goes on behind it. */
static void
print_next(struct room *room, const struct conversion *conversion, struct walk *walk)
{
	size_t left = room->size - room->length;
	int length = print(room->text + room->length, left, conversion, walk);

	DCHECK(conversion->letter != 0 && conversion->end > walk->at);
	walk->at = conversion->end;
	if (length > 0 && (size_t)length < left) {
		room->length += (size_t)length;
	} else if (length > 0 && left > 0) {
		room->length = room->size;
		cut(room);
	}
}

/* ---- words ---- */

/* The length of a field's name, if a word begins here that is a name, '=' and a conversion; or
 * 0. */
static size_t
name_length(const char *format, const char *at)
{
	size_t length = 0;

	if (at != format && at[-1] != ' ')
		return 0;
	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return !isdigit((unsigned char)*at) && at[length] == '=' && at[length + 1] == '%' ? length
											  : 0;
}

/* Whether the conversion is the last of its word. */
static bool
ends_word(const struct conversion *conversion)
{
	return *conversion->end == ' ' || *conversion->end == '\0';
}

static void
add_field(struct log_words *words, const char *name, size_t length,
	const struct conversion *conversion, struct walk *walk)
{
	struct log_field *field = &words->fields[words->field_count++];
	struct room room = {
		.text = words->values + words->used, .size = LOG_WORDS_VALUES - words->used};

	CHECK_WHY(room.size <= LOG_WORDS_VALUES, "all values together have so many bytes");
	print_next(&room, conversion, walk);
	*field = (struct log_field){.name = name,
		.name_length = length,
		.value = room.text,
		.length = room.length,
		.is_number = strchr("diueEfFgG", conversion->letter) != NULL};
	words->used += room.length;
	CHECK(words->used <= LOG_WORDS_VALUES);
	/* Fields have taken the blank before them along. */
	if (*walk->at == ' ')
		walk->at++;
}

void
log_words(struct log_words *words, const char *format, va_list arguments)
{
	struct room message = {.text = words->message, .size = sizeof words->message};
	struct walk walk = {.at = format, .error = errno};

	words->used = words->field_count = 0;
	va_copy(walk.arguments, arguments);
	while (*walk.at != '\0') {
		size_t name =
			words->field_count < LOG_WORDS_FIELDS ? name_length(format, walk.at) : 0;
		const char *word = walk.at;
		struct conversion conversion;

		if (*word != '%' && name == 0) {
			add(&message, walk.at++, 1);
			continue;
		}
		walk.at += name > 0 ? name + 1 : 0;
		conversion = read_conversion(&walk);
		if (conversion.letter != 0 && name > 0 && ends_word(&conversion)) {
			add_field(words, word, name, &conversion, &walk);
			continue;
		}
		add(&message, word, (size_t)(walk.at - word));
		if (conversion.letter == 0) {
			add(&message, walk.at, strlen(walk.at));
			break;
		}
		print_next(&message, &conversion, &walk);
	}
	va_end(walk.arguments);
	while (message.length > 0 && message.text[message.length - 1] == ' ' &&
		words->field_count > 0)
		message.length--;
	words->length = message.length;
}
