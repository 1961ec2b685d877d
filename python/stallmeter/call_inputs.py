"""What a profiled function is given and gives back: copied, cut, weighed and compared, whatever it is.

Arrays of NumPy, tensors, images of PIL, bytes, text, numbers, and lists, tuples and dicts of them; anything else by
`copy.deepcopy` and `pickle.dumps`. No library is imported here: a value of one can only be there where it is loaded already.
"""

import copy
import functools
import hashlib
import inspect
import os
import pickle
import random
import sys
from collections.abc import Mapping

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class NotCopied(Exception):
    """A value of which no copy can be made."""


def loaded(module, name):
    """The class `name` of a module that the program has loaded; else a class that nothing is of."""
    return getattr(sys.modules.get(module), name, _Nothing)


class _Nothing:
    pass


def is_array(value):
    return isinstance(value, loaded("numpy", "ndarray"))


def is_tensor(value):
    return isinstance(value, loaded("torch", "Tensor"))


def is_image(value):
    return isinstance(value, loaded("PIL.Image", "Image"))


def kind(value):
    """In a word or two, for people."""
    for test, word in ((is_array, "NumPy array"), (is_tensor, "tensor"), (is_image, "PIL image")):
        if test(value):
            return word
    return type(value).__name__


def copied(value):
    """The function may change what it is given; so it is given this."""
    if isinstance(value, _PLAIN):
        return value
    if is_array(value) and not value.flags.writeable:
        return value  # nobody can change it: a mapped file stays one
    if type(value) in (list, tuple):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if is_tensor(value):
        return value.detach().clone().requires_grad_(value.requires_grad) if value.is_leaf else value.detach().clone()
    try:
        return value.copy() if is_array(value) or is_image(value) else copy.deepcopy(value)
    except Exception as problem:
        raise NotCopied(f"a {kind(value)} cannot be copied: {problem}") from problem


def size_bytes(value):
    """Of what it holds; of objects that we do not know, what Python says of the object alone."""
    if is_array(value):
        return value.nbytes
    if is_tensor(value):
        return value.numel() * value.element_size()
    if is_image(value):
        return value.size[0] * value.size[1] * len(value.getbands())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return len(value)
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, dict):
        return sum(map(size_bytes, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(map(size_bytes, value))
    return sys.getsizeof(value)


def element_count(value):
    """Numbers in an array or a tensor; None for what is neither."""
    return value.size if is_array(value) else value.numel() if is_tensor(value) else None


def shape(value):
    """What two results must share to be of one kind."""
    if is_array(value) or is_tensor(value):
        return type(value).__name__, str(value.dtype), tuple(value.shape)
    if is_image(value):
        return "image", value.mode, value.size
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(shape, value))
    return type(value).__name__


# --- the same again? ---


def _feed(digest, value):
    digest.update(type(value).__qualname__.encode())
    if is_tensor(value):
        value = value.detach().cpu()
        digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
        value = value.contiguous().reshape(-1).view(sys.modules["torch"].uint8).numpy() if value.numel() else b""
        digest.update(memoryview(value))
    elif is_array(value) and not value.dtype.hasobject:
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(memoryview(sys.modules["numpy"].ascontiguousarray(value)).cast("B") if value.size else b"")
    elif is_image(value):
        digest.update(f"{value.mode}{value.size}".encode())
        digest.update(value.tobytes())
    elif isinstance(value, (list, tuple)):
        digest.update(b"%d" % len(value))
        for item in value:
            _feed(digest, item)
    elif isinstance(value, dict):
        digest.update(b"%d" % len(value))
        for key, item in value.items():
            _feed(digest, key)
            _feed(digest, item)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        digest.update(b"%d:" % len(value))
        digest.update(value)
    elif isinstance(value, (str, int, float, complex, type(None))):
        digest.update(repr(value).encode("utf-8", "surrogatepass") + b";")
    else:
        digest.update(pickle.dumps(value, 5))


def fingerprint(value):
    """Equal for equal content; None for what cannot be compared by content."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        _feed(digest, value)
    except Exception:
        return None
    return digest.digest()


# --- samples, and parts ---


def sample_count(value):
    """How many samples it holds along its first axis; None for what is one."""
    if is_array(value) or is_tensor(value):
        return len(value) if value.ndim else None
    if isinstance(value, (*_PLAIN, bytearray, memoryview, Mapping)) or is_image(value):
        return None
    return len(value) if hasattr(value, "__len__") and hasattr(value, "__getitem__") else None


def samples(value, begin, end):
    """A batch: samples from `begin` to `end`, going round."""
    count = sample_count(value)
    if begin < end <= count:
        return value[begin:end] if not is_data_set(value) else [value[i] for i in range(begin, end)]
    numbers = [i % count for i in range(begin, end)]
    if is_array(value) or is_tensor(value):
        return value[numbers]
    items = [value[i] for i in numbers]
    return tuple(items) if type(value) is tuple else items


def is_data_set(value):
    """Something with samples that we know nothing else of: copying it whole might copy all there is."""
    return not (is_array(value) or is_tensor(value) or isinstance(value, (list, tuple)))


def extent(value):
    """The length that `part` cuts, None where there is none."""
    if is_image(value):
        return value.size[1]
    if isinstance(value, (bytes, bytearray, str)):
        return len(value)
    return None if isinstance(value, dict) or is_data_set(value) else sample_count(value)


def part(value, length):
    """The first `length` of its extent: rows of an image, bytes, samples."""
    return value.crop((0, 0, value.size[0], length)) if is_image(value) else value[:length]


# --- the function ---


def code_of(function):
    """The Python code that a call of it runs first; None for native functions."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    for way in (function, getattr(type(function), "forward", None), type(function).__dict__.get("__call__")):
        code = getattr(getattr(way, "__func__", way), "__code__", None)
        if code is not None:
            return code
    return None


def name_of(function):
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__qualname__", type(function).__qualname__).replace("<locals>.", "")


def short_path(path):
    """As a person would name it: from the working directory where it lies below."""
    here = os.getcwd() + os.sep
    return path[len(here):] if path.startswith(here) else path


def where_of(function):
    code = code_of(function)
    return f"{short_path(code.co_filename)}:{code.co_firstlineno}" if code else None


def members_of(function):
    """The callables of a Compose, or None."""
    members = getattr(function, "transforms", None)
    if members is None and isinstance(function, loaded("torch.nn", "Sequential")):
        members = list(function)
    if isinstance(members, (list, tuple)) or isinstance(members, loaded("torch.nn", "ModuleList")):
        return list(members) if len(members) and all(map(callable, members)) else None
    return None


class KeptRandom:
    """Random numbers go on behind it as if nothing had been drawn inside."""

    def __enter__(self):
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        self._back = [(random.setstate, random.getstate())]
        if hasattr(numpy, "random"):
            self._back.append((numpy.random.set_state, numpy.random.get_state()))
        if hasattr(torch, "get_rng_state"):
            self._back.append((torch.set_rng_state, torch.get_rng_state()))

    def __exit__(self, *unused):
        for put, state in self._back:
            put(state)
