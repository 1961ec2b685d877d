#include "base/vocabulary.h"

static const char *const stage_names[SM_STAGE_COUNT] = {
	"sampler",
	"fetch",
	"transform",
	"collate",
	"transport",
	"reorder",
	"pin",
	"h2d",
	"launch",
	"compute",
	"sync",
	"other",
};

static const char *const role_names[SM_ROLE_LIMIT] = {
	[SM_ROLE_OPERATION] = "operation",
	[SM_ROLE_ITERATE] = "iterate",
	[SM_ROLE_NEXT] = "next",
	[SM_ROLE_SAMPLER] = "sampler",
	[SM_ROLE_PUT] = "put",
	[SM_ROLE_ARRIVE] = "arrive",
	[SM_ROLE_DESERIALIZE] = "deserialize",
	[SM_ROLE_PIN] = "pin",
	[SM_ROLE_H2D] = "h2d",
	[SM_ROLE_FORWARD] = "forward",
	[SM_ROLE_BACKWARD] = "backward",
	[SM_ROLE_OPTIMIZER] = "optimizer",
	[SM_ROLE_SYNC] = "sync",
	[SM_ROLE_STEP] = "step",
	[SM_ROLE_DEVICE] = "device",
	[SM_ROLE_FETCHER] = "fetcher",
	[SM_ROLE_BATCH] = "batch",
	[SM_ROLE_SAMPLE] = "sample",
	[SM_ROLE_COMPOSE] = "compose",
	[SM_ROLE_TRANSFORM] = "transform",
	[SM_ROLE_COLLATE] = "collate",
	[SM_ROLE_SERIALIZE] = "serialize",
};

static const char *const key_names[SM_KEY_LIMIT] = {
	[SM_KEY_LOADER] = "loader",
	[SM_KEY_ITERATION] = "iteration",
	[SM_KEY_TASK] = "task",
	[SM_KEY_WORKER] = "worker",
	[SM_KEY_SEQUENCE] = "sequence",
	[SM_KEY_INDEX] = "index",
	[SM_KEY_COUNT] = "count",
	[SM_KEY_BYTES] = "bytes",
	[SM_KEY_FLAGS] = "flags",
	[SM_KEY_INDEX_TEXT] = "index_text",
	[SM_KEY_DEVICE_STATE] = "device_state",
	[SM_KEY_ELAPSED_NS] = "elapsed_ns",
	[SM_KEY_FAILED] = "failed",
	[SM_KEY_TENSOR_BYTES] = "tensor_bytes",
	[SM_KEY_COPY_NS] = "copy_ns",
};

const char *sm_vocabulary_stage_name(enum sm_stage stage)
{
	return (unsigned)stage < SM_STAGE_COUNT ? stage_names[stage] : "?";
}

const char *sm_vocabulary_role_name(enum sm_role role)
{
	return (unsigned)role < SM_ROLE_LIMIT && role_names[role] ? role_names[role] : "?";
}

const char *sm_vocabulary_key_name(enum sm_key key)
{
	return (unsigned)key < SM_KEY_LIMIT && key_names[key] ? key_names[key] : "?";
}
