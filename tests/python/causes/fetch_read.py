from read import *
from read import work as read_one


def work():
    pass


def load(index):
    read_one()
