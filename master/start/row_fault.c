/* What is wrong with an option's row itself, which is its program's fault. */
#include <ctype.h>
#include <string.h>

#include "master/start/row.h"

/* Whether the field has the size of the type that belongs to the row's kind. */
static bool
has_right_size(const struct hubbub_option *row)
{
	switch (row->kind) {
	case HUBBUB_CALL:
		return true;
	case HUBBUB_FLAG:
		return row->size == sizeof(bool);
	case HUBBUB_NUMBER:
		return row->size == sizeof(uint32_t) || row->size == sizeof(uint64_t);
	case HUBBUB_SIZE:
		return row->size == sizeof(size_t);
	case HUBBUB_DURATION:
		return row->size == sizeof(int64_t);
	case HUBBUB_CHOICE:
		return row->size == sizeof(bool) || row->size == sizeof(unsigned);
	case HUBBUB_STRING:
		return row->size == sizeof(const char *);
	case HUBBUB_LIST:
		return row->size == sizeof(struct hubbub_list);
	}
	return false;
}

const char *
row_fault(const struct hubbub_option *row, bool has_object)
{
	if (row->name[0] == '\0' || row->name[0] == '-' ||
		row->name[strcspn(row->name, "= \t\n")] != '\0')
		return "is not a name: a name has neither blanks nor '=', and no dash in front";
	if (row->letter != 0 && (row->letter < 0 || row->letter > 127 || !isgraph(row->letter)))
		return "has a letter that is not a printable character of ASCII";
	for (size_t i = 0; i < row->word_count; i++)
		if (row->words == NULL || row->words[i] == NULL)
			return "has a word that is NULL";
	if (row->kind == HUBBUB_CALL)
		return row->set == NULL                   ? "has neither a kind nor set"
		       : row->change != HUBBUB_RELOADABLE ? "is fixed, but has no field to compare"
							  : NULL;
	if (row->set != NULL)
		return "has both a kind and set";
	if (row->help == NULL)
		return "has no help";
	if (!has_object)
		return "has a kind, but the service has no context";
	if (!has_right_size(row))
		return "has no field of its kind's type (HUBBUB_FIELD)";
	if (row->kind == HUBBUB_CHOICE && row->word_count == 0)
		return "is a choice without words (HUBBUB_WORDS)";
	if (row->kind == HUBBUB_CHOICE && row->size == sizeof(bool) && row->word_count > 2)
		return "has a choice of more than two words, but its field is a bool";
	if (row->most != 0 && row->least > row->most)
		return "has no value that it could take: its least is above its most";
	if (row->kind == HUBBUB_LIST && row->most > HUBBUB_LIST_MAX)
		return "is a list that is too long";
	if (row->kind == HUBBUB_NUMBER && row->size == sizeof(uint32_t) && row->most > UINT32_MAX)
		return "has a range that is too large for its field";
	return row->kind != HUBBUB_FLAG && row->values == NULL ? "does not say what it takes"
							       : NULL;
}
