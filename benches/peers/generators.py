#!/usr/bin/env python3
"""Times generators beside PyTorch, one picture at a time in 32-bit floats, with as many threads.

    benches/peers/generators.py [--json] [--ganvas PROGRAM] [--threads N] [--rounds N] [NAME...]

Needs the Python package torch. Both programs draw with random weights of the published sizes
(StyleGAN2 in configuration F, BigGAN-deep), from a latent to a picture; that ours draws rightly is
for the parity tests to say. Programs take turns, round by round; the medians are printed. A ratio
above 1 means that PyTorch is the faster; memory is the most that ours has held.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["stylegan2-64", "stylegan2-128", "stylegan2-256", "stylegan2-1024", "biggan-deep-256"]


def smooth(x, kernel, up, pad, gain):
    """Zeros between the pixels, pixels around, the filter on each channel."""
    n, c, h, w = x.shape
    if up > 1:
        x = F.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(n, c, h * up, w * up)
    x = F.pad(x, pad)
    return F.conv2d(x, (kernel * gain).repeat(c, 1, 1, 1), groups=c)


class StyleGan2:
    """Weights are modulated and then convolved with, as the published code does where it does not
    learn."""

    def __init__(self, side):
        self.levels = int(math.log2(side)) - 1
        widths = [min(512, 32768 // (4 << level)) for level in range(self.levels)]
        row = torch.tensor([1.0, 3, 3, 1])
        self.kernel = (row[:, None] * row / 64)[None, None]
        self.mapping = [(torch.randn(512, 512), torch.zeros(512)) for _ in range(8)]
        self.const = torch.randn(1, widths[0], 4, 4)
        self.layers, self.rgb = [], []
        before = widths[0]
        for level, width in enumerate(widths):
            own = 4 << level
            firsts = [] if level == 0 else [self.layer(before, width, own, True)]
            self.layers.append(firsts + [self.layer(width, width, own, False)])
            self.rgb.append((torch.randn(width, 512), torch.ones(width), torch.randn(3, width, 1, 1), torch.zeros(1, 3, 1, 1)))
            before = width

    @staticmethod
    def layer(start, end, side, doubles):
        return {
            "affine": (torch.randn(start, 512), torch.ones(start)),
            "weight": torch.randn(end, start, 3, 3),
            "noise": torch.randn(1, 1, side, side),
            "strength": torch.randn(()),
            "bias": torch.zeros(1, end, 1, 1),
            "doubles": doubles,
        }

    @staticmethod
    def style(w, affine):
        return F.linear(w, affine[0] / math.sqrt(512), affine[1])

    def convolve(self, x, w, layer):
        style = self.style(w, layer["affine"])
        weight = layer["weight"] * style[0][None, :, None, None]
        weight = weight * (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()
        if layer["doubles"]:
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = smooth(x, self.kernel, 1, (1, 1, 1, 1), 4)
        else:
            x = F.conv2d(x, weight, padding=1)
        x = x + layer["noise"] * layer["strength"] + layer["bias"]
        return F.leaky_relu(x, 0.2) * math.sqrt(2)

    def draw(self, z):
        w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for weight, bias in self.mapping:
            w = F.leaky_relu(F.linear(w, weight * (0.01 / math.sqrt(512)), bias * 0.01), 0.2) * math.sqrt(2)
        x, picture = self.const, None
        for layers, (affine, ones, weight, bias) in zip(self.layers, self.rgb):
            for layer in layers:
                x = self.convolve(x, w, layer)
            style = self.style(w, (affine, ones)) / math.sqrt(weight.shape[1])
            rgb = F.conv2d(x, weight * style[0][None, :, None, None]) + bias
            if picture is not None:
                rgb = rgb + smooth(picture, self.kernel, 2, (2, 1, 2, 1), 4)
            picture = rgb
        return picture

    def latent(self):
        return torch.randn(1, 512)


class BigGan:
    """BigGAN-deep with the spectral norms divided out."""

    WIDTHS = [16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1]

    def __init__(self):
        matrix = lambda out, start, *sides: torch.randn(out, start, *sides) / math.sqrt(start * math.prod(sides))
        self.first = (matrix(16 * 2048, 256), torch.zeros(16 * 2048))
        norm = lambda width: (matrix(width, 256), matrix(width, 256), torch.zeros(width), torch.ones(width))
        self.blocks = []
        for at, (start, end) in enumerate(zip(self.WIDTHS, self.WIDTHS[1:])):
            start, end = start * 128, end * 128
            middle = start // 4
            shapes = [(middle, start, 1), (middle, middle, 3), (middle, middle, 3), (end, middle, 1)]
            self.blocks.append({
                "doubles": at % 2 == 1,
                "norms": [norm(width) for width in (start, middle, middle, middle)],
                "convs": [(matrix(o, i, side, side), torch.zeros(o)) for o, i, side in shapes],
                "end": end,
            })
        self.attention = [matrix(64, 512, 1, 1), matrix(64, 512, 1, 1), matrix(256, 512, 1, 1), matrix(512, 256, 1, 1)]
        self.last = (matrix(128, 128, 3, 3), torch.zeros(128))

    @staticmethod
    def normalise(x, condition, norm):
        scale, shift, mean, variance = norm
        mean, variance = mean[None, :, None, None], variance[None, :, None, None]
        weight = 1 + F.linear(condition, scale)[:, :, None, None]
        bias = F.linear(condition, shift)[:, :, None, None]
        return F.relu((x - mean) / torch.sqrt(variance + 1e-4) * weight + bias)

    def attend(self, x):
        theta, phi, g, out = self.attention
        n, c, h, w = x.shape
        queries = F.conv2d(x, theta).view(n, -1, h * w)
        keys = F.max_pool2d(F.conv2d(x, phi), 2).view(n, -1, h * w // 4)
        values = F.max_pool2d(F.conv2d(x, g), 2).view(n, -1, h * w // 4)
        shares = torch.softmax(torch.bmm(queries.transpose(1, 2), keys), -1)
        seen = torch.bmm(values, shares.transpose(1, 2)).view(n, -1, h, w)
        return x + 0.5 * F.conv2d(seen, out)

    def draw(self, condition):
        x = F.linear(condition, *self.first).view(1, 4, 4, 2048).permute(0, 3, 1, 2).contiguous()
        for at, block in enumerate(self.blocks):
            if at == 8:
                x = self.attend(x)
            shortcut = x[:, : block["end"]]
            for number, (norm, conv) in enumerate(zip(block["norms"], block["convs"])):
                x = self.normalise(x, condition, norm)
                if number == 1 and block["doubles"]:
                    x = F.interpolate(x, scale_factor=2, mode="nearest")
                x = F.conv2d(x, *conv, padding=conv[0].shape[-1] // 2)
            if block["doubles"]:
                shortcut = F.interpolate(shortcut, scale_factor=2, mode="nearest")
            x = x + shortcut
        x = F.relu(F.batch_norm(x, torch.zeros(128), torch.ones(128), torch.ones(128), torch.zeros(128), eps=1e-4))
        return torch.tanh(F.conv2d(x, *self.last, padding=1)[:, :3])

    def latent(self):
        return torch.randn(1, 256)


def build(name):
    torch.manual_seed(0)
    return BigGan() if name == "biggan-deep-256" else StyleGan2(int(name.removeprefix("stylegan2-")))


def compare(program, name, rounds):
    network = build(name)
    ours, theirs, memory = [], [], None
    with torch.inference_mode():
        for _ in range(rounds):
            words = [program, "bench", "--generator", name, "--runs", "3", "--json"]
            answer = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
            ours.append(answer["seconds"])
            memory = answer["peak_memory_bytes"]
            z = network.latent()
            picture = network.draw(z)
            assert picture.shape == (1, 3, answer["side"], answer["side"]), picture.shape
            assert picture.isfinite().all()
            runs = []
            for _ in range(3):
                started = time.perf_counter()
                network.draw(z)
                runs.append(time.perf_counter() - started)
            theirs.append(statistics.median(runs))
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {"name": name, "ours_s": mine, "torch_s": other, "ratio": mine / other, "ours_peak_bytes": memory}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ganvas", default=str(ROOT / "target/release/ganvas"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    torch.set_num_threads(args.threads)
    rows = []
    for name in args.names or NAMES:
        row = compare(args.ganvas, name, args.rounds)
        rows.append(row)
        if not args.json:
            memory = (row["ours_peak_bytes"] or 0) >> 20
            text = "{name:18} {ours_s:8.3f} s {torch_s:8.3f} s {ratio:6.2f} {memory:6} MiB"
            print(text.format(**row, memory=memory), flush=True)
    if args.json:
        json.dump(rows, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
