#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains two small networks on the demo's drawn shapes, whose activations go below zero, and saves them whole (Keras 3):
inverted residuals with squeeze-and-excitation, as EfficientNet (silu) and MobileNetV3 (hard_swish) have them. The second
goes on from the weights of the first.

    cmake --build build --target demo_images
    python bench/zero_points/train_swish.py --generator build/demo_images --out FOLDER

Writes swish_silu.keras, swish_hard_silu.keras, calibration.npy, test.npy (pixels 0 to 255) and test_labels.npy.
"""
import argparse
import os
import subprocess
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np

SIZE, CLASSES = 96, 10
BLOCKS = [(24, 2, 2), (24, 1, 3), (40, 2, 3), (40, 1, 3), (80, 2, 3), (80, 1, 3)]  # channels, stride, expansion


def squeeze_excite(x, name, act):
    channels = x.shape[-1]
    s = keras.layers.GlobalAveragePooling2D(keepdims=True, name=name + "_squeeze")(x)
    s = keras.layers.Conv2D(max(4, channels // 8), 1, activation=act, name=name + "_reduce")(s)
    s = keras.layers.Conv2D(channels, 1, activation="sigmoid", name=name + "_expand")(s)
    return keras.layers.Multiply(name=name + "_excite")([x, s])


def normalized(x, name, act=None):
    x = keras.layers.BatchNormalization(momentum=0.95, name=name + "_bn")(x)
    return keras.layers.Activation(act, name=name + "_act")(x) if act else x


def block(x, name, filters, stride, expansion, act):
    source = x
    x = keras.layers.Conv2D(x.shape[-1] * expansion, 1, use_bias=False, name=name + "_widen")(x)
    x = normalized(x, name + "_widen", act)
    x = keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=name + "_depthwise")(x)
    x = squeeze_excite(normalized(x, name + "_depthwise", act), name, act)
    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=name + "_project")(x)
    x = normalized(x, name + "_project")
    return keras.layers.Add(name=name + "_add")([x, source]) if x.shape == source.shape else x


def build(act):
    image = keras.Input((SIZE, SIZE, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    x = keras.layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = normalized(x, "stem", act)
    for i, (filters, stride, expansion) in enumerate(BLOCKS, 1):
        x = block(x, f"block{i}", filters, stride, expansion, act)
    x = normalized(keras.layers.Conv2D(192, 1, use_bias=False, name="head")(x), "head", act)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, keras.layers.Dense(CLASSES, name="classes")(x), name="swish_" + act)


def images(generator, split, count, folder):
    """Pixels 0 to 255 and labels of the first `count` pictures of a split."""
    stem = os.path.join(folder, split)
    subprocess.run([generator, split, str(count), stem + ".rgb", stem + ".labels"], check=True)
    pixels = np.fromfile(stem + ".rgb", np.uint8).reshape(count, SIZE, SIZE, 3)
    labels = np.fromfile(stem + ".labels", np.uint8).astype(np.int32)
    os.remove(stem + ".rgb")
    os.remove(stem + ".labels")
    return pixels.astype(np.float32), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="build/demo_images")
    parser.add_argument("--out", required=True)
    parser.add_argument("--train-images", type=int, default=6000)
    parser.add_argument("--test-images", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    keras.utils.set_random_seed(1)
    x, y = images(args.generator, "train", args.train_images, args.out)
    test, labels = images(args.generator, "test", args.test_images, args.out)
    np.save(os.path.join(args.out, "calibration.npy"), images(args.generator, "calibration", 128, args.out)[0])
    np.save(os.path.join(args.out, "test.npy"), test)
    np.save(os.path.join(args.out, "test_labels.npy"), labels)
    weights = None
    for act, epochs, rate in (("silu", args.epochs, 3e-3), ("hard_silu", 2, 3e-4)):
        start = time.time()
        model = build(act)
        if weights:
            model.set_weights(weights)
        steps = epochs * (len(x) // 32)
        model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.001)),
                      keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        model.fit(x, y, batch_size=32, epochs=epochs, verbose=2)
        weights = model.get_weights()
        accuracy = model.evaluate(test, labels, verbose=0)[1]
        model.save(os.path.join(args.out, model.name + ".keras"))
        print(f"{model.name}: {model.count_params()} parameters, test accuracy {accuracy:.4f} of {len(test)} pictures, "
              f"{time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
