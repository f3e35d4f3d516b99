#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of the logits of the built-in networks, against a table of an earlier program.

    scripts/check_bits.py build/gpu_eval                     # against tests/golden/bits/table.json: exit code 1 and a
                                                             # line for each difference
    scripts/check_bits.py build/gpu_eval --write other.json  # make a table, or the rows that it lacks

Each network runs in float32 and int8 (reference, maxabs, best) at every instruction-set level that this CPU has: random
weights and twelve small pictures of tests/golden, three of them for calibration, or, where $GPUEVAL_DATA has them, real
weights and 64 photographs (MobileNet 0.25, SqueezeNet). --networks, --levels and --schemes choose by name.

Integer layers give the same bits on every CPU, float32 ones only with the same CPU, threads and version of oneDNN. On
another machine than the table's, int8 is therefore compared alone: `reference`, whose ranges are taken as it runs, and
`maxabs`, where tests/golden/bits has the ranges that the table's machine found (NETWORK.json). A level that the table
lacks must give what `portable` gave there.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
NAMES = ["cmyk", "color411", "color420", "color422", "color440", "color444", "grey", "orientation1", "orientation6",
         "progressive", "restart", "ycck"]
RANDOM = ["vgg16", "resnet50", "inceptionv3", "xception", "mobilenet", "mobilenet_0.75", "mobilenet_0.5",
          "mobilenet_0.25", "squeezenet"]
REAL = ["mobilenet_0.25 real", "squeezenet real"]
LEVELS = ["portable", "avx2", "avx_vnni", "avx512_vnni", "amx"]
SCHEMES = ["reference", "maxabs", "best"]


def call(program, *words, **environment):
    return subprocess.run([program, *words], env=dict(os.environ, **environment), capture_output=True, text=True)


def machine(program):
    """What the bits of float32 depend on: the CPU, and what oneDNN says of itself (version, threads, instruction set)."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        facts = dict(map(str.strip, line.split(":", 1)) for line in file if ":" in line)
    done = call(program, "--model", "demo", "--mode", "accuracy", "--precision", "float32", "--limit", "1", ONEDNN_VERBOSE="1")
    said = [line.split("info,", 1)[1] for line in done.stdout.splitlines() if "info,oneDNN v" in line or "info,cpu," in line]
    numbers = [f"{name} {facts[name]}" for name in ("cpu family", "model", "stepping", "cache size") if name in facts]
    return [facts.get("model name", platform.machine()), *numbers, *said]


def arguments(network, folder):
    """What to run, and on which pictures."""
    name, _, real = network.partition(" ")
    model, _, alpha = name.partition("_")
    chosen = ["--model", model] + (["--alpha", alpha] if alpha else [])
    if real:
        return chosen + ["--limit", "64"]
    return chosen + ["--weights", "random", "--data", os.path.join(folder, "pictures"), "--labels",
                     os.path.join(folder, "labels.txt")]


def ranges(network):
    return os.path.join(GOLDEN, "bits", network.replace(" ", "_") + ".json")


def logits(program, network, level, scheme, folder, saved):
    """Label of each run -> SHA-256 of its logits; None where this CPU lacks the level."""
    result = os.path.join(folder, "result.json")
    precisions = "float32,int8" if scheme == "maxabs" and not saved else "int8"
    words = [*arguments(network, folder), "--device", "cpu", "--mode", "accuracy", "--precision", precisions, "--scheme", scheme,
             "--json", result]
    if saved and scheme == "maxabs":
        words += ["--calibration-table", ranges(network)]
    done = call(program, *words, GPUEVAL_CPU_ISA=level)
    if done.returncode != 0:
        if "GPUEVAL_CPU_ISA" in done.stderr:
            return None
        sys.exit(f"{program} {' '.join(words)}: {done.stderr.strip()}")
    with open(result, encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    return {run["scheme"] or run["precision"]: run["logits_sha256"] for run in runs}


def make_pictures(folder):
    os.mkdir(os.path.join(folder, "pictures"))
    for name in NAMES:
        shutil.copy(os.path.join(GOLDEN, "data", name + ".jpg"), os.path.join(folder, "pictures"))
    with open(os.path.join(folder, "labels.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}.jpg {label}\n" for label, name in enumerate(NAMES))


def measure(program, networks, levels, schemes, saved=False, known=(), keep=lambda rows: None):
    """SHA-256 by row; `saved`: what is the same on every CPU. Rows that are `known` are not made again."""
    rows, lacking = {}, set()
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(folder)
        for network, scheme, level in [(n, s, l) for n in networks for s in schemes for l in levels]:
            absent = saved and (scheme == "best" or scheme == "maxabs" and not os.path.isfile(ranges(network)))
            if absent or level in lacking or f"{network} {level} {scheme}" in known:
                continue
            found = logits(program, network, level, scheme, folder, saved)
            if found is None:
                lacking.add(level)
                print(f"skipped: this CPU has no {level}")
                continue
            rows.update({f"{network} {level} {run}": digest for run, digest in found.items()})
            keep(rows)
            print(f"{network} {level} {scheme}", file=sys.stderr, flush=True)
    return rows


def read_table(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_table(path, program, networks, levels, schemes):
    table = {"program": call(program, "--version").stdout.strip(), "machine": machine(program), "logits_sha256": {}}
    if os.path.exists(path):
        before = read_table(path)
        if (before["program"], before["machine"]) != (table["program"], table["machine"]):
            sys.exit(f"{path} is of another program or machine")
        table = before

    def keep(rows):
        table["logits_sha256"].update(rows)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)
            file.write("\n")

    measure(program, networks, levels, schemes, known=set(table["logits_sha256"]), keep=keep)


def compare(path, program, networks, levels, schemes):
    table = read_table(path)
    saved = table["machine"] != machine(program)
    if saved:
        print(f"skipped: float32, and what is calibrated with it, of another machine than {os.path.basename(path)}'s")
    before, rows = table["logits_sha256"], measure(program, networks, levels, schemes, saved)
    wrong = 0
    for row, digest in rows.items():
        network, level, run = row.rsplit(" ", 2)
        expected = before.get(row) or (before.get(f"{network} portable {run}") if run != "float32" else None)
        if digest != expected:
            wrong += 1
            print(f"{row}: {expected} before, {digest} now" if expected else f"{row}: not in {path}")
    print(f"{len(rows) - wrong} of {len(rows)} the same bits")
    return 1 if wrong or not rows else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--write", metavar="F.json")
    parser.add_argument("--table", metavar="F.json", default=os.path.join(GOLDEN, "bits", "table.json"))
    parser.add_argument("--networks", nargs="+", metavar="NAME", choices=RANDOM + REAL,
                        default=RANDOM + (REAL if os.environ.get("GPUEVAL_DATA") else []))
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=None,
                        help="default: those of the table; with --write all")
    options = parser.parse_args()
    known = set() if options.write else {row.rsplit(" ", 1)[1] for row in read_table(options.table)["logits_sha256"]}
    schemes = options.schemes or [scheme for scheme in SCHEMES if options.write or scheme in known]
    chosen = (options.program, options.networks, options.levels, schemes)
    return write_table(options.write, *chosen) if options.write else compare(options.table, *chosen)


if __name__ == "__main__":
    sys.exit(main())
