#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What would a zero point bring to int8 activations? A simulation outside the engine, for docs/quantization.md.

The float32 ONNX of a network runs in ONNX Runtime with its weights rounded to int8 (a scale per output channel) and with
QuantizeLinear/DequantizeLinear at exactly the tensors that `gpu_eval export --precision int8` rounds. Tensors that cannot be
negative are u8 from 0 in every row; the others are

  none        s8, symmetric, as the engine has them,
  functions   u8 with a zero point where the tensor's lower bound is known from its function (SiLU, hard-swish, ...
              and what sigmoids, pools and moves make of such), else s8,
  all         u8 with a zero point.

Ranges: the smallest and largest value, or ends of least squared error (`mse`). `+ bias`: after each convolution its mean error
of each channel over the calibration images goes into the bias, layer by layer, as the recipe does.

    python bench/zero_points/zero_points.py --gpu-eval build/gpu_eval --data ../shared/data --swish FOLDER \\
        lite0 mobilenet squeezenet deeplab ssd swish_silu swish_hard_silu nets/EfficientNetB0.keras

--swish: what train_swish.py wrote. Packages: those of ../peers/quantize_peers.py.
"""
import argparse
import os
import tempfile
import time

import numpy as np
import onnx

import subjects
from network import Arm, Network, simulate

ARMS = [Arm(mse, offset, bias) for mse, bias in ((False, False), (True, False), (True, True))
        for offset in ("none", "functions", "all")]


def decibels(exact, found):
    return 10 * np.log10(np.sum(np.square(exact, dtype=np.float64)) / np.sum(np.square(exact - found, dtype=np.float64)))


def centred(logits):
    return logits - logits.mean(-1, keepdims=True)


def figures(subject, exact, found):
    """Of each output SQNR and, of classifiers, agreement of the last axis's largest, and top-1 where there are labels."""
    cells = []
    for a, b in zip(exact, found):
        several = subject.classifies and a.shape[-1] > 2
        cells.append(f"{decibels(centred(a), centred(b)) if several else decibels(a, b):.2f}")
        if subject.classifies:
            cells.append(f"{np.mean(a.argmax(-1) == b.argmax(-1)):.4f}")
        if subject.labels is not None:
            cells.append(f"{np.mean(b.argmax(-1) == subject.labels):.4f}")
    return " | ".join(cells)


def head(subject, outputs):
    wanted = ["SQNR dB"] + ["agreement"] * subject.classifies + ["top-1"] * (subject.labels is not None)
    return [f"{name}: {word}" if len(outputs) > 1 else word for name in outputs for word in wanted]


def measure(args, subject, folder):
    network = Network(args.gpu_eval, subject, folder)
    exact = network.run(network.float_model, subject.judged)
    top1 = "" if subject.labels is None else f", float32 top-1 {np.mean(exact[0].argmax(-1) == subject.labels):.4f}"
    signed = [p for p in network.places.values() if p.signed]
    print(f"\n{subject.name}: {len(subject.calibration)} images calibrate, {len(subject.judged)} judged{top1}; "
          f"{len(network.places)} tensors, {len(signed)} signed, {sum(p.bounded for p in signed)} bounded below by a function",
          flush=True)
    heads = ["range", "zero point"] + head(subject, [o.name for o in network.graph.output])
    print(f"| {' | '.join(heads)} |\n|" + "---|" * len(heads), flush=True)
    for arm in ARMS:
        if arm.offset == "functions" and not any(p.bounded for p in signed):
            continue
        model = simulate(network, subject.calibration, arm)
        print(f"| {arm.range_name} | {arm.offset} | {figures(subject, exact, network.run(model, subject.judged))} |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--data", default=os.environ.get("GPUEVAL_DATA", "../shared/data"))
    parser.add_argument("--swish", default="", help="folder of train_swish.py")
    parser.add_argument("--calibration-images", type=int, default=64)
    parser.add_argument("--images", type=int, default=10000, help="judged at most")
    parser.add_argument("subjects", nargs="+")
    args = parser.parse_args()
    print(f"onnx {onnx.__version__}")
    for name in args.subjects:
        before = time.time()
        with tempfile.TemporaryDirectory() as folder:
            measure(args, subjects.load(args, name), folder)
        print(f"({time.time() - before:.0f} s)")


if __name__ == "__main__":
    main()
