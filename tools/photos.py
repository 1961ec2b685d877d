#!/usr/bin/env python3
"""Makes a JPEG data set of real photographs: `tools/photos.py FOLDER`.

The photographs are those that scikit-image and scikit-learn carry in their wheels, so nothing is downloaded. Each
becomes a class; its files are crops of several sizes, half of them mirrored, at the quality cameras write. The same
folder comes out on every machine with the same Pillow; a folder that is finished already is left alone.
"""

from __future__ import annotations

import random
import sys
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

PHOTOGRAPHS = {
    "skimage/data": ["astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
                     "hubble_deep_field.jpg", "motorcycle_left.png", "retina.jpg", "rocket.jpg"],
    "sklearn/datasets/images": ["china.jpg", "flower.jpg"],
}
SIDES = [224, 256, 320, 400]  # pixels; a photograph too small for a side gives its whole height
FILES_EACH = 200
QUALITY = 90
RECIPE = f"{PHOTOGRAPHS} {SIDES} {FILES_EACH} {QUALITY}"


def photographs() -> list[Path]:
    found = []
    for place, names in PHOTOGRAPHS.items():
        package, _, inside = place.partition("/")
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"photos: {package} is not installed for {sys.executable}")
        folder = Path(spec.submodule_search_locations[0]) / inside
        found += [folder / name for name in names if (folder / name).exists()]
    return found


def crop(photograph: Image.Image, chance: random.Random) -> Image.Image:
    side = min(chance.choice(SIDES), *photograph.size)
    left = chance.randint(0, photograph.width - side)
    top = chance.randint(0, photograph.height - side)
    piece = photograph.crop((left, top, left + side, top + side))
    return ImageOps.mirror(piece) if chance.random() < 0.5 else piece


def make_class(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    photograph = Image.open(path).convert("RGB")
    chance = random.Random(path.stem)
    for number in range(FILES_EACH):
        crop(photograph, chance).save(folder / f"{number:04d}.jpg", quality=QUALITY)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: tools/photos.py FOLDER")
    folder = Path(sys.argv[1])
    mark = folder / "recipe.txt"
    if mark.exists() and mark.read_text() == RECIPE:
        return
    sources = photographs()
    for path in sources:
        make_class(path, folder / path.stem)
    mark.write_text(RECIPE)
    print(f"photos: {len(sources) * FILES_EACH} files of {len(sources)} photographs in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
