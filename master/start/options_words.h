/* What --help and --version say of a server, whatever its service. */
#ifndef HUBBUB_START_OPTIONS_WORDS_H
#define HUBBUB_START_OPTIONS_WORDS_H

#include "master/start/table.h"

/* Variables of the library itself begin with HUBBUB_ alone. */
#define OPTIONS_PREFIX "HUBBUB_SERVER_"

/* Sets what the table's help says, and has --version name the service, which must outlive the
 * reading of the table. The texts are static, and last until the next call. */
void options_words_set(struct table *table, const struct hubbub_service *service);

#endif
