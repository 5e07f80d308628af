/* uselocale sets the locale of one thread, and the master has one. The new locale copies the
 * program's, with LC_NUMERIC replaced by "C". */
#include "master/base/numerals.h"

#include <locale.h>

/* The locale of the master's thread, and the program's locale that it replaces; own is 0 while none
 * is replaced. */
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
