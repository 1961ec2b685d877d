import time

from plain import *


def load(index):
    time.sleep(0.004)
