"""The fake accelerator behind stallmeter's device interface, and what a training script does with it."""

from __future__ import annotations

import subprocess
import sysconfig
import time
from collections import deque
from pathlib import Path


def build(folder: Path) -> None:
    """Compiles the extension into `folder`, which must be on sys.path to import it."""
    source = Path(__file__).with_name("accelerator.c")
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-pthread", f"-I{sysconfig.get_path('include')}",
                    str(source), "-o", str(Path(folder) / "accelerator.abi3.so")], check=True)


def register():
    """Puts the fake accelerator in the place of CUDA; stallmeter must be here already."""
    import accelerator
    from _stallmeter import device

    class Fake(device.Device):
        def is_ready(self):
            return True

        def record(self, old=None):
            return accelerator.record()

        def is_done(self, event):
            return accelerator.query(event)

        def elapsed_ns(self, first, second):
            return round(accelerator.elapsed(first, second) * 1e9)

    device.register(Fake())


class Stream:
    """What a training loop does: launch work, run at most so many steps ahead, or wait for each."""

    def __init__(self, ahead=None, synchronous=False):
        self.ahead, self.synchronous = ahead, synchronous
        self.ends = deque()

    def step(self, seconds):
        import accelerator
        from _stallmeter import device

        device.first_use()
        at = time.monotonic()
        accelerator.launch(seconds)
        if self.synchronous:
            accelerator.synchronize()
        elif self.ahead is not None:
            self.ends.append(accelerator.record())
            if len(self.ends) > self.ahead:
                oldest = self.ends.popleft()
                while not accelerator.query(oldest):
                    time.sleep(0.0001)
        return at
