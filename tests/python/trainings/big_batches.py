"""Samples of so many bytes, through two workers. Argument: how many bytes."""

import sys

import torch
from pieces import Trainer
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __init__(self, size):
        self.size = size

    def __len__(self):
        return 80

    def __getitem__(self, index):
        return torch.zeros(self.size, dtype=torch.uint8)


def main():
    loader = DataLoader(Images(int(sys.argv[1])), batch_size=2, num_workers=2)
    trainer = Trainer()
    for batch in loader:
        trainer.step(batch[:, :16].float(), 0.05)
    print("trained")


if __name__ == "__main__":
    main()
