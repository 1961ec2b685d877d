/* A training of forty seconds whose every step lasts 100 ms: of the first thirty seconds 40 ms of it are waiting, of the last ten
 * 80 ms. So of the whole a stall is (300 * 40 + 100 * 80) / 40000 = 50 %, and of the last ten seconds 80 %. On a CPU all waiting
 * is a stall. Two workers, each busy for 90 ms of the 200 ms between two of its batches. */
#ifndef TESTS_MAKE_STEADY_MAKE_H
#define TESTS_MAKE_STEADY_MAKE_H

#include <stdint.h>

enum { STEADY_MAKE_STEPS = 400, STEADY_MAKE_SAMPLES = 4 };
#define STEADY_MAKE_BEGIN_NS INT64_C(1000000000)
#define STEADY_MAKE_END_NS   INT64_C(41000000000)

void steady_make(const char *directory);

#endif
