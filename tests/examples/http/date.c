/* Dates in the one form that is to be sent; the two that nobody has sent for decades are none. */
#include "date.h"

#define FORM "%a, %d %b %Y %H:%M:%S GMT"

struct date
date_of(time_t time)
{
	struct date date;
	struct tm parts;

	if (gmtime_r(&time, &parts) == NULL ||
		strftime(date.text, sizeof date.text, FORM, &parts) == 0)
		date.text[0] = '\0'; /* a year of more than four digits */
	return date;
}

const char *
date_now(void)
{
	static _Thread_local time_t second = -1;
	static _Thread_local struct date date;
	time_t now = time(NULL);

	if (now != second) {
		second = now;
		date = date_of(now);
	}
	return date.text;
}

time_t
date_parse(struct text text)
{
	char copy[sizeof((struct date *)0)->text];
	struct tm parts = {0};
	const char *end;

	if (text.length >= sizeof copy)
		return -1;
	memcpy(copy, text.bytes, text.length);
	copy[text.length] = '\0';
	end = strptime(copy, FORM, &parts);
	return end != NULL && *end == '\0' ? timegm(&parts) : -1;
}
