#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch (cuDNN, channels last, batch norm folded, CUDA graph) on the nine networks, by gpu_eval's timing rules.

    bench/peers_gpu/torch_bench.py --json torch.json [--networks resnet50,...] [--batch 1,8,64] [--precision float16]
    bench/peers_gpu/torch_bench.py --check build/gpu_eval      # same parameters and multiply-adds as `gpu_eval list models`

float32 is strict (no TF32), tf32 allows TF32 in convolutions and matrix products, float16 is pure half precision. Every
latency is one forward pass that the host waits for; the input stays on the device, as in gpu_eval --mode speed. Warm-up,
then samples until both --duration and --iterations are reached. cudnn.benchmark picks each layer's algorithm.
"""
import argparse
import contextlib
import json
import re
import subprocess
import sys
import time

import torch

from networks import NETWORKS, multiply_adds, parameter_count, prepared

PRECISIONS = {"float32": torch.float32, "tf32": torch.float32, "float16": torch.float16}


def percentile(ordered, percent):
    """The smallest value with at least that share at or below it."""
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def captured(network, images):
    """The forward pass as a CUDA graph: a function that replays it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            network(images)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(images)
    return graph.replay


def measure(step, wait, options):
    begin = time.perf_counter()
    while time.perf_counter() - begin < options.warm_up / 1000:
        step()
        wait()
    samples = []
    begin = time.perf_counter()
    while len(samples) < options.iterations or time.perf_counter() - begin < options.duration:
        start = time.perf_counter()
        step()
        wait()
        samples.append(time.perf_counter() - start)
    return samples, time.perf_counter() - begin


def run(name, precision, batch, graph, options):
    device = torch.device(options.device)
    allow_tf32(precision == "tf32")
    network, size = prepared(name, device, PRECISIONS[precision])
    images = torch.randn(batch, 3, size, size, device=device, dtype=PRECISIONS[precision])
    images = images.contiguous(memory_format=torch.channels_last)
    cuda = device.type == "cuda"
    row = {"network": name, "precision": precision, "batch": batch, "cuda_graph": graph}
    try:
        with torch.inference_mode():
            out = network(images)
            if out.shape != (batch, 1000):
                raise RuntimeError(f"output of shape {tuple(out.shape)}")
            step = captured(network, images) if graph else lambda: network(images)
            samples, total = measure(step, torch.cuda.synchronize if cuda else lambda: None, options)
    except RuntimeError as error:
        return {**row, "error": str(error).splitlines()[0]}
    ordered = sorted(1000 * sample for sample in samples)
    return {**row, "samples": len(samples), "images_per_second": batch * len(samples) / total,
            "latency_ms": {"mean": sum(ordered) / len(ordered), "min": ordered[0], "max": ordered[-1],
                           "p50": percentile(ordered, 50), "p90": percentile(ordered, 90),
                           "p99": percentile(ordered, 99)}}


def check(program):
    """Compares with `gpu_eval list models`; the number of differences."""
    text = subprocess.run([program, "list", "models"], check=True, stdout=subprocess.PIPE, text=True).stdout
    ours = {}
    for line in text.splitlines():
        found = re.match(r"(\w+)\s+([\d.]+)?\s+\d+x\d+\s+([\d,]+)\s+([\d,]+)\s", line)
        if found:
            model, alpha, parameters, adds = found.groups()
            name = f"{model}_{float(alpha)}" if alpha else model
            ours[name] = (int(parameters.replace(",", "")), int(adds.replace(",", "")))
    wrong = 0
    for name, (build, _) in NETWORKS.items():
        with torch.device("meta"):
            theirs = (parameter_count(build()), multiply_adds(name))
        same = ours.get(name) == theirs
        wrong += not same
        print(f"{name:<15} parameters {theirs[0]:>11,} multiply-adds {theirs[1]:>14,} "
              f"{'equal' if same else f'gpu_eval has {ours.get(name)}'}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--precision", default="float32,tf32,float16")
    parser.add_argument("--batch", default="1,8,64,256")
    parser.add_argument("--warm-up", type=float, default=200, help="milliseconds")
    parser.add_argument("--duration", type=float, default=0.5, help="seconds of samples, at least")
    parser.add_argument("--iterations", type=int, default=10, help="samples, at least")
    parser.add_argument("--budget", type=float, default=0, help="seconds after which no further row is started; 0: none")
    parser.add_argument("--json")
    parser.add_argument("--check", metavar="GPU_EVAL")
    options = parser.parse_args()
    if options.check:
        return 1 if check(options.check) else 0
    names = options.networks.split(",")
    precisions = options.precision.split(",")
    unknown = [word for word in names if word not in NETWORKS] + [p for p in precisions if p not in PRECISIONS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    if options.device == "cuda" and not torch.cuda.is_available():
        print("torch_bench.py: this torch sees no CUDA device", file=sys.stderr)
        return 5
    torch.backends.cudnn.benchmark = True

    result = {"torch": torch.__version__, "cuda": torch.version.cuda, "device": options.device,
              "command": " ".join(sys.argv), "rows": [], "not_started": []}
    if options.device == "cuda":
        result["gpu"] = torch.cuda.get_device_name()
        result["cudnn"] = torch.backends.cudnn.version()
    begin = time.perf_counter()
    for batch in (int(word) for word in options.batch.split(",")):
        for name in names:
            for precision in precisions:
                # Batch 1 is where launches weigh: with and without a graph.
                for graph in ((False, True) if batch == 1 else (True,)) if options.device == "cuda" else (False,):
                    label = f"{name} {precision} batch {batch}{' graph' if graph else ''}"
                    if options.budget and time.perf_counter() - begin > options.budget:
                        result["not_started"].append(label)
                        continue
                    row = run(name, precision, batch, graph, options)
                    result["rows"].append(row)
                    shown = row.get("error") or f"{row['latency_ms']['p50']:.3f} ms, {row['images_per_second']:.0f} images/s"
                    print(f"{label}: {shown}", file=sys.stderr, flush=True)
                    if options.device == "cuda":
                        torch.cuda.empty_cache()
    text = json.dumps(result, indent=1)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
