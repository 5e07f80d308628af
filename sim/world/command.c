/* The command line comes from /proc. Criterion's symbol is weak: other programs do not have it. */
#include "sim/world/command_priv.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The beginning of Criterion's record of a test. */
struct criterion_test {
	const char *name;
	const char *category;
};

extern const struct criterion_test *const criterion_current_test __attribute__((weak));

static char line[1024];

/* Appends a word as a shell reads it. A word that does not fit is left out. */
static void
append(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%";
	bool is_plain = *word != '\0' && word[strspn(word, plain)] == '\0';
	size_t used = strlen(line);

	if (used + strlen(word) + sizeof " ''" > sizeof line || strchr(word, '\'') != NULL)
		return;
	snprintf(line + used, sizeof line - used, is_plain ? "%s%s" : "%s'%s'", used > 0 ? " " : "",
		word);
}

/* The program's file, as seen from the present directory: Criterion calls it by another name. */
static void
append_program(void)
{
	char path[PATH_MAX], here[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	size_t above, from;

	if (length <= 0)
		return;
	path[length] = '\0';
	above = getcwd(here, sizeof here) != NULL ? strlen(here) : 0;
	from = above > 1 && strncmp(path, here, above) == 0 && path[above] == '/' ? above + 1 : 0;
	/* Without a slash, shells would look for it elsewhere. */
	if (strchr(path + from, '/') == NULL) {
		from -= 2;
		path[from] = '.';
		path[from + 1] = '/';
	}
	append(path + from);
}

const char *
command_line(void)
{
	char words[sizeof line], filter[256];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd != -1 ? read(fd, words, sizeof words - 1) : -1;
	bool is_in_criterion = &criterion_current_test != NULL && criterion_current_test != NULL;

	if (fd != -1)
		close(fd);
	line[0] = '\0';
	if (length <= 0)
		return "the program";
	words[length] = '\0';
	if (!is_in_criterion) {
		append(words);
		for (const char *word = words; (word += strlen(word) + 1) < words + length;)
			append(word);
		return line;
	}
	append_program();
	snprintf(filter, sizeof filter, "%s/%s", criterion_current_test->category,
		criterion_current_test->name);
	append("--filter");
	append(filter);
	return line;
}
