/* Control characters are C0, DEL, and C1, which are two bytes in UTF-8. The text keeps its length,
 * so it can be changed in place. */
#include "master/ctl/plain.h"

#include <stdbool.h>

#define DELETE 0x7f
/* C1, U+0080 to U+009F, in UTF-8: the byte C1_FIRST, and a byte from 0x80 to C1_LAST. */
#define C1_FIRST 0xc2
#define C1_LAST 0x9f

static bool
is_control(unsigned char byte)
{
	return (byte < ' ' && byte != '\n' && byte != '\t') || byte == DELETE;
}

void
plain(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++) {
		if (is_control(*at))
			*at = '?';
		if (at[0] == C1_FIRST && at[1] >= 0x80 && at[1] <= C1_LAST)
			at[0] = at[1] = '?';
	}
}
