#include "collect/run_record.h"

#include "base/str.h"
#include "collect/host.h"
#include "collect/level.h"

#include <errno.h>
#include <sys/wait.h>

enum { SIGNAL_EXIT = 128 };

/* A line holds no newline, and 0x1f stands between arguments. */
static void add_text(struct sm_str *lines, const char *text)
{
	for (; *text; text++) {
		sm_str_add_bytes(lines, *text == '\n' ? " " : text, 1);
	}
}

static void add_command(struct sm_str *lines, char *const *command)
{
	sm_str_add(lines, "command=");
	for (int i = 0; command && command[i]; i++) {
		sm_str_add(lines, i ? "\x1f" : "");
		add_text(lines, command[i]);
	}
	sm_str_add(lines, "\n");
}

static int write_lines(struct sm_trace_writer *writer, struct sm_str *lines)
{
	int r = lines->failed ? -ENOMEM : sm_trace_writer_run(writer, sm_str_text(lines));
	sm_str_finish(lines);
	return r;
}

int sm_run_record_begin(
	const struct sm_run_files *files, const struct sm_collector_options *options)
{
	struct sm_str lines = SM_STR_EMPTY;
	struct sm_host host;
	sm_str_addf(&lines, "id=%s\nname=", files->id);
	add_text(&lines, options->name ? options->name : "");
	sm_str_add(&lines, "\n");
	add_command(&lines, options->command);
	sm_str_addf(&lines, "level=%s\nstarted_real_ns=%lld\n", sm_level_name(options->level),
		(long long)files->started_real_ns);
	sm_host_read(&host, options->root_path);
	sm_host_add_lines(&host, &lines);
	return write_lines(sm_run_files_first(files), &lines);
}

int sm_run_record_end(struct sm_trace_writer *writer, const struct sm_run_record_end *end)
{
	struct sm_str lines = SM_STR_EMPTY;
	int status = end->wait_status;
	if (status != SM_RUN_RECORD_STATUS_UNKNOWN) {
		sm_str_addf(&lines, "exit_status=%d\n",
			WIFSIGNALED(status) ? SIGNAL_EXIT + WTERMSIG(status) : WEXITSTATUS(status));
	}
	sm_str_addf(&lines, "collector.cpu_s=%.6f\ncollector.wall_s=%.6f\ncomplete=%d\n",
		end->cpu_s, end->wall_s, end->complete);
	return write_lines(writer, &lines);
}
