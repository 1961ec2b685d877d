from plain import *


def after(loss):
    native(0.015)
