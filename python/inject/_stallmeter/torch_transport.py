"""Between worker and main process: SERIALIZE in the worker's feeder thread, DESERIALIZE and PIN where a batch arrives.

`multiprocessing.queues` pickles through a module-private name, `_ForkingPickler`; that name, in that module, is given a
stand-in whose `dumps` and `loads` are wrapped. The class itself, which programs import, stays as it is. Only what looks
like a loader's message, (task, data), is recorded, and only where a loader is at work.
"""

import itertools
import sys

from . import record
from .torch_hooks import GETTING, PINNING, hook
from .vocabulary import DESERIALIZE, KEY_BYTES, KEY_TASK, KEY_TENSOR_BYTES, PIN, SERIALIZE

args = record.args

PARTS_MAX = 10000
here = {"worker": False}  # whether this process is a loader's worker


def is_message(thing) -> bool:
    return type(thing) is tuple and len(thing) == 2 and type(thing[0]) is int


def tensor_bytes(batch) -> int:
    """What the tensors of a batch take in shared memory; of very many parts, the first."""
    Tensor = sys.modules["torch"].Tensor
    total = 0
    parts = [batch]
    for part in parts:  # grows meanwhile
        if isinstance(part, Tensor):
            total += part.numel() * part.element_size()
        elif len(parts) < PARTS_MAX and isinstance(part, (list, tuple)):
            parts.extend(part[:PARTS_MAX])
        elif len(parts) < PARTS_MAX and isinstance(part, dict):
            parts.extend(itertools.islice(part.values(), PARTS_MAX))
    return total


def dump_begins(message, protocol=None):
    return here["worker"] and is_message(message)


def dump_ends(result, message, protocol=None):
    if result is not record.FAILED:
        args(KEY_BYTES, len(result), KEY_TASK, message[0], KEY_TENSOR_BYTES, tensor_bytes(message[1]))


class Pickling:
    """Stands for `_ForkingPickler` where the queues look it up."""

    def __init__(self, pickler):
        self._pickler = pickler
        self.dumps = record.wrap(pickler.dumps, record.span_role(SERIALIZE, "serialize"), dump_begins, dump_ends)
        self.loads = record.wrap(
            pickler.loads, record.span_role(DESERIALIZE, "deserialize"), None, record.load_ends, while_doing=GETTING)

    def __getattr__(self, name):
        return getattr(self._pickler, name)

    def __call__(self, *arguments, **keywords):
        return self._pickler(*arguments, **keywords)


def install(data, module):
    import multiprocessing.queues as queues

    pickler = getattr(queues, "_ForkingPickler", None)
    if pickler is None:
        record.fact("not_measured\nwhat=transport\nwhy=multiprocessing.queues has no _ForkingPickler")
    elif type(pickler) is not Pickling:
        queues._ForkingPickler = Pickling(pickler)
    pinning = sys.modules.get("torch.utils.data._utils.pin_memory")
    if pinning is not None:
        hook(pinning, "pin_memory", record.span_role(PIN, "pin"), doing=PINNING)  # it goes down by calling itself
        hook(pinning, "_pin_memory_loop", doing=GETTING)  # for as long as its thread lives
