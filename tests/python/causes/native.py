from plain import *


def work():
    native(0.004)
