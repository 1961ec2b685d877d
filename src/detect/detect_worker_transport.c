#include "detect/judge.h"
#include "detect/words.h"

/* What a tensor of the same bytes costs to hand over: a message with its handle, and first touch of fresh shared memory,
 * which is what bounds the copy (64 MiB in 32 ms of CPU, measured on a small virtual machine; others are faster).
 *
 * A batch whose few tensors already go that way has nothing to win, however long the hand-over took. What passes the pipe
 * tells: a tensor's handle is 200 bytes and costs a message, 0.1 ms; pickled objects cost 10 ns a byte. */
enum {
	TENSOR_MESSAGE_US = 200,
	TENSOR_MB_PER_S = 2000,
	PICKLED_KILOBYTES = 50, /* a batch: handles of tensors took 0.4 kB, objects 835 kB */
	HANDLES_BYTES = 4000,	/* a batch: twenty handles */
	HANDLE_NS_PER_BYTE = 100,
};

struct transport {
	double bytes, serialize_s, deserialize_s; /* means over batches */
};

static struct transport transport_of(const struct sm_loader *loader)
{
	struct transport sum = {0};
	double count = (double)loader->batch_count;
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		sum.bytes += (double)batch->bytes;
		sum.serialize_s += batch->serialize_ns > 0 ? (double)batch->serialize_ns * 1e-9 : 0;
		sum.deserialize_s +=
			batch->deserialize_ns > 0 ? (double)batch->deserialize_ns * 1e-9 : 0;
	}
	return (struct transport){
		sum.bytes / count, sum.serialize_s / count, sum.deserialize_s / count};
}

/* NULL: a few tensors, which is how it should be. */
static const char *cause_of(const struct transport *mean)
{
	double ns_per_byte = (mean->serialize_s + mean->deserialize_s) * 1e9 / mean->bytes;
	if (mean->bytes >= HANDLES_BYTES && ns_per_byte >= HANDLE_NS_PER_BYTE) {
		return "many_small_tensors";
	}
	return mean->bytes >= PICKLED_KILOBYTES * 1e3 ? "pickled_objects" : NULL;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct transport mean = transport_of(loader);
	const struct sm_cure cure = {.kind = SM_CURE_TRANSPORT_FLOOR,
		.floor_s = TENSOR_MESSAGE_US * 1e-6 + mean.bytes / (TENSOR_MB_PER_S * 1e6)};
	const char *cause = cause_of(&mean);
	struct sm_finding *finding = NULL;
	int error = 0;
	if (cause && loader->num_workers > 0 && loader->batch_count) {
		error = sm_judge_propose(judge, cause, SM_STAGE_TRANSPORT, NULL, &cure, &finding);
	}
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "pipe_bytes_per_batch", mean.bytes, "bytes");
	sm_finding_evidence(finding, "serialize_per_batch_s", mean.serialize_s, "s");
	sm_finding_evidence(finding, "deserialize_per_batch_s", mean.deserialize_s, "s");
	sm_finding_evidence(finding, "tensor_of_same_bytes_s", cure.floor_s, "s");
	if (cause[0] == 'p') {
		sm_finding_suggest(finding, "Return tensors or arrays that collate into tensors: "
					    "{pipe_bytes_per_batch} a batch now pass a pipe as "
					    "pickled objects; tensors go through shared memory.");
	} else {
		sm_finding_suggest(finding, "Send fewer, larger tensors: stack the fields of a "
					    "sample, and look at what else a batch carries.");
	}
	return 0;
}

static const struct sm_bound bounds[] = {SM_BOUND(PICKLED_KILOBYTES), SM_BOUND(TENSOR_MESSAGE_US),
	SM_BOUND(TENSOR_MB_PER_S), SM_BOUND(HANDLES_BYTES), SM_BOUND(HANDLE_NS_PER_BYTE), {0}};

const struct sm_detector sm_detect_worker_transport = {
	.id = "SM112",
	.type = "WORKER_TRANSPORT",
	.title = "Handing batches to the main process is slow",
	.summary = "Tensors go from worker to main process through shared memory; everything else "
		   "is pickled, pushed through a pipe, and unpickled by the thread that trains.",
	.causes = "pickled_objects: at least {PICKLED_KILOBYTES} kB a batch pass the pipe\n"
		  "many_small_tensors: at least {HANDLES_BYTES} bytes of handles a batch, at "
		  "{HANDLE_NS_PER_BYTE} ns a byte or more: each tensor is a message and a mapping "
		  "of its own\n"
		  "shared_memory_copy: copying large tensors into fresh shared memory (it is part "
		  "of collate: not told yet)",
	.evidence = "The run replayed with transport at what one tensor of the same bytes takes "
		    "({TENSOR_MESSAGE_US} us and {TENSOR_MB_PER_S} MB/s: a message and first touch "
		    "of shared memory) is shorter by at least {WORTH_PERCENT} %.",
	.fixes = "Tensors instead of lists, dicts of numpy scalars, strings or PIL images; encode "
		 "strings as uint8 tensors; pack many small fields into one; send less.",
	.wrong = "Bytes are those of the pipe. Where torch's queue is not one we know, the time "
		 "between done and taken is an estimate that also holds waiting for the main "
		 "process to look.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
