#!/usr/bin/env python3
"""Times the upscalers of models/ beside onnxruntime, on the same input and number of threads.

    benches/peers/upscale.py [--ganvas PROGRAM] [--side PIXELS] [--threads N] [--runs N] [MODEL…]

Needs the Python packages numpy, onnx and onnxruntime. The ONNX graphs are built here from the same
weights, so that both programs compute the same function; what they compute is compared on no
picture, only timed. A row: the model, seconds of each, and theirs divided by ours: above 1 we are
the faster.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
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


class Graph:
    """Collects ONNX nodes; each method answers the name of its result."""

    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], {}

    def node(self, kind, *inputs, **attributes):
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name, values):
        self.constants[name] = numpy_helper.from_array(np.asarray(values, np.float32), name)
        return name

    def conv(self, x, name):
        inputs = [x, self.constant(f"{name}.weight", self.weights[f"{name}.weight"])]
        if f"{name}.bias" in self.weights:
            inputs.append(self.constant(f"{name}.bias", self.weights[f"{name}.bias"]))
        return self.node("Conv", *inputs, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def leaky(self, x):
        return self.node("LeakyRelu", x, alpha=0.2)

    def scaled_sum(self, residual, x):
        return self.node("Add", self.node("Mul", residual, self.constant("fifth", 0.2)), x)

    def enlarge(self, x, factor):
        scales = self.constant(f"enlarge{factor}", [1, 1, factor, factor])
        return self.node(
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def model(self, output):
        def picture(name):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None])

        self.nodes.append(helper.make_node("Identity", [output], ["large"]))
        graph = helper.make_graph(
            self.nodes, "upscaler", [picture("small")], [picture("large")], self.constants.values()
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def srvgg(weights, scale):
    """SRVGGNetCompact: convolutions and slopes alternate, the last convolution is shuffled."""
    graph, x = Graph(weights), "small"
    last = max(int(name.split(".")[1]) for name in weights)
    for index in range(0, last + 1, 2):
        x = graph.conv(x, f"body.{index}")
        slope = weights.get(f"body.{index + 1}.weight")
        if slope is not None:
            slopes = graph.constant(f"slope{index}", slope.reshape(-1, 1, 1))
            x = graph.node("PRelu", x, slopes)
    x = graph.node("DepthToSpace", x, blocksize=scale, mode="CRD")
    return graph.model(graph.node("Add", x, graph.enlarge("small", scale)))


def rrdbnet(weights, scale):
    """RRDBNet with two doublings, as its ×4 checkpoints have."""
    if scale != 4:
        raise SystemExit(f"only ×4 networks are built here, not ×{scale}")
    graph = Graph(weights)
    first = x = graph.conv("small", "conv_first")
    blocks = 1 + max(int(n.split(".")[1]) for n in weights if n.startswith("body."))
    for block in range(blocks):
        outer = x
        for dense in (1, 2, 3):
            inner, grown = x, [x]
            for index in range(1, 5):
                joined = graph.node("Concat", *grown, axis=1) if len(grown) > 1 else x
                name = f"body.{block}.rdb{dense}.conv{index}"
                grown.append(graph.leaky(graph.conv(joined, name)))
            joined = graph.node("Concat", *grown, axis=1)
            x = graph.scaled_sum(graph.conv(joined, f"body.{block}.rdb{dense}.conv5"), inner)
        x = graph.scaled_sum(x, outer)
    x = graph.node("Add", graph.conv(x, "conv_body"), first)
    for name in ("conv_up1", "conv_up2"):
        x = graph.leaky(graph.conv(graph.enlarge(x, 2), name))
    return graph.model(graph.conv(graph.leaky(graph.conv(x, "conv_hr")), "conv_last"))


BUILDERS = {"SRVGGNetCompact": srvgg, "RRDBNet": rrdbnet}


def manifest(folder):
    """The top-level strings and numbers of a model.toml: all that is needed here."""
    facts = {}
    for line in (folder / "model.toml").read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("["):
            facts[key.strip()] = value.strip().strip('"')
    return facts


def median(runs, work):
    work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return sorted(times)[len(times) // 2]


def time_theirs(folder, facts, side, threads, runs):
    weights = read_weights(folder / facts["weights"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    graph = BUILDERS[facts["architecture"]](weights, int(facts["scale"]))
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(1).random((1, 3, side, side), np.float32)
    return median(runs, lambda: session.run(None, {"small": picture}))


def time_ours(program, model, side, threads, runs):
    command = [program, "bench", "--json", "--device", "cpu", "--network", model]
    command += ["--side", str(side), "--runs", str(runs)]
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    environment.setdefault("GANVAS_MODELS", str(ROOT / "models"))
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return json.loads(done.stdout)["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--ganvas", default=str(ROOT / "target/release/ganvas"))
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    chosen = args.models or sorted(path.parent.name for path in ROOT.glob("models/*/model.toml"))
    print(f"{args.side}×{args.side}, {args.threads} threads, median of {args.runs}, seconds")
    print(f"{'model':<28} {'ganvas':>8} {'onnxruntime':>12} {'ratio':>6}")
    for model in chosen:
        folder = ROOT / "models" / model
        facts = manifest(folder)
        if facts.get("architecture") not in BUILDERS:
            print(f"{model:<28} skipped: no graph for {facts.get('architecture')}", file=sys.stderr)
            continue
        ours = time_ours(args.ganvas, model, args.side, args.threads, args.runs)
        theirs = time_theirs(folder, facts, args.side, args.threads, args.runs)
        print(f"{model:<28} {ours:8.3f} {theirs:12.3f} {theirs / ours:6.2f}")


if __name__ == "__main__":
    main()
