#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "hub/base/clock.h"
#include "tests/load/ask/moment.h"

Test(moment, every_form_is_read)
{
	static const struct {
		const char *text;
		int64_t milliseconds; /* since 1970 */
	} cases[] = {{"@0", 0}, {"@1796230800", 1796230800000}, {"@1796230800.25", 1796230800250},
		{"2026-12-02T17:00:00Z", 1796230800000}, {"2026-12-02t17:00:00z", 1796230800000},
		{"2026-12-02 17:00:00Z", 1796230800000}, {"2026-12-02T17:00:00.5Z", 1796230800500},
		{"2026-12-02T18:00:00+01:00", 1796230800000},
		{"2026-12-02T16:30:00-00:30", 1796230800000},
		{"2028-02-29T00:00:00Z", 1835395200000}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t moment = -1;

		cr_assert(moment_read(cases[i].text, &moment), "%s", cases[i].text);
		cr_assert_eq(
			moment, cases[i].milliseconds * CLOCK_MILLISECOND, "%s", cases[i].text);
	}
}

Test(moment, a_time_of_day_is_today_s_in_local_time)
{
	time_t now;
	struct tm broken;
	int64_t moment = 0;

	/* Until the day is the same before and after. */
	do {
		now = time(NULL);
		setenv("TZ", "XYZ-3", 1);
		tzset();
		localtime_r(&now, &broken);
		cr_assert(moment_read("12:30:15", &moment));
	} while (broken.tm_mday != localtime(&(time_t){time(NULL)})->tm_mday);
	now = moment / CLOCK_SECOND;
	cr_assert_eq(localtime(&now)->tm_mday, broken.tm_mday);
	cr_assert_eq(now % 86400, 9 * 3600 + 30 * 60 + 15, "three hours east of Greenwich");
}

Test(moment, all_else_is_refused)
{
	static const char *const texts[] = {"", "@", "@x", "@-1", "@1.", "@9000000001",
		"@99999999999", "now", "17:00", "24:00:00", "17:60:00", "17:00:60", "1:00:00",
		"17:00:00Z", "2026-12-02", "2026-12-02T", "2026-12-02T17:00:00",
		"2026-04-31T17:00:00Z", "2026-13-01T17:00:00Z", "2026-12-02T17:00:00+1",
		"2026-12-02T17:00:00+24:00", "2026-12-02T17:00:00.Z", "1969-12-31T23:59:59Z",
		"9999-12-02T17:00:00Z", "2026-12-02T17:00:00Zx"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		int64_t moment = 42;

		cr_assert_not(moment_read(texts[i], &moment), "%s", texts[i]);
		cr_assert_eq(moment, 42, "%s", texts[i]);
	}
}
