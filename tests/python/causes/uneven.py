from plain import *

SAMPLES = 1200
SETTINGS = {**SETTINGS, "prefetch_factor": 1}
COMPUTE_S = 0
REST_S = 0.008


def load(index):
    """Every fifth batch takes long, though one worker alone could make the mean."""
    native(0.0060 if index // 8 % 5 == 0 else 0.0001)
