#!/usr/bin/env python3
"""Makes src/data/describe/template.rs, the mean chest X-ray: tests/tools/lung_template.py DATA

DATA is the folder with `qata` and `qata_more`. Only training pairs are used: `sub-S...` images whose prompts name two
areas and all zones of both lungs, so that the box of the mask is the box of the lungs. Needs NumPy and Pillow.
"""
import csv, pathlib, re, sys

import numpy as np
from PIL import Image

SIDE, MARGIN, WORK, REACH, FLOOR = 16, 0.25, 64, 12, 4.0
TARGET = pathlib.Path(__file__).resolve().parents[2] / "src/data/describe/template.rs"
ZONES = {"upper", "middle", "lower"}


def normalised(image):
    """The image of 64 x 64 pixels, less the mean of a window of 25 x 25 and divided by its standard deviation."""
    values = np.array(image.convert("L").resize((WORK, WORK), Image.BOX), float)
    places = np.arange(WORK)
    low, high = np.maximum(places - REACH, 0), np.minimum(places + REACH + 1, WORK)

    def windows(table):
        sums = np.pad(table.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[high][:, high] - sums[low][:, high] - sums[high][:, low] + sums[low][:, low]) / count

    count = np.outer(high - low, high - low)
    mean = windows(values)
    variance = np.maximum(windows(values * values) - mean * mean, 0)
    return (values - mean) / (np.sqrt(variance) + FLOOR)


def cells(picture, top, bottom, left, right):
    """The values at the template's cells, linear between pixels and 0 beyond the image."""
    shares = (np.arange(SIDE) + 0.5) / SIDE * (1 + 2 * MARGIN) - MARGIN
    y, x = [(low + shares * (high - low)) * WORK - 0.5 for low, high in ((top, bottom), (left, right))]
    padded = np.pad(picture, WORK)
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = (y - y0)[:, None], (x - x0)[None]
    at = lambda dy, dx: padded[np.ix_(y0 + dy + WORK, x0 + dx + WORK)]
    return (at(0, 0) * (1 - fx) + at(0, 1) * fx) * (1 - fy) + (at(1, 0) * (1 - fx) + at(1, 1) * fx) * fy


def names_all(prompt):
    """Whether the prompt names two areas and all zones of both lungs."""
    found = {}
    for zones, side in re.findall(r"((?:(?:upper|middle|lower|all) )+)(left|right) lung", prompt.lower()):
        words = set(zones.split())
        found[side] = ZONES if "all" in words else words
    return "two infected" in prompt.lower() and found == {"left": ZONES, "right": ZONES}


def main():
    total, count = np.zeros((SIDE, SIDE)), 0
    for folder in [pathlib.Path(sys.argv[1]) / name for name in ("qata", "qata_more")]:
        for name, prompt in list(csv.reader((folder / "prompt/train.csv").open()))[1:]:
            if not (name.startswith("sub-") and names_all(prompt)):
                continue
            stem = name.rsplit(".", 1)[0]
            mask = np.array(Image.open(folder / f"train/GTs/mask_{stem}.png").convert("L")) > 127
            rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
            box = rows[0] / len(mask), (rows[-1] + 1) / len(mask), columns[0] / len(mask), (columns[-1] + 1) / len(mask)
            patch = cells(normalised(Image.open(folder / f"train/Images/{name}")), *box)
            patch -= patch.mean()
            total, count = total + patch / np.sqrt((patch**2).sum()), count + 1
    mean = total - total.mean()
    mean = np.rint(mean / np.abs(mean).max() * 127).astype(int)
    text = TARGET.read_text()
    head, start = text[: text.index("= [\n")], "= [\n"
    head = re.sub(r"The mean of \d+ training", f"The mean of {count} training", head)
    lines = "".join("    [" + ", ".join(map(str, row)) + "],\n" for row in mean)
    TARGET.write_text(head + start + lines + "];\n")


main()
