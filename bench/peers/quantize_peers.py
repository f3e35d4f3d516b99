#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ONNX Runtime's and NNCF's own post-training int8 reach on the images and networks that docs/quantization.md judges
our recipes by: the float32 ONNX that `gpu_eval export` writes, calibrated on the first 128 images, judged on the others
against the same runtime's float32. Prints rows for the tables there.

In a virtual environment outside the repository:

    pip install onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 nncf==3.4.0 opencv-python-headless
    python bench/peers/quantize_peers.py --gpu-eval build/gpu_eval --data ../shared/data

--networks takes a Keras file, too, with the normalization that it wants:

    python bench/peers/quantize_peers.py --networks ../shared/data/weights/efficientnet_lite0_224.keras --normalize tf

--calibration-table TABLE.json calibrates on the images of a table of gpu_eval instead, so that both judge the same.
"""
import argparse
import contextlib
import io
import json
import logging
import math
import os
import pickle
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
from check_onnx import NETWORKS, openvino_model, ort_session, preprocess, run_openvino, run_ort  # noqa: E402

import nncf  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
from onnxruntime.quantization import (  # noqa: E402
    CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: E402

BATCH = 4


class Reader(CalibrationDataReader):
    def __init__(self, source, images):
        self.input = ort_session(source).get_inputs()[0].name
        self.images = iter(images)

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {self.input: image[None]}


def ort_int8(source, target, images, method):
    prepared = target + ".prepared.onnx"
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, target, Reader(source, images), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=method)
    return lambda judged: run_ort(ort_session(target), judged, BATCH)


def nncf_int8(source, images, preset, fast_bias_correction):
    model = nncf.quantize(openvino.Core().read_model(source), nncf.Dataset([image[None] for image in images]),
                          preset=preset, subset_size=len(images), fast_bias_correction=fast_bias_correction)
    # float32 for what is left of it: other CPUs would take bfloat16.
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2})
    return lambda judged: run_openvino(compiled, judged, BATCH)


def centred(logits):
    return logits.astype(np.float64) - logits.mean(1, keepdims=True, dtype=np.float64)


def log_softmax(logits):
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def mcnemar(up, down):
    n = up + down
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(min(up, down) + 1)) / 2**n) if n else 1.0


def row(name, exact, found, labels, seconds):
    """As the tables of docs/quantization.md: agreement, SQNR, KL, top-1, difference, p, seconds."""
    right_exact, right = exact.argmax(1) == labels, found.argmax(1) == labels
    up, down = int(np.sum(right & ~right_exact)), int(np.sum(~right & right_exact))
    reference, noise = centred(exact), centred(exact) - centred(found)
    sqnr = 10 * np.log10(np.sum(reference**2) / np.sum(noise**2))
    log_p, log_q = log_softmax(exact), log_softmax(found)
    kl = np.mean(np.sum(np.exp(log_p) * (log_p - log_q), 1))
    agreement = np.mean(exact.argmax(1) == found.argmax(1))
    print(f"| {name} | {agreement:.4f} | {sqnr:.2f} | {kl:.5f} | {right.mean():.4f} | "
          f"{100 * (up - down) / len(labels):+.2f} | {mcnemar(up, down):.3f} | {seconds:.1f} |", flush=True)


def exported(args, name, folder):
    """The float32 ONNX of a published network or a Keras file, and the normalization of its input."""
    source = os.path.join(folder, os.path.basename(name) + ".onnx")
    if name in NETWORKS:
        model, alpha, _, normalize, weights = NETWORKS[name]
        network = ["--model", model, "--weights", os.path.join(args.data, "weights", weights)]
        network += ["--alpha", alpha] if alpha else []
    else:
        normalize, network = args.normalize, ["--model", name, "--normalize", args.normalize]
    subprocess.run([args.gpu_eval, "export", "--onnx", source] + network, check=True, stdout=subprocess.DEVNULL)
    return source, normalize


def divided(args, count):
    """Indices of the images that calibrate and of those that are judged."""
    calibration = list(range(args.calibration_images))
    if args.calibration_table:
        with open(args.calibration_table, encoding="utf-8") as file:
            calibration = [image["index"] for image in json.load(file)["calibration_images"]]
    return calibration, sorted(set(range(count)) - set(calibration))


def measure(args, name, jpegs, labels, folder):
    source, normalize = exported(args, name, folder)
    size = ort_session(source).get_inputs()[0].shape[1]
    images = np.stack([preprocess(jpeg, size, normalize) for jpeg in jpegs])
    calibrating, judging = divided(args, len(images))
    calibration, judged, labels = images[calibrating], images[judging], labels[judging]
    ort_float = run_ort(ort_session(source), judged, BATCH)
    vino_float = run_openvino(openvino_model(source), judged, BATCH)
    print(f"{name}: float32 top-1 {np.mean(ort_float.argmax(1) == labels):.4f} (ONNX Runtime), "
          f"{np.mean(vino_float.argmax(1) == labels):.4f} (OpenVINO) on {len(judged)} images")
    print("| recipe | agreement | SQNR dB | KL | top-1 | difference | p | s |\n|---|---|---|---|---|---|---|---|")
    rows = [(f"ONNX Runtime, {label}", ort_float,
             lambda method=method: ort_int8(source, os.path.join(folder, "int8.onnx"), calibration, method))
            for label, method in (("min-max", CalibrationMethod.MinMax), ("percentile", CalibrationMethod.Percentile),
                                  ("entropy", CalibrationMethod.Entropy))]
    presets = nncf.QuantizationPreset
    rows += [("NNCF, performance", vino_float, lambda: nncf_int8(source, calibration, presets.PERFORMANCE, True)),
             ("NNCF, mixed, full bias correction", vino_float,
              lambda: nncf_int8(source, calibration, presets.MIXED, False))]
    for label, exact, quantize in rows:
        before = time.time()
        with contextlib.redirect_stdout(io.StringIO()):
            run = quantize()
        row(label, exact, run(judged), labels, time.time() - before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--data", default=os.environ.get("GPUEVAL_DATA", "../shared/data"))
    parser.add_argument("--networks", default="mobilenet_0.25,squeezenet", help="names or files, commas between")
    parser.add_argument("--normalize", default="tf", choices=["tf", "caffe", "none"], help="of a Keras file")
    parser.add_argument("--calibration-images", type=int, default=128, help="the first N")
    parser.add_argument("--calibration-table", default="", help="of gpu_eval: its images calibrate instead")
    args = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    nncf.set_log_level(logging.ERROR)
    with open(os.path.join(args.data, "imagenet", "val224_sample.pkl"), "rb") as file:
        sample = pickle.load(file)
    labels = np.array([int(label) for label in sample["target"]])
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}, "
          f"NNCF {nncf.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.networks.split(","):
            measure(args, name, sample["data"], labels, folder)


if __name__ == "__main__":
    main()
