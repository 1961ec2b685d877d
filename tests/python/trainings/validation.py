"""Trains and validates in turn. Arguments: seconds a sample of the training takes, and one of the validation."""

import sys

from pieces import Samples, Trainer
from torch.utils.data import DataLoader


def main():
    train_s, val_s = map(float, sys.argv[1:])
    settings = {"batch_size": 4, "num_workers": 1, "persistent_workers": True}
    train_loader = DataLoader(Samples(200, train_s), **settings)
    val_loader = DataLoader(Samples(80, val_s), **settings)
    trainer = Trainer()
    for _ in range(2):
        for batch in train_loader:
            trainer.step(batch, 0.03)
        for batch in val_loader:
            trainer.evaluate(batch, 0.03)


if __name__ == "__main__":
    main()
