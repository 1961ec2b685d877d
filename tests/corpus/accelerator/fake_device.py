"""The fake accelerator behind stallmeter's device interface, and what a training script does with it."""

from __future__ import annotations

import time
from collections import deque

import accelerator

memory = []  # of each device: bytes in tensors, bytes of the allocator


def register():
    """Puts the fake accelerator in the place of CUDA; stallmeter must be here already."""
    from _stallmeter import device

    class Fake(device.Device):
        def is_ready(self):
            return True

        def record(self, old=None):
            return accelerator.record()

        def is_done(self, event):
            return accelerator.query(event)

        def elapsed_ns(self, first, second):
            return accelerator.elapsed_ns(first, second)

        def memory(self):
            return memory

    device.register(Fake())


class Stream:
    """What a training loop does: launch work, run at most so many steps ahead, or wait for each."""

    def __init__(self, ahead=None, synchronous=False):
        self.ahead, self.synchronous = ahead, synchronous
        self.ends = deque()

    def step(self, seconds):
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
