import multiprocessing

from plain import *

LOCK = multiprocessing.Lock()
SETTINGS = {**SETTINGS, "num_workers": 4}


def work():
    with LOCK:
        native(0.003)
