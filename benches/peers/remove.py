#!/usr/bin/env python3
"""Puts "Remove" beside OpenCV's Telea and Navier-Stokes inpainting, in one run, on one set of masks.

    benches/peers/remove.py [--json] [--dir FOLDER]

Needs opencv-python-headless and numpy. `cargo bench --bench remove` writes pictures and masks,
OpenCV fills them here, and a second call measures all results with the same code. Prints the
table, or everything as JSON.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import cv2

ROOT = pathlib.Path(__file__).resolve().parents[2]
RADIUS_PX = 5
METHODS = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}


def bench(folder, *words):
    command = ["cargo", "bench", "--no-default-features", "--bench", "remove", "--"]
    command += ["--dir", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def fill_with_opencv(folder):
    taken = dict.fromkeys(METHODS, 0.0)
    masks = sorted(folder.glob("*.mask.png"))
    if not masks:
        sys.exit("the bench left no masks")
    for path in masks:
        case = path.name.removesuffix(".mask.png")
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        picture = cv2.imread(str(folder / f"{case}.png"), cv2.IMREAD_COLOR)
        for method, flag in METHODS.items():
            begin = time.perf_counter()
            filled = cv2.inpaint(picture, mask, RADIUS_PX, flag)
            taken[method] += time.perf_counter() - begin
            cv2.imwrite(str(folder / f"{case}.{method}.png"), filled)
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dir", type=pathlib.Path, help="keep the pictures here")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = words.dir or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        bench(folder)
        taken = fill_with_opencv(folder)
        print(bench(folder, *(["--json"] if words.json else [])))
        if not words.json:
            print("OpenCV, seconds for all cases:", taken)


if __name__ == "__main__":
    main()
