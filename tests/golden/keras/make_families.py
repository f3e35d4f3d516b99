#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes families/: one network of each family of keras.applications, small pictures, and the logits that Keras gives.

    venv/bin/pip install keras tensorflow tf-keras h5py numpy
    venv/bin/python make_families.py k3 && venv/bin/python make_families.py tf

A file holds what Keras saved of the network's description (config.json), which arrays its weight file has and the range
of each (weights.json), and the logits of two pictures. The numbers themselves come of one formula, seeded(), here and in
tests/keras/family.h. Ranges: kernels as He, gamma near 1, beta near 0, layer scales in 0.1 to 0.5; a batch norm's variance
near the mean square of what it is given, so that no tensor vanishes or explodes on the way.
"""
import io
import json
import math
import os
import re
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
GENERATION = sys.argv[1]
if GENERATION == "k3":
    import keras
else:
    import tf_keras as keras
import h5py
import numpy as np

# Extent of the pictures: the least that a network takes, or so many pixels that its last map has several.
MEMBERS = {
    "k3": {"MobileNet": (64, {"alpha": 0.25}), "MobileNetV2": (64, {"alpha": 0.35}), "MobileNetV3Small": (64, {}),
           "EfficientNetB0": (64, {}), "EfficientNetV2B0": (64, {}), "DenseNet121": (64, {}), "ResNet50": (48, {}),
           "ResNet50V2": (48, {}), "InceptionV3": (75, {}), "InceptionResNetV2": (75, {}), "Xception": (71, {}),
           "NASNetMobile": (64, {}), "ConvNeXtTiny": (32, {})},
    "tf": {"MobileNetV3Small": (64, {}), "ConvNeXtTiny": (32, {}), "RegNetX002": (64, {}), "RegNetY002": (64, {})},
}[GENERATION]
TAKES_0_TO_255 = ("EfficientNet", "ConvNeXt", "MobileNetV3", "RegNet")
CLASSES = 100
# What variances are multiplied by where tensors would grow and rounding errors with them.
CALMED = {"EfficientNetV2B0": 1.1}


def seeded(seed, low, high, shape):
    """float32 of low + (high - low) u, u of 24 bits: a hash of the seed and the index, in 32 bits without a sign."""
    x = np.arange(math.prod(shape), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed * 40503 & 0xFFFFFFFF)
    x ^= x >> 16
    x *= np.uint32(0x7FEB352D)
    x ^= x >> 15
    x *= np.uint32(0x846CA68B)
    x ^= x >> 16
    return (low + (high - low) * ((x >> 8) * 2.0**-24)).astype(np.float32).reshape(shape)


def pictures(seed, low, high, shape):
    """Squares of 8 x 8 pixels of one colour: single pixels would average out."""
    n, height, width, channels = shape
    squares = seeded(seed, low, high, (n, -(-height // 8), -(-width // 8), channels))
    return np.repeat(np.repeat(squares, 8, 1), 8, 2)[:, :height, :width]


def role_of(variable):
    return re.sub(r"(_\d+)?(:0)?$", "", variable.name.split("/")[-1])


def range_of(layer, variable, square):
    role, shape = role_of(variable), tuple(variable.shape)
    if type(layer).__name__ == "LayerScale":
        return 0.1, 0.5
    if role.endswith("kernel"):
        depthwise = role.startswith("depthwise") or type(layer).__name__ == "DepthwiseConv2D"
        fan_in = math.prod(shape[:2] if depthwise else shape[:-1])
        most = math.sqrt((3 if len(shape) == 2 else 6) / fan_in)
        return -most, most
    if "variance" in role:
        return 0.7 * square, 1.4 * square
    if role == "gamma":
        return 0.8, 1.2
    if "mean" in role:
        return -0.1 * math.sqrt(square), 0.1 * math.sqrt(square)
    assert role in ("bias", "beta"), role
    return -0.1, 0.1


def leaves(model):
    for layer in model.layers:
        yield from leaves(layer) if hasattr(layer, "layers") else [layer]


def mean_squares(model, images):
    """Of what each batch norm is given, where every one fits what it is given and nothing is dropped. By name."""
    norms = [layer for layer in leaves(model) if type(layer).__name__ == "BatchNormalization"]
    settings = [(layer, "momentum") for layer in norms] + [(layer, "rate") for layer in leaves(model) if hasattr(layer, "rate")]
    before = [getattr(*setting) for setting in settings]
    for setting in settings:
        setattr(*setting, 0.0)
    model(images, training=True)
    for setting, value in zip(settings, before):
        setattr(*setting, value)

    def mean_square(layer):
        mean, variance = (np.array(x.numpy()) for x in (layer.moving_mean, layer.moving_variance))
        return float(np.mean(variance + np.square(mean)))

    return {layer.name: mean_square(layer) for layer in norms}


def fill(model, squares):
    """What weights.json says of each variable, by the layer's name and the variable's place, and by the variable's name."""
    facts = {}
    for layer in leaves(model):
        for place, variable in enumerate(layer.weights):
            if "float" not in str(variable.dtype):
                fact = {"shape": list(variable.shape)}
            else:
                low, high = range_of(layer, variable, squares.get(layer.name, 1.0))
                fact = {"shape": list(variable.shape), "seed": len(facts) // 2, "low": low, "high": high}
                variable.assign(seeded(fact["seed"], low, high, fact["shape"]))
            facts[layer.name, place] = facts[variable.name, None] = fact
    return facts


def check(dataset, fact):
    if "seed" in fact:
        assert np.array_equal(dataset[()], seeded(fact["seed"], fact["low"], fact["high"], fact["shape"]))


def groups_of_archive(path, facts):
    """Of every group of weights: where it lies, whose it is, its arrays."""
    with zipfile.ZipFile(path) as archive:
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    groups = []

    def visit(name, group):
        if not name.endswith("/vars") or not len(group):
            return
        layer = group.attrs["name"]
        arrays = [{"name": str(i), **facts[layer, i]} for i in range(len(group))]
        for array in arrays:
            check(group[array["name"]], array)
        groups.append({"path": name[:-len("/vars")], "name": layer, "arrays": arrays})

    file.visititems(visit)
    return groups


def groups_of_h5(path, facts):
    top = h5py.File(path)["model_weights"]
    groups = []
    for layer in top.attrs["layer_names"]:
        arrays = []
        for name in top[layer].attrs["weight_names"]:
            arrays.append({"name": name, **facts[name, None]})
            check(top[layer][name], arrays[-1])
        if arrays:
            groups.append({"path": layer, "name": layer, "arrays": arrays})
    return groups


def description(path):
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json").decode()
    return h5py.File(path).attrs["model_config"]


def write(name, texts, arrays):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            texts[entry + ".npy"] = buffer.getvalue()
        for entry, text in texts.items():
            archive.writestr(zipfile.ZipInfo(entry, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED, 9)


def main():
    for name, (extent, settings) in MEMBERS.items():
        if name not in (sys.argv[2:] or MEMBERS):
            continue
        keras.backend.clear_session()
        make = getattr(keras.applications, name)
        settings = {"weights": None, "classes": CLASSES, "input_shape": (extent, extent, 3), **settings}
        model = make(**settings)
        pixels = {"seed": 1, "shape": [2, extent, extent, 3], "low": 0 if name.startswith(TAKES_0_TO_255) else -1,
                  "high": 255 if name.startswith(TAKES_0_TO_255) else 1}
        fill(model, {})
        squares = mean_squares(model, pictures(**pixels))
        facts = fill(model, {layer: square * CALMED.get(name, 1) for layer, square in squares.items()})
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "saved." + ("keras" if GENERATION == "k3" else "h5"))
            model.save(path)
            groups = (groups_of_archive if GENERATION == "k3" else groups_of_h5)(path, facts)
            config = description(path)
            # As a user's file: a Normalization prepares its numbers here alone.
            scales = {type(layer).__name__: type(layer) for layer in leaves(model) if type(layer).__name__ == "LayerScale"}
            loaded = keras.models.load_model(path, custom_objects=scales)
        loaded.layers[-1].activation = keras.activations.linear
        images = pictures(**pixels)
        logits = np.asarray(loaded(images, training=False))
        moved = images * (1 + np.float32(2.0**-23) * np.sign(seeded(2, -1, 1, images.shape)))
        moved = np.linalg.norm(np.asarray(loaded(moved, training=False)) - logits) / np.linalg.norm(logits)
        weights = {"archive": GENERATION == "k3", "keras_version": keras.__version__, "pixels": pixels, "groups": groups}
        write(os.path.join("families", f"{GENERATION}_{name}.zip"), {"config.json": config, "weights.json": json.dumps(weights)},
              {"logits": logits.astype(np.float32)})
        print(f"{name}: {model.count_params():,} parameters, logits {logits.mean():.2f} +- {logits.std():.2f}, from picture to "
              f"picture {np.abs(logits[0] - logits[1]).mean():.2f}; moved by {moved:.1e} where pixels move by 1.2e-7", flush=True)


main()
