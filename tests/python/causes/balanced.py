from plain import *

COMPUTE_S = 0.020


def work():
    native(0.0005)
