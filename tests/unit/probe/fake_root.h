/* A folder of canned /proc and /sys, unpacked from one of roots/<name>.txt. */
#ifndef SM_TESTS_FAKE_ROOT_H
#define SM_TESTS_FAKE_ROOT_H

#include <limits.h>

void fake_root_make(char ret_path[PATH_MAX], const char *name);
void fake_root_put(const char *root, const char *path, const char *text);
void fake_root_remove(const char *path);

#endif
