"""An ordinary training. What it is made of comes from parts.py beside it."""

import time

import parts
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class Scale:
    def __call__(self, image):
        return image * 2 - 1


class Step:
    def __call__(self, image):
        parts.work()
        return image


class Pictures(Dataset):
    def __init__(self, count):
        self.count = count
        self.images = torch.rand(64, 3, 32, 32)
        self.transform = Compose([Scale(), Step()])

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        parts.load(index)
        return parts.sample(self.transform(self.images[index % 64]), index % 10)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dataset = Pictures(parts.SAMPLES)
    loader = DataLoader(dataset, sampler=parts.sampler(dataset), collate_fn=parts.collate, **parts.SETTINGS)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(parts.EPOCHS):
        for batch in loader:
            images, labels = parts.tensors(batch)
            loss = nn.functional.cross_entropy(model(images), labels)
            until = time.thread_time() + parts.COMPUTE_S
            while time.thread_time() < until:
                model(images)
            time.sleep(parts.REST_S)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            parts.after(loss)


if __name__ == "__main__":
    main()
