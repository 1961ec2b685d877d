"""The loader of the package accelerate. Arguments: seconds a batch takes, and a step."""

import sys

from accelerate import Accelerator
from pieces import Samples, Trainer
from torch.utils.data import DataLoader


def main():
    batch_s, step_s = map(float, sys.argv[1:])
    accelerator = Accelerator(cpu=True)
    train_loader = accelerator.prepare(DataLoader(Samples(400, batch_s / 4), batch_size=4, num_workers=1))
    trainer = Trainer()
    for batch in train_loader:
        trainer.step(batch, step_s)


if __name__ == "__main__":
    main()
