"""What the training is made of when nothing is the matter. Other parts take these and change one."""

import hashlib
import time

SAMPLES = 800
EPOCHS = 1
COMPUTE_S = 0.004  # of a step: CPU, and time in which another device works
REST_S = 0
SETTINGS = {"batch_size": 8, "num_workers": 2}

collate = None
BUFFER = bytes(range(256)) * 256


def native(seconds):
    """Computes in C for so much CPU of the calling thread, without the GIL."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        hashlib.sha256(BUFFER)


def work():
    pass


def load(index):
    pass


def sample(image, label):
    return image, label


def tensors(batch):
    return batch


def sampler(dataset):
    return None


def after(loss):
    pass
