import torch
from plain import *


def collate(samples):
    native(0.030)
    return torch.utils.data.default_collate(samples)
