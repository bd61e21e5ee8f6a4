#!/usr/bin/env python3
"""Times the networks of models/ beside onnxruntime, on the same input and number of threads.

    benches/peers/networks.py [--json] [--ganvas PROGRAM] [--side PIXELS] [--threads N]
                              [--rounds N] [MODEL...]

Needs the Python packages numpy, onnx and onnxruntime. Each ONNX graph is translated from what
`ganvas models inspect --graph` prints, with the same weights, so that both programs compute the
same function; that ours does so rightly is for the parity tests to say. Programs take turns, round
by round, each with the same number of runs after one that is not counted, the more the shorter
they are; the medians are printed. A ratio above 1 means that onnxruntime is the faster.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
DTYPES = {"F32": np.float32, "F16": np.float16, "I8": np.int8}
OPSET = 17


def read_weights(path):
    """The tensors of a safetensors file as 32-bit floats, int8 ones times their scales."""
    blob = path.read_bytes()
    (length,) = struct.unpack_from("<Q", blob)
    header = json.loads(blob[8 : 8 + length])
    header.pop("__metadata__", None)
    raw = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(blob[begin:end], DTYPES[entry["dtype"]])
        raw[name] = values.reshape(entry["shape"]).astype(np.float32)
    weights = {}
    for name, values in raw.items():
        if name.endswith(".scale") and name.removesuffix(".scale") in raw:
            continue
        scale = raw.get(f"{name}.scale")
        if scale is not None:
            values = values * scale.reshape(-1, *[1] * (values.ndim - 1))
        weights[name] = values
    return weights


class Translator:
    """Turns the printed graph into ONNX nodes."""

    def __init__(self, graph, weights):
        self.graph, self.weights = graph, weights
        self.nodes, self.constants, self.inputs = [], [], []
        self.values = []
        for index, node in enumerate(graph["nodes"]):
            self.values.append(self.translate(index, node))

    def constant(self, values, kind=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def node(self, kind, *inputs, **attributes):
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def channels(self, name):
        return self.constant(self.weights[name].reshape(1, -1, 1, 1))

    def size_of(self, value):
        shape = self.node("Shape", value)
        return self.node("Slice", shape, self.constant([2], np.int64), self.constant([4], np.int64))

    def pad(self, x, sides, mode, value=0.0):
        top, bottom, left, right = sides
        if not any(sides):
            return x
        pads = self.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
        return self.node("Pad", x, pads, self.constant(value), mode=mode)

    def resize(self, x, size, mode, grid):
        full = self.node(
            "Concat",
            self.node(
                "Slice",
                self.node("Shape", x),
                self.constant([0], np.int64),
                self.constant([2], np.int64),
            ),
            size,
            axis=0,
        )
        corners = "align_corners" if grid == "Corners" else "half_pixel"
        where = "asymmetric" if mode == "nearest" else corners
        extra = {"nearest_mode": "floor"} if mode == "nearest" else {}
        return self.node(
            "Resize", x, "", "", full, mode=mode, coordinate_transformation_mode=where, **extra
        )

    def times(self, x, times):
        return self.node("Mul", self.size_of(x), self.constant([times, times], np.int64))

    def conv(self, conv, x):
        weight = self.weights[conv["weight"]]
        if conv["layout"] == "OutIn":
            weight = weight.reshape(*weight.shape, 1, 1)
        if conv["layout"] == "InOut":
            weight = weight.T.reshape(weight.shape[1], weight.shape[0], 1, 1)
        top, bottom, left, right = conv["pad"]
        if conv["edge"] != "Zero":
            mode = {"Reflect": "reflect", "Replicate": "edge"}[conv["edge"]]
            x = self.pad(x, conv["pad"], mode)
            top = bottom = left = right = 0
        inputs = [x, self.constant(weight)]
        if conv["bias"]:
            inputs.append(self.constant(self.weights[conv["bias"]]))
        attributes = {
            "strides": [conv["stride"]] * 2,
            "dilations": [conv["dilation"]] * 2,
            "group": conv["groups"],
            "pads": [top, left, bottom, right],
            "kernel_shape": conv["kernel"],
        }
        if conv["transposed"]:
            return self.node(
                "ConvTranspose", *inputs, output_padding=[conv["output_pad"]] * 2, **attributes
            )
        return self.node("Conv", *inputs, **attributes)

    def act(self, act, x):
        if isinstance(act, dict):
            return self.node("LeakyRelu", x, alpha=act["Leaky"])
        if act == "Relu6":
            return self.node("Clip", x, self.constant(0.0), self.constant(6.0))
        if act == "HardSigmoid":
            return self.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        kinds = {"Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "HardSwish": "HardSwish"}
        return self.node({**kinds, "Elu": "Elu"}[act], x)

    def translate(self, index, node):
        op, inputs = node["op"], [self.values[value] for value in node["inputs"]]
        kind, given = (op, {}) if isinstance(op, str) else next(iter(op.items()))
        x = inputs[0] if inputs else None
        if kind == "Input":
            self.inputs.append((f"x{index}", node["channels"]))
            return f"x{index}"
        if kind == "Conv":
            return self.conv(given, x)
        if kind == "Act":
            return self.act(given, x)
        if kind == "PRelu":
            slope = self.weights[given["slope"]].reshape(-1, 1, 1)
            return self.node("PRelu", x, self.constant(slope))
        if kind == "BatchNorm":
            leaves = ["weight", "bias", "running_mean", "running_var"]
            values = [self.constant(self.weights[f"{given['name']}.{leaf}"]) for leaf in leaves]
            return self.node("BatchNormalization", x, *values, epsilon=given["eps"])
        if kind == "InstanceNorm":
            ones = np.ones(node["channels"], np.float32)
            names = given["affine"]
            scale = self.weights[names[0]] if names else ones
            shift = self.weights[names[1]] if names else ones * 0
            normal = self.node(
                "InstanceNormalization",
                x,
                self.constant(scale),
                self.constant(shift),
                epsilon=given["eps"],
            )
            if len(inputs) < 3:
                return normal
            return self.node("Add", self.node("Mul", normal, inputs[1]), inputs[2])
        if kind == "Scale":
            scaled = self.node("Mul", x, self.constant(given["factor"]))
            return self.node("Add", scaled, self.constant(given["offset"]))
        if kind == "Clamp":
            return self.node("Clip", x, self.constant(given["low"]), self.constant(given["high"]))
        if kind in ("Add", "Sub", "Mul"):
            return self.node(kind, *inputs)
        if kind == "AddScaled":
            return self.node("Add", self.node("Mul", x, self.constant(given)), inputs[1])
        if kind == "Concat":
            return self.node("Concat", *inputs, axis=1)
        if kind == "Slice":
            ends = [given["from"], given["from"] + given["len"]]
            parts = [self.constant([end], np.int64) for end in ends]
            return self.node("Slice", x, *parts, self.constant([1], np.int64))
        if kind == "PadChannels":
            pads = self.constant([0, 0, 0, 0, 0, given, 0, 0], np.int64)
            return self.node("Pad", x, pads, self.constant(0.0))
        if kind == "Nearest":
            return self.resize(x, self.times(x, given["times"]), "nearest", None)
        if kind == "Bilinear":
            target = given["target"]
            if target == "Like":
                size = self.size_of(inputs[1])
            elif "Times" in target:
                size = self.times(x, target["Times"])
            else:
                size = self.constant(target["Fixed"], np.int64)
            return self.resize(x, size, "linear", given["grid"])
        if kind in ("MaxPool", "AvgPool"):
            top, bottom, left, right = given["pad"]
            attributes = {
                "kernel_shape": [given["side"]] * 2,
                "strides": [given["stride"]] * 2,
                "pads": [top, left, bottom, right],
            }
            name = "MaxPool" if kind == "MaxPool" else "AveragePool"
            return self.node(name, x, **attributes)
        if kind == "GlobalMean":
            return self.node("GlobalAveragePool", x)
        if kind == "PixelShuffle":
            return self.node("DepthToSpace", x, blocksize=given, mode="CRD")
        if kind == "PixelUnshuffle":
            # SpaceToDepth puts the offsets before the channels; turn them round.
            side, channels = given, node["channels"] // given**2
            deep = self.node("SpaceToDepth", x, blocksize=side)
            order = [d * channels + c for c in range(channels) for d in range(side**2)]
            return self.node("Gather", deep, self.constant(order, np.int64), axis=1)
        if kind == "Pad":
            mode = {"Zero": "constant", "Reflect": "reflect", "Replicate": "edge"}[given["edge"]]
            return self.pad(x, given["pad"], mode)
        if kind == "Spread":
            return self.node("Expand", x, self.node("Shape", self.one_channel(inputs[1])))
        raise NotImplementedError(kind)

    def one_channel(self, value):
        ends = [self.constant([end], np.int64) for end in (0, 1)]
        return self.node("Slice", value, *ends, self.constant([1], np.int64))

    def model(self):
        def info(name, channels):
            return helper.make_tensor_value_info(
                name, TensorProto.FLOAT, [1, channels, None, None]
            )

        outputs = [self.values[value] for value in self.graph["outputs"]]
        graph = helper.make_graph(
            self.nodes,
            "network",
            [info(name, channels) for name, channels in self.inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=9)


def run(program, *words):
    return json.loads(subprocess.run([program, *words], check=True, capture_output=True).stdout)


# Of one network in one round, by each program.
COUNTED_SECONDS = 0.5
MOST_RUNS = 100


def compare(program, name, side, threads, rounds):
    weights_file = ROOT / "models" / name / "weights.safetensors"
    facts = run(program, "models", "inspect", str(weights_file), "--json", "--graph")
    stored = read_weights(weights_file)
    weights = {official: stored[own] for official, own in facts["names"].items()}
    translator = Translator(facts["graph"], weights)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        translator.model().SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    words = ["bench", "--network", name, "--side", str(side), "--json", "--device", "cpu"]
    probe = run(program, *words, "--runs", "1")["seconds"]
    runs = max(1, min(MOST_RUNS, round(COUNTED_SECONDS / probe)))
    ours, theirs, shape = [], [], None
    for _ in range(rounds):
        answer = run(program, *words, "--runs", str(runs))
        ours.append(answer["seconds"])
        shape = answer["input"]
        feeds = {}
        for index, (key, channels) in enumerate(translator.inputs):
            is_picture = index == 0 or facts["purpose"] == "inpaint"
            sides = shape[2:] if is_picture else [1, 1]
            count = channels * sides[0] * sides[1]
            values = (np.arange(count) * 37 % 251).astype(np.float32) / 250
            feeds[key] = values.reshape(1, channels, *sides)
        session.run(None, feeds)
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            session.run(None, feeds)
            times.append(time.perf_counter() - started)
        theirs.append(statistics.median(times))
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {
        "name": name,
        "input": shape,
        "ours_s": mine,
        "onnxruntime_s": other,
        "ratio": mine / other,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ganvas", default=str(ROOT / "target/release/ganvas"))
    parser.add_argument("--side", type=int, default=128, help="of pictures of any size")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    os.environ["GANVAS_MODELS"] = str(ROOT / "models")
    names = args.models or sorted(path.parent.name for path in ROOT.glob("models/*/model.toml"))
    rows = []
    for name in names:
        try:
            row = compare(args.ganvas, name, args.side, args.threads, args.rounds)
        except NotImplementedError as missing:
            # Generators of codes have a script of their own.
            print(f"{name}: {missing} is not translated", file=sys.stderr)
            continue
        rows.append(row)
        if not args.json:
            text = "{name:32} {input!s:20} {ours_s:8.3f} s {onnxruntime_s:8.3f} s {ratio:6.2f}"
            print(text.format(**row), flush=True)
    if args.json:
        json.dump(rows, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
