#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch (cuDNN, channels last, batch norm folded, CUDA graph) on the nine networks, by gpu_eval's timing rules.

    bench/peers_gpu/torch_bench.py --json torch.json [--networks resnet50,...] [--batch 1,8,64] [--precision float16]
    bench/peers_gpu/torch_bench.py --check build/gpu_eval      # same parameters and multiply-adds as `gpu_eval list models`

float32 is strict (no TF32), tf32 allows TF32 in convolutions and matrix products, float16 is pure half precision. A
latency is that of the pass alone, between two events of the device, on images that are there already; for the batches of
--transfers there is a second row, the host's time of copying float32 images to the device, the pass, and copying float32
logits back (gpu_eval --include-data-transfers). Warm-up, then samples until both --duration and --iterations are reached.
cudnn.benchmark picks each layer's algorithm. --json is written after every row.
"""
import argparse
import contextlib
import json
import os
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


def graph_events():
    """Two events that a captured graph records itself; none where this torch is too old for them."""
    try:
        return tuple(torch.cuda.Event(enable_timing=True, external=True) for _ in range(2))
    except TypeError:
        return None


def captured(network, images, events=None):
    """The forward pass, between the events, as a CUDA graph: a function that replays it and returns the logits' place."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            network(images)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        if events:
            events[0].record()
        logits = network(images)
        if events:
            events[1].record()

    def replay():
        graph.replay()
        return logits

    return replay


def device_clock(step, events=None):
    """Seconds of one step between two events, as gpu_eval's: those of its graph, or begin, launches, end on one stream."""
    begin, end = events or (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def timed():
        if not events:
            begin.record()
        step()
        if not events:
            end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / 1000

    return timed


def host_clock(step):
    def timed():
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    return timed


def with_transfers(step, images):
    """As gpu_eval --include-data-transfers: float32 images by way of pinned memory to the device, the pass, logits back."""
    pin = images.is_cuda
    source = torch.randn(images.shape).contiguous(memory_format=torch.channels_last)
    pinned = torch.empty_like(source, pin_memory=pin)
    arrived = images if images.dtype == torch.float32 else torch.empty_like(source, device=images.device)
    pinned_logits = torch.empty(images.shape[0], 1000, pin_memory=pin)
    logits = torch.empty_like(pinned_logits, pin_memory=False)

    def run_all():
        pinned.copy_(source)
        arrived.copy_(pinned, non_blocking=True)
        if arrived is not images:
            images.copy_(arrived)
        pinned_logits.copy_(step().float(), non_blocking=True)
        if pin:
            torch.cuda.synchronize()
        logits.copy_(pinned_logits)
        return logits

    return run_all


def measure(timed, options):
    """Samples in seconds; what counts as time spent is the samples' sum, as in gpu_eval."""
    warm = 0.0
    while warm < options.warm_up / 1000:
        warm += timed()
    samples, total = [], 0.0
    while len(samples) < options.iterations or total < options.duration:
        samples.append(timed())
        total += samples[-1]
    return samples


def summarized(samples, batch):
    ordered = sorted(1000 * sample for sample in samples)
    return {"samples": len(samples), "images_per_second": batch * len(samples) / sum(samples),
            "latency_ms": {"mean": sum(ordered) / len(ordered), "min": ordered[0], "max": ordered[-1],
                           "p50": percentile(ordered, 50), "p90": percentile(ordered, 90),
                           "p99": percentile(ordered, 99)}}


def run(name, precision, batch, graph, options):
    """One row for the pass alone, and one with the copies where they are asked for."""
    device = torch.device(options.device)
    allow_tf32(precision == "tf32")
    network, size = prepared(name, device, PRECISIONS[precision])
    images = torch.randn(batch, 3, size, size, device=device, dtype=PRECISIONS[precision])
    images = images.contiguous(memory_format=torch.channels_last)
    cuda = device.type == "cuda"
    row = {"network": name, "precision": precision, "batch": batch, "cuda_graph": graph, "includes_transfers": False,
           "clock": "device" if cuda else "host"}
    rows = []
    try:
        with torch.inference_mode():
            out = network(images)
            if out.shape != (batch, 1000):
                raise RuntimeError(f"output of shape {tuple(out.shape)}")
            events = graph_events() if graph else None
            step = captured(network, images, events) if graph else lambda: network(images)
            if graph and not events:
                row["clock"] = "device, with the graph's launch"
            clock = device_clock(step, events) if cuda else host_clock(step)
            rows.append({**row, **summarized(measure(clock, options), batch)})
            if batch in options.transfers and graph:
                row = {**row, "includes_transfers": True, "clock": "host"}
                rows.append({**row, **summarized(measure(host_clock(with_transfers(step, images)), options), batch)})
    except RuntimeError as error:
        rows.append({**row, "error": str(error).splitlines()[0]})
    return rows


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


def write(result, path):
    """Whole or not at all: a run that is stopped leaves the rows so far."""
    if path:
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(json.dumps(result, indent=1) + "\n")
        os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--precision", default="float32,tf32,float16")
    parser.add_argument("--batch", default="1,8,64,256")
    parser.add_argument("--transfers", default="", help="of these batches (1,64) also with the copies, graph only")
    parser.add_argument("--warm-up", type=float, default=200, help="milliseconds")
    parser.add_argument("--duration", type=float, default=0.5, help="seconds of samples, at least")
    parser.add_argument("--iterations", type=int, default=10, help="samples, at least")
    parser.add_argument("--budget", type=float, default=0, help="seconds after which no further row is started; 0: none")
    parser.add_argument("--json")
    parser.add_argument("--check", metavar="GPU_EVAL")
    options = parser.parse_args()
    if options.check:
        return 1 if check(options.check) else 0
    options.transfers = [int(word) for word in options.transfers.split(",") if word]
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
                    for row in run(name, precision, batch, graph, options):
                        result["rows"].append(row)
                        shown = row.get("error") or (f"{row['latency_ms']['p50']:.3f} ms, "
                                                     f"{row['images_per_second']:.0f} images/s")
                        copies = " with copies" if row["includes_transfers"] else ""
                        print(f"{label}{copies}: {shown}", file=sys.stderr, flush=True)
                    write(result, options.json)
                    if options.device == "cuda":
                        torch.cuda.empty_cache()
    if options.json:
        write(result, options.json)
    else:
        print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
