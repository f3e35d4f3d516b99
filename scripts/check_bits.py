#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of the logits of the built-in networks, before and after a change that must not move a bit.

    scripts/check_bits.py build/gpu_eval --write before.json     # at the commit that a redesign starts from
    scripts/check_bits.py build/gpu_eval --table before.json     # after it; exit code 1 and a line for each difference
    scripts/check_bits.py --join all.json one.json two.json      # tables of the same program and CPU as one

Each network runs in float32 and int8 (reference, maxabs, best) at every instruction-set level that this CPU has: random
weights and twelve small pictures of tests/golden, three of them for calibration, or, where $GPUEVAL_DATA has them, real
weights and 64 photographs (MobileNet 0.25, SqueezeNet). float32, and what is calibrated with it, differs between
machines and versions of oneDNN: on another CPU than the table's nothing is compared ("skipped: ..."). --networks and
--levels choose by name.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

PICTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden", "data")
NAMES = ["cmyk", "color411", "color420", "color422", "color440", "color444", "grey", "orientation1", "orientation6",
         "progressive", "restart", "ycck"]
RANDOM = ["vgg16", "resnet50", "inceptionv3", "xception", "mobilenet", "mobilenet_0.75", "mobilenet_0.5",
          "mobilenet_0.25", "squeezenet"]
REAL = ["mobilenet_0.25 real", "squeezenet real"]
LEVELS = ["portable", "avx2", "avx_vnni", "avx512_vnni", "amx"]
SCHEMES = ["reference", "maxabs", "best"]


def arguments(network, folder):
    """What to run, and on which pictures."""
    name, _, real = network.partition(" ")
    model, _, alpha = name.partition("_")
    chosen = ["--model", model] + (["--alpha", alpha] if alpha else [])
    if real or name == "demo":
        return chosen + ["--limit", "64"]
    return chosen + ["--weights", "random", "--data", os.path.join(folder, "pictures"), "--labels",
                     os.path.join(folder, "labels.txt")]


def logits(program, network, level, scheme, folder):
    """Label of each run -> SHA-256 of its logits; None where this CPU lacks the level."""
    result = os.path.join(folder, "result.json")
    command = [program, *arguments(network, folder), "--mode", "accuracy", "--scheme", scheme, "--json", result]
    done = subprocess.run(command, env=dict(os.environ, GPUEVAL_CPU_ISA=level), capture_output=True, text=True)
    if done.returncode != 0:
        if "GPUEVAL_CPU_ISA" in done.stderr:
            return None
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    with open(result, encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    return {run["scheme"] or run["precision"]: run["logits_sha256"] for run in runs}


def make_pictures(folder):
    os.mkdir(os.path.join(folder, "pictures"))
    for name in NAMES:
        shutil.copy(os.path.join(PICTURES, name + ".jpg"), os.path.join(folder, "pictures"))
    with open(os.path.join(folder, "labels.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}.jpg {label}\n" for label, name in enumerate(NAMES))


def measure(program, networks, levels):
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(folder)
        for network in networks:
            for level in levels:
                for scheme in SCHEMES:
                    found = logits(program, network, level, scheme, folder)
                    if found is None:
                        break
                    for run, sha256 in found.items():
                        rows[f"{network} {level} {run}"] = sha256
                    print(f"{network} {level} {scheme}", file=sys.stderr, flush=True)
    return rows


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())


def read_table(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_table(path, program, name, rows):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"program": program, "cpu": name, "logits_sha256": rows}, file, indent=1)
        file.write("\n")


def join(path, parts):
    tables = [read_table(part) for part in parts]
    origins = {(table["program"], table["cpu"]) for table in tables}
    if len(origins) != 1:
        sys.exit(f"tables of several programs or CPUs: {sorted(origins)}")
    rows = {row: sha256 for table in tables for row, sha256 in table["logits_sha256"].items()}
    write_table(path, *origins.pop(), rows)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--join", nargs="+", metavar="F.json")
    parser.add_argument("--write", metavar="F.json")
    parser.add_argument("--table", metavar="F.json")
    parser.add_argument("--networks", nargs="+", metavar="NAME")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    options = parser.parse_args()
    if options.join:
        return join(options.join[0], options.join[1:])
    if options.table and read_table(options.table)["cpu"] != cpu():
        print(f"skipped: {options.table} is of another CPU")
        return 0
    networks = options.networks or RANDOM + (REAL if os.environ.get("GPUEVAL_DATA") else [])
    rows = measure(options.program, networks, options.levels)
    if not rows:
        sys.exit("nothing was measured")
    if options.write:
        revision = subprocess.run([options.program, "--version"], capture_output=True, text=True, check=True).stdout
        write_table(options.write, revision.strip(), cpu(), rows)
    if not options.table:
        return 0
    before = read_table(options.table)["logits_sha256"]
    missing = [row for row in rows if row not in before]
    moved = [row for row in rows if row in before and before[row] != rows[row]]
    for row in missing:
        print(f"{row}: not in {options.table}")
    for row in moved:
        print(f"{row}: {before[row]} before, {rows[row]} now")
    print(f"{len(rows) - len(moved) - len(missing)} of {len(rows)} the same bits")
    return 1 if moved or missing else 0


if __name__ == "__main__":
    sys.exit(main())
