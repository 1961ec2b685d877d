import time

from plain import *


def work():
    until = time.thread_time() + 0.004
    total = 0
    while time.thread_time() < until:
        for number in range(1000):
            total += number * number
