#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what `gpu_eval export` writes against onnx.checker, ONNX Runtime and OpenVINO, and against gpu_eval itself.

Needs onnx, onnxruntime, openvino, numpy and opencv-python-headless (exit code 77 without). Networks whose weight file is
not in --data run with seeded random weights. For each network, as float32 and as int8 (and int8 with --activations s8):
  onnx.checker accepts the file; both runtimes load it and run batches of 1 and 2, which agree with each other;
  float32 logits agree with gpu_eval's to 1e-5 (norm of the difference over the norm);
  int8 with published weights and u8 activations gives gpu_eval's top-1 on at least 97% of the images in ONNX Runtime.
"""
import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time

try:
    import cv2
    import numpy as np
    import onnx
    import onnxruntime
    import openvino
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# name, alpha, input size, normalization, published weight file
NETWORKS = {
    "vgg16": ("vgg16", None, 224, "caffe", "vgg16_weights_tf_dim_ordering_tf_kernels.h5"),
    "resnet50": ("resnet50", None, 224, "caffe", "resnet50_weights_tf_dim_ordering_tf_kernels.h5"),
    "inceptionv3": ("inceptionv3", None, 299, "tf", "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"),
    "xception": ("xception", None, 299, "tf", "xception_weights_tf_dim_ordering_tf_kernels.h5"),
    "mobilenet_1.0": ("mobilenet", "1", 224, "tf", "mobilenet_1_0_224_tf.h5"),
    "mobilenet_0.75": ("mobilenet", "0.75", 224, "tf", "mobilenet_7_5_224_tf.h5"),
    "mobilenet_0.5": ("mobilenet", "0.5", 224, "tf", "mobilenet_5_0_224_tf.h5"),
    "mobilenet_0.25": ("mobilenet", "0.25", 224, "tf", "mobilenet_2_5_224_tf.h5"),
    "squeezenet": ("squeezenet", None, 227, "caffe", "squeezenet_weights_tf_dim_ordering_tf_kernels.h5"),
}
FLOAT_TOLERANCE = 1e-5
AGREEMENT = 0.97
RANDOM_IMAGES = 8

failures = []


def require(condition, text):
    if not condition:
        failures.append(text)
        print(f"  FAILED: {text}")


def preprocess(jpeg, size, normalize):
    """Pixels as gpu_eval makes them of an image of the pickle: its JPEG strings decode to R, G, B."""
    rgb = cv2.resize(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), (size, size))
    if normalize == "caffe":
        return rgb[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)
    if normalize == "none":
        return rgb.astype(np.float32)
    return (rgb.astype(np.float64) / 127.5 - 1).astype(np.float32)


def ort_session(path, optimized=None):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    if optimized:
        options.optimized_model_filepath = optimized
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_ort(session, images, batch):
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: images[i:i + batch]})[0] for i in range(0, len(images), batch)]
    return np.concatenate(parts)


def openvino_model(path):
    # Strict float32: a CPU with AMX would compute in bfloat16.
    return openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2})


def run_openvino(model, images, batch):
    return np.concatenate([model(images[i:i + batch])[0] for i in range(0, len(images), batch)])


def relative_error(found, expected):
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def agreement(a, b):
    return float(np.mean(a.argmax(1) == b.argmax(1)))


def ort_kernels(path, folder):
    """Convolutions and matrix products that ONNX Runtime runs in integers, and all of them."""
    optimized = os.path.join(folder, "optimized.onnx")
    ort_session(path, optimized)
    ops = [node.op_type for node in onnx.load(optimized, load_external_data=False).graph.node]
    os.remove(optimized)
    integer = sum(op in ("QLinearConv", "QGemm", "QLinearMatMul") for op in ops)
    return integer, integer + sum(op in ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul") for op in ops)


class Network:
    def __init__(self, args, name, folder):
        self.args, self.name, self.folder = args, name, folder
        model, alpha, self.size, self.normalize, weights = NETWORKS[name]
        path = os.path.join(args.data, "weights", weights)
        self.real = os.path.exists(path)
        self.model = ["--model", model] + (["--alpha", alpha] if alpha else [])
        self.model += ["--weights", path if self.real else "random"]
        self.count = args.images if self.real else RANDOM_IMAGES

    def path(self, suffix):
        return os.path.join(self.folder, self.name + suffix)

    def gpu_eval(self, command, *options):
        line = [self.args.gpu_eval] + command + self.model + list(options)
        before = time.time()
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(line)}: {done.stderr}")
        return time.time() - before

    def logits(self, *options):
        self.gpu_eval([], "--mode", "accuracy", "--data", self.args.pickle, "--limit", str(self.count), "--save-logits",
                      self.path(".npy"), *options)
        return np.load(self.path(".npy"))

    def check_file(self, label, path, images):
        """Both runtimes' logits."""
        onnx.checker.check_model(path, full_check=os.path.getsize(path) < 100e6)
        session, compiled = ort_session(path), openvino_model(path)
        results = []
        for runtime, run, loaded in (("ONNX Runtime", run_ort, session), ("OpenVINO", run_openvino, compiled)):
            single, pair = run(loaded, images[:2], 1), run(loaded, images[:2], 2)
            require(single.shape == pair.shape == (2, self.classes), f"{label}: {runtime} gives {pair.shape}")
            require(relative_error(pair, single) < 1e-3, f"{label}: {runtime} differs between batch 1 and 2")
            results.append(run(loaded, images, 4))
        return results

    def check_float(self, images):
        path, expected = self.path(".onnx"), self.logits("--precision", "float32")
        self.classes = expected.shape[1]
        seconds = self.gpu_eval(["export"], "--onnx", path)
        ort, vino = self.check_file("float32", path, images)
        errors = relative_error(ort, expected), relative_error(vino, expected)
        print(f"  float32: relative error ONNX Runtime {errors[0]:.1e}, OpenVINO {errors[1]:.1e}; "
              f"{os.path.getsize(path) / 1e6:.1f} MB in {seconds:.1f} s")
        require(errors[0] <= FLOAT_TOLERANCE, f"{self.name} float32: relative error {errors[0]:.2e} in ONNX Runtime")
        require(errors[1] <= FLOAT_TOLERANCE, f"{self.name} float32: relative error {errors[1]:.2e} in OpenVINO")
        os.remove(path)

    def not_calibrated_on(self, jpegs, table):
        """What gpu_eval judges: the first images that the table was not calibrated on."""
        with open(table, encoding="utf-8") as file:
            left_out = {image["index"] for image in json.load(file)["calibration_images"]}
        judged = [jpeg for i, jpeg in enumerate(jpegs) if i not in left_out][:self.count]
        return np.stack([preprocess(jpeg, self.size, self.normalize) for jpeg in judged])

    def check_int8(self, jpegs, activations):
        path, table = self.path(f".{activations}.onnx"), self.path(f".{activations}.json")
        options = ["--precision", "int8", "--activations", activations, "--calibration-table", table]
        if self.args.scheme:
            options += ["--scheme", self.args.scheme]
        calibration = self.args.calibration_images if self.real else RANDOM_IMAGES
        self.gpu_eval(["calibrate"], "--data", self.args.pickle, "--calibration-images", str(calibration), *options)
        expected, images = self.logits(*options), self.not_calibrated_on(jpegs, table)
        self.gpu_eval(["export"], "--onnx", path, *options)
        ort, vino = self.check_file(f"int8 {activations}", path, images)
        integer, layers = ort_kernels(path, self.folder)
        print(f"  int8 {activations}: same top-1 ONNX Runtime {agreement(ort, expected):.4f}, OpenVINO "
              f"{agreement(vino, expected):.4f} of {len(images)}; relative error {relative_error(ort, expected):.4f}, "
              f"{relative_error(vino, expected):.4f}; ONNX Runtime runs {integer} of {layers} layers in integers; "
              f"{os.path.getsize(path) / 1e6:.1f} MB")
        # s8 is TensorRT's layout: ONNX Runtime rounds its float32 biases in a way of its own.
        if self.real and activations == "u8":
            require(agreement(ort, expected) >= AGREEMENT, f"{self.name} int8 {activations}: ONNX Runtime agrees on "
                    f"{agreement(ort, expected):.4f} of the images, expected {AGREEMENT}")
        os.remove(path)

    def check(self, jpegs):
        print(f"{self.name} ({'published' if self.real else 'random'} weights, {self.count} images)", flush=True)
        images = np.stack([preprocess(jpeg, self.size, self.normalize) for jpeg in jpegs[:self.count]])
        self.check_float(images)
        for activations in self.args.activations.split(","):
            self.check_int8(jpegs, activations)
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--data", default=os.environ.get("GPUEVAL_DATA", "../shared/data"))
    parser.add_argument("--networks", default=",".join(NETWORKS), help="names with commas between")
    parser.add_argument("--images", type=int, default=500, help="judged with published weights")
    parser.add_argument("--calibration-images", type=int, default=128)
    parser.add_argument("--activations", default="u8,s8")
    parser.add_argument("--scheme", default="", help="default: gpu_eval's own")
    args = parser.parse_args()
    args.pickle = os.path.join(args.data, "imagenet", "val224_sample.pkl")
    if not os.path.exists(args.pickle):
        print(f"skipped: {args.pickle} is not there")
        sys.exit(77)
    with open(args.pickle, "rb") as file:
        jpegs = pickle.load(file)["data"]
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.networks.split(","):
            Network(args, name, folder).check(jpegs)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"peak memory of gpu_eval: {peak:.2f} GiB")
    print("FAILED" if failures else "passed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
