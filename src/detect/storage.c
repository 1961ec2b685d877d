#include "detect/storage.h"

#include "base/metric.h"

#include <math.h>

enum { BLOCK_INPUT_BYTES = 512 };

static double grown(const struct sm_model *model, enum sm_metric metric)
{
	const struct sm_series *series = sm_model_series(model, (int)metric, 0);
	return series ? series->last - series->first : (double)NAN;
}

/* Of the job's control group where there is one: the machine's counter holds what others read as well. */
static double refaulted_bytes(const struct sm_model *model)
{
	double group = grown(model, SM_METRIC_GROUP_REFAULTS_FILE);
	return isnan(group) ? grown(model, SM_METRIC_REFAULTS_FILE) : group;
}

static void name_cause(struct sm_storage *storage)
{
	storage->detail = "";
	if (storage->refault_share * 100 >= SM_STORAGE_REFAULT_PERCENT) {
		storage->cause = "cache_thrash";
	} else if (storage->fault_share * 100 >= SM_STORAGE_FAULT_PERCENT) {
		storage->cause = "page_fault";
	} else if (storage->bytes_per_sample < SM_STORAGE_SMALL_KILOBYTES * 1e3) {
		storage->cause = "small_files";
		storage->detail = "or small reads at random places of a large file";
	} else {
		storage->cause = "cold_cache";
		storage->detail = "one run at one concurrency cannot tell latency from bandwidth";
	}
}

struct sm_storage sm_storage_of(const struct sm_judge *judge, const struct sm_cause_sum *sum)
{
	double samples = sm_judge_samples(judge->loader->loader);
	struct sm_storage storage = {.read_bytes = (double)sum->block_inputs * BLOCK_INPUT_BYTES};
	storage.bytes_per_sample = samples > 0 ? storage.read_bytes / samples : 0;
	storage.fault_share =
		sum->voluntary ? fmin(1, (double)sum->major_faults / (double)sum->voluntary) : 0;
	storage.refault_share = refaulted_bytes(judge->analysis->model) / storage.read_bytes;
	name_cause(&storage);
	return storage;
}

void sm_storage_evidence(const struct sm_storage *storage, struct sm_finding *finding)
{
	sm_finding_evidence(finding, "read_from_storage_bytes", storage->read_bytes, "bytes");
	sm_finding_evidence(finding, "read_per_sample_bytes", storage->bytes_per_sample, "bytes");
	sm_finding_evidence(finding, "major_faults_per_wait", storage->fault_share, "share");
	sm_finding_evidence(
		finding, "refaulted_per_read_byte", fmin(1, storage->refault_share), "share");
}
