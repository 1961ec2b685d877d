import time

from plain import *

SAMPLES = 1600


def load(index):
    if index % 100 == 57:
        time.sleep(0.150)
