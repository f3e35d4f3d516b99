#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/measurements.md, docs/gpu_measurements.md and README.md from the results under bench/results.

    bench/measurements.py            # after new results, or a new path below
    bench/measurements.py --check    # exit code 1 and a line for each table that the results no longer give

A table stands between `<!-- NAME: bench/measurements.py -->` and `<!-- end NAME -->`; NAME is a function of BLOCKS below.
"""
import argparse
import json
import os
import re
import statistics
import sys
import tarfile
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(ROOT, "bench", "peers"), os.path.join(ROOT, "scripts")]

import gpu_summary  # noqa: E402
import speed_stats  # noqa: E402

DOCUMENTS = ["docs/measurements.md", "docs/gpu_measurements.md", "README.md"]
PEERS = {2: "2026-11-24_xeon-2core_peers/speed.json", 1: "2026-11-24_xeon-2core_peers_1thread/speed.json"}
KERAS_PEERS = "2026-11-28_keras_peers/speed.json"
WINOGRAD = "2026-11-28_epyc-2core_winograd/"
AVX_VNNI = "2026-11-24_xeon-2core_avx2/avx_vnni_"
ACCURACY = "2026-11-27_accuracy"
GPU = "2026-11-27_h200_2"

NAMES = {"vgg16": "VGG16", "resnet50": "ResNet50", "inceptionv3": "InceptionV3", "xception": "Xception",
         "mobilenet_1.0": "MobileNet 1.0", "mobilenet_0.75": "MobileNet 0.75", "mobilenet_0.5": "MobileNet 0.5",
         "mobilenet_0.25": "MobileNet 0.25", "squeezenet": "SqueezeNet 1.1"}
NETWORKS = list(NAMES)


def load(path):
    with open(os.path.join(ROOT, "bench", "results", path), encoding="utf-8") as file:
        return json.load(file)


def origin(path, revision, machine, *commands):
    """The line over a table: file, the program's revision, machine, command."""
    said = "".join(f"; `{command}`" for command in commands)
    return [f"[{path}](../bench/results/{path}): gpu_eval at {revision[:7]}; {machine}{said}.", ""]


def table(heads, rows):
    return gpu_summary.table(heads, rows).splitlines()


def rate(value):
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def median(rates, name):
    return statistics.median(rates[name]) if name in rates else None


def ratio(cell, precision, parallel):
    rates = cell["rates"]
    return median(rates, speed_stats.OURS[precision]) / median(rates, speed_stats.best_peer(rates, precision, parallel))


def name_of(network):
    return NAMES.get(network, network)


def ratio_range(cells, precision, parallel):
    """`17 of 18 rows at least 1.00, from 0.98 (ResNet50, batch 1) to ...`."""
    ratios = sorted((ratio(cell, precision, parallel), name_of(cell["network"]), cell["batch"]) for cell in cells)
    ends = " to ".join(f"{value:.2f} ({name}, batch {batch})" for value, name, batch in (ratios[0], ratios[-1]))
    return f"{sum(value >= 1 for value, _, _ in ratios)} of {len(ratios)} rows at least 1.00, from {ends}"


def peers(precision, path):
    result = load(path)
    networks = list(dict.fromkeys([*NETWORKS, *(cell["network"] for cell in result["cells"].values())]))
    cells = speed_stats.ordered_cells(result["cells"], networks)
    used = {name for cell in cells for name in cell["rates"] if name.endswith(precision)}
    subjects = [name for column in speed_stats.COLUMNS if (name := f"{column}_{precision}") in used]
    several = any("_tp_" in name for name in subjects)
    rows = []
    for cell in cells:
        values = [median(cell["rates"], name) for name in subjects]
        ratios = [ratio(cell, precision, False)] + ([ratio(cell, precision, True)] if several else [])
        rows.append([name_of(cell["network"]), cell["batch"], *(rate(v) if v else "" for v in values),
                     *(f"{value:.2f}" for value in ratios)])
    heads = ["ours / best peer"] + (["ours / best with requests in parallel"] if several else [])
    labels = [speed_stats.LABELS[name].replace(" " + precision, "") for name in subjects]
    notes, where = cells[0]["notes"], result["environment"]
    versions = {speed_stats.LABELS[name].split(" ")[0]: notes[name]["version"].split("-")[0].split("+")[0]
                for name in subjects if notes[name].get("version")}
    machine = f"{where['cores']} cores of {where['cpu']}{' with AMX' if 'amx_int8' in where['isa'] else ''}"
    sums = [f"Ours / best peer: {ratio_range(cells, precision, False)}."]
    if several:
        sums.append(f"With requests in parallel: {ratio_range(cells, precision, True)}.")
    versions = ", ".join(f"{name.replace('ONNX', 'ONNX Runtime')} {version}" for name, version in versions.items())
    return (origin(path, where["gpu_eval"].split("(")[1], f"{machine}; {versions}")
            + table(["network", "batch", *labels, *heads], rows) + ["", *sums])


def avx_vnni_kernels():
    path = AVX_VNNI + "threads1.json"
    result = load(path)
    shapes = {}
    for row in result["rows"]:
        level = next((level for level in ("avx_vnni", "avx2", "onednn_f32") if row["kernel"].endswith(level)))
        best = shapes.setdefault(row["shape"], {})
        if level not in best or row["tops"] > best[level]["tops"]:
            best[level] = row
    rows = []
    for shape, found in shapes.items():
        values = [f"{1000 * found[level]['tops']:.0f}" if level in found else "" for level in ("avx2", "avx_vnni", "onednn_f32")]
        vnni = found.get("avx_vnni")
        rows.append([f"`{shape}`", *values, *([f"{vnni['tops'] / found['avx2']['tops']:.1f}x",
                                               f"{100 * vnni['fraction_of_roof']:.0f}%"] if vnni else ["", ""])])
    machine = f"{result['host']['cores']} cores of {result['host']['cpu']}"
    return (origin(path, result["tool"]["revision"], machine, result["command"])
            + table(["shape", "AVX2", "AVX-VNNI", "oneDNN float32, AVX-512", "AVX-VNNI / AVX2", "of its peak"], rows))


def avx_vnni_networks():
    """Images a second of whole networks at the two levels, and beside OpenVINO: medians over the rounds."""
    levels, beside = {}, {}
    runs, pairs = load(AVX_VNNI + "networks.json"), load(AVX_VNNI + "openvino.json")
    for run in runs:
        levels.setdefault((run["network"], run["GPUEVAL_CPU_ISA"]), []).append(run["speed"]["images_per_second"])
    for pair in pairs:
        ours, theirs = pair["gpu_eval"]["speed"]["latency_ms"]["p50"], pair["openvino"]["median_ms"]
        beside.setdefault(pair["network"], []).append((1000 / ours, 1000 / theirs))
    rows = []
    for network in NETWORKS:
        old, new = (statistics.median(levels[network, level]) for level in ("avx2", "avx_vnni"))
        cells = ["", "", ""]
        if network in beside:
            ours, theirs = (statistics.median(column) for column in zip(*beside[network]))
            cells = [rate(ours), rate(theirs), f"{ours / theirs:.2f}x"]
        rows.append([NAMES[network], rate(old), rate(new), f"{new / old:.1f}x", *cells])
    command = re.sub(r"--model \S+( --alpha \S+)?", "--model M", runs[0]["command"])
    machine = f"{runs[0]['host']['cores']} cores of {runs[0]['host']['cpu']}"
    return (origin(AVX_VNNI + "networks.json", runs[0]["tool"]["revision"], machine, command)
            + table(["network", "AVX2", "AVX-VNNI", "ratio", "AVX-VNNI, in turn with OpenVINO", "OpenVINO", "ratio"], rows))


def winograd():
    """Programs without and with it, in turn, at two levels."""
    levels = {level: [row for row in load(f"{WINOGRAD}{level}.json")["rows"] if row["precision"] == "int8"]
              for level in ("avx2", "avx512_vnni")}
    rows = []
    for cells in zip(*levels.values()):
        rows.append([NAMES[cells[0]["network"]], cells[0]["batch"]])
        for cell in cells:
            rows[-1] += [rate(statistics.median(cell["before"])), rate(statistics.median(cell["after"])), f"{cell['ratio']:.2f}"]
    return table(["network", "batch", *(f"{level}{what}" for level in ("AVX2", "AVX-512 VNNI")
                                        for what in (", plain sums", "", ", ratio"))], rows)


def accuracy():
    lines, rows = [], []
    for network in NETWORKS:
        path = f"{ACCURACY}/{network}.json"
        if not os.path.exists(os.path.join(ROOT, "bench", "results", path)):
            continue
        result = load(path)
        lines += origin(path, result["tool"]["revision"], result["host"]["cpu"], result["command"])
        for run in result["runs"]:
            right, paired = run["accuracy"], run["vs_first"]
            rows.append([NAMES[network], " ".join(filter(None, (run["precision"], run["scheme"]))), right["images"],
                         f"{100 * right['top1']:.2f}%", f"{100 * right['top5']:.2f}%",
                         *([f"{100 * paired['top1_diff']:+.2f}", "<0.0001" if paired["mcnemar_p"] < 1e-4 else f"{paired['mcnemar_p']:.2g}",
                            f"{100 * paired['agreement']:.1f}%"] if paired else ["", "", ""])])
    return lines + table(["network", "precision", "images", "top-1", "top-5", "difference", "p (McNemar)", "agreement"], rows)


def gpu_rows():
    """(network, batch, engine, precision) -> images/s of the last run in a CUDA graph, and the noisy ones of them."""
    rows, noisy = {}, set()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(os.path.join(ROOT, "bench", "results", GPU, "results.tar.gz")) as archive:
            for member in archive.getmembers():
                name = os.path.basename(member.name)
                if re.fullmatch(r"(network_|torch).*\.json", name):
                    with open(os.path.join(folder, name), "wb") as file:
                        file.write(archive.extractfile(member).read())
        found = [row for row in gpu_summary.read_networks(folder) if row["graph"] and not row["transfers"]]
        for row in found:
            rows[row["network"], row["batch"], row["engine"], row["precision"]] = row["images_per_second"]
        for name in os.listdir(folder):
            result = gpu_summary.load(os.path.join(folder, name))
            if result.get("verdict") == "NOISY":
                noisy.add(name)
    noisy = {tuple(re.match(r"network_(.+)_batch(\d+)_", name).groups()) for name in noisy}
    return rows, {(network, int(batch)) for network, batch in noisy}


def gpu_cells(rows, noisy, network, batch):
    mark = "NOISY " if (network, batch) in noisy else ""
    values = [rows.get((network, batch, *column)) for column in (("gpu_eval", "int8"), ("gpu_eval", "float16"), ("torch", "float16"))]
    marks = (mark, mark, "")
    return [f"{mark}{value:,.0f}" if value else "" for mark, value in zip(marks, values)], values


def gpu_networks():
    rows, noisy = gpu_rows()
    lines = []
    for network, batch in sorted({key[:2] for key in rows}, key=lambda key: (-key[1], NETWORKS.index(key[0]))):
        texts, values = gpu_cells(rows, noisy, network, batch)
        lines.append([NAMES[network], batch, *texts, f"{values[0] / values[2]:.1f}" if values[0] and values[2] else ""])
    return table(["network", "batch", "int8", "float16", "PyTorch float16", "int8 to PyTorch"], lines)


def readme_gpu():
    rows, noisy = gpu_rows()
    chosen = [("resnet50", 1), ("resnet50", 64), ("inceptionv3", 64), ("vgg16", 64), ("mobilenet_1.0", 64)]
    return table(["network", "batch", "int8 images/s", "float16 images/s", "PyTorch float16 (cuDNN, CUDA graph)"],
                 [[NAMES[network], batch, *gpu_cells(rows, noisy, network, batch)[0]] for network, batch in chosen])


def readme_cpu():
    cells, rows = load(PEERS[2])["cells"], []
    for network in (name for name in NETWORKS if name not in ("mobilenet_0.75", "mobilenet_0.5")):
        rates = cells[f"{network}/b1/t2"]["rates"]
        plain, int8 = median(rates, "gpu_eval_float32"), median(rates, "gpu_eval_int8")
        peer = median(rates, speed_stats.best_peer(rates, "int8", parallel=False))
        rows.append([NAMES[network], rate(plain), rate(int8), f"{int8 / plain:.1f}x", rate(peer)])
    return table(["network", "float32 images/s", "int8 images/s", "speed-up", "best other program's int8"], rows)


BLOCKS = {**{f"peers_{p}_{t}": (lambda p=p, t=t: peers(p, PEERS[t])) for p in speed_stats.OURS for t in PEERS},
          "keras_peers": lambda: peers("int8", KERAS_PEERS),
          "vnni_peers": lambda: peers("int8", WINOGRAD + "speed.json"),
          **{f.__name__: f for f in (avx_vnni_kernels, avx_vnni_networks, winograd, accuracy, gpu_networks, readme_gpu, readme_cpu)}}
PLACE = re.compile(r"(<!-- (\w+): bench/measurements\.py -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)


def fill(text):
    """The document with its tables made anew, and the names of those that were others."""
    other = []

    def made(match):
        block = "\n".join(BLOCKS[match[2]]()) + "\n"
        if block != match[3]:
            other.append(match[2])
        return match[1] + block + match[4]

    return PLACE.sub(made, text), other


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("documents", nargs="*", default=[os.path.join(ROOT, path) for path in DOCUMENTS])
    options = parser.parse_args()
    wrong, seen = 0, 0
    for path in options.documents:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        new, other = fill(text)
        seen += len(PLACE.findall(text))
        wrong += len(other)
        for name in other:
            print(f"{os.path.relpath(path, ROOT)}: {name} {'is not what bench/results gives' if options.check else 'written'}")
        if other and not options.check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
    print(f"{seen} tables")
    return 1 if options.check and (wrong or not seen) else 0


if __name__ == "__main__":
    sys.exit(main())
