"""Each member of a Compose is seen where it runs, and only what is certain is said."""

import importlib.util

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not here", allow_module_level=True)

import sys

from conftest import inject_folder

sys.path.insert(0, str(inject_folder()))
from _stallmeter import vocabulary as v

HEAD = '''
import functools, random, sys, time
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Compose:
    def __init__(self, transforms): self.transforms = transforms
    def __call__(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

class Crop:
    def __call__(self, x): return x
class Flip:
    def __init__(self, p=0.5): self.p = p
    def __call__(self, x): return x
class Normalize(nn.Module):
    def forward(self, x): return x
class Base:
    def __call__(self, x): return self.apply(x)
class Special(Base):
    def apply(self, x): return x
def scale(x): return x
def shift(x, by=0): return x

class Images(Dataset):
    def __init__(self, transform): self.transform = transform
    def __len__(self): return 3
    def __getitem__(self, index): return self.transform(torch.ones(2))

def go(transform):
    loader = DataLoader(Images(transform), num_workers=int(sys.argv[1]))
    for batch in loader: pass
'''


def tree(job):
    """The spans under each SAMPLE, as nested names; all samples must agree."""
    shapes = []
    for process in job.processes:
        for sample in (span for span in process.spans if span.role == v.SAMPLE):
            shapes.append(below(process, sample))
    assert shapes and all(shape == shapes[0] for shape in shapes)
    return shapes[0]


def below(process, parent):
    letters = {v.COMPOSE: "C", v.TRANSFORM: "T"}
    children = [span for span in process.spans if span.parent is parent]
    return [(letters[span.role], span.name, below(process, span)) for span in children if span.role in letters]


def places_of(job):
    return {span.name: span.second for span in job.spans(v.TRANSFORM)}


def is_absent(name):
    try:
        return importlib.util.find_spec(name) is None
    except ImportError:  # not even what it is inside of
        return True


#: num_workers and multiprocessing_context
WAYS = [(0, "fork"), (2, "fork"), (2, "spawn")]


@pytest.fixture(params=[0, 1], ids=["here", "worker"])
def shape(request, run):
    return lambda transform: tree(run(HEAD + f"\nif __name__ == '__main__': go({transform})\n", request.param).job)


def test_members_of_a_compose_in_their_order(shape):
    assert shape("Compose([Crop(), Normalize(), Special()])") == [
        ("C", "Compose", [("T", "Crop", []), ("T", "Normalize", []), ("T", "Special", [])])]


def test_plain_functions_fill_the_gaps_between_members(shape):
    assert shape("Compose([scale, Crop(), scale, shift, Flip(), functools.partial(shift, by=2)])") == [
        ("C", "Compose", [("T", "scale", []), ("T", "Crop", []), ("T", "scale, shift", []), ("T", "Flip", []), ("T", "shift", [])])]


def test_only_plain_functions(shape):
    assert shape("Compose([scale, shift])") == [("C", "Compose", [("T", "scale, shift", [])])]


def test_compose_in_compose(shape):
    assert shape("Compose([Compose([scale, Crop()]), shift, Flip()])") == [
        ("C", "Compose", [("C", "Compose", [("T", "scale", []), ("T", "Crop", [])]), ("T", "shift", []), ("T", "Flip", [])])]


def test_a_container_of_torch_shows_its_members_and_is_left_alone(shape):
    assert shape("nn.Sequential(Normalize(), nn.Identity())") == [("T", "Normalize", [])]


def test_a_lone_transform(shape):
    assert shape("Crop()") == [("T", "Crop", [])]


def test_the_same_member_twice(shape):
    assert shape("Compose([Crop(), scale, Crop()])") == [("C", "Compose", [("T", "Crop", []), ("T", "scale", []), ("T", "Crop", [])])]


def test_a_function_alone_has_no_class_to_wrap(shape):
    assert shape("scale") == []


def test_members_know_where_they_stand(run):
    job = run(HEAD + "\nif __name__ == '__main__': go(Compose([scale, Crop(), Normalize(), Special()]))\n", 0).job
    places = places_of(job)
    lines = HEAD.splitlines()

    def line(text):
        return next(number for number, found in enumerate(lines, 1) if text in found)

    assert places["scale"] == f"train.py:{line('def scale')}"
    assert places["Crop"] == f"train.py:{line('class Crop') + 1}"
    assert places["Normalize"] == f"train.py:{line('class Normalize') + 1}"
    assert places["Special"] == f"train.py:{line('class Special') + 1}"


def test_an_exception_in_a_member_ends_every_span(run):
    program = HEAD + '''
class Fails:
    def __call__(self, x): raise ValueError("mine")
if __name__ == "__main__":
    for transform in (Compose([Fails(), scale]), Compose([scale, Fails(), scale]), Compose([scale, lambda x: 1 / 0])):
        try: go(transform)
        except (ValueError, ZeroDivisionError): pass
'''
    job = run(program, 0).job
    assert job.main.underflows == 0 and not [span for span in job.main.spans if span.end is None]
    assert all(v.KEY_FAILED in span.args for span in job.spans(v.COMPOSE))
    names = [span.name for span in job.spans(v.TRANSFORM)]
    assert names == ["Fails", "scale", "Fails", "scale, <lambda>"]


def test_a_cycle_and_a_huge_list_do_no_harm(run):
    program = HEAD + '''
class Knot(Images):
    def __init__(self):
        super().__init__(Compose([Crop()]))
        self.me, self.many = self, [[self] for _ in range(100000)]
        self.transform.back = self
if __name__ == "__main__":
    for batch in DataLoader(Knot()): pass
'''
    assert tree(run(program).job) == [("C", "Compose", [("T", "Crop", [])])]


def test_classes_survive_what_people_do_with_them(run):
    """Scripting, pickling by reference and by value, subclassing, source: after a loader has run here."""
    program = HEAD + '''
import inspect, pickle
class Wider(Crop):
    def __call__(self, x): return super().__call__(x) + 1
if __name__ == "__main__":
    go(Compose([Crop(), Wider(), Normalize(), scale]))
    x = torch.ones(2)
    assert torch.jit.script(nn.Sequential(Normalize()))(x).tolist() == [1, 1]
    assert torch.jit.trace(Normalize(), x)(x).tolist() == [1, 1]
    assert type(pickle.loads(pickle.dumps(Compose([Crop(), Wider()])))) is Compose
    assert Wider()(x).tolist() == [2, 2] and Crop.__call__(Crop(), x) is x
    assert inspect.getsource(Crop.__call__) == "    def __call__(self, x): return x\\n"
    assert inspect.isfunction(Crop.__call__) and str(inspect.signature(Crop.__call__)) == "(self, x)"
    assert repr(Normalize()) == "Normalize()" and callable(Crop())
    try:
        import cloudpickle
    except ImportError:
        pass
    else:
        open("by_value", "wb").write(cloudpickle.dumps((Crop(), x)))
    print("fine")
'''
    done = run(program, 0)
    assert done.out == "fine\n"


def test_what_is_pickled_by_value_needs_nothing_of_ours(run, tmp_path):
    pytest.importorskip("cloudpickle")
    import subprocess

    program = HEAD + '''
import cloudpickle
if __name__ == "__main__":
    go(Compose([Crop()]))
    open("by_value", "wb").write(cloudpickle.dumps(Crop()))
'''
    run(program, 0)
    load = "import pickle; assert pickle.load(open('by_value', 'rb'))(5) == 5; import sys; assert '_stallmeter' not in sys.modules"
    subprocess.run([sys.executable, "-c", load], cwd=tmp_path, check=True, env={"PATH": "/usr/bin"})


@pytest.mark.skipif(is_absent("torchvision"), reason="torchvision is not here")
def test_torchvision(run):
    program = '''
import torch, warnings
warnings.simplefilter("ignore")
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import FakeData
if __name__ == "__main__":
    transform = T.Compose([T.RandomApply([T.ColorJitter()], p=1.0), T.RandomHorizontalFlip(), lambda x: x, T.ToTensor(),
                           T.Normalize((0.5,), (0.5,))])
    before = repr(transform)
    for batch in DataLoader(FakeData(4, (3, 16, 16), transform=transform), batch_size=2): pass
    assert repr(transform) == before
    torch.jit.script(torch.nn.Sequential(T.CenterCrop(8), T.Normalize((0.5,), (0.5,))))
'''
    job = run(program).job
    assert tree(job) == [("C", "Compose", [
        ("C", "RandomApply", [("T", "ColorJitter", [])]), ("T", "RandomHorizontalFlip", []), ("T", "<lambda>", []), ("T", "ToTensor", []),
        ("T", "Normalize", [])])]
    places = places_of(job)
    assert places.pop("<lambda>").startswith("train.py:")
    assert all("torchvision/transforms/transforms.py:" in place for place in places.values()), places


@pytest.mark.skipif(is_absent("torchvision.transforms.v2"), reason="torchvision.transforms.v2 is not here")
@pytest.mark.parametrize(("workers", "method"), WAYS)
def test_torchvision_v2(run, workers, method):
    program = '''
import sys, torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2 as T
from torchvision.datasets import FakeData
def keep(x): return x
if __name__ == "__main__":
    transform = T.Compose([T.RandomApply([T.ColorJitter(0.1)], p=1.0), T.RandomHorizontalFlip(), keep, T.ToImage(),
                           T.RandomChoice([T.Resize(8)]), T.ToDtype(torch.float32, scale=True), T.Normalize([0.5], [0.5])])
    before, workers = repr(transform), int(sys.argv[1])
    data = FakeData(4, (3, 16, 16), transform=transform)
    for batch in DataLoader(data, num_workers=workers, multiprocessing_context=sys.argv[2] if workers else None): pass
    assert repr(transform) == before
'''
    job = run(program, workers, method).job
    assert tree(job) == [("C", "Compose", [
        ("C", "RandomApply", [("T", "ColorJitter", [])]), ("T", "RandomHorizontalFlip", []), ("T", "keep", []), ("T", "ToImage", []),
        ("C", "RandomChoice", [("T", "Resize", [])]), ("T", "ToDtype", []), ("T", "Normalize", [])])]
    places = places_of(job)
    assert places.pop("keep").startswith("train.py:")
    assert all("torchvision/transforms/v2/" in place for place in places.values()), places


@pytest.mark.skipif(is_absent("albumentations"), reason="albumentations is not here")
@pytest.mark.parametrize(("workers", "method"), WAYS)
def test_albumentations(run, workers, method):
    program = '''
import sys
import albumentations as A, numpy
from torch.utils.data import DataLoader, Dataset
class Photos(Dataset):
    def __init__(self, augment): self.augment = augment
    def __len__(self): return 4
    def __getitem__(self, index): return self.augment(image=numpy.zeros((16, 16, 3), numpy.uint8))["image"]
if __name__ == "__main__":
    augment = A.Compose([A.OneOf([A.MotionBlur(p=1.0)], p=1.0), A.HorizontalFlip(p=0.5), A.Normalize()])
    before, workers = repr(augment), int(sys.argv[1])
    for batch in DataLoader(Photos(augment), num_workers=workers, multiprocessing_context=sys.argv[2] if workers else None): pass
    assert repr(augment) == before
'''
    job = run(program, workers, method, NO_ALBUMENTATIONS_UPDATE="1").job
    assert tree(job) == [("C", "Compose", [
        ("C", "OneOf", [("T", "MotionBlur", [])]), ("T", "HorizontalFlip", []), ("T", "Normalize", [])])]
    assert all("albumentations/augmentations/" in place for place in places_of(job).values()), places_of(job)
