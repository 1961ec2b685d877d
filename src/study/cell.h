/* Numbers as a table shows them: three significant digits, and never more than were handed in. */
#ifndef SM_STUDY_CELL_H
#define SM_STUDY_CELL_H

#include <stallmeter/study.h>

#include <stddef.h>

enum { SM_CELL_BYTES = 40, SM_CELL_INTERVAL_BYTES = 4 * SM_CELL_BYTES };

/* "1,230", "0.0457", "12.0", "4.57e-07". */
void sm_cell_number(char text[SM_CELL_BYTES], double value);
/* The same with a fixed number of decimals, for the ticks of an axis. */
void sm_cell_fixed(char text[SM_CELL_BYTES], double value, int decimals);
/* A place on an axis: whole numbers as they are, others as above. */
void sm_cell_place(char text[SM_CELL_BYTES], double value);
/* "1,230 (1,190-1,270)", with a real dash; the number alone where the ends are NaN. */
void sm_cell_interval(char text[SM_CELL_INTERVAL_BYTES], const struct sm_study_interval *interval);

#endif
