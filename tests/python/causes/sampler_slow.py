import torch
from plain import *


class Draw(torch.utils.data.Sampler):
    def __init__(self, dataset):
        self.count = len(dataset)

    def __len__(self):
        return self.count

    def __iter__(self):
        for _ in range(self.count):
            native(0.003)
            yield int(torch.randint(self.count, ()))


def sampler(dataset):
    return Draw(dataset)
