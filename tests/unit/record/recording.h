/* A session in a folder of its own, and what the oracle says of it. */
#ifndef SM_TESTS_RECORDING_H
#define SM_TESTS_RECORDING_H

#include "ring_oracle.h"

#include <stallmeter/stallmeter.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A new folder below TMPDIR or /tmp; every recording of this program goes there. */
int recording_set_up(void **state);
int recording_tear_down(void **state);
const char *recording_folder(void);
int recording_file_count(void);
const char *recording_file_of(int pid); /* path of its ring, NULL without one */

void recording_start(
	const struct sm_session_options *options); /* NULL: the defaults, in the folder */
struct oracle *recording_stop(
	void); /* stops the session, reads its file, and nothing may be wrong with it */
struct oracle *recording_look(void); /* the same while it goes on */
struct oracle *recording_read(const char *path);

/* Runs in a child made by fork; its exit code must be 0. Assertions do not work in there: return what is wrong, or 0. */
void recording_in_child(int (*body)(void));

#endif
