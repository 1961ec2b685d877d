from plain import *

SETTINGS = {"batch_size": 8, "num_workers": 0}
COMPUTE_S = 0
REST_S = 0.012


def work():
    native(0.0013)
