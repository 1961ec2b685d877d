from plain import *

SAMPLES = 480
COMPUTE_S = 0
REST_S = 0.060


def work():
    native(0.0005)
