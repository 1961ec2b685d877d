from plain import *

SETTINGS = {**SETTINGS, "num_workers": 8}


def work():
    native(0.003)
