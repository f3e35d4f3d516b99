# SPDX-License-Identifier: Apache-2.0
"""Rates of several programs over the same rounds: medians, spread, ratios with intervals, Markdown. Standard library only."""
import random
import statistics

OURS = {"int8": "gpu_eval_int8", "float32": "gpu_eval_float32"}
# A sum over single layers is no program that one could use instead: it stands in the table, but is no peer.
BOUNDS = ("onednn_int8",)
LABELS = {"gpu_eval_float32": "gpu_eval float32", "gpu_eval_int8": "gpu_eval int8", "ort_float32": "ONNX Runtime float32",
          "ort_int8": "ONNX Runtime int8", "openvino_float32": "OpenVINO float32", "openvino_int8": "OpenVINO int8",
          "openvino_tp_float32": "OpenVINO float32, requests in parallel",
          "openvino_tp_int8": "OpenVINO int8, requests in parallel", "torch_float32": "PyTorch float32",
          "onednn_int8": "oneDNN int8, sum of layers"}
COLUMNS = ("gpu_eval", "openvino", "openvino_tp", "ort", "torch", "onednn")


def best_peer(rates, precision, parallel=True):
    """The subject of that precision, not ours, with the highest median rate; None without one. parallel: one that runs
    several requests at once counts, too."""
    peers = [name for name in rates if name.endswith("_" + precision) and name != OURS[precision] and name not in BOUNDS
             and (parallel or "_tp_" not in name)]
    return max(peers, key=lambda name: statistics.median(rates[name]), default=None)


def ratio_interval(ours, theirs, seed=1, resamples=2000, level=0.95):
    """(ratio of the medians, low, high): rounds are drawn anew, both programs' rates of a round together."""
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"expected the same rounds of both, found {len(ours)} and {len(theirs)}")
    generator, count = random.Random(seed), len(ours)
    ratios = []
    for _ in range(resamples):
        drawn = [generator.randrange(count) for _ in range(count)]
        ratios.append(statistics.median(ours[i] for i in drawn) / statistics.median(theirs[i] for i in drawn))
    ratios.sort()
    tail = (1 - level) / 2
    return (statistics.median(ours) / statistics.median(theirs), ratios[int(tail * resamples)],
            ratios[min(resamples - 1, int((1 - tail) * resamples))])


def compare(rates, precision, parallel=True):
    """{"peer", "ratio", "low", "high"} of ours against the best peer of that precision, or None."""
    peer = best_peer(rates, precision, parallel)
    if peer is None or OURS[precision] not in rates:
        return None
    ratio, low, high = ratio_interval(rates[OURS[precision]], rates[peer])
    return {"peer": peer, "ratio": ratio, "low": low, "high": high}


def number(value):
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def spread(rates):
    return f"{number(statistics.median(rates))} ({number(min(rates))}..{number(max(rates))})"


def ordered_cells(cells, networks):
    def key(cell):
        return cell["threads"], networks.index(cell["network"]), cell["batch"]
    return sorted((cell for cell in cells.values() if cell["network"] in networks), key=key)


def ratio_text(result):
    if result is None:
        return ""
    name = {"openvino": "OpenVINO", "ort": "ONNX Runtime", "torch": "PyTorch"}[result["peer"].split("_")[0]]
    return f"**{result['ratio']:.2f}** ({result['low']:.2f}..{result['high']:.2f}), {name}"


def table(cells, precision, threads, networks):
    """Markdown: one row a network and batch; ratios to the best peer last."""
    cells = [cell for cell in ordered_cells(cells, networks) if cell["threads"] == threads]
    found = {name for cell in cells for name in cell["rates"] if name.endswith("_" + precision)}
    subjects = [f"{column}_{precision}" for column in COLUMNS if f"{column}_{precision}" in found]
    if not cells or not subjects:
        return []
    several = any("_tp_" in name for name in subjects)
    heads = ["ours / best peer"] + (["ours / best with requests in parallel"] if several else [])
    names = [LABELS[subject].replace(" " + precision, "") for subject in subjects]
    lines = ["| network | batch | " + " | ".join(names + heads) + " |", "|---" * (len(names + heads) + 2) + "|"]
    for cell in cells:
        rates = cell["rates"]
        values = [spread(rates[s]) if s in rates else "" for s in subjects]
        ratios = [ratio_text(compare(rates, precision, parallel=False))]
        ratios += [ratio_text(compare(rates, precision))] if several else []
        lines.append("| " + " | ".join([cell["network"], str(cell["batch"]), *values, *ratios]) + " |")
    return lines


def behind(cells, networks, parallel=True):
    """Sentences for the cells where a peer is ahead of ours."""
    lines = []
    for cell in ordered_cells(cells, networks):
        for precision in OURS:
            result = compare(cell["rates"], precision, parallel)
            if result and result["ratio"] < 1:
                ours, theirs = cell["rates"][OURS[precision]], cell["rates"][result["peer"]]
                lines.append(f"{cell['network']} batch {cell['batch']}, threads {cell['threads']}, {precision}: ours "
                             f"{number(statistics.median(ours))}, {LABELS[result['peer']]} "
                             f"{number(statistics.median(theirs))} images/s, ratio {result['ratio']:.2f} "
                             f"({result['low']:.2f}..{result['high']:.2f})")
    return lines


def markdown(result, networks):
    cells = result["cells"]
    lines = ["Images per second: median (lowest..highest) over the rounds. Ratios of the medians with their 95% bootstrap",
             "intervals over the rounds. \"Requests in parallel\": OpenVINO's throughput hint; everything else runs one batch",
             "at a time on all threads.", ""]
    for threads in sorted({cell["threads"] for cell in cells.values()}):
        for precision in OURS:
            rows = table(cells, precision, threads, networks)
            if rows:
                lines += [f"### {precision}, {threads} thread{'s' if threads > 1 else ''}", "", *rows, ""]
    for title, parallel in (("one batch at a time", False), ("requests in parallel counted", True)):
        lines += [f"### Where a peer is ahead, {title}", ""]
        lines += [f"- {line}" for line in behind(cells, networks, parallel)] or ["Nowhere."]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
