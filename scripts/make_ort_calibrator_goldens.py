#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/quant/ort_calibrators.txt: the ranges that ONNX Runtime's own calibrators find in tensors that the
test makes too (integer arithmetic only). Needs numpy, scipy, onnx and onnxruntime:

    python3 scripts/make_ort_calibrator_goldens.py > tests/golden/quant/ort_calibrators.txt

One line a tensor and method: tensor, values, checksum, method, ONNX Runtime's range, width of its bins there (0: it has
none).
"""
import contextlib
import io
import os
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.quantization.calibrate import CalibrationDataReader, CalibrationMethod, create_calibrator

from make_calibrator_goldens import Random

VALUES = 19997  # no share of them is a whole number: ONNX Runtime sums shares in floating point


def tensor(kind):
    """Multiples of 2^-16, exact in float32. tests/quant/ort_calibrators_test.cpp has the same formulas."""
    random = Random(len(kind))
    values = []
    for _ in range(VALUES):
        bits = random.next()
        a, b, c, d = (bits >> shift & 0xFFFF for shift in (0, 16, 32, 48))
        bell = a + b + c + d - 2 * 0xFFFF  # nearly normal
        values.append({"bell": bell, "relu": max(bell, 0), "cap": min(max(2 * bell, 0), 6 << 14),
                       "tail": bell * (1 + 40 * (a % 512 == 0)), "uniform": a}[kind])
    return np.array(values, dtype=np.float64) / 65536


KINDS = ["bell", "relu", "cap", "tail", "uniform"]


class Once(CalibrationDataReader):
    def __init__(self, inputs):
        self.inputs = iter([inputs])

    def get_next(self):
        return next(self.inputs, None)


def found(x, method, **options):
    """Range and bin width by ONNX Runtime's calibrator on a network that only passes x on."""
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [len(x)]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "pass", info[:1], info[1:])
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = os.path.join(folder, "pass.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        calibrator = create_calibrator(path, augmented_model_path=os.path.join(folder, "augmented.onnx"),
                                       calibrate_method=method, extra_options={"symmetric": True, **options})
        calibrator.collect_data(Once({"x": x}))
        data = calibrator.compute_data()["y"]
    low, high = data.range_value
    width = 0.0
    if method != CalibrationMethod.MinMax:
        edges = calibrator.collector.get_histogram_dict()["y"][1]
        width = float(edges[1] - edges[0])
    return max(np.abs(low).max(), np.abs(high).max()), width


def main():
    print("# SPDX-License-Identifier: Apache-2.0")
    print(f"# scripts/make_ort_calibrator_goldens.py, ONNX Runtime {onnxruntime.__version__}")
    print("# tensor values checksum method range width")
    for kind in KINDS:
        x = tensor(kind)
        checksum = int(np.sum(np.abs(x) * 65536))
        x = x.astype(np.float32)

        def line(name, method, **options):
            value, width = found(x, method, **options)
            print(f"{kind} {len(x)} {checksum} {name} {value:.9g} {width:.9g}")

        line("minmax", CalibrationMethod.MinMax)
        line("percentile99.99", CalibrationMethod.Percentile, num_bins=2048, percentile=99.99)
        line("percentile99", CalibrationMethod.Percentile, num_bins=2048, percentile=99.0)
        # Its defaults, 128 bins and 128 levels, leave it one candidate; 4,096 bins of x are 2,048 of |x|, as ours.
        line("entropy-default", CalibrationMethod.Entropy, num_bins=128, num_quantized_bins=128)
        line("entropy", CalibrationMethod.Entropy, num_bins=4096, num_quantized_bins=255)


if __name__ == "__main__":
    main()
