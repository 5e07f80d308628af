/* libcurl's easy interface, which resolves the name and blocks: each fetches a file that takes a
 * second. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "tests/patch/crowd.h"

static size_t
count_bytes(char *bytes, size_t size, size_t count, void *total)
{
	(void)bytes;
	*(size_t *)total += size * count;
	return size * count;
}

static bool
fetch(int port, int index)
{
	CURL *curl = curl_easy_init();
	char url[80];
	size_t total = 0;
	long code = 0;
	CURLcode result;

	snprintf(url, sizeof url, "http://localhost:%d/slow", port);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
	result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	if (result != CURLE_OK || code != 200)
		fprintf(stderr, "%d: %s, %ld\n", index, curl_easy_strerror(result), code);
	curl_easy_cleanup(curl);
	return result == CURLE_OK && code == 200 && total == 60000;
}

int
main(int argc, char **argv)
{
	int code;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = crowd_main(argc, argv, fetch);
	curl_global_cleanup();
	return code;
}
