/* What the shells complete for hubbub-ctl: the commands of the server's service, too. The shells'
 * own part, which shows them, is cut short; what is generated runs as it is. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/changing.h"

TestSuite(completions, .init = changing_begin, .fini = changing_end, .timeout = 300);

static void __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[4096];
	va_list values;
	FILE *pipe;
	size_t length;

	va_start(values, format);
	vsnprintf(command, sizeof command, format, values);
	va_end(values);
	pipe = popen(command, "r");
	length = fread(output, 1, sizeof output - 1, pipe);
	output[length] = '\0';
	cr_assert_eq(pclose(pipe), 0, "%s: %s", command, output);
}

/* Begins a server with commands of its own. Its hubbub-ctl finds it only where it is told. */
static void
begin(const char *name)
{
	if (system("command -v python3 bash zsh >/dev/null") != 0)
		cr_skip_test("python3, bash or zsh is not installed");
	cr_assert(server_start(&server, "asked", "1", "1", NULL), "%s", server.program.text);
	shell("%s/deploy/completions/generate %s %s >%s/made", HUBBUB_SOURCE_DIR, name,
		program_path("hubbub-ctl"), folder);
	shell("ln -s %s %s/hubbub-ctl", program_path("hubbub-ctl"), folder);
}

/* Completes "r" in bash behind these words, and returns whether it is a command of the service. */
static bool
bash_knows(const char *words, int count)
{
	shell("cd %s && XDG_RUNTIME_DIR=$PWD/none PATH=$PWD:$PATH bash -c '. ./made; "
	      "COMP_WORDS=(hubbub-ctl %s r) COMP_CWORD=%d; _hubbub_ctl; echo \"${COMPREPLY[@]}\"'",
		folder, words, count + 1);
	cr_assert_not_null(strstr(output, "reload"), "%s", output);
	return strstr(output, "rest") != NULL;
}

/* The same in zsh, of all commands. */
static bool
zsh_knows(const char *words)
{
	shell("cd %s && XDG_RUNTIME_DIR=$PWD/none PATH=$PWD:$PATH zsh -fc '"
	      "_arguments() { words=(hubbub-ctl %s r) CURRENT=$#words; _hubbub_ctl_commands; }; "
	      "_describe() { print -rl -- \"${(@P)2}\"; }; . ./made'",
		folder, words);
	cr_assert_not_null(strstr(output, "status:print the state; exits"), "%s", output);
	cr_assert_eq(strstr(strstr(output, "status:") + 1, "status:"), NULL, "twice: %s", output);
	return strstr(output, "\nrest:MILLISECONDS: sleep\n") != NULL;
}

Test(completions, of_bash_have_the_services_commands)
{
	char words[300];

	begin("bash");
	snprintf(words, sizeof words, "-s %s", server.control);
	cr_assert(bash_knows(words, 2), "%s", output);
	snprintf(words, sizeof words, "-s%s", server.control);
	cr_assert(bash_knows(words, 1), "%s", output);
	snprintf(words, sizeof words, "--socket = %s", server.control);
	cr_assert(bash_knows(words, 3), "%s", output);
	cr_assert_not(bash_knows("-s ./nowhere", 2), "%s", output);
}

Test(completions, of_zsh_have_the_services_commands_with_their_help)
{
	char words[300];

	begin("zsh");
	snprintf(words, sizeof words, "-s %s", server.control);
	cr_assert(zsh_knows(words), "%s", output);
	snprintf(words, sizeof words, "--socket=%s", server.control);
	cr_assert(zsh_knows(words), "%s", output);
	cr_assert_not(zsh_knows("-s ./nowhere"), "%s", output);
}
