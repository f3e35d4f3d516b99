#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes what the networks that detect and segment must give, with tf-keras, which shares no code with this project.

Needs what make_model_goldens.py needs, whose formula of seeded weights it takes.

  make_segdet_goldens.py goldens tests/golden/segdet            the committed goldens: samples of every output
  make_segdet_goldens.py check build/gpu_eval CACHE_FOLDER [--models ssd512,unet]
                                       at full size and width, through weight files and pictures: one line an output
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import cv2
import h5py
import numpy as np
import tf_keras as keras

from make_model_goldens import INPUT_SEED, SEED, fill, random_inputs, weighted_layers

SAMPLES = 251
L = keras.layers


class L2Normalization(L.Layer):
    def build(self, shape):
        self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return keras.backend.l2_normalize(x, -1) * self.gamma


def ssd(side, alpha=1, classes=21):
    """Of an input that is normalized already."""
    def width(filters):
        return max(1, int(filters * alpha))

    def conv(x, name, filters, kernel, **how):
        return L.Conv2D(width(filters), kernel, activation="relu", name=name, **({"padding": "same"} | how))(x)

    image = x = L.Input((side, side, 3))
    maps = {}
    for block, (filters, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for i in range(count):
            x = conv(x, f"conv{block}_{i + 1}", filters, 3)
        maps[f"conv{block}"] = x
        x = L.MaxPooling2D(2, 2, padding="same")(x) if block < 5 else L.MaxPooling2D(3, 1, padding="same")(x)
    sources = {"conv4_3_norm": L2Normalization(name="conv4_3_norm")(maps["conv4"])}
    x = conv(x, "fc6", 1024, 3, dilation_rate=6)
    x = sources["fc7"] = conv(x, "fc7", 1024, 1)

    def reduced(x, index, filters, kernel, stride, pad):
        x = conv(x, f"conv{index}_1", filters // 2, 1)
        if pad:
            x = L.ZeroPadding2D(1)(x)
        x = sources[f"conv{index}_2"] = conv(x, f"conv{index}_2", filters, kernel, strides=stride, padding="valid")
        return x

    large = side >= 512
    x = reduced(reduced(x, 6, 512, 3, 2, True), 7, 256, 3, 2, True)
    for index in (8, 9):
        x = reduced(x, index, 256, 3, 2 if large else 1, large)
    if large:
        x = reduced(x, 10, 256, 4, 1, True)
    boxes = [4, 6, 6, 6, 6, 4, 4] if large else [4, 6, 6, 6, 4, 4]

    def heads(kind, each):
        rows = [L.Reshape((-1, each))(L.Conv2D(n * each, 3, padding="same", name=f"{name}_mbox_{kind}")(x))
                for (name, x), n in zip(sources.items(), boxes, strict=True)]
        return L.Concatenate(axis=1, name=f"mbox_{kind}")(rows)

    return keras.Model(image, {"mbox_loc": heads("loc", 4), "mbox_conf": heads("conf", classes)})


class Counted:
    """Convolutions named as in a fresh session of Keras 2: conv2d_1, conv2d_2, ..."""
    def __init__(self):
        self.count = 0

    def __call__(self, x, filters, kernel, activation="relu"):
        self.count += 1
        return L.Conv2D(filters, kernel, padding="same", activation=activation, name=f"conv2d_{self.count}")(x)


def unet(side, classes=2):
    conv = Counted()
    image = x = L.Input((side, side, 3))
    skips = []
    for filters in (64, 128, 256, 256, 256):
        x = conv(conv(x, filters, 3), filters, 3)
        skips.append(x)
        x = L.MaxPooling2D(2)(x)
    for filters in (256, 256, 256, 128, 64):
        x = L.Concatenate()([L.UpSampling2D(2)(x), skips.pop()])
        x = conv(conv(x, filters, 3), filters, 3)
    x = conv(x, classes, 1)
    x = L.Permute((2, 1))(L.Reshape((classes, side * side))(x))
    return keras.Model(image, {"logits": L.Reshape((side, side, classes))(x)})


def unet_standard(side, classes=1):
    conv = Counted()
    image = x = L.Input((side, side, 1))
    skips = []
    for filters in (64, 128, 256, 512):
        x = conv(conv(x, filters, 3), filters, 3)
        skips.append(x)
        x = L.MaxPooling2D(2)(x)
    x = conv(conv(x, 1024, 3), 1024, 3)
    for filters in (512, 256, 128, 64):
        x = L.Concatenate()([skips.pop(), conv(L.UpSampling2D(2)(x), filters, 2)])
        x = conv(conv(x, filters, 3), filters, 3)
    return keras.Model(image, {"logits": conv(conv(x, 2, 3), classes, 1, activation=None)})


def deeplab(side, classes=21):
    def norm(x, name, eps):
        return L.BatchNormalization(epsilon=eps, name=name + "_BN")(x)

    def pointwise(x, name, filters, eps):
        return norm(L.Conv2D(filters, 1, use_bias=False, name=name)(x), name, eps)

    image = L.Input((side, side, 3))
    x = L.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="Conv")(image)
    x = L.ReLU(6.0)(norm(x, "Conv", 1e-3))
    blocks = [(16, 1, 1), (24, 2, 1), (24, 1, 1), (32, 2, 1), (32, 1, 1), (32, 1, 1), (64, 1, 1), (64, 1, 2), (64, 1, 2),
              (64, 1, 2), (96, 1, 2), (96, 1, 2), (96, 1, 2), (160, 1, 2), (160, 1, 4), (160, 1, 4), (320, 1, 4)]
    for index, (filters, stride, rate) in enumerate(blocks):
        prefix = f"expanded_conv_{index}_" if index else "expanded_conv_"
        y = x
        if index:
            y = L.ReLU(6.0)(pointwise(y, prefix + "expand", 6 * y.shape[-1], 1e-3))
        y = L.DepthwiseConv2D(3, strides=stride, dilation_rate=rate, padding="same", use_bias=False,
                              name=prefix + "depthwise")(y)
        y = L.ReLU(6.0)(norm(y, prefix + "depthwise", 1e-3))
        y = pointwise(y, prefix + "project", filters, 1e-3)
        x = L.Add()([x, y]) if index and filters == x.shape[-1] and stride == 1 else y
    mean = L.ReLU()(pointwise(L.GlobalAveragePooling2D(keepdims=True)(x), "image_pooling", 256, 1e-5))
    mean = L.UpSampling2D(x.shape[1:3], interpolation="bilinear")(mean)
    x = L.Concatenate()([mean, L.ReLU()(pointwise(x, "aspp0", 256, 1e-5))])
    x = L.ReLU()(pointwise(x, "concat_projection", 256, 1e-5))
    return keras.Model(image, {"logits": L.Conv2D(classes, 1, name="logits_semantic")(x)})


# name of the golden -> (--model, width, variant, build)
GOLDENS = {
    "ssd300_thin": ("ssd300", 0.125, "", lambda: ssd(300, 0.125)),
    "ssd512_thin": ("ssd512", 0.125, "81_classes", lambda: ssd(512, 0.125, 81)),
    "unet_64": ("unet", 1, "5_classes", lambda: unet(64, 5)),
    "unet_standard_64": ("unet_standard", 1, "", lambda: unet_standard(64)),
    "deeplabv3plus_128": ("deeplabv3plus_mobilenetv2", 1, "19_classes", lambda: deeplab(128, 19)),
}
# --model -> (build at full size, fit, picture's bytes to its input)
FULL = {
    "ssd300": (lambda: ssd(300), "squash", lambda x: (x - np.array([123, 117, 104], np.float32))[..., ::-1]),
    "ssd512": (lambda: ssd(512), "squash", lambda x: (x - np.array([123, 117, 104], np.float32))[..., ::-1]),
    "unet": (lambda: unet(256), "pad-centre", lambda x: (x / np.float32(127.5) - 1)[..., ::-1]),
    "unet_standard": (lambda: unet_standard(256), "squash", lambda x: x[..., :1] / np.float32(255)),
    "deeplabv3plus_mobilenetv2": (lambda: deeplab(512), "pad", lambda x: x / np.float32(127.5) - 1),
}


def filled(build):
    keras.backend.clear_session()
    model = build()
    return fill(model, [layer.name for layer in weighted_layers(model)])


def summary(values):
    flat = values.ravel()
    step = max(1, flat.size // SAMPLES)
    return {"shape": list(values.shape), "norm": float(f"{np.linalg.norm(flat.astype(np.float64)):.7g}"), "step": step,
            "samples": [float(f"{v:.7g}") for v in flat[::step]]}


def goldens(folder, selected):
    folder.mkdir(parents=True, exist_ok=True)
    for name in selected or GOLDENS:
        network, alpha, variant, build = GOLDENS[name]
        model = filled(build)
        outputs = model.predict(random_inputs(model, 1), verbose=0)
        golden = {"model": network, "alpha": alpha, "variant": variant, "seed": SEED, "input_seed": INPUT_SEED,
                  "height": model.input_shape[1], "width": model.input_shape[2],
                  "parameters": int(model.count_params()),
                  "outputs": {key: summary(value[0]) for key, value in sorted(outputs.items())}}
        (folder / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
        print(name, model.count_params(), {k: (v.shape, float(np.abs(v).max())) for k, v in outputs.items()}, flush=True)


def write_ported(path, model):
    """As the ported files are: gamma of conv4_3_norm is "weights_0:0"."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = ["weights_0:0" if w.name.endswith("gamma:0") and layer.name == "conv4_3_norm" else
                     w.name.split("/")[-1] for w in layer.weights]
            group.attrs["weight_names"] = [f"{layer.name}/{n}".encode() for n in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(f"{layer.name}/{name}", data=array)


def check(binary, folder, selected):
    folder.mkdir(parents=True, exist_ok=True)
    worst = 0.0
    for network in selected or FULL:
        build, fit, prepare = FULL[network]
        model = filled(build)
        weights = folder / f"{network}.h5"
        write_ported(weights, model)
        side = model.input_shape[1]
        picture = cv2.resize(np.random.default_rng(7).integers(0, 256, (9, 9, 3), np.uint8), (side, side),
                             interpolation=cv2.INTER_CUBIC)
        if model.input_shape[3] == 1:
            picture = np.repeat(picture[..., :1], 3, -1)
        with tempfile.TemporaryDirectory() as data:
            cv2.imwrite(data + "/picture.png", picture[..., ::-1])
            out = folder / f"{network}_outputs"
            subprocess.run([binary, "--model", network, "--weights", weights, "--data", data, "--fit", fit, "--resize",
                            "bilinear", "--precision", "float32", "--mode", "accuracy", "--device", "cpu",
                            "--save-outputs", out], check=True, stdout=subprocess.DEVNULL)
        expected = model.predict(prepare(picture.astype(np.float32))[None], verbose=0)
        for key, want in expected.items():
            found = next(out.rglob(f"*{key}*.npy"))
            got = np.load(found).reshape(want.shape)
            error = np.linalg.norm(got - want) / np.linalg.norm(want)
            worst = max(worst, error)
            print(f"{network} {key} {want.shape[1:]}: relative error {error:.1e}, {model.count_params()} parameters",
                  flush=True)
    return int(worst > 1e-4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["goldens", "check"])
    parser.add_argument("places", nargs="+", help="folder of the goldens, or gpu_eval and a folder for weight files")
    parser.add_argument("--models", default="", help="comma-separated")
    options = parser.parse_args()
    selected = options.models.split(",") if options.models else []
    if options.mode == "goldens":
        return goldens(pathlib.Path(options.places[0]), selected)
    return check(options.places[0], pathlib.Path(options.places[1]), selected)


if __name__ == "__main__":
    raise SystemExit(main())
