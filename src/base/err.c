#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sm_error_set(struct sm_error *reterr, int code, int64_t offset, const char *format, ...)
{
	if (reterr) {
		va_list args;
		va_start(args, format);
		reterr->code = code;
		reterr->offset = offset;
		vsnprintf(reterr->msg, sizeof(reterr->msg), format, args);
		va_end(args);
	}
	return code;
}

const char *sm_error_text(int code)
{
	switch (-code) {
	case SM_ERR_FORMAT:
		return "not a stallmeter file";
	case SM_ERR_VERSION:
		return "written by a later version of stallmeter";
	case SM_ERR_TORN:
		return "ends in the middle of a block";
	case SM_ERR_CHECKSUM:
		return "damaged: a checksum does not match";
	case SM_ERR_LIMIT:
		return "a size limit was reached";
	case SM_ERR_EMPTY:
		return "empty";
	default:
		return strerror(-code);
	}
}
