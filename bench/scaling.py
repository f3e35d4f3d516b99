#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of a batch grows with its size and falls with threads: gpu_eval alone, float32 and int8.

    bench/scaling.py [--binary build/gpu_eval] [--output bench/results/scaling] [--networks resnet50,...] [--time-limit S]

Random weights; gpu_eval alternates the precisions within each run. Writes OUTPUT/scaling.json after every run (a run that
it holds already is not made again), then scaling.md and scaling.svg. Exit code 75: --time-limit has passed, start it again.
"""
import argparse
import html
import json
import math
import os
import subprocess
import sys
import tempfile
import time

BATCHES = (1, 2, 4, 8, 16, 32, 64)
THREADS = (1, 2)
PRECISIONS = ("float32", "int8")
UNFINISHED = 75
COLOURS = ("#1f6fb2", "#d1495b", "#3a7d44", "#b07d2b")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 440, 300, 62, 34, 118, 44


def octaves(values):
    """Powers of two around the values, at least two of them."""
    low, high = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    return [2.0**e if e < 0 else 2**e for e in range(low, max(high, low + 1) + 1)]


def chart(title, series):
    """One SVG group: {name: [(batch, ms)]} on axes that both double from line to line: cost in proportion is a diagonal."""
    points = [point for line in series.values() for point in line]
    xs, ys = octaves([x for x, _ in points]), octaves([y for _, y in points])
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(value, ticks, length):
        return length * math.log2(value / ticks[0]) / math.log2(ticks[-1] / ticks[0])

    parts = [f'<text x="{LEFT}" y="20" font-weight="bold">{html.escape(title)}</text>']
    for tick in xs:
        x = LEFT + place(tick, xs, width)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + height}" stroke="#ddd"/>'
                     f'<text x="{x:.1f}" y="{TOP + height + 16}" text-anchor="middle">{tick:g}</text>')
    for i, tick in enumerate(ys):
        y = TOP + height - place(tick, ys, height)
        label = f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>' if i % 2 == 0 else ""
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + width}" y2="{y:.1f}" stroke="#ddd"/>{label}')
    parts.append(f'<text x="{LEFT + width / 2}" y="{HEIGHT - 10}" text-anchor="middle">images in a batch</text>'
                 f'<text x="16" y="{TOP + height / 2}" text-anchor="middle" '
                 f'transform="rotate(-90 16 {TOP + height / 2})">ms a batch (p50)</text>')
    for i, (name, line) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        places = [(LEFT + place(x, xs, width), TOP + height - place(y, ys, height)) for x, y in line]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="'
                     + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in places]
        parts.append(f'<text x="{LEFT + width + 8}" y="{TOP + 12 + 18 * i}" fill="{colour}">{html.escape(name)}</text>')
    return "\n".join(parts)


def figure(runs, networks):
    groups = []
    for i, network in enumerate(networks):
        series = {f"{precision}, {threads} thread{'s' if threads > 1 else ''}":
                  [(run["batch"], run["p50_ms"]) for run in picked(runs, network, precision, threads)]
                  for precision in PRECISIONS for threads in THREADS}
        series = {name: line for name, line in series.items() if line}
        if series:
            groups.append(f'<g transform="translate({i * WIDTH} 0)">\n{chart(network, series)}\n</g>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(networks)} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(groups) + "\n</svg>\n")


def picked(runs, network, precision, threads):
    found = [run for run in runs.values()
             if (run["network"], run["precision"], run["threads"]) == (network, precision, threads)]
    return sorted(found, key=lambda run: run["batch"])


def markdown(runs, networks):
    lines = []
    for network in networks:
        columns = [(precision, threads) for precision in PRECISIONS for threads in THREADS]
        cells = {column: {run["batch"]: run for run in picked(runs, network, *column)} for column in columns}
        lines += [f"### {network}: ms a batch (p50) and images per second", "",
                  "| batch | " + " | ".join(f"{p}, {t} thread{'s' if t > 1 else ''}" for p, t in columns) + " |",
                  "|---" * (len(columns) + 1) + "|"]
        for batch in sorted({batch for found in cells.values() for batch in found}):
            row = [cells[column].get(batch) for column in columns]
            texts = [f"{run['p50_ms']:.2f} ({run['images_per_second']:.0f})" if run else "" for run in row]
            lines.append(f"| {batch} | " + " | ".join(texts) + " |")
        lines.append("")
    return "\n".join(lines)


def measure(options, network, batch, threads):
    model, _, alpha = network.partition("_")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        words = [options.binary, "--model", model, *(["--alpha", alpha] if alpha else []), "--weights", "random", "--mode",
                 "speed", "--precision", ",".join(PRECISIONS), "--batch", str(batch), "--threads", str(threads), "--device",
                 "cpu", "--duration", str(options.duration), "--iterations", "3", "--json", file.name]
        done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"scaling.py: {' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()}")
        result = json.load(file)
    return [{"network": network, "batch": batch, "threads": threads, "precision": run["precision"],
             "p50_ms": run["speed"]["latency_ms"]["p50"], "images_per_second": run["speed"]["images_per_second"],
             "samples": run["speed"]["samples"]} for run in result["runs"]], result["host"]


def save(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/gpu_eval")
    parser.add_argument("--output", default="bench/results/scaling")
    parser.add_argument("--networks", default="resnet50,mobilenet_1.0,mobilenet_0.25")
    parser.add_argument("--duration", type=float, default=0.5, help="seconds of each precision, at least")
    parser.add_argument("--time-limit", type=float, default=0, help="seconds after which no run is started; 0: none")
    options = parser.parse_args()
    networks = options.networks.split(",")
    os.makedirs(options.output, exist_ok=True)
    path, result = os.path.join(options.output, "scaling.json"), {"runs": {}}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    begin, code = time.monotonic(), 0
    for network, threads, batch in [(n, t, b) for n in networks for t in THREADS for b in BATCHES]:
        if f"{network}/b{batch}/t{threads}/{PRECISIONS[0]}" in result["runs"]:
            continue
        if options.time_limit and time.monotonic() - begin > options.time_limit:
            code = UNFINISHED
            break
        rows, result["host"] = measure(options, network, batch, threads)
        result["command"] = f"bench/scaling.py --networks {options.networks} --duration {options.duration:g}"
        result["runs"].update({f"{network}/b{batch}/t{threads}/{row['precision']}": row for row in rows})
        save(path, json.dumps(result, indent=1) + "\n")
        print(f"{network} batch {batch} threads {threads}: "
              + ", ".join(f"{row['precision']} {row['p50_ms']:.2f} ms" for row in rows), file=sys.stderr, flush=True)
    save(os.path.join(options.output, "scaling.md"), markdown(result["runs"], networks))
    save(os.path.join(options.output, "scaling.svg"), figure(result["runs"], networks))
    return code


if __name__ == "__main__":
    sys.exit(main())
