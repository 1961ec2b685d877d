import os
import random
import tempfile

from plain import *

SIZE = 512 * 1024
PATHS = []


def make():
    folder = tempfile.mkdtemp(dir=os.getcwd())
    for number in range(24):
        PATHS.append(os.path.join(folder, str(number)))
        with open(PATHS[-1], "wb") as file:
            file.write(os.urandom(SIZE))
            os.fsync(file.fileno())


make()


def work():
    file = os.open(random.choice(PATHS), os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(file, 65536):
        pass
    os.close(file)
