#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.md and summary.json of a results folder of scripts/gpu_first.sh: steps, tests, roofs, kernels, networks.

    scripts/gpu_summary.py DIR
"""
import glob
import json
import os
import re
import sys


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def read_steps(folder):
    """Lines of steps.txt: `ok NAME 3s`, `FAIL(9) NAME 3s reason`, `SKIP NAME: reason`, `ok row NAME`."""
    steps = []
    with open(os.path.join(folder, "steps.txt"), encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(ok|FAIL\(\d+\)|SKIP) (row \w+|\w[^ :]*):?(?: (\d+)s\b)? ?(.*)", line)
            if match:
                steps.append(dict(zip(("result", "step", "seconds", "reason"), (group or "" for group in match.groups()))))
    return steps


def read_tests(folder):
    """Counts of each GoogleTest report: a skipped test is no passed one."""
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "test_*.json"))):
        report = load(path)
        if report is None:
            continue
        cases = [case for suite in report.get("testsuites", []) for case in suite.get("testsuite", [])]
        run = [case for case in cases if case.get("status") == "RUN"]
        skipped = [case for case in run if case.get("result") == "SKIPPED"]
        wrong = [case for case in run if case.get("failures")]
        rows.append({"program": os.path.basename(path)[:-5], "run": len(run) - len(skipped), "skipped": len(skipped),
                     "failed": [f"{case['classname']}.{case['name']}" for case in wrong]})
    return rows


def read_networks(folder):
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "network_*.json"))):
        report = load(path)
        if report is None:
            continue
        model, graph = report["model"], "--no-cuda-graph" not in report["command"]
        network = model["name"] if model["alpha"] is None else f"{model['name']}_{model['alpha']}"
        for run in report.get("runs", []):
            speed = run.get("speed")
            if speed:
                rows.append({"engine": "gpu_eval", "network": network, "batch": run["batch"], "graph": graph,
                             "precision": run["precision"] + (f" {run['forced_kernel']}" if run["forced_kernel"] else ""),
                             "transfers": speed["includes_transfers"],
                             "p50_ms": speed["latency_ms"]["p50"],
                             "images_per_second": speed["images_per_second"]})
    torch = [row for path in sorted(glob.glob(os.path.join(folder, "torch*.json"))) for row in (load(path) or {"rows": []})["rows"]]
    for row in torch:
        if "latency_ms" in row:
            rows.append({"engine": "torch", "network": row["network"], "batch": row["batch"], "graph": row["cuda_graph"],
                         "precision": row["precision"], "transfers": row["includes_transfers"],
                         "p50_ms": row["latency_ms"]["p50"],
                         "images_per_second": row["images_per_second"]})
    return rows


def network_table(rows):
    """One line a network, batch and graph setting; the columns are engine and precision."""
    columns = sorted({(row["engine"], row["precision"]) for row in rows})
    lines = sorted({(row["network"], row["batch"], row["graph"]) for row in rows})
    cells = {(row["network"], row["batch"], row["graph"], row["engine"], row["precision"]): row["p50_ms"] for row in rows}
    body = []
    for line in lines:
        values = [cells.get((*line, *column)) for column in columns]
        body.append([line[0], line[1], "yes" if line[2] else "no",
                     *(f"{value:.3f}" if value is not None else "" for value in values)])
    return table(["network", "batch", "graph", *(f"{engine} {precision} p50 ms" for engine, precision in columns)], body)


def best_kernels(folder):
    """The fastest row of each shape and cache state, by device."""
    best = {}
    for path in sorted(glob.glob(os.path.join(folder, "kernels_*.json"))):
        for row in (load(path) or {"rows": []})["rows"]:
            if "us" not in row:
                continue
            key = (os.path.basename(path)[:-5], row["shape"], row["cache"])
            if key not in best or row["us"] < best[key]["us"]:
                best[key] = row
    return best


def main():
    if len(sys.argv) != 2 or not os.path.isfile(os.path.join(sys.argv[1], "steps.txt")):
        print(__doc__, file=sys.stderr)
        return 2
    folder = sys.argv[1]
    steps, tests, networks, kernels = read_steps(folder), read_tests(folder), read_networks(folder), best_kernels(folder)
    roofs = load(os.path.join(folder, "roofs.json")) or load(os.path.join(folder, "kernels_roofs_and_tiny.json")) or {}
    counts = {name: sum(step["result"].startswith(result) for step in steps)
              for name, result in (("passed", "ok"), ("failed", "FAIL"), ("skipped", "SKIP"))}

    text = ["# GPU check\n", f"{counts['passed']} steps passed, {counts['failed']} failed, {counts['skipped']} skipped.\n"]
    path = os.path.join(folder, "logs", "device.log")
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            text.append("```\n" + "".join(file.readlines()[:24]).strip() + "\n```\n")
    text.append("## Steps\n\n" + table(["result", "step", "s", "reason"], [list(step.values()) for step in steps]))
    if tests:
        text.append("## Tests\n\n" + table(["program", "run", "skipped", "failed"], [
            [row["program"], row["run"], row["skipped"], ", ".join(row["failed"]) or 0] for row in tests]))
    if roofs.get("roofs"):
        text.append("## Roofs\n\n" + table(["device", "roof", "measured", "unit"], [
            [r["device"], r["name"], f"{r['value']:.4g}" if "value" in r else r["missing"], r["unit"]]
            for r in roofs["roofs"]]))
    if kernels:
        text.append("## Fastest kernel of each shape\n\n" + table(
            ["run", "shape", "cache", "kernel", "us", "TOPS", "% of roof", "roof"],
            [[*key, row["kernel"], f"{row['us']:.2f}", f"{row['tops']:.3g}",
              f"{100 * row['fraction_of_roof']:.0f}" if "fraction_of_roof" in row else "", row.get("roof", "")]
             for key, row in kernels.items()]))
    for transfers, title in ((False, "Networks: the pass alone, by the device's clock"),
                             (True, "Networks: copies to the device, the pass, copies back, by the host's clock")):
        rows = [row for row in networks if row["transfers"] == transfers]
        if rows:
            text.append(f"## {title}\n\n" + network_table(rows))
    with open(os.path.join(folder, "summary.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(text))
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as file:
        json.dump({"schema": 1, "counts": counts, "steps": steps, "tests": tests, "roofs": roofs.get("roofs", []),
                   "networks": networks}, file, indent=1)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
