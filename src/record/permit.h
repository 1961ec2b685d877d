/* Lets the collector read this process's memory, where only ancestors may. */
#ifndef SM_RECORD_PERMIT_H
#define SM_RECORD_PERMIT_H

/* The collector that looks at stacks has put its pid into `directory`. Does nothing where there is none, where the kernel asks
 * for no permission, or gives none. `root` "" or a picture of /proc for tests. Returns the pid that was permitted; 0: none. */
int sm_permit_collector(const char *directory, const char *root);

#endif
