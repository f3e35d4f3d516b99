#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the embedded demo network and writes models/demo/demo.h5 (Keras layout).

    cmake --build build --target demo_images
    python scripts/train_demo.py --generator build/demo_images --out models/demo/demo.h5

With --evaluate it trains nothing and judges the file as it is; --logits writes the float32 logits of the first ten test
images, the golden of the C++ tests:

    python scripts/train_demo.py --evaluate --logits tests/golden/data/demo_logits.txt

Needs tensorflow-cpu and tf-keras. The images come from the project's own generator: the ones that
`gpu_eval --model demo` judges are its split "test", never seen in training.
"""
import argparse
import os
import subprocess
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow as tf
import tf_keras as keras

SIZE, CLASSES = 96, 10
# (output channels, stride of the depthwise layer): keep in step with models/demo.cpp.
BLOCKS = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)]


def build():
    layers = keras.layers

    def bn_relu6(x, name):
        x = layers.BatchNormalization(momentum=0.95, name=name + "_bn")(x)
        return layers.ReLU(6.0, name=name + "_relu")(x)

    image = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv1")(image)
    x = bn_relu6(x, "conv1")
    for i, (filters, stride) in enumerate(BLOCKS, 1):
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"conv_dw_{i}")(x)
        x = bn_relu6(x, f"conv_dw_{i}")
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"conv_pw_{i}")(x)
        x = bn_relu6(x, f"conv_pw_{i}")
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(CLASSES, 1, name="conv_preds")(x)
    return keras.Model(image, layers.Flatten()(x))


def images(generator, split, count, folder):
    """Pixels (uint8) and labels of the first `count` images of a split."""
    stem = os.path.join(folder, split)
    subprocess.run([generator, split, str(count), stem + ".rgb", stem + ".labels"], check=True)
    x = np.fromfile(stem + ".rgb", np.uint8).reshape(count, SIZE, SIZE, 3)
    return x, np.fromfile(stem + ".labels", np.uint8).astype(np.int32)


def batches(x, y, size, shuffle):
    data = tf.data.Dataset.from_tensor_slices((x, y))
    if shuffle:
        data = data.shuffle(len(x), seed=1)
    data = data.batch(size, drop_remainder=shuffle)
    return data.map(lambda a, b: (tf.cast(a, tf.float32) / 127.5 - 1.0, b)).prefetch(2)


def train(model, x, y, args):
    steps = args.epochs * (len(x) // args.batch)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps, alpha=0.001)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(batches(x, y, args.batch, True), epochs=args.epochs, verbose=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="build/demo_images")
    parser.add_argument("--out", default="models/demo/demo.h5")
    parser.add_argument("--train-images", type=int, default=12000)
    parser.add_argument("--test-images", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--evaluate", action="store_true", help="judge --out as it is")
    parser.add_argument("--logits", help="text file for the logits of ten test images")
    args = parser.parse_args()

    keras.utils.set_random_seed(1)
    start = time.time()
    model = build()
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        if args.evaluate:
            model.load_weights(args.out)
        else:
            train(model, *images(args.generator, "train", args.train_images, folder), args)
            model.save_weights(args.out)
        x, y = images(args.generator, "test", args.test_images, folder)
    _, accuracy = model.evaluate(batches(x, y, 100, False), verbose=0)
    if args.logits:
        np.savetxt(args.logits, model.predict(x[:10] / np.float32(127.5) - np.float32(1), verbose=0), "%.9g")
    print(f"parameters {model.count_params()}, test accuracy {accuracy:.4f} of {args.test_images} images, "
          f"{os.path.getsize(args.out)} bytes, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
