/* Dates as HTTP has them: "Sun, 06 Nov 1994 08:49:37 GMT". */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <time.h>

#include "text.h"

struct date {
	char text[32];
};

struct date date_of(time_t time);

/* This second's; valid until the next call in this thread. */
const char *date_now(void);

/* Returns -1 if it is no date. */
time_t date_parse(struct text text);

#endif
