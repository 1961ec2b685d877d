"""Trains a small network to tell photographs apart: one folder of JPEG files for each class.

    python train_photos.py data/photos --epochs 2 --workers 2
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class RandomMirror:
    def __call__(self, image):
        return ImageOps.mirror(image) if random.random() < 0.5 else image


class ColorJitter:
    def __init__(self, strength=0.3):
        self.strength = strength

    def __call__(self, image):
        for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhancer(image).enhance(random.uniform(1 - self.strength, 1 + self.strength))
        return image


class RandomBlur:
    def __call__(self, image):
        return image.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5)))


class FilmGrain:
    """Noise as of a sensitive film, another for every image."""

    def __init__(self, sigma=8):
        self.sigma = sigma

    def __call__(self, image):
        pixels = np.asarray(image)
        grain = np.random.normal(0, self.sigma, pixels.shape)
        return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


class RandomResizedCrop:
    def __init__(self, size, scale=(0.5, 1.0)):
        self.size, self.scale = size, scale

    def __call__(self, image):
        side = int(min(image.size) * random.uniform(*self.scale))
        left, top = random.randint(0, image.width - side), random.randint(0, image.height - side)
        return image.resize((self.size, self.size), Image.BILINEAR, box=(left, top, left + side, top + side))


class Resize:
    def __init__(self, size):
        self.size = size

    def __call__(self, image):
        return image.resize((self.size, self.size), Image.BILINEAR)


class ToTensor:
    def __call__(self, image):
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255).sub(0.5).div(0.25)


class Photos(Dataset):
    def __init__(self, files, classes, transform):
        self.files, self.classes, self.transform = files, classes, transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(self.files[index]).convert("RGB")
        return self.transform(image), self.classes.index(self.files[index].parent.name)


def make_model(class_count):
    def block(before, after):
        return nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())

    return nn.Sequential(block(3, 16), block(16, 32), block(32, 64), block(64, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, class_count))


def train(model, loader, optimizer, criterion):
    model.train()
    seen, total = 0, 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        seen, total = seen + len(labels), total + loss.item() * len(labels)
    return total / seen


@torch.no_grad()
def validate(model, loader):
    model.eval()
    right = seen = 0
    for images, labels in loader:
        right += (model(images).argmax(1) == labels).sum().item()
        seen += len(labels)
    return right / seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--photos", type=int, help="use only so many")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    random.seed(args.seed)

    files = sorted(args.folder.glob("*/*.jpg"))
    classes = sorted({file.parent.name for file in files})
    random.shuffle(files)
    files = files[: args.photos]
    held_out = len(files) // 10
    augment = Compose([RandomMirror(), ColorJitter(), RandomBlur(), FilmGrain(), RandomResizedCrop(args.size), ToTensor()])
    train_set = Photos(files[held_out:], classes, augment)
    test_set = Photos(files[:held_out], classes, Compose([Resize(args.size), ToTensor()]))
    train_loader = DataLoader(train_set, args.batch_size, shuffle=True, num_workers=args.workers, drop_last=True)
    test_loader = DataLoader(test_set, args.batch_size, num_workers=args.workers)

    model = make_model(len(classes))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        began = time.perf_counter()
        loss = train(model, train_loader, optimizer, criterion)
        rate = len(train_loader) * args.batch_size / (time.perf_counter() - began)
        print(f"epoch {epoch}: loss {loss:.3f}, {rate:.0f} photos/s, right {validate(model, test_loader):.1%}", flush=True)


if __name__ == "__main__":
    main()
