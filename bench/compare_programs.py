#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of two builds of gpu_eval, taking turns: is the second slower?

    bench/compare_programs.py BEFORE AFTER --json out.json

Every network (random weights) with every batch, float32 and int8 (maxabs), --rounds times BEFORE, AFTER, AFTER, BEFORE;
prints the median images/s of each, and the median over rounds of AFTER's share of BEFORE's. Nothing else should run
meanwhile.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

NETWORKS = ["vgg16", "resnet50", "inceptionv3", "xception", "mobilenet", "mobilenet 0.75", "mobilenet 0.5",
            "mobilenet 0.25", "squeezenet"]


def images_per_second(program, network, batch, seconds):
    """{"float32": ..., "int8": ...}"""
    name, _, alpha = network.partition(" ")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "r.json")
        subprocess.run([program, "--model", name, *(["--alpha", alpha] if alpha else []), "--weights", "random", "--mode",
                        "speed", "--batch", str(batch), "--scheme", "maxabs", "--warm-up", "100", "--duration",
                        str(seconds), "--iterations", "3", "--json", path], stdout=subprocess.DEVNULL)
        with open(path, encoding="utf-8") as file:
            runs = json.load(file)["runs"]
    return {run["precision"]: run["speed"]["images_per_second"] for run in runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--json")
    chosen = parser.parse_args()
    rows = []
    print(f"{'network':15} {'batch':>5} {'precision':9} {'before':>9} {'after':>9} {'ratio':>6}")
    for network in chosen.networks:
        for batch in chosen.batches:
            runs = {"before": [], "after": []}
            for _ in range(chosen.rounds):
                for which in ("before", "after", "after", "before"):
                    runs[which].append(images_per_second(getattr(chosen, which), network, batch, chosen.seconds))
            for precision in ("float32", "int8"):
                rates = {which: [run[precision] for run in of] for which, of in runs.items()}
                ratios = [after / before for before, after in zip(rates["before"], rates["after"])]
                row = {"network": network, "batch": batch, "precision": precision, **rates,
                       "ratio": statistics.median(ratios)}
                rows.append(row)
                print(f"{network:15} {batch:5} {precision:9} {statistics.median(rates['before']):9.2f} "
                      f"{statistics.median(rates['after']):9.2f} {row['ratio']:6.3f}", flush=True)
    print(f"median of {len(rows)} ratios: {statistics.median(row['ratio'] for row in rows):.3f}")
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump({"machine": platform.processor() or platform.machine(), "rows": rows}, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
