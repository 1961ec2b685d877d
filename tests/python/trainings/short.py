"""So many steps, and no more. Argument: how many."""

import sys

from pieces import Samples, Trainer
from torch.utils.data import DataLoader


def main():
    loader = DataLoader(Samples(4 * int(sys.argv[1]), 0.001), batch_size=4)
    trainer = Trainer()
    for batch in loader:
        trainer.step(batch, 0.01)


if __name__ == "__main__":
    main()
