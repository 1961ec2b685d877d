"""A loader that has the next batch fetched before it hands out the one before, to know which is the last.
Arguments: seconds a batch takes, and a step."""

import sys

from pieces import Samples, Trainer
from torch.utils.data import DataLoader


class Shard(DataLoader):
    def __iter__(self):
        batches = super().__iter__()
        try:
            current = next(batches)
        except StopIteration:
            return
        for following in batches:
            yield current
            current = following
        yield current


def main():
    batch_s, step_s = map(float, sys.argv[1:])
    train_loader = Shard(Samples(400, batch_s / 4), batch_size=4, num_workers=1)
    trainer = Trainer()
    for batch in train_loader:
        trainer.step(batch, step_s)


if __name__ == "__main__":
    main()
