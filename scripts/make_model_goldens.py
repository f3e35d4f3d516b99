#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes what the networks must give, with tf-keras and Keras 3, which share no code with this project.

Needs Python 3.11 with tensorflow-cpu 2.21, tf-keras 2.21, keras 3, h5py, numpy and opencv-python-headless.

  make_model_goldens.py goldens tests/golden/models          the committed goldens: layer orders and logits
  make_model_goldens.py oracle  CACHE_FOLDER [--models a,b]  weight files of every generation, images and logits
  make_model_goldens.py seeds   tests/golden/hdf5            the smallest file of every generation: seeds for tests/fuzz

The weights are a function of (seed, layer name, role, shape) that src/io/weights/random_weights.cpp computes bit for bit
alike, so the goldens test every network without a weight file, and the oracle's files have a known content:
GPUEVAL_ORACLE=CACHE_FOLDER makes tests/models compare what is bound from each file, and scripts/check_oracle.py
compares the logits of the gpu_eval program. The cache needs 5 GB with vgg16; never commit it.
"""
import argparse
import itertools
import json
import os
import pathlib
import pickle
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import cv2
import h5py
import keras
import numpy as np
import tf_keras

SEED = 1
INPUT_SEED = 2
GOLDEN_IMAGES = 1
MASK = (1 << 64) - 1


# ---- numbers that C++ and Python compute alike (SplitMix64, float32 arithmetic)
def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(seed, count, lo, hi):
    out = np.empty(count, np.float32)
    lo, span = np.float32(lo), np.float32(hi) - np.float32(lo)
    for first in range(0, count, 1 << 21):
        last = min(count, first + (1 << 21))
        z = np.uint64(seed) + np.arange(first + 1, last + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        out[first:last] = lo + span * ((z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24))
    return out


RANGES = {"bias": (-0.1, 0.1), "gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "moving_mean": (-0.2, 0.2),
          "moving_variance": (0.5, 1.5)}


def random_array(name, role, shape, before_add):
    if role in RANGES:
        lo, hi = RANGES[role]
    else:
        fan_in = np.prod(shape[:2]) if role == "depthwise_kernel" else np.prod(shape[:-1])
        hi = np.float32(np.sqrt(6.0 / float(fan_in)))
        lo = -hi
    values = uniform(fnv1a(f"{SEED}/{name}/{role}"), int(np.prod(shape)), lo, hi)
    if role == "gamma" and before_add:
        values *= np.float32(0.2)
    return values.reshape(shape)


def random_inputs(model, images):
    shape = (images,) + tuple(model.input_shape[1:])
    return uniform(INPUT_SEED, int(np.prod(shape)), -1, 1).reshape(shape)


# ---- networks that keras.applications does not have
def squeezenet(k, separator):
    layers = k.layers

    def conv(x, filters, size, name, stride=1, pad="valid"):
        x = layers.Conv2D(filters, size, strides=stride, padding=pad, name=name)(x)
        head, _, tail = name.rpartition(separator)
        return layers.Activation("relu", name=(head + separator if head else "") + "relu_" + tail)(x)

    def fire(x, index, squeeze, expand):
        prefix = f"fire{index}{separator}"
        x = conv(x, squeeze, 1, prefix + "squeeze1x1")
        left = conv(x, expand, 1, prefix + "expand1x1")
        right = conv(x, expand, 3, prefix + "expand3x3", pad="same")
        return layers.Concatenate(name=prefix + "concat")([left, right])

    image = layers.Input((227, 227, 3))
    x = conv(image, 64, 3, "conv1", stride=2)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = fire(fire(x, 2, 16, 64), 3, 16, 64)
    x = layers.MaxPooling2D(3, 2, name="pool3")(x)
    x = fire(fire(x, 4, 32, 128), 5, 32, 128)
    x = layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = fire(fire(fire(fire(x, 6, 48, 192), 7, 48, 192), 8, 64, 256), 9, 64, 256)
    x = layers.Dropout(0.5, name="drop9")(x)
    x = conv(x, 1000, 1, "conv10")
    return k.Model(image, layers.GlobalAveragePooling2D()(x), name="squeezenet")


def resnet50_published(k):
    """keras-applications' first ResNet50: eps 1e-3, no padding before the pool, the main branch built before the shortcut."""
    layers = k.layers

    def conv_bn(x, filters, size, stage, branch, stride=1, relu=True):
        pad = "same" if size == 3 else "valid"
        x = layers.Conv2D(filters, size, strides=stride, padding=pad, name=f"res{stage}_branch{branch}")(x)
        x = layers.BatchNormalization(name=f"bn{stage}_branch{branch}")(x)
        return layers.Activation("relu")(x) if relu else x

    image = layers.Input((224, 224, 3))
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(name="bn_conv1")(x))
    x = layers.MaxPooling2D(3, 2)(x)
    for stage, (filters, blocks) in enumerate([(64, "abc"), (128, "abcd"), (256, "abcdef"), (512, "abc")], 2):
        for block in blocks:
            name = f"{stage}{block}"
            stride = 2 if block == "a" and stage > 2 else 1
            y = conv_bn(x, filters, 1, name, "2a", stride)
            y = conv_bn(y, filters, 3, name, "2b")
            y = conv_bn(y, 4 * filters, 1, name, "2c", relu=False)
            shortcut = conv_bn(x, 4 * filters, 1, name, "1", stride, relu=False) if block == "a" else x
            x = layers.Activation("relu")(layers.Add()([y, shortcut]))
    x = layers.Flatten()(layers.AveragePooling2D(7, name="avg_pool")(x))
    return k.Model(image, layers.Dense(1000, name="fc1000")(x), name="resnet50")


def application(name, **options):
    return lambda k: getattr(k.applications, name)(weights=None, classifier_activation=None, **options)


# network -> (--model, --alpha, variant, build, channel order of the input)
NETWORKS = {
    "vgg16": ("vgg16", 1, "", application("VGG16"), "caffe"),
    "resnet50_published": ("resnet50", 1, "published", resnet50_published, "caffe"),
    "resnet50_current": ("resnet50", 1, "current", application("ResNet50"), "caffe"),
    "inceptionv3": ("inceptionv3", 1, "", application("InceptionV3"), "tf"),
    "xception": ("xception", 1, "", application("Xception"), "tf"),
    "mobilenet_1.0": ("mobilenet", 1, "", application("MobileNet", alpha=1.0), "tf"),
    "mobilenet_0.75": ("mobilenet", 0.75, "", application("MobileNet", alpha=0.75), "tf"),
    "mobilenet_0.5": ("mobilenet", 0.5, "", application("MobileNet", alpha=0.5), "tf"),
    "mobilenet_0.25": ("mobilenet", 0.25, "", application("MobileNet", alpha=0.25), "tf"),
    "squeezenet": ("squeezenet", 1, "", lambda k: squeezenet(k, "/" if k is tf_keras else "_"), "caffe"),
}
# The same on inputs of other sizes, odd ones where today's Keras pads as our graphs do.
OTHER_SIZES = {
    "mobilenet_0.25_160x192": ("mobilenet", 0.25, "", application("MobileNet", alpha=0.25, input_shape=(160, 192, 3)), "tf"),
    "resnet50_current_97x130": ("resnet50", 1, "current", application("ResNet50", input_shape=(97, 130, 3)), "caffe"),
    "inceptionv3_203x150": ("inceptionv3", 1, "", application("InceptionV3", input_shape=(203, 150, 3)), "tf"),
    "xception_151x137": ("xception", 1, "", application("Xception", input_shape=(151, 137, 3)), "tf"),
}


# ---- weights of a Keras model
def weighted_layers(model):
    return [layer for layer in model.layers if layer.weights]


def role_of(layer, weight):
    role = re.sub(r":\d+$", "", weight.name).split("/")[-1]
    return "depthwise_kernel" if role == "kernel" and type(layer).__name__ == "DepthwiseConv2D" else role


def layers_before_add(model):
    """Batch norms that reach a residual add directly or through a max pool."""
    found = set()
    for add in model.layers:
        if type(add).__name__ != "Add":
            continue
        for tensor in add.input:
            layer = tensor._keras_history[0]
            while type(layer).__name__ == "MaxPooling2D":
                layer = layer.input._keras_history[0]
            found.add(layer.name)
    return found


def canonical_names(build):
    """Names of the weighted layers as tf-keras gives them in a fresh session: what our graphs use."""
    tf_keras.backend.clear_session()
    return [layer.name for layer in weighted_layers(build(tf_keras))]


def fill(model, names):
    before_add = layers_before_add(model)
    for layer, name in zip(weighted_layers(model), names, strict=True):
        layer.set_weights([random_array(name, role_of(layer, w), tuple(w.shape), layer.name in before_add)
                           for w in layer.weights])
    return model


def auto_offset(k):
    """Moves the numbers of automatic names on, as in a session that built another network before."""
    for _ in range(7):
        k.layers.Conv2D(1, 1), k.layers.BatchNormalization(), k.layers.SeparableConv2D(1, 1), k.layers.Dense(1)


# ---- files under their published names (Keras 1 and early Keras 2)
CREATED, COUNTER = {}, itertools.count()


def record_creation():
    original = tf_keras.layers.Layer.__init__

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        CREATED[id(self)] = next(COUNTER)  # an id may belong to a layer that is gone: the last one counts

    tf_keras.layers.Layer.__init__ = init


KERAS1 = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
KERAS1_CLASSES = {"Conv2D": "convolution2d", "SeparableConv2D": "separableconvolution2d",
                  "BatchNormalization": "batchnormalization", "Dense": "dense"}


def published_names(network, model):
    """{layer: (name of its group, [names of its datasets])} in the writing model's layer order."""
    ranks, by_class = {}, {}
    for layer in sorted(model.layers, key=lambda x: CREATED[id(x)]):
        ranks[layer.name] = by_class[type(layer).__name__] = by_class.get(type(layer).__name__, 0) + 1
    out = {}
    for layer in model.layers:
        kind, name, rank = type(layer).__name__, layer.name, ranks[layer.name]
        keras1 = not network.startswith(("inception", "mobilenet"))
        if network == "inceptionv3" and kind in ("Conv2D", "BatchNormalization"):
            name = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}[kind] + f"_{rank}"
        if network == "xception" and kind in KERAS1_CLASSES:
            name = f"{KERAS1_CLASSES[kind]}_{rank + 1 if kind == 'Dense' else rank}"
        roles = [role_of(layer, w) for w in layer.weights]
        extra = "_1" if network == "vgg16" else ""
        out[layer] = (name, [f"{name}_{KERAS1.get(r, r)}{extra}:0" if keras1 else f"{name}/{r}:0" for r in roles])
    return out


def write_published(path, network, model):
    names = published_names(network, model)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name, _ in names.values()]
        for layer, (name, weights) in names.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [w.encode() for w in weights]
            for weight, array in zip(weights, layer.get_weights()):
                group.create_dataset(weight, data=array)


# ---- modes
def goldens(folder, selected):
    folder.mkdir(parents=True, exist_ok=True)
    for network in selected:
        model_name, alpha, variant, build, _ = (NETWORKS | OTHER_SIZES)[network]
        names = canonical_names(build)
        tf_keras.backend.clear_session()
        model = fill(build(tf_keras), names)
        x = random_inputs(model, GOLDEN_IMAGES)
        logits = model.predict(x, verbose=0)
        keras.utils.clear_session()
        other = fill(build(keras), names)
        difference = np.linalg.norm(other.predict(x, verbose=0) - logits) / np.linalg.norm(logits)
        assert difference < 2e-6, f"{network}: tf-keras and Keras 3 differ by {difference}"
        golden = {"model": model_name, "alpha": alpha, "variant": variant, "seed": SEED, "input_seed": INPUT_SEED,
                  "parameters": int(model.count_params()), "layer_order": names,
                  "logits": [[float(f"{v:.7g}") for v in row] for row in logits]}
        if network in OTHER_SIZES:
            golden |= dict(zip(("height", "width"), model.input_shape[1:3]))
        (folder / f"{network}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
        print(f"{network}: {len(names)} layers, |logits| {np.abs(logits).max():.3g} max, {logits.std():.3g} std, "
              f"Keras 3 differs by {difference:.1e}", flush=True)


def write_images(path, count):
    rng = np.random.default_rng(5)
    data = []
    for _ in range(count):
        small = rng.integers(0, 256, (14, 14, 3), np.uint8)
        image = cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC)
        data.append(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    path.write_bytes(pickle.dumps({"data": data, "target": [int(v) for v in rng.integers(0, 1000, count)]}, 4))
    return [cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_COLOR) for d in data]  # R, G, B, as in the public file


def preprocess(images, size, order):
    x = np.stack([i if size == 224 else cv2.resize(i, (size, size)) for i in images]).astype(np.float32)
    return x / np.float32(127.5) - 1 if order == "tf" else x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)


def oracle(folder, selected, image_count):
    folder.mkdir(parents=True, exist_ok=True)
    record_creation()
    images = write_images(folder / "images.pkl", image_count)
    manifest_path = folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    for network in selected:
        model_name, alpha, variant, build, order = NETWORKS[network]
        names = canonical_names(build)
        out = folder / network
        out.mkdir(exist_ok=True)
        tf_keras.backend.clear_session()
        auto_offset(tf_keras)
        model = fill(build(tf_keras), names)
        np.save(out / "logits.npy", model.predict(preprocess(images, model.input_shape[1], order), verbose=0))
        if network != "resnet50_current":
            write_published(out / "published.h5", network, model)
        model.save_weights(out / "tf_keras.h5")
        if network != "squeezenet":  # tf-keras splits names at "/" in this format and cannot read them back
            model.save(out / "tf_keras_model.h5")
            model.save_weights(out / "tf_keras.weights.h5")
        del model
        keras.utils.clear_session()
        auto_offset(keras)
        model = fill(build(keras), names)
        model.save_weights(out / "keras3.weights.h5")
        model.save(out / "keras3_model.h5")
        model.save(out / "keras3.keras")
        with h5py.File(out / "keras3_legacy.h5", "w") as file:
            keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, model)
        del model
        manifest[network] = {"model": model_name, "alpha": alpha, "variant": variant, "seed": SEED,
                             "files": sorted(p.name for p in out.iterdir() if p.suffix in (".h5", ".keras"))}
        manifest_path.write_text(json.dumps(manifest, indent=1) + "\n")
        print(f"{network}: {', '.join(manifest[network]['files'])}", flush=True)


def seeds(folder):
    folder.mkdir(parents=True, exist_ok=True)

    def tiny(k):
        image = k.layers.Input((4, 4, 1))
        x = k.layers.BatchNormalization(name="bn")(k.layers.Conv2D(2, 1, name="conv1")(image))
        return k.Model(image, k.layers.Activation("relu", name="act")(x))

    model = tiny(tf_keras)
    model.save_weights(folder / "tf_keras.h5")
    with h5py.File(folder / "model.h5", "w") as file, h5py.File(folder / "tf_keras.h5") as source:
        source.copy(source["/"], file, "model_weights")
        layer_names = file["model_weights"].attrs.pop("layer_names")
        for i, name in enumerate(layer_names):  # split, as Keras does beyond 64 KiB
            file["model_weights"].attrs[f"layer_names{i}"] = np.array([name.encode() if isinstance(name, str) else name])
    with h5py.File(folder / "deflated.h5", "w", libver="latest") as file:
        file.attrs["layer_names"] = [b"conv1"]
        group = file.create_group("conv1")
        group.attrs["weight_names"] = [b"conv1_W:0", b"conv1_b:0"]
        group.create_dataset("conv1_W:0", data=np.ones((3, 3, 2, 4), np.float16), compression="gzip", shuffle=True)
        group.create_dataset("conv1_b:0", data=np.ones(4), chunks=(3,), fletcher32=True)
    tiny(keras).save(folder / "keras3.keras")
    tiny(keras).save_weights(folder / "keras3.weights.h5")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["goldens", "oracle", "seeds"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--models", help="comma-separated; all by default: " + ", ".join(NETWORKS | OTHER_SIZES))
    parser.add_argument("--images", type=int, default=4, help="images of the oracle (4)")
    options = parser.parse_args()
    selected = options.models.split(",") if options.models else list(NETWORKS | OTHER_SIZES if options.mode == "goldens" else NETWORKS)
    if options.mode == "goldens":
        goldens(options.folder, selected)
    elif options.mode == "seeds":
        seeds(options.folder)
    else:
        oracle(options.folder, selected, options.images)


if __name__ == "__main__":
    main()
