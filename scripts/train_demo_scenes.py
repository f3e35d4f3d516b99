#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the embedded demo networks that segment and detect, and writes models/demo/demo_segmentation.h5 and
demo_detection.h5 (Keras layout).

    cmake --build build --target demo_scenes
    python scripts/train_demo_scenes.py segmentation --generator build/demo_scenes
    python scripts/train_demo_scenes.py detection --generator build/demo_scenes

With --evaluate it trains nothing and judges the file as it is; --golden writes samples of the outputs for the first test
picture, as make_segdet_goldens.py does. Needs tensorflow-cpu and tf-keras. The pictures come from the project's own
generator; what gpu_eval judges is its split "test", never seen in training.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import h5py
import numpy as np
import tensorflow as tf
import tf_keras as keras

L = keras.layers
SIZE, SHAPES = 96, 5
# Detection: maps and, of each, the sides of its two square anchors as parts of the picture.
MAPS = (12, 6, 3)
SCALES = (0.16, 0.28, 0.44, 0.6)
VARIANCES = np.array([0.1, 0.1, 0.2, 0.2], np.float32)


# ---- networks: keep in step with models/demo_segmentation.cpp and models/demo_detection.cpp
def bn_relu6(x, name):
    return L.ReLU(6.0, name=name + "_relu")(L.BatchNormalization(momentum=0.95, name=name + "_bn")(x))


def conv1(image):
    return bn_relu6(L.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv1")(image), "conv1")


def block(x, index, filters, stride=1, rate=1):
    dw, pw = f"conv_dw_{index}", f"conv_pw_{index}"
    x = bn_relu6(L.DepthwiseConv2D(3, strides=stride, dilation_rate=rate, padding="same", use_bias=False, name=dw)(x), dw)
    return bn_relu6(L.Conv2D(filters, 1, use_bias=False, name=pw)(x), pw)


def segmentation():
    image = L.Input((SIZE, SIZE, 3))
    skip = block(conv1(image), 1, 24)
    x = block(skip, 2, 48, stride=2)
    x = block(x, 3, 64, stride=2)
    x = block(x, 4, 96, rate=2)
    x = block(x, 5, 96, rate=4)
    x = L.UpSampling2D(4)(x)
    x = block(L.Concatenate()([x, skip]), 6, 48)
    return keras.Model(image, L.Conv2D(SHAPES + 1, 1, name="logits")(x))


def detection():
    image = L.Input((SIZE, SIZE, 3))
    x = block(conv1(image), 1, 24)
    x = block(x, 2, 48, stride=2)
    x = block(x, 3, 64, stride=2)
    maps = [x := block(x, 4, 96)]
    x = block(x, 5, 128, stride=2)
    maps.append(x := block(x, 6, 128))
    maps.append(block(x, 7, 128, stride=2))

    def heads(kind, each, bias):
        rows = [L.Reshape((-1, each))(L.Conv2D(2 * each, 3, padding="same", name=f"map{size}_{kind}",
                                               bias_initializer=keras.initializers.Constant(bias))(x))
                for size, x in zip(MAPS, maps)]
        return L.Concatenate(axis=1, name=kind)(rows)

    return keras.Model(image, {"boxes": heads("boxes", 4, 0.0), "classes": heads("classes", SHAPES, -4.0)})


# ---- anchors: cells row by row; in a cell the scale, then its geometric mean with the next; cx, cy, w, h as parts
def anchors():
    rows = []
    for size, scale, following in zip(MAPS, SCALES, SCALES[1:]):
        for y in range(size):
            for x in range(size):
                for side in (scale, (scale * following) ** 0.5):
                    rows.append(((x + 0.5) / size, (y + 0.5) / size, side, side))
    return np.array(rows, np.float32)


def corners(boxes):
    return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def overlaps(a, b):
    a, b = corners(a)[:, None], corners(b)[None]
    inner = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    return inner / ((a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - inner)


def targets(truths):
    """(n, 5 + shapes): offsets, weight of the offsets, classes; a class of -1 counts nowhere."""
    prior = anchors()
    out = np.zeros((len(prior), 5 + SHAPES), np.float32)
    iou = overlaps(prior, truths[:, 1:])
    best = iou.argmax(1)
    positive = iou.max(1) >= 0.5
    for truth in range(len(truths)):
        own = iou[:, truth].argmax()
        best[own], positive[own] = truth, True
    out[(iou.max(1) >= 0.4) & ~positive, 5:] = -1
    matched = truths[best[positive], 1:]
    p = prior[positive]
    out[positive, :2] = (matched[:, :2] - p[:, :2]) / p[:, 2:]
    out[positive, 2:4] = np.log(matched[:, 2:] / p[:, 2:])
    out[:, :4] /= VARIANCES
    out[positive, 4] = 1
    out[positive, 5:] = np.eye(SHAPES, dtype=np.float32)[truths[best[positive], 0].astype(int)]
    return out


def detection_loss(truth, boxes, classes):
    weight, wanted = truth[..., 4], truth[..., 5:]
    count = tf.maximum(tf.reduce_sum(weight), 1.0)
    distance = tf.abs(boxes - truth[..., :4])
    smooth = tf.where(distance < 1, 0.5 * distance * distance, distance - 0.5)
    location = tf.reduce_sum(tf.reduce_sum(smooth, -1) * weight) / count
    counted = tf.cast(wanted >= 0, tf.float32)
    wanted = tf.maximum(wanted, 0)
    p = tf.sigmoid(classes)
    focal = wanted * 0.5 * (1 - p) ** 2 + (1 - wanted) * 0.5 * p ** 2
    cross = tf.nn.sigmoid_cross_entropy_with_logits(wanted, classes)
    return 2 * tf.reduce_sum(focal * cross * counted) / count + 0.5 * location


# ---- data
def scenes(generator, split, count, folder):
    paths = [os.path.join(folder, split + ending) for ending in (".rgb", ".maps", ".boxes")]
    subprocess.run([generator, split, str(count), *paths], check=True)
    x = np.fromfile(paths[0], np.uint8).reshape(count, SIZE, SIZE, 3)
    maps = np.fromfile(paths[1], np.uint8).reshape(count, SIZE, SIZE)
    rows = np.fromfile(paths[2], np.float32).reshape(-1, 6)
    truths = []
    for i in range(count):
        own = rows[rows[:, 0] == i][:, 1:]
        centre = own[:, 1:3] + own[:, 3:] / 2
        truths.append(np.concatenate([own[:, :1], centre / SIZE, own[:, 3:] / SIZE], -1))
    return x, maps, truths


def pixels(x):
    return tf.cast(x, tf.float32) / 127.5 - 1.0


def train(model, loss, x, y, args):
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=1).batch(args.batch, drop_remainder=True)
    steps = args.epochs * (len(x) // args.batch)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps, alpha=0.001))

    @tf.function
    def step(images, truth):
        with tf.GradientTape() as tape:
            value = loss(truth, model(pixels(images), training=True))
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
        return value

    start = time.time()
    for epoch in range(args.epochs):
        values = [float(step(images, truth)) for images, truth in data]
        print(f"epoch {epoch + 1}: loss {np.mean(values):.4f}, {time.time() - start:.0f} s", flush=True)


def halve(path):
    """Kernels in half precision: the program carries the file in itself."""
    with h5py.File(path, "r") as old, h5py.File(path + ".half", "w") as new:
        def copy(name, item):
            target = new.require_group(name) if isinstance(item, h5py.Group) else new.create_dataset(
                name, data=item[()].astype(np.float16) if "kernel" in name.rsplit("/", 1)[-1] else item[()])
            for key, value in item.attrs.items():
                target.attrs[key] = value
        old.visititems(copy)
        for key, value in old.attrs.items():
            new.attrs[key] = value
    os.replace(path + ".half", path)


# ---- a rough judge; gpu_eval has the exact ones
def mean_iou(model, x, maps):
    counts = np.zeros((SHAPES + 1, SHAPES + 1))
    for first in range(0, len(x), 100):
        logits = tf.image.resize(model(pixels(x[first:first + 100])), (SIZE, SIZE)).numpy()
        np.add.at(counts, (maps[first:first + 100].ravel(), logits.argmax(-1).ravel()), 1)
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    return float(np.mean(counts.diagonal() / union))


def average_precision(model, x, truths, least=0.5):
    prior, found = anchors(), [[] for _ in range(SHAPES)]
    for first in range(0, len(x), 100):
        out = model(pixels(x[first:first + 100]))
        boxes, scores = out["boxes"].numpy() * VARIANCES, tf.sigmoid(out["classes"]).numpy()
        for i in range(len(scores)):
            decoded = np.concatenate([prior[:, :2] + boxes[i, :, :2] * prior[:, 2:],
                                      prior[:, 2:] * np.exp(boxes[i, :, 2:])], -1)
            for category in range(SHAPES):
                order = [p for p in np.argsort(-scores[i, :, category]) if scores[i, p, category] > 0.02]
                while order:
                    top = order.pop(0)
                    found[category].append((scores[i, top, category], first + i, decoded[top]))
                    if order:
                        iou = overlaps(decoded[top][None], decoded[order])[0]
                        order = [p for p, value in zip(order, iou) if value <= 0.45]
    precisions = []
    for category in range(SHAPES):
        used, hits = set(), []
        wanted = sum(int((t[:, 0] == category).sum()) for t in truths)
        for _, image, box in sorted(found[category], key=lambda row: -row[0]):
            own = np.flatnonzero(truths[image][:, 0] == category)
            iou = overlaps(box[None], truths[image][own, 1:])[0] if len(own) else np.zeros(0)
            best = int(iou.argmax()) if len(own) else -1
            hit = best >= 0 and iou[best] >= least and (image, best) not in used
            if hit:
                used.add((image, best))
            hits.append(hit)
        hits = np.cumsum(hits)
        precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
        recall = hits / max(wanted, 1)
        precisions.append(float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)))
    return float(np.mean(precisions))


def golden(model, path, kind, x):
    outputs = model(pixels(x[:1]))
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    from make_segdet_goldens import summary
    path_json = {"model": f"demo-{kind}", "outputs": {k: summary(v.numpy()[0]) for k, v in sorted(outputs.items())}}
    with open(path, "w") as file:
        file.write(json.dumps(path_json, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["segmentation", "detection"])
    parser.add_argument("--generator", default="build/demo_scenes")
    parser.add_argument("--out")
    parser.add_argument("--train-images", type=int, default=4000)
    parser.add_argument("--test-images", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--evaluate", action="store_true", help="judge --out as it is")
    parser.add_argument("--golden", help="JSON file for samples of the first test picture's outputs")
    args = parser.parse_args()
    out = args.out or f"models/demo/demo_{args.kind}.h5"

    keras.utils.set_random_seed(1)
    start = time.time()
    segments = args.kind == "segmentation"
    model = segmentation() if segments else detection()
    with tempfile.TemporaryDirectory() as folder:
        if args.evaluate:
            model.load_weights(out)
        else:
            x, maps, truths = scenes(args.generator, "train", args.train_images, folder)
            if segments:
                cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
                train(model, lambda truth, logits: cross(truth, tf.image.resize(logits, (SIZE, SIZE))), x, maps, args)
            else:
                train(model, lambda truth, o: detection_loss(truth, o["boxes"], o["classes"]), x,
                      np.stack([targets(t) for t in truths]), args)
            model.save_weights(out)
            halve(out)
            model.load_weights(out)  # what is judged is what the file holds
        x, maps, truths = scenes(args.generator, "test", args.test_images, folder)
    if args.golden:
        golden(model, args.golden, args.kind, x)
    result = (f"mean IoU {mean_iou(model, x, maps):.4f}" if segments else
              f"AP50 {average_precision(model, x, truths):.4f}, AP75 {average_precision(model, x, truths, 0.75):.4f}")
    print(f"parameters {model.count_params()}, {result} of {args.test_images} test pictures, {os.path.getsize(out)} bytes, "
          f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
