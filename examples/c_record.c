/* Records what two threads of a C program do. Build and run it under a collector:
 *
 *     cc c_record.c $(pkg-config --cflags --libs stallmeter) -pthread -o c_record
 *     stallmeter run -- ./c_record
 *
 * Run alone it works just the same and records nothing. */
#include <stallmeter/stallmeter.h>

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static uint32_t decode, wait_a_moment, queue_length;

static void spin(long microseconds)
{
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 <
		 microseconds);
}

static void *work(void *name)
{
	sm_thread_name(name);
	for (int image = 0; image < 1000; image++) {
		sm_span_begin(decode);
		spin(20);
		sm_span_end();
		sm_counter(queue_length, image % 8);
	}
	sm_span_begin_cause(wait_a_moment); /* its record says: blocked, not working */
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	sm_span_end();
	return NULL;
}

int main(void)
{
	static char first[] = "first", second[] = "second";
	pthread_t other;
	int error = sm_session_start(NULL);
	decode = sm_name_register(SM_SPAN, "decode");
	wait_a_moment = sm_name_register(SM_SPAN, "wait a moment");
	queue_length = sm_name_register(SM_COUNTER, "queue length");
	if (pthread_create(&other, NULL, work, second) == 0) {
		work(first);
		pthread_join(other, NULL);
	}
	if (error) {
		printf("not recorded: run me under `stallmeter run`\n");
	} else {
		printf("recorded into %s, %llu events lost\n", sm_session_path(),
			(unsigned long long)sm_session_lost());
	}
	sm_session_stop();
	return 0;
}
