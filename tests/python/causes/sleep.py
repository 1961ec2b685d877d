import time

from plain import *


def work():
    time.sleep(0.004)
