/* Trouble: which draw of which kind it was, so that a run can be repeated with a part of it. */
#include "sim/world/trouble_priv.h"

#include <stdio.h>
#include <string.h>

#include "sim/world/digits_priv.h"
#include "sim/world/draw_priv.h"

#define KIND(field) (offsetof(struct hub_sim_options, field) / sizeof(unsigned))

static const struct {
	const char *name;
	const char *words;
} kinds[TROUBLE_KINDS] = {
	[KIND(interrupted)] = {"interrupted", "trouble: a call is interrupted (EINTR)"},
	[KIND(not_ready)] = {"not_ready", "trouble: a descriptor is not ready after all (EAGAIN)"},
	[KIND(partial)] = {"partial", "trouble: a transfer takes only a part, or a datagram is "
				      "lost or doubled"},
	[KIND(spurious)] = {"spurious", "trouble: a descriptor is reported that is not ready"},
	[KIND(no_memory)] = {"no_memory", "trouble: the kernel has no memory for a call"},
	[KIND(no_files)] = {"no_files", "trouble: there is no free descriptor"},
	[KIND(refused)] = {"refused", "trouble: a call fails with a rare errno"},
	[KIND(reset)] = {"reset", "trouble: the network resets a connection"},
	[KIND(reordered)] = {"reordered", "trouble: another coroutine runs first, or one is slow"},
	[KIND(killed)] = {"killed", "trouble: a coroutine will be killed"},
	[KIND(expired)] = {"expired", "trouble: a scope will expire"},
	[KIND(allocation)] = {"allocation", "trouble: memory is refused"},
	[KIND(closed)] = {"closed", "trouble: a descriptor will be closed"},
	[KIND(jump)] = {"jump", "trouble: a host's CLOCK_REALTIME jumps"},
	[KIND(preempted)] = {"preempted", "trouble: another hub goes on first"},
	[KIND(partition)] = {"partition", "trouble: no packet gets from one host to another"},
};

static struct {
	const struct hub_sim_options *options;
	struct troubles *met;
	const struct troubles *only;
	uint64_t states[TROUBLE_KINDS]; /* of the draws */
	uint64_t drawn[TROUBLE_KINDS];
	size_t next[TROUBLE_KINDS]; /* in only, for each kind: none before is to come */
} trouble;

const char *
trouble_name(unsigned kind)
{
	return kinds[kind].name != NULL ? kinds[kind].name : "unnamed";
}

const char *
trouble_words(unsigned kind)
{
	return kinds[kind].words != NULL ? kinds[kind].words : "trouble without a name";
}

void
troubles_only(const struct troubles *only)
{
	trouble.only = only;
}

bool
troubles_are_given(void)
{
	return trouble.only != NULL;
}

void
troubles_begin(uint64_t seed, const struct hub_sim_options *options, struct troubles *met)
{
	trouble.options = options;
	trouble.met = met;
	met->count = 0;
	for (size_t kind = 0; kind < TROUBLE_KINDS; kind++) {
		trouble.states[kind] = draw_next(&seed);
		trouble.drawn[kind] = trouble.next[kind] = 0;
	}
}

/* Whether the kind's present draw is among those that happen. */
static bool
is_given(unsigned kind)
{
	size_t *next = &trouble.next[kind];

	for (; *next < trouble.only->count; (*next)++) {
		const struct trouble *given = &trouble.only->each[*next];

		if (given->kind == kind && given->draw >= trouble.drawn[kind])
			return given->draw == trouble.drawn[kind];
	}
	return false;
}

static bool
is_drawn(unsigned kind, unsigned rate)
{
	return (unsigned __int128)draw_next(&trouble.states[kind]) * rate >> 64 == 0;
}

const char *
trouble_drawn(const unsigned *rate, int64_t at)
{
	unsigned kind = (unsigned)(rate - (const unsigned *)(const void *)trouble.options);
	struct troubles *met = trouble.met;

	if (*rate == 0)
		return NULL;
	trouble.drawn[kind]++;
	if (trouble.only != NULL ? !is_given(kind) : !is_drawn(kind, *rate))
		return NULL;
	if (met->count < TROUBLES_MOST)
		met->each[met->count] = (struct trouble){kind, trouble.drawn[kind], at};
	met->count++;
	return trouble_words(kind);
}

/* ---- as a text ---- */

bool
troubles_write(const struct troubles *troubles, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < troubles->count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s:%llu", i > 0 ? " " : "",
			trouble_name(troubles->each[i].kind),
			(unsigned long long)troubles->each[i].draw);
	return used < size;
}

static bool
find_kind(const char *text, size_t length, unsigned *kind)
{
	for (*kind = 0; *kind < TROUBLE_KINDS; (*kind)++)
		if (kinds[*kind].name != NULL && strlen(kinds[*kind].name) == length &&
			memcmp(kinds[*kind].name, text, length) == 0)
			return true;
	return false;
}

/* What is wrong at text, and what would not be. */
static const char *
explain(const char *text)
{
	static char why[512];
	size_t used = (size_t)snprintf(why, sizeof why,
		"HUBBUB_ONLY has \"%.*s\", and takes what a report says, such as 'partial:3 "
		"reset:1': each a kind of trouble and the number of its draw. The kinds are",
		(int)strcspn(text, " ") % 60, text);

	for (unsigned kind = 0; kind < TROUBLE_KINDS && used < sizeof why; kind++)
		if (kinds[kind].name != NULL)
			used += (size_t)snprintf(why + used, sizeof why - used, "%s %s",
				kind > 0 ? "," : "", kinds[kind].name);
	return why;
}

/* Returns what is behind it; NULL if it is no trouble. */
static const char *
read_one(struct trouble *one, const char *text)
{
	size_t length = strcspn(text, ": ");
	const char *end;

	*one = (struct trouble){0};
	if (text[length] != ':' || !find_kind(text, length, &one->kind))
		return NULL;
	end = digits_read(text + length + 1, &one->draw);
	return end != NULL && (*end == ' ' || *end == '\0') ? end : NULL;
}

const char *
troubles_read(struct troubles *troubles, const char *text)
{
	troubles->count = 0;
	while (*(text += strspn(text, " ")) != '\0') {
		const char *end;

		if (troubles->count == TROUBLES_MOST)
			return "HUBBUB_ONLY has more trouble than any report";
		end = read_one(&troubles->each[troubles->count++], text);
		if (end == NULL)
			return explain(text);
		text = end;
	}
	return NULL;
}
