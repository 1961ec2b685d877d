/* Which instructions of CPython call something. */
#ifndef SM_COLLECT_STACKS_OPCODES_H
#define SM_COLLECT_STACKS_OPCODES_H

#include <stdbool.h>

/* A thread whose innermost Python frame stands at such an instruction is in what it called: were that Python, its own
 * frame would be the innermost. (Bar the few nanoseconds in which the interpreter makes the call.) */
bool sm_stacks_opcodes_is_call(int minor, unsigned char opcode);

#endif
