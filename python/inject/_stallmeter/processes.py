"""What a process is in its job: the fact `process`, told when it first iterates a loader or runs a data set."""

import os
import sys

from . import record

said = {}


def say(role="main"):
    """Once per process; a worker that iterates a loader of its own stays a worker."""
    pid = os.getpid()
    if said.get(pid) in (role, "worker"):
        return
    said[pid] = role
    torch = sys.modules.get("torch")
    python = ".".join(map(str, sys.version_info[:3]))
    version = getattr(torch, "__version__", "")
    record.fact(f"process\nrole={role}\npython={python}\ntorch={version}\ndevice={device_name(torch)}")


def device_name(torch) -> str:
    """cpu, or what the build was made for; nothing is initialised by asking."""
    version = getattr(torch, "version", None)
    if getattr(version, "cuda", None):
        return "cuda"
    return "hip" if getattr(version, "hip", None) else "cpu"
