/* Each round asks for status in a dialogue of its own, draws, and then waits a second for a key; a
 * key only draws again. Rates are differences between two states, so the first picture has none. */
#include "master/ctl/top.h"

#include <curses.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "master/ctl/dialogue.h"
#include "master/ctl/picture.h"

#define EVERY 1000 /* milliseconds between two states */

static void
keep_state(char kind, const char *line, void *context)
{
	json_t **state = context;

	if (kind != '|')
		return;
	json_decref(*state);
	*state = json_loads(line, 0, NULL);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What is shown: a state, and the one before. */
struct shown {
	struct picture picture;
	json_t *state, *before;
	double asked, seconds; /* when for the state, and how long that was after the one before */
};

static void
draw(struct shown *shown)
{
	static const attr_t looks[] = {
		[SCREEN_PLAIN] = A_NORMAL, [SCREEN_BOLD] = A_BOLD, [SCREEN_HEADING] = A_REVERSE};
	struct screen_line *lines = calloc((size_t)LINES, sizeof *lines);

	erase();
	if (lines != NULL)
		picture_compose(&shown->picture, lines, (unsigned)LINES, COLS, shown->state,
			shown->before, shown->seconds);
	for (int row = 0; lines != NULL && row < LINES; row++) {
		attrset(looks[lines[row].look]);
		mvaddstr(row, 0, lines[row].text);
	}
	free(lines);
	refresh();
}

static int
key_of(int key)
{
	switch (key) {
	case KEY_LEFT:
		return '<';
	case KEY_RIGHT:
		return '>';
	case KEY_UP:
		return 'k';
	case KEY_DOWN:
		return 'j';
	case KEY_PPAGE:
		return 'b';
	case KEY_NPAGE:
		return ' ';
	case KEY_ENTER:
		return '\n';
	case KEY_BACKSPACE:
	case 127:
		return PICTURE_ERASE;
	default:
		return key;
	}
}

/* Draws, and applies keys, until the next state is due. Returns false if a key asks for the end. */
static bool
look(struct shown *shown)
{
	for (;;) {
		int left = (int)(EVERY - 1000 * (now() - shown->asked)), key;

		draw(shown);
		if (left <= 0)
			return true;
		timeout(left);
		key = getch();
		if (key == ERR) {
			/* It returns at once if standard input has ended: wait all the same. */
			left = (int)(EVERY - 1000 * (now() - shown->asked));
			napms(left > 0 ? left : 0);
			return true;
		}
		/* Another size is no key, and keys that move are no text. */
		if (key == KEY_RESIZE)
			continue;
		if (key > UCHAR_MAX && shown->picture.is_typing && key != KEY_ENTER &&
			key != KEY_BACKSPACE)
			continue;
		if (!picture_key(&shown->picture, key_of(key)))
			return false;
	}
}

int
top_run(struct dialogue *dialogue)
{
	struct shown shown = {0};
	int result = 0;

	if (!isatty(STDOUT_FILENO)) {
		snprintf(dialogue->message, sizeof dialogue->message,
			"top needs a terminal; status prints the same once");
		return 1;
	}
	dialogue->request = "status";
	dialogue->patience = DIALOGUE_STATUS_PATIENCE;
	dialogue->hear = keep_state;
	dialogue->context = &shown.state;
	initscr();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	do {
		double began = now();

		json_decref(shown.before);
		shown.before = shown.state;
		shown.state = NULL;
		result = dialogue_run(dialogue);
		shown.seconds = began - shown.asked;
		shown.asked = began;
	} while (result == 0 && shown.state != NULL && look(&shown));
	endwin();
	json_decref(shown.before);
	json_decref(shown.state);
	return result;
}
