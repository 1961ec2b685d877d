import os
import random
import tempfile
import time

from plain import *

SIZE = 256 * 1024
PATHS = []


def make():
    folder = tempfile.mkdtemp(dir=os.getcwd())
    for number in range(48):
        PATHS.append(os.path.join(folder, str(number)))
        with open(PATHS[-1], "wb") as file:
            file.write(os.urandom(SIZE))
            os.fsync(file.fileno())


make()


def read_one(path):
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(file, 65536):
        pass
    os.close(file)


def work():
    """As many cold files as a disk of any speed gives in this time."""
    until = time.perf_counter() + 0.006
    while time.perf_counter() < until:
        read_one(random.choice(PATHS))
