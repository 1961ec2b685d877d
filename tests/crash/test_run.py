"""`stallmeter run` changes nothing: codes, streams, environment, files, signals, the terminal, processes."""

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time

import pytest
from conftest import PROGRAM, children_of, collector_of, is_whole, job_of, status_of, wait_for

# --- how it ends ---


@pytest.mark.parametrize("command, code", [
    (["true"], 0), (["false"], 1), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143),
    (["sh", "-c", "kill -KILL $$"], 137), (["sh", "-c", "kill -SEGV $$"], 139),
    ([sys.executable, "-c", "import os; os._exit(3)"], 3), (["./absent-program"], 127), (["absent-program"], 127),
])
def test_exit_code_is_the_commands(runner, command, code):
    assert runner.run(*command).returncode == code


def test_not_executable(runner):
    (runner.folder / "text").write_text("no program")
    assert runner.run("./text").returncode == 126


@pytest.mark.parametrize("options", [("--nonsense",), ("--level", "loud"), ("--limit", "much"), ("-o",)])
def test_wrong_usage(runner, options):
    done = subprocess.run([PROGRAM, "run", *options], cwd=runner.folder, capture_output=True, timeout=10)
    assert done.returncode == 125
    assert done.stderr.count(b"error: ") == 1
    assert subprocess.run([PROGRAM, "run"], cwd=runner.folder, capture_output=True, timeout=10).returncode == 125


def test_a_command_that_does_not_start_leaves_nothing(runner):
    runner.run("./absent-program")
    assert not (runner.folder / "out").exists()


def test_a_script_without_torch_is_recorded(runner):
    done = runner.run("sh", "-c", "sleep 0.3; exit 5", options=("-o", "out", "--no-report"))
    assert done.returncode == 5
    assert done.stdout == b""
    assert is_whole(runner.trace())
    assert b"exit_status=5\n" in runner.trace()
    assert b"loader=no process of the job" in runner.trace()
    assert not (runner.folder / "out" / "live").exists()
    assert len(done.stderr.splitlines()) <= 2


# --- what it is given ---


def test_streams_are_the_commands(runner):
    text = os.urandom(100_000)
    done = runner.run("sh", "-c", "cat; echo to stderr >&2", stdin=None, input=text)
    assert done.stdout == text
    assert done.stderr == b"to stderr\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stay_closed(runner, closed):
    look = "ls /proc/self/fd | tr '\\n' ' ' > seen"
    plain = subprocess.run(["sh", "-c", f"sh -c \"{look}\" {closed}"], cwd=runner.folder, timeout=10)
    before = (runner.folder / "seen").read_text()
    ours = subprocess.run(["sh", "-c", f"{PROGRAM} run -q --no-report -o out -- sh -c \"{look}\" {closed}"], cwd=runner.folder,
                          env=runner.environment, timeout=10)
    assert (plain.returncode, before) == (ours.returncode, (runner.folder / "seen").read_text())


LOOK = r"""
import os, re
status = open("/proc/self/status").read()
print(re.findall(r"^(Sig(?:Blk|Ign)|Threads|Umask|NoNewPrivs):\s*(.*)$", status, re.M))
print(sorted(os.listdir("/proc/self/fd")), os.getpgrp() == GROUP, os.getpriority(os.PRIO_PROCESS, 0))
print(open("/proc/self/timerslack_ns").read(), open("/proc/self/limits").read(), open("/proc/self/oom_score_adj").read())
print(sorted(set(os.environ) - {"_", "STALLMETER_LIVE", "STALLMETER_LEVEL", "STALLMETER_RUN", "PYTHONPATH", "LINES", "COLUMNS"}))
"""


@pytest.mark.parametrize("ignored", [[], [signal.SIGCHLD], [signal.SIGHUP, signal.SIGPIPE, signal.SIGINT]])
def test_the_command_starts_as_without_us(runner, ignored):
    def prepare():
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])

    look = [sys.executable, "-S", "-c", LOOK.replace("GROUP", str(os.getpgrp()))]
    more = {"cwd": runner.folder, "env": runner.environment, "preexec_fn": prepare, "restore_signals": False,
            "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 10}
    plain = subprocess.run(look, **more)
    ours = subprocess.run(runner.arguments(*look), **more)
    assert plain.returncode == ours.returncode == 0
    assert ours.stdout == plain.stdout


def test_pythonpath_is_kept_behind_ours(runner):
    runner.environment["PYTHONPATH"] = "/some/where:/else"
    done = runner.run("sh", "-c", "echo $PYTHONPATH; echo $STALLMETER_LEVEL; ls -d $STALLMETER_LIVE", options=(
        "-q", "--no-report", "-o", "out", "--level", "production"))
    path, level, live = done.stdout.decode().splitlines()
    assert path.endswith(":/some/where:/else") or path == "/some/where:/else"
    assert level == "production"
    assert live == str(runner.folder.resolve() / "out" / "live")


# --- where it is kept ---


def test_taken_names_are_left_alone(runner):
    for name in ("out", "out-2", "out-3"):
        assert runner.run("true").returncode == 0
        assert is_whole(runner.trace(name))


def test_the_name_of_the_folder(runner):
    (runner.folder / "train it.py").write_text("pass\n")
    runner.run(sys.executable, "train it.py", options=("-q", "--no-report"))
    (folder,) = runner.folder.glob("stallmeter-*")
    assert folder.name.startswith("stallmeter-train_it-2")
    assert len(folder.name) == len("stallmeter-train_it-20260101-000000")


def test_two_runs_at_once(runner):
    both = [runner.start("sleep", "0.5") for _ in range(2)]
    assert [process.wait(10) for process in both] == [0, 0]
    assert is_whole(runner.trace("out")) and is_whole(runner.trace("out-2"))


def test_where_nothing_can_be_made_it_goes_elsewhere_and_says_so(runner):
    done = runner.run("sh", "-c", "exit 4", options=("--no-report", "-o", "/proc/no/where"))
    assert done.returncode == 4
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("warning: cannot record here (/proc/no/where: ")
    (kept,) = (runner.folder / "tmp").glob("stallmeter-*")
    assert str(kept) in lines[0] and is_whole((kept / "rank0.stall").read_bytes())


def test_where_it_can_go_nowhere_the_command_runs(runner):
    runner.environment["TMPDIR"] = "/proc/neither"
    done = runner.run("sh", "-c", "exit 4", options=("-o", "/proc/no/where"))
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert b"this run is not recorded" in done.stderr


def test_nested_runs_share_the_outer_one(runner):
    inner = [str(PROGRAM), "run", "-o", "inner", "--", "sh", "-c", "exit 6"]
    done = runner.run(*inner)
    assert done.returncode == 6
    assert done.stderr == b""
    assert not (runner.folder / "inner").exists()


def test_a_dead_outer_run_is_not_shared(runner):
    live = runner.folder / "old" / "live"
    live.mkdir(parents=True)
    (live / "collector").write_text("")
    runner.environment["STALLMETER_LIVE"] = str(live)
    assert runner.run("true").returncode == 0
    assert is_whole(runner.trace())


# --- signals ---

TRAPS = """
for s in TERM HUP USR1 USR2 INT QUIT; do trap "echo got $s" $s; done
echo ready
i=0; while [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); [ -e stop ] && exit 9; done
"""


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "USR2", "INT", "QUIT"])
def test_a_signal_to_us_reaches_the_command(runner, name):
    process = runner.start("sh", "-c", TRAPS)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.stdout.readline() == f"got {name}\n".encode()
    (runner.folder / "stop").write_text("")
    assert process.wait(10) == 9
    assert is_whole(runner.trace())


def test_a_command_that_a_signal_ends(runner):
    process = runner.start("sleep", "20")
    wait_for(lambda: job_of(process.pid))
    process.terminate()
    assert process.wait(10) == 143
    assert b"exit_status=143\n" in runner.trace()
    assert b"complete=0\n" in runner.trace()


class Terminal:
    """A shell with job control on a terminal of its own."""

    def __init__(self, runner):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(runner.folder)
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], {**runner.environment, "PS1": "$ ", "TERM": "dumb"})
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def expect(self, text: str, seconds: float = 40) -> None:
        until = time.monotonic() + seconds
        while text not in self.seen:
            left = until - time.monotonic()
            assert left > 0, f"never saw {text!r} in {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 4096).decode(errors="replace")
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def close(self) -> None:
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(runner):
    terminal = Terminal(runner)
    yield terminal
    terminal.close()


TWICE = """import time
for n in (1, 2):
    try:
        print("begin", n, flush=True)
        time.sleep(20)
    except KeyboardInterrupt:
        print("interrupt", n, flush=True)
raise SystemExit(41)
"""


def test_ctrl_c_twice_reaches_the_command_once_each(runner, terminal):
    (runner.folder / "twice.py").write_text(TWICE)
    terminal.type(f"{shlex.join(runner.arguments(sys.executable, 'twice.py'))}; echo code=$?\n")
    for n in (1, 2):
        terminal.expect(f"begin {n}")
        terminal.type("\x03")
        terminal.expect(f"interrupt {n}")
    terminal.expect("code=41")
    assert is_whole(runner.trace())


# Not a shell: one that is stopped while it starts a command by vfork hangs with it, whoever runs it.
STOPPED = """import time
print("begin", flush=True)
time.sleep(1)
print("went on", flush=True)
raise SystemExit(8)
"""


def test_ctrl_z_stops_and_fg_goes_on(runner, terminal):
    (runner.folder / "stopped.py").write_text(STOPPED)
    terminal.type(f"{shlex.join(runner.arguments(sys.executable, 'stopped.py'))}\n")
    terminal.expect("begin\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.type("jobs; echo still here\n")
    terminal.expect("still here\r\n")
    terminal.type("fg; echo code=$?\n")
    terminal.expect("went on")
    terminal.expect("code=8")


def test_a_command_that_handles_ctrl_z_is_not_stopped(runner, terminal):
    script = "import signal, time; signal.signal(signal.SIGTSTP, lambda *_: print('no thanks', flush=True)); " \
             "print('be' + 'gin', flush=True); time.sleep(1.5); print('ended', flush=True)"
    (runner.folder / "stubborn.py").write_text(script)
    terminal.type(f"{shlex.join(runner.arguments(sys.executable, 'stubborn.py'))}; echo code=$?\n")
    terminal.expect("begin")
    terminal.type("\x1a")
    terminal.expect("no thanks")
    terminal.expect("ended")
    terminal.expect("code=0")


def test_the_terminal_stays_the_commands(runner, terminal):
    terminal.type(f"{shlex.join(runner.arguments('sh', '-c', 'read line; test -t 0 && echo heard $line'))}; echo code=$?\n")
    terminal.type("hello\n")
    terminal.expect("heard hello")
    terminal.expect("code=0")


# --- processes ---


def test_wait_never_meets_us(runner):
    script = "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    raise SystemExit(17)\n"
    assert runner.run(sys.executable, "-c", script).returncode == 17


def test_the_collector_outlives_nobody_and_leaves_no_zombie(runner):
    process = runner.start("sh", "-c", "for i in 1 2 3; do (sleep 0.1 &) ; done; sleep 0.8")
    collector = wait_for(lambda: collector_of(process.pid))
    wait_for(lambda: job_of(process.pid))
    time.sleep(0.5)  # the orphans have fallen to us and ended
    zombies = [pid for pid in children_of(process.pid) if status_of(pid).get("State", "").startswith("Z")]
    assert not zombies
    assert process.wait(10) == 0
    assert not status_of(collector)


def test_a_daemon_left_behind_is_not_waited_for(runner):
    began = time.monotonic()
    done = runner.run("sh", "-c", "setsid sleep 30 >/dev/null 2>&1 & echo $!")
    try:
        assert time.monotonic() - began < 5
        assert is_whole(runner.trace())
        assert status_of(int(done.stdout))  # it lives on
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_killed_collector_the_command_goes_on(runner):
    process = runner.start("sh", "-c", "sleep 1; exit 12", options=("--no-report", "-o", "out"))
    os.kill(wait_for(lambda: collector_of(process.pid)), signal.SIGKILL)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == 12
    assert b"the collector was killed" in errors
    assert (runner.folder / "out" / "live").is_dir()  # nothing is swept up that may still be needed


def test_killed_run_the_command_and_the_collector_go_on(runner):
    process = runner.start("sh", "-c", "sleep 1.5; echo done > ended", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    collector = wait_for(lambda: collector_of(process.pid))
    wait_for(lambda: job_of(process.pid))
    time.sleep(0.3)
    process.kill()
    process.wait()
    wait_for(lambda: (runner.folder / "ended").exists())
    wait_for(lambda: not status_of(collector), seconds=5)
    assert is_whole(runner.trace())


# --- bad places ---


def in_own_mounts(script: str, runner, seconds: float = 30) -> subprocess.CompletedProcess:
    """Runs a script where it may mount what it likes."""
    return subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-eu", "-c", script], cwd=runner.folder,
                          env=runner.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)


def test_a_full_disk_costs_the_command_nothing(runner):
    done = in_own_mounts(f"""mkdir small; mount -t tmpfs -o size=24m none small; cd small
{PROGRAM} run --no-report -o out -- sh -c 'head -c 30000000 /dev/zero > filler 2>/dev/null; sleep 1.5; exit 21' || echo code=$?
""", runner)
    assert done.stdout.decode().splitlines()[-1] == "code=21", done.stderr


def test_a_disk_that_is_full_already_is_noticed_at_once(runner):
    done = in_own_mounts(f"""mkdir small; mount -t tmpfs -o size=1m none small; cd small
{PROGRAM} run --no-report -- sh -c 'exit 22' || echo code=$?""", runner)
    assert done.stdout.decode().splitlines()[-1] == "code=22"
    assert done.stderr.count(b"cannot record here") == 1


def test_a_limit_on_file_size_is_the_commands_business(runner):
    done = subprocess.run(["sh", "-c", f"ulimit -f 8; {PROGRAM} run -q --no-report -o out -- sh -c 'sleep 1.2; exit 23'"],
                          cwd=runner.folder, env=runner.environment, capture_output=True, timeout=20)
    assert done.returncode == 23


def test_hidden_processes(runner):
    done = in_own_mounts(f"mount -t proc -o hidepid=invisible none /proc 2>/dev/null || true; "
                         f"{PROGRAM} run -q --no-report -o out -- sh -c 'sleep 0.5; exit 24' || echo code=$?", runner)
    assert done.stdout.decode().splitlines()[-1] == "code=24"
    assert is_whole(runner.trace())


def test_a_limit_of_bytes_holds(runner):
    done = runner.run("sh", "-c", "sleep 2", options=("-q", "--no-report", "-o", "out", "--limit", "16K"))
    assert done.returncode == 0
    assert len(runner.trace()) <= 16 * 1024
    assert is_whole(runner.trace())
