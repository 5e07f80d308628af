/* The words for the command line and the JSON, in the order of the enums. */
#include "tests/load/ask/message_form.h"

const char *const message_framing_names[MESSAGE_FRAMING_MAX] = {"raw", "line", "len32"};
const char *const message_verify_names[MESSAGE_VERIFY_MAX] = {"full", "header", "none"};
