/* Results that were made up, for tests of merging. */
#ifndef HUBBUB_TESTS_PARTS_H
#define HUBBUB_TESTS_PARTS_H

#include "tests/load/run/merge.h"
#include "tests/support/folder.h"

#define PARTS_MAX 4
#define PARTS_BEGAN INT64_C(1796230800000000) /* of their windows, microseconds */

/* The files of results, by their numbers. */
extern char parts_paths[PARTS_MAX + 4][FOLDER_SIZE + 32];

/* The load that the next result is of; the parts that were merged, their result, and its load. */
extern struct load parts_load, parts_merged_load;
extern struct part parts_read[PARTS_MAX];
extern struct result *parts_merged;

/* For each test suite: .init and .fini. */
void parts_begin(void);
void parts_end(void);

/* Makes ten seconds of an open loop, without a reply. */
struct result *parts_make(void);

/* Adds a reply after so many nanoseconds. */
void parts_answer(struct result *result, int64_t time);

/* Judges the result, writes it to the file of that number, and frees it. */
void parts_store(struct result *result, int number);

/* Stores a result with a thousand good replies, after spoil, unless NULL, has changed it. */
void parts_store_good(int number, void (*spoil)(struct result *result));

/* Merges the files of these numbers, which end with -1, and judges. */
void parts_merge(const int *numbers);
#define PARTS_MERGE(...) parts_merge((const int[]){__VA_ARGS__, -1})

/* Whether the merged result has a note with this text. */
bool parts_noted(const char *text);

/* Stores the merged result in the file of that number. */
void parts_keep(int number);

#endif
