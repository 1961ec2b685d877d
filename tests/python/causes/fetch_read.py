import read
from read import *


def work():
    pass


def load(index):
    read.work()
