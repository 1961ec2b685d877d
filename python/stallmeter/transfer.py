"""What a batch takes to a CUDA device, from pageable and from pinned memory."""

import sys

COPIES = 5  # the median of so many, behind one that is not counted


def why_not():
    """Why nothing can be copied to a device here; None where it can."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "no PyTorch"
    return None if torch.cuda.is_available() else "no CUDA device that this torch can use"


def tensors_in(batch):
    import torch

    if isinstance(batch, torch.Tensor):
        yield batch
    elif isinstance(batch, dict):
        for value in batch.values():
            yield from tensors_in(value)
    elif isinstance(batch, (list, tuple)):
        for value in batch:
            yield from tensors_in(value)


def bytes_of(batch):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_in(batch))


def seconds_of(batch, pinned):
    """Median of the device's own time for a copy of a batch; None for a batch without tensors. Waits for the device."""
    import torch

    tensors = [tensor.pin_memory() if pinned else tensor.clone() for tensor in tensors_in(batch) if tensor.is_cpu]
    if not tensors:
        return None
    times = []
    for _ in range(COPIES + 1):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        copies = [tensor.to("cuda", non_blocking=pinned) for tensor in tensors]
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
        del copies
    return sorted(times[1:])[COPIES // 2]
