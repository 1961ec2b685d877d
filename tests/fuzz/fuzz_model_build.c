/* Any `.stall` file as a run: whatever its spans and facts claim, the tables are built in bounded memory, or refused. */
#include "fuzz/stall_input.h"
#include "model/model.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sm_model model = {0};
	struct sm_error error;
	struct stall_input input;
	stall_input_open(&input, data, size);
	(void)sm_model_build(&model, input.path, NULL, &error);
	sm_model_finish(&model);
	stall_input_close(&input);
	return 0;
}
