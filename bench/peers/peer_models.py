# SPDX-License-Identifier: Apache-2.0
"""The files speed_peers.py measures: gpu_eval's float32 ONNX of a network, and the int8 that the peers' own tools make of it.

    peer_models.py KIND SOURCE.onnx TARGET        # KIND: ort_int8 or openvino_int8

Weights are random and a handful of noise images calibrates: enough for speed, useless for accuracy (quantize_peers.py
measures that, with real weights and images).
"""
import logging
import os
import sys

import numpy as np

IMAGES = 4


def cpu_has_vnni():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "_vnni" in file.read()


def calibration_images(source):
    import onnx
    shape = onnx.load(source, load_external_data=False).graph.input[0].type.tensor_type.shape.dim
    random = np.random.default_rng(1)
    return [random.uniform(-1, 1, (1, *(d.dim_value for d in shape[1:]))).astype(np.float32) for _ in range(IMAGES)]


def ort_int8(source, target):
    """QDQ, one weight scale a channel, u8 activations. 7-bit weights only where the CPU's sums would saturate at 16 bits."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.images = iter(calibration_images(source))

        def get_next(self):
            image = next(self.images, None)
            return None if image is None else {"input": image}

    prepared = target + ".prepared"
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    reduce_range=not cpu_has_vnni(), activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    os.remove(prepared)


def openvino_int8(source, target):
    """NNCF's default: preset performance, fast bias correction."""
    import nncf
    import openvino
    nncf.set_log_level(logging.ERROR)
    images = calibration_images(source)
    # What detector_onnx.py appended is no part of the network.
    model = nncf.quantize(openvino.Core().read_model(source), nncf.Dataset(images), subset_size=len(images),
                          ignored_scope=nncf.IgnoredScope(patterns=["post/.*"], validate=False))
    openvino.save_model(model, target, compress_to_fp16=False)


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    {"ort_int8": ort_int8, "openvino_int8": openvino_int8}[sys.argv[1]](sys.argv[2], sys.argv[3])
