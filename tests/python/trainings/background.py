"""A thread asks for batches before they are needed. Arguments: seconds a batch takes, and a step."""

import queue
import sys
import threading

from pieces import Samples, Trainer
from torch.utils.data import DataLoader


class Prefetcher:
    def __init__(self, loader, size=2):
        self.loader, self.size = loader, size

    def fill(self, window):
        for batch in self.loader:
            window.put(batch)
        window.put(None)

    def __iter__(self):
        window = queue.Queue(self.size)
        threading.Thread(target=self.fill, args=(window,), daemon=True).start()
        while (batch := window.get()) is not None:
            yield batch


def main():
    batch_s, step_s = map(float, sys.argv[1:])
    train_loader = DataLoader(Samples(480, batch_s / 4), batch_size=4)
    trainer = Trainer()
    for batch in Prefetcher(train_loader):
        trainer.step(batch, step_s)


if __name__ == "__main__":
    main()
