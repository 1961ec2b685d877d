"""The members of a Compose, wherever the data set keeps one: COMPOSE around the whole, TRANSFORM around each member.

Found by walking the data set's own attributes (a bounded number of objects, cycles and all). A member is timed by its
*class*: `__call__` of the class gets a C wrapper, in the process that runs it. Members are never replaced, so identity,
`repr` and pickles stay.

A plain function in a Compose has no class of its own to wrap. What runs between the end of one wrapped member and the
beginning of the next is the functions listed between them, so that gap is a TRANSFORM span under their names: `f` or
`f, g`. That holds where the whole calls its members in their order, so it is done for `Compose` and `Sequential` only.
"""

import re
import types
import weakref

from . import record
from .loaders import local
from .torch_hooks import name_of, where_of
from .vocabulary import COMPOSE, TRANSFORM

OBJECTS_MAX = 2000
MEMBERS_MAX = 64
DEPTH_MAX = 8
LONE = re.compile(r"transform|augment|preprocess|processor|tokenizer", re.IGNORECASE)
#: packages whose objects hold data, not transforms
OPAQUE = {"numpy", "pandas", "PIL", "pyarrow", "h5py", "zarr", "lmdb", "builtins", "multiprocessing", "threading", "_io"}
ORDERED = ("Compose", "Sequential")
WORK = ("__call__", "forward", "transform", "_transform", "apply")  # as callers, torch, torchvision v2 and albumentations name it
PLAIN = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)

spans = {}  # class -> the span of its calls
hooked = set()  # classes whose calls are told to `called` and `returned`
plans = {}  # id(compose) -> Plan


# --------------------------------------------------------------------------------------------------- finding

def attributes_of(thing) -> dict:
    """The instance's own attributes, without waking a __getattr__ or a property."""
    try:
        attributes = dict(object.__getattribute__(thing, "__dict__"))
    except (AttributeError, TypeError):
        return {}
    modules = attributes.get("_modules")
    return {**attributes, **modules} if type(modules) is dict else attributes


def is_container(thing) -> bool:
    return type(thing).__module__ == "torch.nn.modules.container"


def members_of(thing) -> list:
    """What a Compose-like object calls, or []."""
    attributes = attributes_of(thing)
    if is_container(thing):
        members = list(attributes.get("_modules", {}).values())
    else:
        members = attributes.get("transforms")
        if is_container(members):
            members = list(attributes_of(members).get("_modules", {}).values())
    fits = type(members) in (list, tuple) and members and callable(thing) and all(map(callable, members))
    return list(members) if fits else []


def is_opaque(thing) -> bool:
    root, _, rest = type(thing).__module__.partition(".")
    if root == "torch":
        return not rest.startswith(("utils.data", "nn.modules.container"))
    return root in OPAQUE or isinstance(thing, (type, types.ModuleType, *PLAIN))


def children_of(thing):
    """(name, value) of what may lead to a transform."""
    if type(thing) is dict:
        return [(str(key), value) for key, value in list(thing.items())[:MEMBERS_MAX]]
    if type(thing) in (list, tuple):
        return [("", value) for value in thing[:MEMBERS_MAX]]
    if type(thing).__name__ == "partial":
        return [("", value) for value in (thing.func, *thing.args, *thing.keywords.values())]
    return [] if is_opaque(thing) else list(attributes_of(thing).items())


class Walk:
    """Everything Compose-like under a data set, and the lone transforms: those kept under a name that says so."""

    def __init__(self, dataset):
        self.seen = set()
        self.composes = []
        self.lone = []
        self.visit(dataset, DEPTH_MAX)

    def visit(self, thing, depth):
        """Whether there was a Compose in it."""
        if depth == 0 or id(thing) in self.seen or len(self.seen) >= OBJECTS_MAX:
            return False
        self.seen.add(id(thing))
        members = members_of(thing)
        if members:
            self.composes.append((thing, members))
        found = bool(members)
        for name, child in children_of(thing):
            if isinstance(child, (str, bytes, int, float, bool, type(None))):
                continue
            inside = self.visit(child, depth - 1)
            found = found or inside
            if not inside and LONE.search(name) and callable(child) and not isinstance(child, (type, *PLAIN)):
                self.lone.append(child)
        return found


# -------------------------------------------------------------------------------------------------- wrapping

def plain_call_of(cls):
    """The function behind `cls.__call__`, and whether the class itself has a wrapper of ours already."""
    for base in cls.__mro__:
        call = vars(base).get("__call__")
        if call is not None:
            own = base is cls and record.is_wrapped(call)
            while record.is_wrapped(call):
                call = call.__wrapped__
            return call, own
    return None, False


def may_be_wrapped(cls) -> bool:
    """torch's own modules also make up models, so their classes are left alone."""
    root, _, rest = cls.__module__.partition(".")
    return not (root == "torch" and rest.startswith(("nn", "jit", "fx", "ao"))) and root not in ("builtins", "functools")


def place_of(cls) -> str:
    """Of the method nearest to the class that does its work. Where a library's base class has the `__call__` (torchvision
    v2, albumentations) that one place would stand for all its transforms."""
    for base in cls.__mro__:
        own = (vars(base).get(name) for name in WORK)
        for method in own:
            if callable(method) and getattr(method, "__module__", None) != "torch.nn.modules.module":
                return where_of(method)
    return ""


def wrap_class(cls, role) -> bool:
    """Puts a span around each call of an instance; False where the class cannot or must not be changed."""
    call, own = plain_call_of(cls)
    if own:
        return True
    if type(call) is not types.FunctionType or not may_be_wrapped(cls):
        return False
    try:
        span = record.span_role(role, cls.__qualname__.rpartition("<locals>.")[2], place_of(cls))
        cls.__call__ = record.wrap(call, span)
        spans[cls] = span
    except (AttributeError, TypeError):
        return False
    return True


# --------------------------------------------------------------------------- plain functions between members

class Plan:
    """Of one Compose: the wrapped members in their order, and the span of the functions before each and after the last."""

    def __init__(self, members, wrapped):
        self.wrapped = []
        self.gaps = []
        run = []
        for member in members:
            if id(member) in wrapped:
                self.wrapped.append(id(member))
                self.gaps.append(span_of_run(run))
                run = []
            else:
                run.append(member)
        self.gaps.append(span_of_run(run))

    def has_gaps(self) -> bool:
        return any(self.gaps)


def span_of_run(functions):
    if not functions:
        return None
    places = filter(None, map(where_of, functions))
    return record.span_role(TRANSFORM, ", ".join(map(name_of, functions)), next(places, ""))


class Progress:
    """One call of a Compose that has a plan: which member is next, and whether a gap's span is open."""

    __slots__ = ("compose", "plan", "next", "inside", "open")

    def __init__(self, compose, plan):
        self.compose = compose
        self.plan = plan
        self.next = 0
        self.inside = None
        self.open = False

    def begin_gap(self):
        gap = self.plan.gaps[self.next]
        if gap is not None:
            record.begin(gap)
            self.open = True

    def end_gap(self):
        if self.open:
            record.end()
            self.open = False

    def expects(self, member) -> bool:
        wrapped = self.plan.wrapped
        return self.inside is None and self.next < len(wrapped) and wrapped[self.next] == id(member)


def called(thing, *image, **more):
    """Before the span of a member or of a Compose."""
    running = getattr(local, "composes", None)
    if running and running[-1].expects(thing):
        running[-1].end_gap()
        running[-1].inside = thing


def returned(result, thing, *image, **more):
    """After it."""
    running = getattr(local, "composes", None)
    if running and running[-1].inside is thing:
        progress = running[-1]
        progress.inside = None
        progress.next += 1
        if result is not record.FAILED:
            progress.begin_gap()


def compose_begins(compose, *image, **more):
    """Inside the span of a Compose."""
    plan = plans.get(id(compose))
    if plan is None:
        return False
    if not hasattr(local, "composes"):
        local.composes = []
    local.composes.append(Progress(compose, plan))
    local.composes[-1].begin_gap()
    return None


def compose_ends(result, compose, *image, **more):
    local.composes.pop().end_gap()


def tell_calls(cls):
    """`called` and `returned` around the span of the class, `compose_begins` and `compose_ends` inside it."""
    if cls in hooked:
        return
    hooked.add(cls)
    outer = vars(cls)["__call__"]
    inner = record.wrap(outer.__wrapped__, None, compose_begins, compose_ends)
    cls.__call__ = record.wrap(record.wrap(inner, spans[cls]), None, called, returned)


def plan_for(compose, members, wrapped):
    if type(compose).__name__ not in ORDERED or id(compose) in plans:
        return
    plan = Plan(members, wrapped)
    if not plan.has_gaps():
        return
    key = id(compose)
    try:
        plan.alive = weakref.ref(compose, lambda gone: plans.pop(key, None))
    except TypeError:
        return
    plans[key] = plan
    for thing in (compose, *(member for member in members if id(member) in wrapped)):
        tell_calls(type(thing))


def install(dataset):
    """Makes the transforms under a data set visible in this process. Cheap to repeat."""
    walk = Walk(dataset)
    for compose, members in walk.composes:
        wrapped = {id(member) for member in members if wrap_class(type(member), role_of(member))}
        if wrap_class(type(compose), COMPOSE):
            plan_for(compose, members, wrapped)
    for transform in walk.lone:
        wrap_class(type(transform), TRANSFORM)


def role_of(member) -> int:
    return COMPOSE if members_of(member) else TRANSFORM
