from plain import *

SETTINGS = {**SETTINGS, "num_workers": 1}
COMPUTE_S = 0
REST_S = 0.012


def work():
    native(0.0025)
