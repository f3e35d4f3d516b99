# SPDX-License-Identifier: Apache-2.0
"""Decoding and non-maximum suppression behind a detector's ONNX, as other runtimes have them: ONNX's own operations, the
thresholds and caps of gpu_eval's priors (models/priors/*.json).

    detector_onnx.py PRIORS.json SOURCE.onnx TARGET.onnx [SCORE_THRESHOLD]
"""
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
from make_priors_goldens import PRIORS  # noqa: E402


def append(spec, model):
    """Batches of any size. The graph's outputs become the selected indices (image, class, prior), the boxes (y1, x1, y2, x2)
    and the scores: what a caller needs."""
    graph, priors = model.graph, PRIORS[spec["name"]][0].astype(np.float32)
    count, classes = len(priors), len(spec["classes"])
    channels = classes + (spec["background"] != "none")
    by_name = {output.name: output for output in graph.output}
    sizes = {name: int(np.prod([d.dim_value for d in o.type.tensor_type.shape.dim[1:]])) for name, o in by_name.items()}
    boxes = next(name for name, size in sizes.items() if size == 4 * count)
    scores = next(name for name, size in sizes.items() if size == channels * count and name != boxes)
    constants, nodes = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), "post/" + name))
        return "post/" + name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, ["post/" + name], "post/" + name, **attributes))
        return "post/" + name

    variances = np.asarray(spec["variances"], np.float32)
    offsets = node("Reshape", [boxes, constant("boxes_shape", np.int64([0, count, 4]))], "offsets")
    centre_offset = node("Slice", [offsets, constant("zero", np.int64([0])), constant("two", np.int64([2])),
                                   constant("axis", np.int64([2]))], "centre_offset")
    size_offset = node("Slice", [offsets, "post/two", constant("four", np.int64([4])), "post/axis"], "size_offset")
    scaled = node("Mul", [centre_offset, constant("centre_scale", variances[:2] * priors[:, 2:])], "scaled")
    centre = node("Add", [scaled, constant("centres", priors[:, :2])], "centre")
    power = node("Exp", [node("Mul", [size_offset, constant("size_scale", variances[2:])], "exponent")], "power")
    half = node("Mul", [power, constant("half_sizes", priors[:, 2:] / 2)], "half")
    corners = node("Concat", [node("Sub", [centre, half], "low"), node("Add", [centre, half], "high")], "corners", axis=2)
    # NonMaxSuppression takes y1, x1, y2, x2.
    swapped = node("Gather", [corners, constant("order", np.int64([1, 0, 3, 2]))], "boxes", axis=2)
    found = node("Reshape", [scores, constant("scores_shape", np.int64([0, count, channels]))], "by_prior")
    if spec["scores"] != "probabilities":
        found = node("Softmax" if spec["scores"] == "softmax" else "Sigmoid", [found], "probabilities",
                     **({"axis": 2} if spec["scores"] == "softmax" else {}))
    if spec["background"] == "first":
        found = node("Slice", [found, constant("one", np.int64([1])), constant("all", np.int64([channels])), "post/axis"],
                     "foreground")
    turned = node("Transpose", [found], "scores", perm=[0, 2, 1])
    node("NonMaxSuppression", [swapped, turned, constant("most", np.int64([spec["keep_before_nms"]])),
                               constant("iou", np.float32([spec["nms_threshold"]])),
                               constant("score", np.float32([spec["score_threshold"]]))], "selected")
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    del graph.output[:]
    graph.output.extend([helper.make_tensor_value_info("post/selected", TensorProto.INT64, [None, 3]),
                         helper.make_tensor_value_info("post/boxes", TensorProto.FLOAT, None),
                         helper.make_tensor_value_info("post/scores", TensorProto.FLOAT, None)])
    return model


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        specification = json.load(file)
    if len(sys.argv) > 4:
        specification["score_threshold"] = float(sys.argv[4])
    onnx.save(append(specification, onnx.load(sys.argv[2])), sys.argv[3])
