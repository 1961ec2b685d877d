/* Student's t, for 90 % intervals. */
#ifndef SM_STUDY_STUDENT_H
#define SM_STUDY_STUDENT_H

#include <stddef.h>

/* What a t of so many degrees of freedom, at least one, stays below 95 times in 100. */
double sm_student_95(size_t freedom);

#endif
