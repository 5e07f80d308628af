/* A service that is built out of tree against an installed hubbub, by pkg-config and by
 * find_package, and then talked to; and what else is installed. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/program.h"

static char folder[] = "/tmp/hubbub-install-XXXXXX";

static void __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void
says_hello(char *path)
{
	char *argv[] = {path, "--listen=127.0.0.1:0", "-p2", "-t1", NULL};
	struct program program;
	int port, fd;

	cr_assert(program_start(&program, argv, 0));
	cr_assert(program_expect(&program, ", pid ", 20), "%s", program.text);
	cr_assert_eq(sscanf(strstr(program.text, "ready: "), "ready: 127.0.0.1:%d", &port), 1);
	fd = client_connect(port);
	cr_assert(client_exchange(fd, "", "hello\n"));
	cr_assert(client_sees_end(fd));
	close(fd);
	cr_assert_eq(program_stop(&program, SIGTERM, 20), 0, "%s", program.text);
	program_end(&program);
}

Test(install, a_service_of_ones_own_is_built_and_served, .timeout = 600)
{
	char path[4096];

	cr_assert_not_null(mkdtemp(folder));
	shell("cmake --install %s --prefix %s/usr >/dev/null", HUBBUB_BUILD_DIR, folder);
	shell("cp %s/tests/examples/hello.c %s/hello.c", HUBBUB_SOURCE_DIR, folder);

	shell("cd %s && export PKG_CONFIG_PATH=$(dirname $(find . -name hubbub.pc)) && "
	      "pkg-config --cflags hubbub | grep -q -- -fstack-clash-protection && "
	      "cc hello.c -o by-pkg-config $(pkg-config --cflags --libs hubbub) "
	      "-Wl,-rpath,$(dirname $(find $PWD -name libhubbub.so))",
		folder);
	snprintf(path, sizeof path, "%s/by-pkg-config", folder);
	says_hello(path);

	shell("cd %s && printf '%%s\\n' 'cmake_minimum_required(VERSION 3.20)' 'project(hello C)' "
	      "'find_package(hubbub REQUIRED)' 'add_executable(hello hello.c)' "
	      "'target_link_libraries(hello hubbub::hubbub)' >CMakeLists.txt && "
	      "cmake -S . -B build -DCMAKE_PREFIX_PATH=%s/usr >/dev/null && "
	      "cmake --build build >/dev/null && "
	      "grep -q -- -fstack-clash-protection build/CMakeFiles/hello.dir/flags.make",
		folder, folder);
	snprintf(path, sizeof path, "%s/build/hello", folder);
	says_hello(path);
	shell("rm -rf %s", folder);
}

/* Where the tools that make them are: then they are in every installed tree, not only in
 * packages. */
Test(install, manual_pages_and_completions_come_with_it, .timeout = 600)
{
	if (system("command -v help2man python3 >/dev/null && "
		   "grep -q '^HUBBUB_SANITIZE:STRING=$' " HUBBUB_BUILD_DIR "/CMakeCache.txt") != 0)
		cr_skip_test("they need help2man, python3 and a build without sanitizers");
	cr_assert_not_null(mkdtemp(folder));
	shell("cmake --install %s --prefix %s/usr >/dev/null", HUBBUB_BUILD_DIR, folder);
	shell("cd %s/usr/share && zcat man/man8/hubbub-echo.8.gz | grep -q 'drain.-timeout' && "
	      "zcat man/man1/hubbub-ctl.1.gz | grep -q 'stop gracefully' && "
	      "zcat man/man3/hubbub_peer.3.gz | grep -q hubbub_peer_text && "
	      "bash -n bash-completion/completions/hubbub-ctl && "
	      "grep -q '^#compdef hubbub-echo$' zsh/site-functions/_hubbub-echo",
		folder);
	shell("rm -rf %s", folder);
}
