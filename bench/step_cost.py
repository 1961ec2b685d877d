"""What one training step costs the main thread: an ordinary loop over a DataLoader with a worker, a small model, and the
thread's own CPU clock. It does not know whether it is observed.

For each line on standard input it runs a hundred steps and prints the median step in microseconds, so that two of these,
one observed and one not, can be driven in turns of a few hundredths of a second. Batches are lists of numbers:
tensors through shared memory cost a millisecond a step, which would hide what is looked for."""

import sys
import time
from statistics import median

import torch
from torch.utils.data import DataLoader

STEPS = 100


def steps(loader, model, optimizer):
    inputs, labels = torch.randn(4, 16), torch.randint(0, 2, (4,))
    while True:
        for _ in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            yield


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    loader = DataLoader(range(20000), batch_size=4, num_workers=1, persistent_workers=True, collate_fn=list)
    model = torch.nn.Linear(16, 2)
    loop = steps(loader, model, torch.optim.SGD(model.parameters(), lr=0.01))
    for _ in sys.stdin:
        costs = []
        for _ in range(STEPS):
            began = time.thread_time_ns()
            next(loop)
            costs.append(time.thread_time_ns() - began)
        print(f"{median(costs) / 1e3:.3f}", flush=True)


if __name__ == "__main__":
    main()
