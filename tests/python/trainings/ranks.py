"""One of several ranks. Arguments: seconds a batch takes, and a step."""

import os
import sys

from pieces import Samples, Trainer
from torch.utils.data import DataLoader


def main():
    batch_s, step_s = map(float, sys.argv[1:])
    train_loader = DataLoader(Samples(160, batch_s / 4), batch_size=4)
    trainer = Trainer()
    for batch in train_loader:
        trainer.step(batch, step_s)
    print("rank", os.environ["RANK"], "of", os.environ["WORLD_SIZE"])


if __name__ == "__main__":
    main()
