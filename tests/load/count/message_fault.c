/* Names of faults: keys in JSON and words in reports, so a name is never changed. */
#include "tests/load/count/message_fault.h"

const char *const message_fault_names[MESSAGE_FAULT_MAX] = {
	"corrupt", "truncated", "extra", "reordered", "duplicate", "crossed"};
