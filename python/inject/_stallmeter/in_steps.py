"""Generators and coroutines as operations: each step is one span, and what runs between two steps is not in it.

A span is what one thread does from begin to end. Between two steps of a generator the consumer runs, and while a coroutine
waits, others do: a span from its making to its end would take their time for its own, and end out of order.
"""

import collections.abc
import functools
import inspect
import types


class Steps(collections.abc.Generator):
    """Stands for a generator; `next` is `send(None)`, and `close` comes from the base class, by `throw`."""

    def __init__(self, inner, span):
        self.inner, self.span = inner, span

    def send(self, value):
        with self.span:
            return self.inner.send(value)

    def throw(self, *error):
        with self.span:
            return self.inner.throw(*error)


@types.coroutine
def steps_of(coroutine, span):
    return (yield from Steps(coroutine, span))


def wrap(function, span):
    if inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is an asynchronous generator, and no operation: put `with` around the parts of "
                        "it that do not await")
    if inspect.iscoroutinefunction(function):
        async def wrapper(*arguments, **keywords):
            return await steps_of(function(*arguments, **keywords), span)
    else:
        def wrapper(*arguments, **keywords):
            return (yield from Steps(function(*arguments, **keywords), span))
    return functools.wraps(function)(wrapper)
