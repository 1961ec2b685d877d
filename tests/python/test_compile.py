"""torch.compile makes the same graphs, for the same reasons, with us and without us."""

import importlib.util
import sys

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not here", allow_module_level=True)

import torch

if int(torch.__version__.split(".")[0]) < 2 or sys.version_info >= (3, 14):
    pytest.skip("this torch does not compile", allow_module_level=True)

PROGRAM = '''
import json, re, sys
import torch, torch._dynamo
from torch import nn
from torch._dynamo.utils import counters
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.set_num_threads(1)
seen = {}

def observe(name, function, *arguments, **options):
    """Graphs and their operations, breaks with their reasons, recompilations, result or error; three calls."""
    torch._dynamo.reset()
    counters.clear()
    graphs = []
    def backend(module, example):
        graphs.append([str(node.target) for node in module.graph.nodes])
        return module.forward
    try:
        compiled = torch.compile(function, backend=options.pop("backend", backend), **options)
        results = [compiled(*arguments) for _ in range(3)]
        outcome = [result.tolist() if isinstance(result, torch.Tensor) else str(result) for result in results]
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    seen[name] = (graphs, {str(key): value for key, value in counters["graph_break"].items()}, counters["stats"].get("unique_graphs"), outcome)

torch.manual_seed(0)
model, x = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)), torch.randn(3, 4)
for kind in (torch.optim.SGD, torch.optim.Adam):
    optimizer = kind(model.parameters(), lr=0.01)
    model(x).sum().backward()
    def step(): optimizer.step()
    def train(x):
        loss = model(x).sum(); loss.backward(); optimizer.step(); optimizer.zero_grad(); return loss
    for full in (False, True):
        observe(f"{kind.__name__} step {full}", step, fullgraph=full)
        observe(f"{kind.__name__} train {full}", train, x, fullgraph=full)
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    observe(f"{kind.__name__} scheduled", step)
observe("forward", model, x, fullgraph=True)
observe("forward, aot", model, x, fullgraph=True, backend="aot_eager")
def forward_backward(x):
    loss = model(x).sum(); loss.backward(); return loss
observe("backward", forward_backward, x)
observe("backward, aot", forward_backward, x, backend="aot_eager")

class Scale(nn.Module):
    def forward(self, x): return x * 2
class Shift:
    def __call__(self, x): return x + 1
class Compose:
    def __init__(self, transforms): self.transforms = transforms
    def __call__(self, x):
        for transform in self.transforms: x = transform(x)
        return x
class Data(Dataset):
    def __init__(self): self.transform = Compose([Scale(), Shift()])
    def __len__(self): return 4
    def __getitem__(self, index): return self.transform(torch.ones(4) * index)
data = Data()
loader = DataLoader(data, batch_size=2)
for batch in loader: pass
observe("transform", data.transform.transforms[0], x, fullgraph=True)
observe("transform without a module", data.transform.transforms[1], x, fullgraph=True)
observe("compose", lambda x: data.transform(x), x, fullgraph=True)
def epoch(x):
    total = x.sum()
    for batch in loader: total = total + model(batch).sum()
    return total
observe("loader inside", epoch, x)
def copies(x): return x.to(torch.float64).cpu().sum() + torch.zeros(()).copy_(x.sum())
observe("copies", copies, x, fullgraph=True)
observe("item", lambda x: x * x.sum().item(), x)
print(re.sub("0x[0-9a-f]+", "", json.dumps(seen)))
'''

FORCED = "import sys\nif '_stallmeter' in sys.modules:\n    from _stallmeter import torch_step\n    import torch\n    torch_step.hook_copies(torch)\n"


@pytest.fixture(scope="module", params=["", FORCED], ids=["cpu", "as on a device"])
def both(request, tmp_path_factory, inject):
    import json
    import os
    import subprocess

    folder = tmp_path_factory.mktemp("compile")
    (folder / "train.py").write_text(request.param + PROGRAM)
    (folder / "live").mkdir()
    plain = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER") and key != "PYTHONPATH"}
    accounts = []
    for more in ({}, {"STALLMETER_LIVE": str(folder / "live"), "PYTHONPATH": str(inject)}):
        done = subprocess.run([sys.executable, "train.py"], cwd=folder, env={**plain, **more}, capture_output=True, text=True,
                              timeout=400)
        assert done.returncode == 0, done.stderr[-3000:]
        accounts.append(json.loads(done.stdout.splitlines()[-1]))
    assert list((folder / "live").glob("*.ring"))
    return accounts


def test_graphs_breaks_and_results_are_the_same(both):
    without, with_us = both
    assert without.keys() == with_us.keys() and len(without) > 15
    for name in without:
        assert with_us[name] == without[name], name


def test_the_comparison_is_about_something(both):
    without, _ = both
    assert without["forward"][0] and not without["forward"][1], "one whole graph"
    assert without["SGD train False"][1], "a training step does break"
