#include "study/student.h"

/* Found by bisection of the integrated density; any table of the t distribution has the first digits. */
static const double quantiles[] = {6.3138, 2.9200, 2.3534, 2.1318, 2.0150, 1.9432, 1.8946, 1.8595,
	1.8331, 1.8125, 1.7959, 1.7823, 1.7709, 1.7613, 1.7531, 1.7459, 1.7396, 1.7341, 1.7291,
	1.7247, 1.7207, 1.7171, 1.7139, 1.7109, 1.7081, 1.7056, 1.7033, 1.7011, 1.6991, 1.6973};

/* Beyond the table an expansion about the normal's quantile, good to six digits there (Abramowitz and Stegun 1964,
 * 26.7.5). */
static double expanded(double freedom)
{
	const double z = 1.6448536, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
	return z + (z3 + z) / (4 * freedom) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

double sm_student_95(size_t freedom)
{
	size_t known = sizeof(quantiles) / sizeof(quantiles[0]);
	return freedom <= known ? quantiles[freedom ? freedom - 1 : 0] : expanded((double)freedom);
}
