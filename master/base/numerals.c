#include "master/base/numerals.h"

#include <locale.h>

/* Of the one thread that a master has. */
static locale_t own, programs;

void
numerals_begin(void)
{
	locale_t base = duplocale(uselocale((locale_t)0));

	own = newlocale(LC_NUMERIC_MASK, "C", base);
	if (own != (locale_t)0)
		programs = uselocale(own);
	else if (base != (locale_t)0)
		freelocale(base);
}

void
numerals_end(void)
{
	if (own == (locale_t)0)
		return;
	uselocale(programs);
	freelocale(own);
	own = (locale_t)0;
}
