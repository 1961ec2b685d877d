"""The rest of a step: BACKWARD and OPTIMIZER, and where there is a device, H2D copies and SYNC.

Forward is what lies between them and needs no hook. Each wrapper is C and says it is the function it stands for, down to
its code object, so Dynamo traces the original and sees neither a call of ours nor a reason to break the graph
(tests/python/test_compile.py). Nothing here asks CUDA for anything before the program has initialised it.
"""

import os
import sys
import types

from . import device, record
from .torch_hooks import IN_BACKWARD, IN_OPTIMIZER, hook
from .vocabulary import BACKWARD, H2D, KEY_BYTES, KEY_FLAGS, OPTIMIZER, SYNC

PAGEABLE, NON_BLOCKING = 1, 2


# --------------------------------------------------------------------------------------- backward, optimizer

def hook_backward(torch):
    hook(torch.autograd, "backward", record.span_role(BACKWARD, "backward"), doing=IN_BACKWARD)


def wrap_step(cls):
    """The `step` that torch has just dressed for its own profiler, or any other that stands in the class."""
    step = vars(cls).get("step")
    if step is not None and not record.is_wrapped(step):
        cls.step = record.wrap(step, record.span_role(OPTIMIZER, cls.__qualname__), doing=IN_OPTIMIZER)


def step_patched(result, optimizer):
    wrap_step(type(optimizer))


def hook_optimizers(torch):
    base = torch.optim.Optimizer
    for name in ("_patch_step_function", "_hook_for_profile"):  # torch 2, torch 1
        if hook(base, name, None, None, step_patched):
            break
    else:
        record.fact("not_measured\nwhat=optimizer\nwhy=torch.optim.Optimizer has no _patch_step_function")
    for cls in subclasses(base):
        if getattr(vars(cls).get("step"), "hooked", False):  # one was made before we came
            wrap_step(cls)


def subclasses(cls):
    for below in cls.__subclasses__():
        yield below
        yield from subclasses(below)


# ---------------------------------------------------------------------------------------------------- copies

def is_device(place) -> bool:
    """Whether an argument of Tensor.to names something other than the CPU."""
    if isinstance(place, str):
        return not place.startswith("cpu")
    if isinstance(place, int) and not isinstance(place, bool):
        return True
    kind = getattr(place, "type", None)  # a torch.device
    if isinstance(kind, str):
        return kind != "cpu"
    return not getattr(place, "is_cpu", True)  # another tensor


def copy_begins(tensor):
    if not tensor.is_cpu or not device.is_ready():
        return False
    device.first_use()
    device.copy_begins()
    return None


def to_begins(tensor, *arguments, **keywords):
    place = keywords.get("device", arguments[0] if arguments else None)
    return copy_begins(tensor) if is_device(place) else False


def cuda_begins(tensor, *arguments, **keywords):
    return copy_begins(tensor)


def copy__begins(tensor, source, *arguments, **keywords):
    return False if tensor.is_cpu else copy_begins(source)


def note_copy(source, non_blocking):
    pageable = 0 if source.is_pinned() else PAGEABLE
    flags = pageable | (NON_BLOCKING if non_blocking else 0)
    record.args(KEY_BYTES, source.numel() * source.element_size(), KEY_FLAGS, flags)
    device.copy_ends()


def to_ends(result, tensor, *arguments, **keywords):
    note_copy(tensor, keywords.get("non_blocking", len(arguments) > 2 and arguments[2] is True))


def cuda_ends(result, tensor, place=None, non_blocking=False, **keywords):
    note_copy(tensor, non_blocking)


def copy__ends(result, tensor, source, non_blocking=False, **keywords):
    note_copy(source, non_blocking)


def on_device(tensor, *arguments, **keywords):
    return None if not tensor.is_cpu else False


def hook_method(cls, name, span, before, after=None):
    """Wraps a method that `cls` inherits from a class in C; the wrapper stands in `cls` itself."""
    method = getattr(cls, name, None)
    if method is not None and not record.is_wrapped(method):
        setattr(cls, name, record.wrap(method, span, before, after))


def hook_copies(torch):
    span = record.span_role(H2D, "h2d")
    hook_method(torch.Tensor, "to", span, to_begins, to_ends)
    hook_method(torch.Tensor, "cuda", span, cuda_begins, cuda_ends)
    hook_method(torch.Tensor, "copy_", span, copy__begins, copy__ends)
    wait = record.span_role(SYNC, "wait for the device")
    for name in ("item", "tolist", "cpu"):
        hook_method(torch.Tensor, name, wait, on_device)
    hook(torch.cuda, "synchronize", wait)


# ---------------------------------------------------------------------------------------------- installation

def has_accelerator(torch) -> bool:
    """Whether this build and this machine have one; asked of the file system, so that no driver wakes up."""
    version = torch.version
    built = getattr(version, "cuda", None) or getattr(version, "hip", None)
    return bool(built) and any(map(os.path.exists, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")))


def codes_of(thing, package):
    """The code objects of a module, class or function of ours, and of what is defined inside them."""
    if isinstance(thing, types.CodeType):
        yield thing
        inner = thing.co_consts
    elif isinstance(thing, types.FunctionType):
        inner = [thing.__code__]
    elif isinstance(thing, (type, types.ModuleType)):
        inner = [value for value in vars(thing).values() if getattr(value, "__module__", "").startswith(package)]
    else:
        return
    for value in inner:
        yield from codes_of(value, package)


def skipper(torch):
    """What marks a code object as one to run as it is, or None; torch renamed it on the way to 2.7."""
    frames = getattr(getattr(torch._C, "_dynamo", None), "eval_frame", None)
    if hasattr(frames, "skip_code"):
        return frames.skip_code
    try:
        skip = frames._FrameAction.SKIP
        strategy = frames._FrameExecStrategy(skip, skip)  # of the frame, and of what it calls
        return lambda code: frames.set_code_exec_strategy(code, strategy)
    except (AttributeError, TypeError):
        return None


def hide_from_dynamo(torch):
    """A loader iterated inside a compiled function calls our callbacks, whose frames Dynamo would compile as well."""
    skip = skipper(torch)
    package = __name__.partition(".")[0]
    for name, module in list(sys.modules.items()):
        if skip is not None and name.partition(".")[0] == package and not name.endswith(".plain_loader"):
            for code in codes_of(module, package):
                skip(code)


def install():
    torch = sys.modules["torch"]
    hide_from_dynamo(torch)
    hook_backward(torch)
    hook_optimizers(torch)
    if has_accelerator(torch):
        hook_copies(torch)
        device.register(device.Cuda(torch))
