"""The inside of stallmeter: what runs in an observed process.

`sitecustomize`, beside this package, calls `start()` in every Python process that `stallmeter run` starts; the public
package `stallmeter` stands on the same modules, so there is one copy of their state. Only the standard library is
imported here, and torch never: the adapters wait until the program imports it.
"""

import atexit
import os
import sys

try:
    from . import _record as record
except ImportError:  # a free-threaded or very old interpreter: nothing is recorded, and the report says so
    from . import absent as record

from . import hook

__all__ = ["record", "start", "ensure_session"]

#: what runs when a module has been imported, by its name; adapters are imported no sooner
ADAPTERS = {"torch.utils.data": "torch_loader", "torch": "torch_step"}


def ensure_session() -> bool:
    """Opens this process's mapping where `stallmeter run` (or the caller's environment) asks for one."""
    if record.session_is_open():
        return True
    if not os.environ.get("STALLMETER_LIVE"):
        return False
    try:
        record.session_start()
    except OSError:
        return False
    atexit.register(record.session_stop)
    return True


def adapt(name: str) -> None:
    """Installs the adapter of a module that has just been imported. Whatever goes wrong stays here."""
    try:
        if not ensure_session():
            return
        adapter = __import__(f"{__name__}.{ADAPTERS[name]}", fromlist=["install"])
        adapter.install()
    except Exception as error:
        hook.say_not_measured(record, name, error)


def start() -> None:
    """Waits for the modules that have an adapter; those that are here already are adapted now."""
    hook.wait_for(ADAPTERS, adapt, sys.modules)
