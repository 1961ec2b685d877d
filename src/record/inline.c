#include "record/span.h"
#include "record/thread.h"

struct sm_thread sm_inline_nobody;
__thread struct sm_inline_thread *sm_inline_here __attribute__((tls_model("initial-exec"))) =
	&sm_inline_nobody.hot;

void sm_inline_begin_slow(uint32_t name)
{
	sm_span_begin_general(name, false);
}

void sm_inline_end_slow(void)
{
	sm_span_end_general();
}
