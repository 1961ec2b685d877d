"""What these trainings are made of: samples that take their time to come, and steps that do."""

import time

import torch
from torch.utils.data import Dataset

LINE = 16


class Samples(Dataset):
    """So many, each of which comes after so many seconds."""

    def __init__(self, count, seconds):
        self.count, self.seconds = count, seconds

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if self.seconds:
            time.sleep(self.seconds)
        return torch.full((LINE,), float(index))


class Trainer:
    def __init__(self):
        torch.set_num_threads(1)
        self.model = torch.nn.Linear(LINE, LINE)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-6)

    def step(self, batch, seconds):
        self.optimizer.zero_grad()
        loss = self.model(batch).mean()
        time.sleep(seconds)
        loss.backward()
        self.optimizer.step()

    def evaluate(self, batch, seconds):
        with torch.no_grad():
            self.model(batch)
        time.sleep(seconds)
