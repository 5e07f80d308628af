/* Select is declared in hub/select.h; this header is for programs that include it by its older
 * name. */
#ifndef HUBBUB_SYNC_SELECT_H
#define HUBBUB_SYNC_SELECT_H

#include "../select.h"

#endif
