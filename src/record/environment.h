/* What `stallmeter run` and torchrun tell a process through its environment. */
#ifndef SM_RECORD_ENVIRONMENT_H
#define SM_RECORD_ENVIRONMENT_H

const char *sm_environment_live_directory(void); /* STALLMETER_LIVE; NULL without one */
int sm_environment_rank(void);			 /* RANK; -1 without one */

#endif
