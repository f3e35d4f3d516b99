#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes priors, decoded boxes and non-maximum suppression with numpy, from the formulas of the papers' own code.

  make_priors_goldens.py tests/golden/priors

SSD's priors as ssd_keras has them (cells row by row; s, sqrt(s s_next), then ratio 2, 1/2 (, 3, 1/3)), the face-mask
detector's as its author does; the outputs that are decoded are a function of a seed that tests/task/decode_test.cpp
computes alike.
"""
import json
import pathlib
import sys

import numpy as np

MASK = (1 << 64) - 1
STRIDE = 101  # of the priors that are stored


def uniforms(seed, count, lo, hi):
    z = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (lo + (hi - lo) * ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53)).astype(np.float32)


def ssd(side, cells, boxes, steps, scales):
    rows = []
    for i, cell in enumerate(cells):
        s, following = scales[i], scales[i + 1]
        sizes = [(s, s), (np.sqrt(s * following),) * 2]
        for ratio in [2, 1 / 2] + ([3, 1 / 3] if boxes[i] == 6 else []):
            sizes.append((s * np.sqrt(ratio), s / np.sqrt(ratio)))
        for y in range(cell):
            for x in range(cell):
                for w, h in sizes:
                    rows.append(((x + 0.5) * steps[i] / side, (y + 0.5) * steps[i] / side, w, h))
    return np.array(rows)


def face_mask():
    rows = []
    ratios = [1, 0.62, 0.42]
    for cell, (s0, s1) in zip([33, 17, 9, 5, 3], [(.04, .056), (.08, .11), (.16, .22), (.32, .45), (.64, .72)]):
        sizes = [(s0, s0), (s1, s1)] + [(s0 * np.sqrt(r), s0 / np.sqrt(r)) for r in ratios[1:]]
        for y in range(cell):
            for x in range(cell):
                rows += [((x + 0.5) / cell, (y + 0.5) / cell, w, h) for w, h in sizes]
    return np.array(rows)


SSD300 = dict(side=300, cells=[38, 19, 10, 5, 3, 1], boxes=[4, 6, 6, 6, 4, 4], steps=[8, 16, 32, 64, 100, 300])
SSD512 = dict(side=512, cells=[64, 32, 16, 8, 4, 2, 1], boxes=[4, 6, 6, 6, 6, 4, 4],
              steps=[8, 16, 32, 64, 128, 256, 512])
PRIORS = {
    "ssd300_voc": (ssd(**SSD300, scales=[.1, .2, .37, .54, .71, .88, 1.05]), 20, "softmax", 200),
    "ssd300_coco": (ssd(**SSD300, scales=[.07, .15, .33, .51, .69, .87, 1.05]), 80, "softmax", 200),
    "ssd512_voc": (ssd(**SSD512, scales=[.07, .15, .3, .45, .6, .75, .9, 1.05]), 20, "softmax", 200),
    "ssd512_coco": (ssd(**SSD512, scales=[.04, .1, .26, .42, .58, .74, .9, 1.06]), 80, "softmax", 200),
    "face_mask_260": (face_mask(), 2, "probabilities", 0),
}


def suppress(boxes, threshold):
    kept = []
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        for j in kept:
            w = min(x2, boxes[j][2]) - max(x1, boxes[j][0])
            h = min(y2, boxes[j][3]) - max(y1, boxes[j][1])
            inter = max(w, 0) * max(h, 0)
            other = (boxes[j][2] - boxes[j][0]) * (boxes[j][3] - boxes[j][1])
            if inter / ((x2 - x1) * (y2 - y1) + other - inter) > threshold:
                break
        else:
            kept.append(i)
    return kept


def detections(priors, classes, form, keep, seed):
    n = len(priors)
    offsets = uniforms(seed, 4 * n, -2, 2).reshape(n, 4).astype(np.float64)
    if form == "softmax":
        logits = uniforms(seed + 1, n * (classes + 1), -4, 4).reshape(n, -1).astype(np.float64)
        logits[:, 0] += 6
        exp = np.exp(logits - logits.max(1, keepdims=True))
        scores = (exp / exp.sum(1, keepdims=True))[:, 1:]
    else:
        scores = uniforms(seed + 1, n * classes, -0.9, 0.1).reshape(n, -1).astype(np.float64)
    cx = offsets[:, 0] * 0.1 * priors[:, 2] + priors[:, 0]
    cy = offsets[:, 1] * 0.1 * priors[:, 3] + priors[:, 1]
    w, h = np.exp(offsets[:, 2] * 0.2) * priors[:, 2], np.exp(offsets[:, 3] * 0.2) * priors[:, 3]
    boxes = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)
    found = []
    for c in range(classes):
        above = np.flatnonzero(scores[:, c] > 0.01)
        order = above[np.argsort(-scores[above, c], kind="stable")][:400]
        found += [(c, scores[order[i], c], *boxes[order[i]]) for i in suppress(boxes[order], 0.45)]
    if keep and len(found) > keep:
        found = sorted(found, key=lambda f: -f[1])[:keep]
        found.sort(key=lambda f: f[0])
    return found


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    golden = {}
    for i, (name, (priors, classes, form, keep)) in enumerate(PRIORS.items()):
        found = detections(priors, classes, form, keep, 1000 + 10 * i)
        golden[name] = {
            "count": len(priors), "sum": priors.sum(0).tolist(),
            "priors": [[float(f"{v:.9g}") for v in row] for row in priors[::STRIDE]],
            "seed": 1000 + 10 * i, "found": len(found), "found_sum": np.sum(found, 0).tolist(),
            "first": [[float(f"{v:.9g}") for v in row] for row in found[:30]],
        }
        print(name, len(priors), len(found))
    (out / "priors.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
