"""What a device says about a wait, without ever being waited for.

Two events per step: X behind the last work of the step before, recorded when the next
batch is asked for; Y before the first work that needs the batch: at the first copy of it to the device where copies are
seen, else when it is delivered. Whether X is done is asked when it is recorded and when Y is; how much time lay between
them the device tells later, when both have passed.

    exposed stall = min(wait, elapsed(X, Y))        src/analyze/stalls.c says why

Where copies are seen there are two more events around each, which tell what it took of the device. The host's own time in
a copy says little of that: from pageable memory it also waits for all work before.

CUDA and the fake accelerator of the tests stand behind the same methods, so what is tested is what runs.
"""

import atexit
import collections
import os
import threading

from . import device_memory, record
from .loaders import local
from .vocabulary import (
    DEVICE,
    DEVICE_BUSY_AT_DELIVERY,
    DEVICE_ELAPSED,
    DEVICE_IDLE_AT_REQUEST,
    KEY_COPY_NS,
    KEY_DEVICE_STATE,
    KEY_ELAPSED_NS,
    KEY_ITERATION,
    KEY_LOADER,
    KEY_TASK,
)

UNSETTLED_MAX = 256
COPIES_MAX = 4  # timed in one step: images, labels, and some

answer = record.mark_role(DEVICE, "device")
main_thread = threading.main_thread()
known = {"device": None}


class Device:
    """The interface. Events are whatever the device makes them."""

    def is_ready(self) -> bool:
        """Whether events may be recorded now. Must not initialise anything."""
        raise NotImplementedError

    def record(self, old=None):
        """An event behind all work that is queued; `old` is one that is not needed any more."""
        raise NotImplementedError

    def is_done(self, event) -> bool:
        """Whether the device has passed the event. Must not wait."""
        raise NotImplementedError

    def elapsed_ns(self, first, second) -> int:
        """Between two events that are done, by the device's clock."""
        raise NotImplementedError

    def memory(self) -> list:
        """Bytes that tensors hold and bytes that the allocator holds, a pair for each device; empty where nobody counts."""
        return []


class Cuda(Device):
    def __init__(self, torch):
        self.cuda = torch.cuda

    def is_ready(self):
        cuda = self.cuda
        return cuda.is_initialized() and not cuda.is_current_stream_capturing()

    def record(self, old=None):
        event = old or self.cuda.Event(enable_timing=True)
        event.record()
        return event

    def is_done(self, event):
        return event.query()

    def elapsed_ns(self, first, second):
        return round(first.elapsed_time(second) * 1e6)

    def memory(self):
        stats = map(self.cuda.memory_stats_as_nested_dict, range(self.cuda.device_count()))
        return [(one["allocated_bytes"]["all"]["current"], one["reserved_bytes"]["all"]["current"]) for one in stats]


class Wait:
    """One wait for a batch, from the device's side."""

    __slots__ = ("numbers", "x", "y", "copies", "was_idle", "state")

    def __init__(self, x, was_idle):
        self.x = x
        self.was_idle = was_idle
        self.numbers = None  # of the batch, once it is known
        self.y = None
        self.copies = []  # events before and behind each
        self.state = None


unsettled = collections.deque()  # delivered, their events perhaps not passed
spare = []  # events to record again
os.register_at_fork(after_in_child=unsettled.clear)  # they are the parent's to tell


def register(device):
    known["device"] = device
    record.watch_batches(requested, delivered)


def is_ready() -> bool:
    device = known["device"]
    return device is not None and device.is_ready()


def take_event(device):
    return device.record(spare.pop() if spare else None)


def requested():
    """A batch is being asked for on this thread. Only the main thread's waits are the training's."""
    local.wait = local.copying = None
    device = known["device"]
    if device is None or threading.current_thread() is not main_thread or not device.is_ready():
        return
    settle(device)
    device_memory.tell(device)
    x = take_event(device)
    local.wait = Wait(x, device.is_done(x))


def delivered(loader, iteration, task):
    """The batch is here."""
    wait = getattr(local, "wait", None)
    device = known["device"]
    if wait is None or not device.is_ready():
        return
    wait.numbers = (KEY_LOADER, loader, KEY_ITERATION, iteration, KEY_TASK, task)
    note_use(device, wait)
    unsettled.append(wait)
    if len(unsettled) > UNSETTLED_MAX:
        tell_state(unsettled.popleft())


def first_use():
    """Work that needs the batch is about to be queued. The device is ready."""
    device_memory.tell(known["device"])
    wait = getattr(local, "wait", None)
    if wait is not None and wait.numbers is not None:
        local.wait = None  # only the first counts
        note_use(known["device"], wait)
        local.copying = wait


def copy_begins():
    """A copy of the batch in hand is about to be queued."""
    wait = getattr(local, "copying", None)
    if wait is None or len(wait.copies) >= 2 * COPIES_MAX:
        return
    if len(wait.copies) % 2:  # an error left the one before open
        spare.append(wait.copies.pop())
    wait.copies.append(take_event(known["device"]))


def copy_ends():
    """It has been queued, or is over."""
    wait = getattr(local, "copying", None)
    if wait is not None and len(wait.copies) % 2:
        wait.copies.append(take_event(known["device"]))


def note_use(device, wait):
    busy = not device.is_done(wait.x)
    wait.y = device.record(wait.y)
    if wait.was_idle:
        wait.state = DEVICE_IDLE_AT_REQUEST
    else:
        wait.state = DEVICE_BUSY_AT_DELIVERY if busy else DEVICE_ELAPSED


def settle(device):
    """Writes down the waits whose events have passed, oldest first."""
    while unsettled and device.is_done(unsettled[0].copies[-1] if unsettled[0].copies else unsettled[0].y):
        wait = unsettled.popleft()
        answer(*wait.numbers, KEY_DEVICE_STATE, wait.state, KEY_ELAPSED_NS, device.elapsed_ns(wait.x, wait.y),
               *copied(device, wait.copies))
        spare.extend((wait.x, wait.y, *wait.copies))


def copied(device, events):
    """What the copies took of the device together, as a key and its value; nothing where none was seen."""
    pairs = list(zip(events[::2], events[1::2], strict=False))  # one may be open
    return (KEY_COPY_NS, sum(device.elapsed_ns(begin, end) for begin, end in pairs)) if pairs else ()


def tell_state(wait):
    """What is known of a wait whose events nobody will look at again."""
    if wait.state != DEVICE_ELAPSED:
        answer(*wait.numbers, KEY_DEVICE_STATE, wait.state)


@atexit.register
def tell_rest():
    """A device that is far behind has steps left when the loop ends, and those hide what was waited for them."""
    try:
        settle(known["device"])
    except Exception:  # it may be gone already
        pass
    while unsettled:
        tell_state(unsettled.popleft())
