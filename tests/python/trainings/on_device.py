"""Steps are launched on a device and not waited for. Arguments: seconds a batch takes, and a step on the device."""

import sys

import accelerator
import fake_device
from pieces import Samples
from torch.utils.data import DataLoader


def main():
    batch_s, step_s = map(float, sys.argv[1:])
    fake_device.register()
    fake_device.memory[:] = [(1 << 20, 3 << 20), (2 << 20, 4 << 20)]
    train_loader = DataLoader(Samples(300, batch_s), batch_size=1, num_workers=1)
    stream = fake_device.Stream()
    for _ in train_loader:
        stream.step(step_s)
    accelerator.synchronize()


if __name__ == "__main__":
    main()
