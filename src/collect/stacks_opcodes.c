/* As Include/opcode.h (3.10 to 3.12) and Lib/_opcode_metadata.py (3.13) have them: the plain instructions, those that the
 * interpreter puts in their place when it has seen what is called, and those of sys.monitoring. */
#include "collect/stacks_opcodes.h"

#include <stddef.h>

#define END 0

static const unsigned char calls_10[] = {131, 141, 142, 161, END};
static const unsigned char calls_11[] = {22, 23, 24, 64, 65, 66, 67, 72, 73, 76, 77, 78, 79, 80, 81,
	113, 121, 127, 141, 142, 143, 166, 171, END};
static const unsigned char calls_12[] = {23, 24, 28, 29, 34, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
	48, 56, 142, 171, 241, 244, END};
static const unsigned char calls_13[] = {53, 54, 57, 162, 163, 164, 165, 166, 167, 168, 169, 170,
	171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 244, 245, 246, END};

static const unsigned char *const calls[] = {calls_10, calls_11, calls_12, calls_13};

bool sm_stacks_opcodes_is_call(int minor, unsigned char opcode)
{
	if (minor < 10 || minor > 13) {
		return false;
	}
	for (const unsigned char *call = calls[minor - 10]; *call != END; call++) {
		if (*call == opcode) {
			return true;
		}
	}
	return false;
}
