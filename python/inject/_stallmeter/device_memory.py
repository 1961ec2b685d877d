"""What the allocator of this process holds of its devices, as two counters.

Asked where we stand in the program anyway, when a batch is asked for and when one is copied to a device, and at most ten
times a second over all devices: an answer takes some ten microseconds, and is a sum that lies ready; no device is waited
for. Outside of such places nothing is told, so a process that does neither leaves these counters empty.
"""

import math
import time

from . import hook, record

INTERVAL_NS = 100_000_000  # between questions, a device each
ALLOCATED, RESERVED = "process.gpu_allocated", "process.gpu_reserved"  # src/base/metric.h

due = [0]  # CLOCK_MONOTONIC


def allow(wanted):
    """Whether it is to be told from here on."""
    due[0] = 0 if wanted else math.inf


def tell(device):
    """Where it is time for it. `device` is ready to be asked."""
    now = time.monotonic_ns()
    if now < due[0]:
        return
    try:
        held = device.memory()
    except Exception as error:  # a build whose allocator does not tell
        allow(False)
        hook.say_not_measured(record, "gpu_memory_allocated, gpu_memory_reserved", error)
        return
    due[0] = now + INTERVAL_NS * max(1, len(held))
    if held:
        record.counter(ALLOCATED, sum(allocated for allocated, _ in held), "bytes")
        record.counter(RESERVED, sum(reserved for _, reserved in held), "bytes")
