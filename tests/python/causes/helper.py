import os
from concurrent.futures import ThreadPoolExecutor

from plain import *

pools = {}


def work():
    pool = pools.setdefault(os.getpid(), None) or pools.update({os.getpid(): ThreadPoolExecutor(1)}) or pools[os.getpid()]
    pool.submit(native, 0.004).result()
