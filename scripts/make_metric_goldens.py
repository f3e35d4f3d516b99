#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes what the metrics of detection and segmentation must give, with code that shares nothing with this project.

Needs Python 3.11 with pycocotools 2.0.11, mean-average-precision 2024.1.5.0 and numpy.

  make_metric_goldens.py tests/golden/metrics

COCO's numbers are pycocotools'. PASCAL VOC's are those of the devkit's VOCevaldet.m and VOCap.m, written again here and
compared with mean-average-precision where that has the same definition (no difficult box, no tie, no IoU of exactly .5).
The boxes are a function of a case's kind and seed that tests/task/metric_cases.h computes bit for bit alike: only the
numbers are stored. -1 is a mean over nothing.
"""
import contextlib
import io
import json
import pathlib
import sys

import numpy as np
from mean_average_precision import MetricBuilder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

MASK = (1 << 64) - 1
CASES = 16  # of a kind


class Random:
    """SplitMix64 and its uses, as src/core/random.h."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self, lo=0.0, hi=1.0):
        return lo + (hi - lo) * ((self.next() >> 11) * 2.0**-53)

    def integer(self, lo, hi):
        return lo + self.next() % (hi - lo + 1)

    def chance(self, probability):
        return self.uniform() < probability


# What a kind leaves out.
DEFAULTS = {
    "pictures": [1, 5], "categories": [1, 4], "truth": [0, 6], "detections": [0, 12],
    "size": [1, 150],    # of edges
    "places": 200,       # the largest x, y
    "whole": False,      # edges are whole numbers
    "score_steps": 0,    # scores are k / steps; 0: continuous
    "crowd": 0.0, "difficult": 0.0,
    "mask": 0.0,         # part of the truths whose area is less than their box's
    "edge": 0.0,         # part of the truths of exactly 32^2 or 96^2 pixels
    "near": 0.7,         # part of the detections that lie on a truth
    "nested": 0.0,       # of these, IoU is k / 20 by construction
    "jitter": 10,        # of the others' edges
}
KINDS = {
    "plain": {},
    "whole": {"whole": True},
    "ties": {"score_steps": 5},
    "all_tied": {"score_steps": 1, "pictures": [2, 6]},
    "whole_ties": {"whole": True, "score_steps": 4, "size": [1, 12], "jitter": 2},
    "equal_iou": {"whole": True, "size": [4, 8], "jitter": 1, "near": 1.0, "truth": [2, 10], "detections": [4, 20]},
    "crowd": {"crowd": 0.4, "near": 0.9},
    "all_crowd": {"crowd": 1.0},
    "crowd_ties": {"crowd": 0.3, "whole": True, "score_steps": 6, "size": [2, 20], "jitter": 3},
    "difficult": {"difficult": 0.4, "near": 0.9},
    "difficult_ties": {"difficult": 0.4, "crowd": 0.1, "near": 0.9, "score_steps": 4, "whole": True, "jitter": 4},
    "no_truth": {"truth": [0, 0]},
    "no_detections": {"detections": [0, 0]},
    "nothing": {"truth": [0, 0], "detections": [0, 0]},
    "absent_categories": {"categories": [8, 12], "truth": [0, 3], "detections": [0, 6]},
    "area_edges": {"edge": 0.8, "near": 0.9, "jitter": 4},
    "masks": {"mask": 0.8, "near": 0.9, "jitter": 5},
    "exact_iou": {"whole": True, "nested": 0.8, "near": 0.95, "size": [20, 100], "truth": [1, 6]},
    "exact_iou_ties": {"whole": True, "nested": 1.0, "near": 1.0, "size": [20, 40], "truth": [1, 4], "score_steps": 3},
    "identical": {"whole": True, "jitter": 0, "near": 1.0, "truth": [1, 6], "detections": [2, 14]},
    "zero_size": {"whole": True, "size": [0, 3], "jitter": 1},
    "many_detections": {"detections": [90, 220], "pictures": [1, 3], "categories": [1, 2], "truth": [3, 20]},
    "many_ties": {"detections": [90, 220], "pictures": [1, 3], "categories": [1, 1], "truth": [3, 20], "score_steps": 40},
    "many_truths": {"truth": [20, 60], "detections": [20, 60], "pictures": [2, 4], "jitter": 3, "near": 0.9},
    "many_pictures": {"pictures": [20, 40], "truth": [0, 4], "detections": [0, 8], "near": 0.8, "jitter": 4},
    "equal_iou_difficult": {"whole": True, "size": [2, 4], "jitter": 1, "near": 1.0, "truth": [8, 16], "categories": [1, 1],
                            "detections": [8, 20], "difficult": 0.4, "places": 12},
    "everything": {"crowd": 0.15, "difficult": 0.15, "mask": 0.3, "edge": 0.2, "nested": 0.3, "score_steps": 12,
                   "pictures": [4, 12], "truth": [0, 10], "detections": [0, 30], "jitter": 5},
}


# ---- boxes of a case; every draw in the order of tests/task/metric_cases.h
def edge_length(random, kind):
    lo, hi = kind["size"]
    return float(random.integer(lo, hi)) if kind["whole"] else random.uniform(lo, hi)


def place(random, kind):
    return float(random.integer(0, kind["places"])) if kind["whole"] else random.uniform(0, kind["places"])


def shift(random, kind):
    jitter = kind["jitter"]
    return float(random.integer(-jitter, jitter)) if kind["whole"] else random.uniform(-jitter, jitter)


def random_box(random, kind):
    x = place(random, kind)
    y = place(random, kind)
    width = edge_length(random, kind)
    height = edge_length(random, kind)
    return [x, y, width, height]


def random_truth(random, kind, categories):
    category = random.integer(0, categories - 1)
    box = random_box(random, kind)
    if random.chance(kind["edge"]):
        box[2] = box[3] = 32.0 if random.chance(0.5) else 96.0
    area = box[2] * box[3]
    if random.chance(kind["mask"]):
        area = area * random.uniform(0.3, 1)
    crowd = random.chance(kind["crowd"])
    difficult = random.chance(kind["difficult"])
    return {"category": category, "box": box, "area": area, "crowd": crowd, "difficult": difficult}


def near_box(random, kind, box):
    x, y, width, height = box
    if random.chance(kind["nested"]):
        return [x, y, width * random.integer(10, 20) / 20, height]
    x += shift(random, kind)
    y += shift(random, kind)
    width = max(0.0, width + shift(random, kind))
    height = max(0.0, height + shift(random, kind))
    return [x, y, width, height]


def random_detection(random, kind, categories, truths):
    if truths and random.chance(kind["near"]):
        truth = truths[random.integer(0, len(truths) - 1)]
        category = truth["category"]
        if random.chance(0.1):
            category = random.integer(0, categories - 1)
        box = near_box(random, kind, truth["box"])
    else:
        category = random.integer(0, categories - 1)
        box = random_box(random, kind)
    steps = kind["score_steps"]
    score = random.integer(0, steps) / steps if steps else random.uniform()
    return {"category": category, "box": box, "score": score}


def make_case(kind, seed):
    random = Random(seed)
    pictures = random.integer(*kind["pictures"])
    categories = random.integer(*kind["categories"])
    result = []
    for _ in range(pictures):
        truths = [random_truth(random, kind, categories) for _ in range(random.integer(*kind["truth"]))]
        count = random.integer(*kind["detections"])
        result.append((truths, [random_detection(random, kind, categories, truths) for _ in range(count)]))
    return categories, result


# ---- COCO
def coco_truth(categories, pictures):
    annotations = []
    for i, (truths, _) in enumerate(pictures):
        for truth in truths:
            annotations.append({"id": len(annotations) + 1, "image_id": i + 1, "category_id": truth["category"] + 1,
                                "bbox": truth["box"], "area": truth["area"], "iscrowd": int(truth["crowd"])})
    coco = COCO()
    coco.dataset = {"images": [{"id": i + 1} for i in range(len(pictures))], "annotations": annotations,
                    "categories": [{"id": c + 1, "name": str(c)} for c in range(categories)]}
    coco.createIndex()
    return coco


def coco_detections(truth, pictures):
    rows = [{"image_id": i + 1, "category_id": d["category"] + 1, "bbox": list(d["box"]), "score": d["score"]}
            for i, (_, detections) in enumerate(pictures) for d in detections]
    if rows:
        return truth.loadRes(rows)
    empty = COCO()  # loadRes takes no empty list
    empty.dataset = {"images": truth.dataset["images"], "categories": truth.dataset["categories"], "annotations": []}
    empty.createIndex()
    return empty


def mean_or_absent(values):
    values = values[values > -1]
    return float(np.mean(values)) if values.size else -1.0


def coco_metrics(categories, pictures):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco_truth(categories, pictures)
        evaluation = COCOeval(truth, coco_detections(truth, pictures), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # IoU threshold, recall, category
    by_category = [[mean_or_absent(precision[:, :, c]), mean_or_absent(precision[0, :, c])] for c in range(categories)]
    return [float(s) for s in evaluation.stats], by_category


# ---- PASCAL VOC
def voc_iou(a, b):
    a_right, a_bottom, b_right, b_bottom = a[0] + a[2], a[1] + a[3], b[0] + b[2], b[1] + b[3]
    width = min(a_right, b_right) - max(a[0], b[0]) + 1
    height = min(a_bottom, b_bottom) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return -np.inf
    union = (a[2] + 1) * (a[3] + 1) + (b[2] + 1) * (b[3] + 1) - width * height
    return width * height / union


def voc_category(pictures, category):
    """Devkit: all detections by falling score, the truths of each one's picture; a crowd is taken as difficult."""
    truths = [[t for t in picture[0] if t["category"] == category] for picture in pictures]
    found = [[False] * len(t) for t in truths]
    hard = [[t["difficult"] or t["crowd"] for t in picture] for picture in truths]
    positives = sum(not h for picture in hard for h in picture)
    rows = [(i, d) for i, picture in enumerate(pictures) for d in picture[1] if d["category"] == category]
    order = np.argsort(-np.array([d["score"] for _, d in rows]), kind="stable") if rows else []
    tp, fp = np.zeros(len(rows)), np.zeros(len(rows))
    for rank, at in enumerate(order):
        i, detection = rows[at]
        best, best_iou = -1, -np.inf
        for j, truth in enumerate(truths[i]):
            iou = voc_iou(detection["box"], truth["box"])
            if iou > best_iou:
                best, best_iou = j, iou
        if best_iou >= 0.5:
            if not hard[i][best]:
                if not found[i][best]:
                    tp[rank] = 1
                    found[i][best] = True
                else:
                    fp[rank] = 1
        else:
            fp[rank] = 1
    return np.cumsum(tp), np.cumsum(fp), positives


def voc07(recall, precision):
    return sum(max(precision[recall >= k / 10], default=0) for k in range(11)) / 11


def voc10(recall, precision):
    recall = np.concatenate(([0.0], recall, [1.0]))
    precision = np.concatenate(([0.0], precision, [0.0]))
    for i in range(precision.size - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    steps = np.where(recall[1:] != recall[:-1])[0] + 1
    return float(np.sum((recall[steps] - recall[steps - 1]) * precision[steps]))


def voc_metrics(categories, pictures):
    by_category = []
    for category in range(categories):
        tp, fp, positives = voc_category(pictures, category)
        if positives == 0:
            by_category.append([-1.0, -1.0])
            continue
        keep = tp + fp > 0  # an ignored detection before any other has no precision
        recall, precision = tp[keep] / positives, tp[keep] / (tp + fp)[keep]
        by_category.append([float(voc07(recall, precision)), voc10(recall, precision)])
    values = np.array(by_category)
    return [mean_or_absent(values[:, 0]), mean_or_absent(values[:, 1])], by_category


def corners(box):
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


def check_with_package(categories, pictures, by_category):
    for column, recalls in ((0, np.arange(11) / 10), (1, None)):
        metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=categories)
        for truths, detections in pictures:
            metric.add(np.array([corners(d["box"]) + [d["category"], d["score"]] for d in detections]).reshape(-1, 6),
                       np.array([corners(t["box"]) + [t["category"], 0, 0] for t in truths]).reshape(-1, 7))
        values = metric.value(iou_thresholds=0.5, recall_thresholds=recalls)[0.5]
        for category in range(categories):
            if by_category[category][column] >= 0:
                assert abs(values[category]["ap"] - by_category[category][column]) < 1e-6, (category, values)


PACKAGE_KINDS = {"plain", "absent_categories", "many_truths", "masks"}  # where the package has the same definition


def rounded(value):
    return int(value) if value in (-1.0, 0.0, 1.0) else float(f"{value:.14g}")


def detection_goldens():
    kinds = []
    for number, (name, options) in enumerate(KINDS.items()):
        kind = {**DEFAULTS, **options}
        cases = []
        for seed in range(1000 * number, 1000 * number + CASES):
            categories, pictures = make_case(kind, seed)
            coco, coco_by_category = coco_metrics(categories, pictures)
            voc, voc_by_category = voc_metrics(categories, pictures)
            if name in PACKAGE_KINDS:
                check_with_package(categories, pictures, voc_by_category)
            numbers = coco + voc + [v for c, v2 in zip(coco_by_category, voc_by_category) for v in c + v2]
            cases.append([seed] + [rounded(v) for v in numbers])
        kinds.append({"name": name, **kind, "cases": cases})
    return kinds


# ---- segmentation
SEGMENTATION = [  # classes, of which in the truths, pictures, void, pixels that are right
    (2, 2, 3, 0.1, 0.8), (5, 5, 4, 0.05, 0.7), (21, 6, 5, 0.1, 0.9), (21, 21, 2, 0.0, 0.5), (19, 19, 3, 0.3, 0.95),
    (3, 1, 2, 0.0, 1.0), (4, 4, 1, 1.0, 0.5), (255, 200, 2, 0.2, 0.6), (1, 1, 2, 0.5, 1.0), (6, 3, 8, 0.02, 0.99),
]


def make_maps(random, classes, used, void, right):
    height = random.integer(1, 30)
    width = random.integer(1, 30)
    truth, predicted = [], []
    for _ in range(height * width):
        is_void = random.chance(void)
        true_class = random.integer(0, used - 1)
        truth.append(255 if is_void else true_class)
        is_right = random.chance(right)
        other = random.integer(0, classes - 1)
        predicted.append(true_class if is_right else other)
    return np.array(truth), np.array(predicted)


def segmentation_case(seed, classes, used, pictures, void, right):
    random = Random(seed)
    confusion = np.zeros((classes, classes), np.int64)
    for _ in range(pictures):
        truth, predicted = make_maps(random, classes, used, void, right)
        valid = truth != 255
        confusion += np.bincount(truth[valid] * classes + predicted[valid], minlength=classes**2).reshape(classes, classes)
    correct = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - correct
    iou = np.where(union > 0, correct / np.maximum(union, 1), -1.0)
    accuracy = correct.sum() / confusion.sum() if confusion.sum() else -1.0
    return {"seed": seed, "classes": classes, "used": used, "pictures": pictures, "void": void, "right": right,
            "mean_iou": rounded(mean_or_absent(iou)), "accuracy": rounded(accuracy),
            "iou": [rounded(v) for v in iou] if classes <= 21 else []}


def segmentation_goldens():
    return [segmentation_case(100 * i + k, *case) for i, case in enumerate(SEGMENTATION) for k in range(4)]


def write_lines(path, rows):
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    path.write_text(f"[\n{text}\n]\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    write_lines(folder / "detection.json", detection_goldens())
    write_lines(folder / "segmentation.json", segmentation_goldens())


if __name__ == "__main__":
    main()
