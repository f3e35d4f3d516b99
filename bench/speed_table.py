#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Float32 against int8 on all nine networks, batch 1 and 16: a Markdown table and the raw JSON results.

    bench/speed_table.py [--binary build/gpu_eval] [--output bench/results/NAME] [--duration SECONDS] [--threads N]

Random weights (speed does not depend on their values); gpu_eval alternates the two precisions within each run.
"""
import argparse
import json
import os
import subprocess
import sys

NETWORKS = [("vgg16", None), ("resnet50", None), ("inceptionv3", None), ("xception", None), ("mobilenet", "1.0"),
            ("mobilenet", "0.75"), ("mobilenet", "0.5"), ("mobilenet", "0.25"), ("squeezenet", None)]


def measure(options, model, alpha, batch):
    label = model + (f"_{alpha}" if alpha else "")
    path = os.path.join(options.output, f"{label}_batch{batch}.json")
    command = [options.binary, "--model", model, "--weights", "random", "--mode", "speed", "--precision",
               "float32,int8", "--batch", str(batch), "--duration", str(options.duration), "--json", path]
    if alpha:
        command += ["--alpha", alpha]
    if options.threads:
        command += ["--threads", str(options.threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 4):
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    with open(path) as file:
        return label, json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/gpu_eval")
    parser.add_argument("--output", default="bench/results/speed")
    parser.add_argument("--duration", type=float, default=5)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)

    lines = ["| network | batch | float32 images/s | int8 images/s | float32 p50 ms | int8 p50 ms | int8 / float32 (p50) |",
             "|---|---|---|---|---|---|---|"]
    result = None
    for model, alpha in NETWORKS:
        for batch in (1, 16):
            label, result = measure(options, model, alpha, batch)
            speed = [run["speed"] for run in result["runs"]]
            p50 = [s["latency_ms"]["p50"] for s in speed]
            rate = [s["images_per_second"] for s in speed]
            lines.append(f"| {label} | {batch} | {rate[0]:.1f} | {rate[1]:.1f} | {p50[0]:.3f} | {p50[1]:.3f} | "
                         f"{p50[0] / p50[1]:.2f} |")
            print(lines[-1], flush=True)
    host = result["host"]
    head = [f"Command: `bench/speed_table.py --duration {options.duration:g}`. Host: {json.dumps(host)}", ""]
    with open(os.path.join(options.output, "table.md"), "w") as file:
        file.write("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main()
