/* Select is declared in select.h; this name of it stays for programs that include it. */
#ifndef HUBBUB_SYNC_SELECT_H
#define HUBBUB_SYNC_SELECT_H

#include "../select.h"

#endif
