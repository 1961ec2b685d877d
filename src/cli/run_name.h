/* The name of a run's directory: stallmeter-<script>-<YYYYmmdd-HHMMSS>. */
#ifndef SM_CLI_RUN_NAME_H
#define SM_CLI_RUN_NAME_H

#include <stddef.h>
#include <stdint.h>

enum { SM_RUN_NAME_MAX = 96 };

/* What a command is called among people: its Python script or module, else its program. Letters, digits, '.', '_' and '-'
 * only. */
void sm_run_name_script(char *const *command, char ret_script[SM_RUN_NAME_MAX / 2]);
void sm_run_name_directory(char *const *command, int64_t real_s, char ret_name[SM_RUN_NAME_MAX]);

#endif
