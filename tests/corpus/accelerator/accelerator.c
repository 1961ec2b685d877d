/* A fake accelerator: one stream that executes queued sleeps, in a thread of its own.
 *
 * It stands in for a GPU where there is none. As there, launches return at once, events mark places
 * in the stream and can be asked about without waiting, and the host may run ahead of the device.
 * What no GPU offers: it keeps an exact log of when it stood still, so a claim about exposed stall
 * can be held against the truth.
 *
 * A plain library: accelerator.py calls it through ctypes, which lets go of the interpreter's lock.
 * Times are CLOCK_MONOTONIC in nanoseconds. One device per process; the thread ends with it. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { QUEUE_MAX = 1 << 16, EVENTS_MAX = 1 << 20, LOG_MAX = 1 << 20 };

struct command {
	int64_t sleep_ns; /* of work; -1: an event */
	uint32_t event;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct command queue[QUEUE_MAX];
	uint64_t head, tail;	      /* next to take, next free; they only grow */
	int64_t event_ns[EVENTS_MAX]; /* 0: not passed */
	uint32_t event_count;
	struct {
		int64_t begin_ns, end_ns;
	} log[LOG_MAX];
	uint32_t log_count;
	bool running;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleeps until an instant of the device's own time line, so that late wake-ups do not add up; the
 * last stretch spins. */
static void wait_until(int64_t end_ns)
{
	int64_t early_ns = end_ns - 60000;
	struct timespec until = {early_ns / 1000000000, early_ns % 1000000000};
	while (now_ns() < early_ns) {
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	while (now_ns() < end_ns) {
	}
}

/* Under the lock, which is let go while the work lasts. */
static void work(int64_t begin_ns, int64_t sleep_ns)
{
	pthread_mutex_unlock(&device.lock);
	wait_until(begin_ns + sleep_ns);
	pthread_mutex_lock(&device.lock);
	if (device.log_count < LOG_MAX) {
		device.log[device.log_count].begin_ns = begin_ns;
		device.log[device.log_count].end_ns = begin_ns + sleep_ns;
		device.log_count++;
	}
}

static void *stream(void *unused)
{
	int64_t free_ns = 0; /* when the work before was over, by plan */
	pthread_mutex_lock(&device.lock);
	for (;;) {
		bool idle = device.head == device.tail;
		while (device.head == device.tail) {
			pthread_cond_wait(&device.change, &device.lock);
		}
		struct command command = device.queue[device.head % QUEUE_MAX];
		int64_t begin_ns = idle || !free_ns ? now_ns() : free_ns;
		if (command.sleep_ns >= 0) {
			work(begin_ns, command.sleep_ns);
			free_ns = begin_ns + command.sleep_ns;
		} else {
			device.event_ns[command.event] = begin_ns;
			free_ns = begin_ns;
		}
		device.head++;
		pthread_cond_broadcast(&device.change);
	}
	return NULL;
}

static bool start_once(void)
{
	pthread_t thread;
	if (!device.running) {
		device.running = pthread_create(&thread, NULL, stream, NULL) == 0;
	}
	return device.running;
}

static int queue(struct command command)
{
	pthread_mutex_lock(&device.lock);
	bool full = !start_once() || device.tail - device.head >= QUEUE_MAX;
	if (!full) {
		device.queue[device.tail++ % QUEUE_MAX] = command;
		pthread_cond_broadcast(&device.change);
	}
	pthread_mutex_unlock(&device.lock);
	return full ? -1 : 0;
}

/* Queues work that takes so long. 0, or -1 when the stream is full. */
int accelerator_launch(int64_t work_ns);
int accelerator_launch(int64_t work_ns)
{
	return queue((struct command){.sleep_ns = work_ns > 0 ? work_ns : 0});
}

/* A place behind all that is queued, or -1. As on a GPU the event goes the way of all work, so on
 * an idle stream it takes the device's time to wake up. */
int64_t accelerator_record(void);
int64_t accelerator_record(void)
{
	pthread_mutex_lock(&device.lock);
	uint32_t event = device.event_count++ % EVENTS_MAX;
	device.event_ns[event] = 0;
	pthread_mutex_unlock(&device.lock);
	return queue((struct command){.sleep_ns = -1, .event = event}) ? -1 : (int64_t)event;
}

/* When the event was passed; 0 when it was not, and for one that never was. */
int64_t accelerator_passed_ns(uint32_t event);
int64_t accelerator_passed_ns(uint32_t event)
{
	pthread_mutex_lock(&device.lock);
	int64_t passed_ns = event < EVENTS_MAX ? device.event_ns[event] : 0;
	pthread_mutex_unlock(&device.lock);
	return passed_ns;
}

/* Waits until all that is queued is done. */
void accelerator_synchronize(void);
void accelerator_synchronize(void)
{
	pthread_mutex_lock(&device.lock);
	while (device.head < device.tail) {
		pthread_cond_wait(&device.change, &device.lock);
	}
	pthread_mutex_unlock(&device.lock);
}

/* The n-th work of the log, in order. False behind the last. */
bool accelerator_work(uint32_t number, int64_t *ret_begin_ns, int64_t *ret_end_ns);
bool accelerator_work(uint32_t number, int64_t *ret_begin_ns, int64_t *ret_end_ns)
{
	pthread_mutex_lock(&device.lock);
	bool there = number < device.log_count;
	if (there) {
		*ret_begin_ns = device.log[number].begin_ns;
		*ret_end_ns = device.log[number].end_ns;
	}
	pthread_mutex_unlock(&device.lock);
	return there;
}
