/* Every number that probes sample, in one list: id, scope, unit, how to read it, one line for people.
 *
 * Ids are part of the trace format and never reused; add at the end. `CUMULATIVE` counters only grow while their
 * source lives (rates are differences over stamps), `GAUGE`s are levels. docs/counters.md is generated from here. */
#ifndef SM_BASE_METRIC_H
#define SM_BASE_METRIC_H

#include <stdint.h>

enum sm_metric_scope {
	SM_SCOPE_SYSTEM,  /* instance 0 */
	SM_SCOPE_CPU,	  /* instance: cpu number */
	SM_SCOPE_PROCESS, /* instance: pid */
	SM_SCOPE_GROUP,	  /* the job's control group; instance 0 */
	SM_SCOPE_DISK,	  /* instance: major << 20 | minor */
	SM_SCOPE_NET,	  /* instance: interface index */
	SM_SCOPE_GPU,	  /* instance: device index */
	SM_SCOPE_SELF,	  /* the collector itself */
};

enum sm_metric_kind { SM_CUMULATIVE, SM_GAUGE };

/* clang-format off */
#define SM_METRICS(M) \
	/* id, symbol, scope, kind, unit, name, summary */ \
	M(1, CPU_USER, CPU, CUMULATIVE, "s", "cpu.user", "time in user mode, nice included") \
	M(2, CPU_SYSTEM, CPU, CUMULATIVE, "s", "cpu.system", "time in the kernel, interrupts included") \
	M(3, CPU_IDLE, CPU, CUMULATIVE, "s", "cpu.idle", "idle, waiting for disks included") \
	M(4, CPU_IOWAIT, CPU, CUMULATIVE, "s", "cpu.iowait", "the part of idle with a task of this CPU waiting for a disk") \
	M(5, CPU_STEAL, CPU, CUMULATIVE, "s", "cpu.steal", "taken by the hypervisor") \
	M(6, CPU_FREQUENCY, SYSTEM, GAUGE, "Hz", "cpu.frequency", "effective, from a timed multiply chain") \
	M(7, CONTEXT_SWITCHES, SYSTEM, CUMULATIVE, "count", "system.context_switches", "context switches of the machine") \
	M(8, LOAD_RUNNABLE, SYSTEM, GAUGE, "count", "system.runnable", "tasks runnable now") \
	M(9, MEM_TOTAL, SYSTEM, GAUGE, "bytes", "memory.total", "memory of the machine") \
	M(10, MEM_AVAILABLE, SYSTEM, GAUGE, "bytes", "memory.available", "memory that can be had without swapping") \
	M(11, MEM_DIRTY, SYSTEM, GAUGE, "bytes", "memory.dirty", "written, not yet on disk") \
	M(12, MEM_SHMEM, SYSTEM, GAUGE, "bytes", "memory.shmem", "shared memory and tmpfs") \
	M(13, SWAP_FREE, SYSTEM, GAUGE, "bytes", "memory.swap_free", "swap space left") \
	M(14, SWAP_IN, SYSTEM, CUMULATIVE, "bytes", "memory.swap_in", "read back from swap") \
	M(15, SWAP_OUT, SYSTEM, CUMULATIVE, "bytes", "memory.swap_out", "written to swap") \
	M(16, REFAULTS_FILE, SYSTEM, CUMULATIVE, "bytes", "memory.refault_file", "file pages read again soon after they were evicted") \
	M(17, MAJOR_FAULTS, SYSTEM, CUMULATIVE, "count", "memory.major_faults", "page faults that read from disk") \
	M(18, SCAN_DIRECT, SYSTEM, CUMULATIVE, "count", "memory.scan_direct", "pages scanned by tasks that needed memory at once") \
	M(19, PRESSURE_CPU_SOME, SYSTEM, CUMULATIVE, "s", "pressure.cpu_some", "time in which some task waited for a CPU") \
	M(20, PRESSURE_IO_SOME, SYSTEM, CUMULATIVE, "s", "pressure.io_some", "time in which some task waited for a disk") \
	M(21, PRESSURE_IO_FULL, SYSTEM, CUMULATIVE, "s", "pressure.io_full", "time in which all tasks waited for a disk") \
	M(22, PRESSURE_MEM_SOME, SYSTEM, CUMULATIVE, "s", "pressure.memory_some", "time in which some task waited for memory") \
	M(23, PRESSURE_MEM_FULL, SYSTEM, CUMULATIVE, "s", "pressure.memory_full", "time in which all tasks waited for memory") \
	M(24, SHM_FREE, SYSTEM, GAUGE, "bytes", "shm.free", "free space of /dev/shm") \
	M(25, SHM_TOTAL, SYSTEM, GAUGE, "bytes", "shm.total", "size of /dev/shm") \
	M(30, PROC_CPU, PROCESS, CUMULATIVE, "s", "process.cpu", "CPU of all threads") \
	M(31, PROC_RUN_DELAY, PROCESS, CUMULATIVE, "s", "process.run_delay", "main thread runnable, not running") \
	M(32, PROC_RSS, PROCESS, GAUGE, "bytes", "process.rss", "resident memory") \
	M(33, PROC_READ, PROCESS, CUMULATIVE, "bytes", "process.read", "read from storage") \
	M(34, PROC_WRITE, PROCESS, CUMULATIVE, "bytes", "process.write", "written to storage") \
	M(35, PROC_READ_CHARS, PROCESS, CUMULATIVE, "bytes", "process.read_chars", "through read calls: cache, pipes and sockets included") \
	M(36, PROC_READ_CALLS, PROCESS, CUMULATIVE, "count", "process.read_calls", "read calls") \
	M(37, PROC_MINOR_FAULTS, PROCESS, CUMULATIVE, "count", "process.minor_faults", "page faults served from memory") \
	M(38, PROC_MAJOR_FAULTS, PROCESS, CUMULATIVE, "count", "process.major_faults", "page faults that read from disk") \
	M(39, PROC_THREADS, PROCESS, GAUGE, "count", "process.threads", "threads") \
	M(40, PROC_OPEN_FILES, PROCESS, GAUGE, "count", "process.open_files", "open file descriptors") \
	M(41, PROC_OPEN_FILES_LIMIT, PROCESS, GAUGE, "count", "process.open_files_limit", "soft limit of open files") \
	M(42, PROC_VOLUNTARY, PROCESS, CUMULATIVE, "count", "process.voluntary_switches", "main thread gave up the CPU") \
	M(43, PROC_INVOLUNTARY, PROCESS, CUMULATIVE, "count", "process.involuntary_switches", "main thread lost the CPU") \
	M(44, PROC_SWAP, PROCESS, GAUGE, "bytes", "process.swap", "swapped out") \
	M(45, PROC_SHARED, PROCESS, GAUGE, "bytes", "process.shared", "resident and shared with others") \
	M(46, PROC_NICE, PROCESS, GAUGE, "level", "process.nice", "priority: -20 first, 19 last") \
	M(50, GROUP_PERIODS, GROUP, CUMULATIVE, "count", "group.periods", "quota periods that passed") \
	M(51, GROUP_THROTTLED, GROUP, CUMULATIVE, "count", "group.throttled_periods", "quota periods in which the group was stopped") \
	M(52, GROUP_THROTTLED_TIME, GROUP, CUMULATIVE, "s", "group.throttled", "time stopped, summed over CPUs") \
	M(53, GROUP_CPU_LIMIT, GROUP, GAUGE, "cores", "group.cpu_limit", "tightest quota up the tree; absent without one") \
	M(54, GROUP_CPU, GROUP, CUMULATIVE, "s", "group.cpu", "CPU used by the group") \
	M(55, GROUP_MEM, GROUP, GAUGE, "bytes", "group.memory", "memory of the group, cache included") \
	M(56, GROUP_MEM_LIMIT, GROUP, GAUGE, "bytes", "group.memory_limit", "tightest limit up the tree; absent without one") \
	M(57, GROUP_REFAULTS_FILE, GROUP, CUMULATIVE, "bytes", "group.refault_file", "as memory.refault_file, of the group") \
	M(58, GROUP_MEM_EVENTS, GROUP, CUMULATIVE, "count", "group.memory_limit_hits", "how often the limit was reached") \
	M(60, DISK_READ, DISK, CUMULATIVE, "bytes", "disk.read", "read") \
	M(61, DISK_READS, DISK, CUMULATIVE, "count", "disk.reads", "read requests") \
	M(62, DISK_READ_TIME, DISK, CUMULATIVE, "s", "disk.read_time", "summed time of read requests") \
	M(63, DISK_WRITE, DISK, CUMULATIVE, "bytes", "disk.write", "written") \
	M(64, DISK_BUSY, DISK, CUMULATIVE, "s", "disk.busy", "time with a request in flight") \
	M(70, NET_RECEIVE, NET, CUMULATIVE, "bytes", "net.receive", "received") \
	M(71, NET_SEND, NET, CUMULATIVE, "bytes", "net.send", "sent") \
	M(80, GPU_BUSY, GPU, GAUGE, "share", "gpu.busy", "share of time with a kernel resident (duty, not work)") \
	M(81, GPU_MEM, GPU, GAUGE, "bytes", "gpu.memory", "device memory in use") \
	M(82, GPU_MEM_TOTAL, GPU, GAUGE, "bytes", "gpu.memory_total", "device memory") \
	M(83, GPU_POWER, GPU, GAUGE, "W", "gpu.power", "power draw") \
	M(84, GPU_SM_CLOCK, GPU, GAUGE, "Hz", "gpu.sm_clock", "clock of the multiprocessors") \
	M(85, GPU_PCIE_RX, GPU, GAUGE, "bytes/s", "gpu.pcie_rx", "received over PCIe") \
	M(90, SELF_CPU, SELF, CUMULATIVE, "s", "self.cpu", "CPU of the collector") \
	M(91, SELF_RATE, SELF, GAUGE, "Hz", "self.rate", "sampling rate in force") \
	M(92, PROC_LOOKS, PROCESS, CUMULATIVE, "count", "process.looks", "looks at what the main thread is waiting for") \
	M(93, PROC_LOOKS_LOCK, PROCESS, CUMULATIVE, "count", "process.looks_lock", "looks that found it waiting for a lock (futex, flock)") \
	M(94, PROC_LOOKS_SLEEP, PROCESS, CUMULATIVE, "count", "process.looks_sleep", "looks that found it asleep by its own wish") \
	M(95, PROC_LOOKS_SOCKET, PROCESS, CUMULATIVE, "count", "process.looks_socket", "looks that found it waiting for a peer: socket, poll") \
	M(96, PROC_LOOKS_FILE, PROCESS, CUMULATIVE, "count", "process.looks_file", "looks that found it waiting inside a file operation or a page fault") \
	M(97, PROC_LOOKS_IDLE, PROCESS, CUMULATIVE, "count", "process.looks_idle", "looks that found a loader's worker waiting for work") \
	M(98, PROC_CPU_LOOKS, PROCESS, CUMULATIVE, "count", "process.cpu_looks", "looks at where the main thread computes, one for each 10 ms of its CPU") \
	M(99, PROC_CPU_LOOKS_PYTHON, PROCESS, CUMULATIVE, "count", "process.cpu_looks_python", "looks that found it in the Python interpreter") \
	M(100, PROC_WRITE_CALLS, PROCESS, CUMULATIVE, "count", "process.write_calls", "write calls") \
	M(101, PROC_POLICY, PROCESS, GAUGE, "number", "process.policy", "scheduling policy: 0 other, 1 fifo, 2 round robin, 3 batch, 5 idle, 6 deadline") \
	M(102, GROUP_CACHE, GROUP, GAUGE, "bytes", "group.cache", "page cache of the group, which can be given back") \
	M(103, PROC_GPU_ALLOCATED, PROCESS, GAUGE, "bytes", "process.gpu_allocated", "device memory that tensors hold, by the process's own count") \
	M(104, PROC_GPU_RESERVED, PROCESS, GAUGE, "bytes", "process.gpu_reserved", "device memory that its allocator holds, by the process's own count")

enum sm_metric {
#define M(id, symbol, scope, kind, unit, name, summary) SM_METRIC_##symbol = (id),
	SM_METRICS(M)
#undef M
	SM_METRIC_LIMIT = 128,
};
/* clang-format on */

struct sm_metric_info {
	uint16_t id; /* enum sm_metric */
	enum sm_metric_scope scope;
	enum sm_metric_kind kind;
	const char *unit, *name, *summary;
};

extern const struct sm_metric_info sm_metric_table[];
extern const int sm_metric_table_count;
const struct sm_metric_info *sm_metric_find(int id); /* NULL for one of a later version */

#endif
