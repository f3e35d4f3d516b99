# SPDX-License-Identifier: Apache-2.0
"""The networks that zero_points.py measures, with the pictures that calibrate and those that are judged."""
import os
import pickle
import sys
from dataclasses import dataclass

import cv2
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
from check_onnx import NETWORKS, preprocess  # noqa: E402


@dataclass
class Subject:
    name: str
    options: list  # of gpu_eval that name the network
    calibration: np.ndarray
    judged: np.ndarray
    labels: np.ndarray | None = None
    classifies: bool = True


def photographs(args, name, options, size, normalize, labelled):
    """Every fourth of the sample of ImageNet calibrates, up to the number asked for; none of those is judged."""
    with open(os.path.join(args.data, "imagenet", "val224_sample.pkl"), "rb") as file:
        sample = pickle.load(file)
    labels = np.array([int(label) for label in sample["target"]])
    images = np.stack([preprocess(jpeg, size, normalize) for jpeg in sample["data"]])
    calibrating = np.arange(0, len(images), 4)
    judging = np.setdiff1d(np.arange(len(images)), calibrating)[:args.images]
    return Subject(name, options, images[calibrating[:args.calibration_images]], images[judging],
                   labels[judging] if labelled else None)


def read(folder, name):
    for suffix in (".jpg", ".jpeg", ".png"):
        path = os.path.join(folder, "JPEGImages", name + suffix)
        if os.path.exists(path):
            return cv2.imread(path)[..., ::-1]
    raise FileNotFoundError(f"{folder}: no picture {name}")


def listed(folder, kind, split):
    with open(os.path.join(folder, "ImageSets", kind, split + ".txt"), encoding="utf-8") as file:
        return file.read().split()


def ssd_pixels(rgb):
    return cv2.resize(rgb, (260, 260)).astype(np.float32) / 255


def deeplab_pixels(rgb):
    scale = 513 / max(rgb.shape[:2])
    small = cv2.resize(rgb, (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)))
    square = np.full((513, 513, 3), 128, np.uint8)
    square[:small.shape[0], :small.shape[1]] = small
    return square.astype(np.float32) / 127.5 - 1


def voc(args, name, file, kind, pixels):
    folder = os.path.dirname(file)
    calibration, judged = (np.stack([pixels(read(folder, each)) for each in listed(folder, kind, split)[:most]])
                           for split, most in (("calibration", min(32, args.calibration_images)),
                                               ("val", min(40, args.images))))
    return Subject(name, ["--model", file], calibration, judged, classifies=name != "ssd")


def swish(args, name):
    def array(part):
        return np.load(os.path.join(args.swish, part + ".npy"))

    return Subject(name, ["--model", os.path.join(args.swish, name + ".keras")],
                   array("calibration")[:args.calibration_images], array("test")[:args.images],
                   array("test_labels")[:args.images])


def load(args, name):
    """A name of below, or a Keras file of 224x224 with random weights that takes pixels 0 to 255."""
    weights = os.path.join(args.data, "weights")
    if name == "lite0":
        options = ["--model", os.path.join(weights, "efficientnet_lite0_224.keras"), "--normalize", "tf"]
        return photographs(args, name, options, 224, "tf", True)
    if name in ("mobilenet", "squeezenet"):
        model, alpha, size, normalize, file = NETWORKS["mobilenet_0.25" if name == "mobilenet" else name]
        options = ["--model", model, "--weights", os.path.join(weights, file)] + (["--alpha", alpha] if alpha else [])
        return photographs(args, name, options, size, normalize, True)
    if name == "deeplab":
        file = os.path.join(args.data, "segmentation", "deeplabv3_mobilenetv2_050_513.h5")
        return voc(args, name, file, "Segmentation", deeplab_pixels)
    if name == "ssd":
        return voc(args, name, os.path.join(args.data, "detection", "face_mask_ssd_260.h5"), "Main", ssd_pixels)
    if name.startswith("swish_"):
        return swish(args, name)
    options = ["--model", name, "--normalize", "none", "--input-size", "224x224"]
    return photographs(args, os.path.basename(name) + " (random weights)", options, 224, "none", False)
