#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ONNX Runtime's and NNCF's own post-training int8 cost a detector and a segmentation, beside ours: the float32 ONNX
that `gpu_eval export` writes, calibrated on the pictures of one split, judged on those of another by `gpu_eval judge`.

In a virtual environment outside the repository, as for quantize_peers.py:

    python bench/peers/quantize_tasks.py --gpu-eval build/gpu_eval --data ../shared/data

Decoding and suppression are numpy's (scripts/make_priors_goldens.py), label maps OpenCV's: only the networks are theirs.
"""
import argparse
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts"))
from make_priors_goldens import face_mask, suppress  # noqa: E402

import nncf  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
from onnxruntime.quantization import (  # noqa: E402
    CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: E402


class Reader(CalibrationDataReader):
    def __init__(self, name, images):
        self.name, self.images = name, iter(images)

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {self.name: image[None]}


def ort_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_ort(session, images):
    name = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(None, {name: image[None]}))) for image in images]


def ort_int8(source, folder, images, method):
    prepared, target = os.path.join(folder, "prepared.onnx"), os.path.join(folder, "int8.onnx")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, target, Reader(ort_session(source).get_inputs()[0].name, images),
                    quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, calibrate_method=method)
    return lambda judged: run_ort(ort_session(target), judged)


def run_openvino(compiled, images):
    outputs = [(output.get_any_name(), output) for output in compiled.outputs]
    rows = []
    for image in images:
        result = compiled([image[None]])
        rows.append({name: result[output] for name, output in outputs})
    return rows


def nncf_int8(source, images, preset, fast):
    model = nncf.quantize(openvino.Core().read_model(source), nncf.Dataset([image[None] for image in images]),
                          preset=preset, subset_size=len(images), fast_bias_correction=fast)
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2})
    return lambda judged: run_openvino(compiled, judged)


class Detection:
    ort_methods = (("min-max", CalibrationMethod.MinMax), ("percentile", CalibrationMethod.Percentile),
                   ("entropy", CalibrationMethod.Entropy))
    name, metric, headline = "face-mask SSD", "AP", "ap"
    options = ["--task", "detection", "--priors", "face_mask_260.json", "--normalize", "unit", "--fit", "squash"]

    def __init__(self, data):
        self.folder = os.path.join(data, "detection")
        self.model = os.path.join(self.folder, "face_mask_ssd_260.h5")
        self.priors = face_mask()

    def pictures(self, split):
        with open(os.path.join(self.folder, "ImageSets", "Main", split + ".txt"), encoding="utf-8") as file:
            ids = file.read().split()
        files = {os.path.splitext(name)[0]: name for name in os.listdir(os.path.join(self.folder, "JPEGImages"))}
        return [cv2.imread(os.path.join(self.folder, "JPEGImages", files[i]))[..., ::-1] for i in ids], ids

    def prepare(self, picture):
        return np.ascontiguousarray(cv2.resize(picture, (260, 260)), np.float32) / np.float32(255)

    def answers(self, rows, pictures, ids, folder):
        found = []
        for number, (row, picture) in enumerate(zip(rows, pictures), 1):
            by_size = sorted(row.values(), key=lambda v: v.size)
            scores, offsets = by_size[0].reshape(-1, 2), by_size[1].reshape(-1, 4)
            centre = offsets[:, :2] * 0.1 * self.priors[:, 2:] + self.priors[:, :2]
            size = np.exp(offsets[:, 2:] * 0.2) * self.priors[:, 2:]
            boxes = np.concatenate([centre - size / 2, centre + size / 2], 1)
            height, width = picture.shape[:2]
            for c in range(2):
                above = np.flatnonzero(scores[:, c] > 0.01)
                order = above[np.argsort(-scores[above, c], kind="stable")][:400]
                for i in order[suppress(boxes[order], 0.45)]:
                    x1, y1, x2, y2 = boxes[i] * [width, height, width, height]
                    found.append({"image_id": number, "category_id": c + 1, "score": float(scores[i, c]),
                                  "bbox": [x1, y1, x2 - x1, y2 - y1]})
        path = os.path.join(folder, "dump.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file)
        return ["--truth", self.folder, "--detections", path]


class Segmentation:
    ort_methods = (("min-max", CalibrationMethod.MinMax),)  # the others hold every tensor of every picture: over 20 GB
    name, metric, headline = "DeepLabV3 MobileNetV2 0.5", "mIoU", "miou"
    options = ["--task", "segmentation", "--normalize", "tf", "--fit", "pad", "--map-classes", "15:1,255:void,other:0",
               "--upsample", "aligned"]

    def __init__(self, data):
        self.folder = os.path.join(data, "segmentation")
        self.model = os.path.join(self.folder, "deeplabv3_mobilenetv2_050_513.h5")
        self.exact = None  # float32's label maps

    def pictures(self, split):
        with open(os.path.join(self.folder, "ImageSets", "Segmentation", split + ".txt"), encoding="utf-8") as file:
            ids = file.read().split()
        return [cv2.imread(os.path.join(self.folder, "JPEGImages", i + ".jpg"))[..., ::-1] for i in ids], ids

    @staticmethod
    def extents(picture):
        height, width = picture.shape[:2]
        return max(1, int(height * 513 / max(height, width) + 0.5)), max(1, int(width * 513 / max(height, width) + 0.5))

    def prepare(self, picture):
        height, width = self.extents(picture)
        padded = np.full((513, 513, 3), 128, np.uint8)
        padded[:height, :width] = cv2.resize(picture, (width, height))
        return padded.astype(np.float32) / np.float32(127.5) - np.float32(1)

    def answers(self, rows, pictures, ids, folder):
        # Corner on corner from 65 to 513 is a step of 1/8: by a matrix of weights an axis.
        at = np.arange(513) / 8
        first = np.minimum(at.astype(int), 63)
        axis = np.zeros((513, 65))
        axis[np.arange(513), first] = 1 - (at - first)
        axis[np.arange(513), first + 1] += at - first
        maps = []
        for row, picture, name in zip(rows, pictures, ids):
            logits = next(iter(row.values())).reshape(65, 65, 2)
            wide = (axis @ (logits[..., 1] - logits[..., 0]) @ axis.T).astype(np.float32)
            height, width = self.extents(picture)
            shown = cv2.resize(np.ascontiguousarray(wide[:height, :width]), picture.shape[1::-1])
            maps.append((shown > 0).astype(np.uint8))
            cv2.imwrite(os.path.join(folder, name + ".png"), maps[-1])
        self.maps = maps
        return ["--truth", self.folder, "--masks", folder, "--map-classes", "15:1,255:void,other:0"]


def measure(args, task, folder):
    source = os.path.join(folder, "network.onnx")
    subprocess.run([args.gpu_eval, "export", "--onnx", source, "--model", task.model], check=True,
                   stdout=subprocess.DEVNULL)
    calibration_pictures, _ = task.pictures(args.calibration_split)
    pictures, ids = task.pictures(args.split)
    calibration = [task.prepare(picture) for picture in calibration_pictures]
    judged = [task.prepare(picture) for picture in pictures]

    def judge(rows):
        with tempfile.TemporaryDirectory() as place:
            command = [args.gpu_eval, "judge", "--task", task.options[1], "--split", args.split, "--json", "-"]
            found = subprocess.run(command + task.answers(rows, pictures, ids, place), check=True, capture_output=True)
        return json.loads(found.stdout)["runs"][0]["accuracy"]

    def agreement(exact):
        if task.headline != "miou":
            return ""
        pixels = sum(m.size for m in exact)
        return f"{sum(int((a == b).sum()) for a, b in zip(exact, task.maps)) / pixels:.4f}"

    print(f"\n{task.name}, {len(judged)} pictures of {args.split}, calibrated on {len(calibration)} of "
          f"{args.calibration_split}\n\n| int8 by | {task.metric} float32 | {task.metric} int8 | difference | "
          "pixels agree | s |\n|---|---|---|---|---|---|")
    ort_rows = run_ort(ort_session(source), judged)
    exact_ort = judge(ort_rows)
    maps_ort = getattr(task, "maps", None)
    compiled = openvino.compile_model(openvino.Core().read_model(source), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    exact_vino = judge(run_openvino(compiled, judged))
    maps_vino = getattr(task, "maps", None)
    presets = nncf.QuantizationPreset
    rows = [(f"ONNX Runtime, {label}", exact_ort, maps_ort,
             lambda method=method: ort_int8(source, folder, calibration, method))
            for label, method in task.ort_methods]
    rows += [("NNCF, performance", exact_vino, maps_vino,
              lambda: nncf_int8(source, calibration, presets.PERFORMANCE, True)),
             ("NNCF, mixed, full bias correction", exact_vino, maps_vino,
              lambda: nncf_int8(source, calibration, presets.MIXED, False))]
    for label, exact, maps, quantize in rows:
        before = time.time()
        with contextlib.redirect_stdout(io.StringIO()):
            run = quantize()
        seconds = time.time() - before
        found = judge(run(judged))
        a, b = exact[task.headline], found[task.headline]
        print(f"| {label} | {a:.4f} | {b:.4f} | {b - a:+.4f} | {agreement(maps)} | {seconds:.1f} |", flush=True)
    for scheme in ("best", "maxabs"):
        before = time.time()
        result = subprocess.run(
            [args.gpu_eval, "--model", task.model, "--data", task.folder, "--split", args.split, "--calibration-split",
             args.calibration_split, "--precision", "float32,int8", "--scheme", scheme, "--mode", "accuracy", "--json",
             "-"] + task.options, check=True, capture_output=True)
        first, second = json.loads(result.stdout)["runs"]
        a, b = first["accuracy"][task.headline], second["accuracy"][task.headline]
        agree = f"{second['vs_first']['agreement']:.4f}" if task.headline == "miou" else ""
        print(f"| ours, {scheme} | {a:.4f} | {b:.4f} | {b - a:+.4f} | {agree} | {time.time() - before:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--data", default=os.environ.get("GPUEVAL_DATA", "../shared/data"))
    parser.add_argument("--tasks", default="detection,segmentation")
    parser.add_argument("--split", default="val")
    parser.add_argument("--calibration-split", default="calibration")
    args = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    nncf.set_log_level(logging.ERROR)
    print(f"ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}, NNCF {nncf.__version__}")
    tasks = [task(args.data) for task in (Detection, Segmentation) if task.__name__.lower() in args.tasks.split(",")]
    for task in tasks:
        with tempfile.TemporaryDirectory() as folder:
            measure(args, task, folder)


if __name__ == "__main__":
    main()
