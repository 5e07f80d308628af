/* What the shells complete for hubbub-ctl: the commands of the server's service, too. The shells'
 * own part, which shows them, is cut short; what is generated runs as it is. */
#include <criterion/criterion.h>
#include <stdarg.h>
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

/* Begins a server with commands of its own, and a hubbub-ctl that finds it. */
static void
begin(const char *name)
{
	if (system("command -v python3 bash zsh >/dev/null") != 0)
		cr_skip_test("python3, bash or zsh is not installed");
	cr_assert(server_start(&server, "asked", "1", "1", NULL), "%s", server.program.text);
	shell("%s/deploy/completions/generate %s %s >%s/made", HUBBUB_SOURCE_DIR, name,
		program_path("hubbub-ctl"), folder);
	shell("printf '#!/bin/sh\\nexec %s -s %s \"$@\"\\n' >%s/hubbub-ctl && "
	      "chmod +x %s/hubbub-ctl",
		program_path("hubbub-ctl"), server.control, folder, folder);
}

Test(completions, of_bash_have_the_services_commands)
{
	begin("bash");
	shell("cd %s && PATH=$PWD:$PATH bash -c '. ./made; COMP_WORDS=(hubbub-ctl r) COMP_CWORD=1; "
	      "_hubbub_ctl; echo \"${COMPREPLY[@]}\"'",
		folder);
	cr_assert_not_null(strstr(output, "reload rest"), "%s", output);
}

Test(completions, of_zsh_have_the_services_commands_with_their_help)
{
	begin("zsh");
	shell("cd %s && PATH=$PWD:$PATH zsh -fc '_arguments() { _hubbub_ctl_commands; }; "
	      "_describe() { print -rl -- \"${(@P)2}\"; }; . ./made'",
		folder);
	cr_assert_not_null(strstr(output, "\nrest:MILLISECONDS: sleep\n"), "%s", output);
	cr_assert_not_null(strstr(output, "status:print the state; exits"), "%s", output);
	cr_assert_eq(strstr(strstr(output, "status:") + 1, "status:"), NULL, "twice: %s", output);
}
