#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden networks of this folder: tiny files of Keras 3 (k3_*) and tf-keras (tf_*), and what each predicts.

    venv/bin/pip install keras tensorflow tf-keras numpy
    venv/bin/python make.py k3 && venv/bin/python make.py tf

Each network has one input of 7 x 6 x 4 and an output for every layer or function that it tests.
"""
import os
import sys
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
GENERATION = sys.argv[1]
if GENERATION == "k3":
    import keras
else:
    import tf_keras as keras
import numpy as np
import tensorflow as tf

L = keras.layers
K3 = GENERATION == "k3"


@keras.utils.register_keras_serializable(package="kecam")
def hard_sigmoid_torch(x):
    return tf.clip_by_value(x / 6 + 0.5, 0, 1)


@keras.utils.register_keras_serializable(package="kecam")
class ChannelAffine(L.Layer):
    """As in keras_cv_attention_models."""

    def __init__(self, use_bias=True, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.use_bias, self.axis = use_bias, axis

    def build(self, shape):
        self.weight = self.add_weight(name="weight", shape=(shape[-1],), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros") if self.use_bias else 0
        super().build(shape)

    def call(self, x):
        return x * self.weight + self.bias

    def get_config(self):
        return {**super().get_config(), "use_bias": self.use_bias, "axis": self.axis}


@keras.utils.register_keras_serializable(package="kecam")
class ZeroInitGain(L.Layer):
    """As in keras_cv_attention_models."""

    def __init__(self, use_bias=False, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, shape):
        self.gain = self.add_weight(name="gain", shape=(), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(), initializer="zeros") if self.use_bias else 0
        super().build(shape)

    def call(self, x):
        return x * self.gain + self.bias

    def get_config(self):
        return {**super().get_config(), "use_bias": self.use_bias}


@keras.utils.register_keras_serializable(package="kecam")
class BiasLayer(L.Layer):
    """As in keras_cv_attention_models."""

    def build(self, shape):
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
        super().build(shape)

    def call(self, x):
        return x + self.bias


@keras.utils.register_keras_serializable(package="kecam")
class ReluWeightedSum(L.Layer):
    """As in keras_cv_attention_models."""

    def build(self, shapes):
        self.gain = self.add_weight(name="gain", shape=(len(shapes),), initializer="ones")
        super().build(shapes)

    def call(self, x):
        gain = tf.nn.relu(self.gain)
        gain = gain / tf.reduce_sum(gain)
        return sum(x[i] * gain[i] for i in range(len(x)))


@keras.utils.register_keras_serializable(package="kimm")
class LearnableAffine(L.Layer):
    """As in kimm."""

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(), initializer="zeros")
        super().build(shape)

    def call(self, x):
        return x * self.scale + self.bias


@keras.utils.register_keras_serializable(package="Addons")
class InstanceNormalization(L.GroupNormalization):
    """As in tensorflow_addons."""

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "groups": -1})


def layers(x):
    """An output for every class of layer."""
    named = {
        "conv": L.Conv2D(3, (3, 2), strides=(2, 1), padding="same", activation="relu"),
        "conv_valid": L.Conv2D(2, 3, use_bias=False, activation="tanh"),
        "conv_dilated": L.Conv2D(2, 3, dilation_rate=(2, 1), padding="same"),
        "conv_dilated_valid": L.Conv2D(2, 2, dilation_rate=3),
        "conv_groups": L.Conv2D(6, 3, groups=2, padding="same", activation="relu6" if not K3 else "relu"),
        "conv_groups_of_one": L.Conv2D(4, 3, groups=4, padding="same"),
        "depthwise": L.DepthwiseConv2D(3, strides=2, padding="same", activation="sigmoid"),
        "depthwise_multiplier": L.DepthwiseConv2D((2, 3), depth_multiplier=3),
        "depthwise_dilated": L.DepthwiseConv2D(3, dilation_rate=2, padding="same", use_bias=False),
        "separable": L.SeparableConv2D(3, 3, padding="same", activation="elu"),
        "separable_multiplier": L.SeparableConv2D(3, 3, depth_multiplier=2, use_bias=False),
        "transposed": L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
        "transposed_valid": L.Conv2DTranspose(2, (2, 3), strides=(2, 1)),
        "dense_map": L.Dense(3, activation="softplus"),
        "batch_norm": L.BatchNormalization(epsilon=0.01),
        "batch_norm_bare": L.BatchNormalization(center=False, scale=False),
        "layer_norm": L.LayerNormalization(epsilon=1e-5),
        "layer_norm_bare": L.LayerNormalization(center=False, scale=False),
        "group_norm": L.GroupNormalization(groups=2),
        "unit_norm": L.UnitNormalization(),
        "relu": L.ReLU(),
        "relu_max": L.ReLU(max_value=1.5),
        "relu_slope": L.ReLU(max_value=2, negative_slope=0.1, threshold=0.25),
        "leaky": L.LeakyReLU(),
        "leaky_2": L.LeakyReLU(0.2),
        "elu": L.ELU(0.5),
        "prelu": L.PReLU(shared_axes=[1, 2], alpha_initializer=keras.initializers.RandomUniform(0.1, 0.5, 1)),
        "prelu_full": L.PReLU(alpha_initializer=keras.initializers.RandomUniform(0.1, 0.5, 2)),
        "softmax_map": L.Softmax(),
        "max_pool": L.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
        "average_pool": L.AveragePooling2D(3, strides=2, padding="same"),
        "average_pool_valid": L.AveragePooling2D(2),
        "global_max": L.GlobalMaxPooling2D(),
        "global_average": L.GlobalAveragePooling2D(),
        "global_average_map": L.GlobalAveragePooling2D(keepdims=True),
        "permute": L.Permute((2, 3, 1)),
        "reshape": L.Reshape((6, -1)),
        "zeros": L.ZeroPadding2D(((1, 0), (2, 3))),
        "crop": L.Cropping2D(((1, 2), (0, 1))),
        "up_nearest": L.UpSampling2D((2, 3)),
        "up_bilinear": L.UpSampling2D((2, 3), interpolation="bilinear"),
        "resized": L.Resizing(5, 9),
        "resized_nearest": L.Resizing(10, 4, interpolation="nearest"),
        "centre": L.CenterCrop(4, 3),
        "rescaled": L.Rescaling(1 / 127.5, -1),
        "normalized": L.Normalization(mean=[1, 2, 3, 4], variance=[1, 4, 9, 16]),
        "dropped": L.SpatialDropout2D(0.5),
        "noisy": L.GaussianNoise(1.0),
        "flipped": L.RandomFlip("horizontal"),
        "channel_affine": ChannelAffine(),
        "channel_gain": ChannelAffine(use_bias=False),
        "gain": ZeroInitGain(),
        "gain_and_bias": ZeroInitGain(use_bias=True),
        "biased": BiasLayer(),
        "learnable": LearnableAffine(),
        "instance_norm": InstanceNormalization(),
        "softmax_rows": L.Softmax(axis=1),
        "hard_sigmoid_of_torch": L.Activation(hard_sigmoid_torch),
    }
    for activation in ["silu", "gelu", "hard_sigmoid", "elu", "selu", "softsign", "exponential", "mish", "tanh", "linear",
                       "softmax", "leaky_relu"] + (["relu6", "hard_silu", "celu", "log_sigmoid", "hard_tanh", "sparse_sigmoid"]
                                                       if K3 else []):
        if K3 or activation not in ("leaky_relu", "mish"):
            named["activation_" + activation] = L.Activation(activation)
    if K3:
        named["rms_norm"] = L.RMSNormalization()
    outputs = {}
    for name, layer in named.items():
        setattr(layer, "name" if K3 else "_name", name)
        outputs[name] = layer(x)
    y, gate = outputs["activation_tanh"], outputs["global_average_map"]
    for name, layer, sources in [
            ("add", L.Add, [x, y, x]), ("subtract", L.Subtract, [x, y]), ("multiply", L.Multiply, [x, y]),
            ("average", L.Average, [x, y]), ("maximum", L.Maximum, [x, y]), ("minimum", L.Minimum, [x, y]),
            ("concatenate", L.Concatenate, [x, y]), ("gated", L.Multiply, [x, gate]), ("shifted", L.Add, [gate, x])]:
        outputs[name] = layer(name=name)(sources)
    outputs["rows"] = L.Concatenate(axis=1, name="rows")([x, y])
    outputs["columns"] = L.Concatenate(axis=2, name="columns")([x, y])
    outputs["weighted"] = ReluWeightedSum(name="weighted")([x, y, gate])
    outputs["repeated"] = L.RepeatVector(3, name="repeated")(outputs["global_average"])
    sequence = outputs["reshape"]
    for name, layer in [("conv_1d", L.Conv1D(3, 3, strides=2, padding="same", activation="relu")),
                        ("conv_1d_dilated", L.Conv1D(2, 2, dilation_rate=2, use_bias=False)),
                        ("conv_1d_groups", L.Conv1D(4, 2, groups=2)),
                        ("max_pool_1d", L.MaxPooling1D(3, strides=2, padding="same")),
                        ("average_pool_1d", L.AveragePooling1D(2, strides=1, padding="same")),
                        ("global_average_1d", L.GlobalAveragePooling1D()), ("global_max_1d", L.GlobalMaxPooling1D(keepdims=True)),
                        ("softmax_of_sequence", L.Softmax(axis=-2))]:
        setattr(layer, "name" if K3 else "_name", name)
        outputs[name] = layer(sequence)
    outputs["flat"] = L.Flatten(name="flat")(x)
    outputs["dense"] = L.Dense(5, use_bias=False, activation="softmax", name="dense")(outputs["flat"])
    outputs["dense_sigmoid"] = L.Dense(1, activation="sigmoid", name="dense_sigmoid")(outputs["global_max"])
    return list(outputs.values())


def functions_k3(x):
    o = keras.ops
    p = o.add(o.absolute(x), 0.5)
    rows = o.mean(x, axis=1)
    first, second = o.split(x, 2, axis=-1)
    return [o.multiply(x, 0.5), o.add(1.0, x), o.subtract(x, np.array([1, 2, 3, 4], "float32")), o.subtract(2.0, x), o.true_divide(x, 4.0),
            o.divide(3.0, p), o.divide(x, p), o.power(p, 2.0), o.square(x), o.sqrt(p), o.negative(x), o.exp(x),
            o.maximum(x, 0.25), o.minimum(x, 0.25), o.clip(x, -0.5, 0.75), o.maximum(x, p), o.relu(x), o.relu6(x),
            o.leaky_relu(x, 0.1), o.elu(x), o.selu(x), o.gelu(x), o.gelu(x, approximate=False), o.silu(x), o.sigmoid(x),
            o.hard_sigmoid(x), o.hard_silu(x), o.tanh(x), o.softplus(x), o.softsign(x), o.softmax(x), x[..., ::-1],
            x[:, 1:-1, ::2, 1:3], x[..., 0], x[:, ::-2], o.concatenate([x, p], axis=1), o.stack([rows, rows], axis=2),
            first, second, o.transpose(x, [0, 2, 1, 3]), o.reshape(x, [-1, 6, 28]), o.expand_dims(rows, 1),
            o.squeeze(o.mean(x, axis=2, keepdims=True), 2), o.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]),
            o.mean(x, axis=[1, 2], keepdims=True), o.max(x, axis=[1, 2]), o.sum(x, axis=-1), o.min(x, axis=2),
            o.image.resize(x, (5, 9)), o.multiply(x, o.mean(x, axis=-1, keepdims=True)), x * o.sigmoid(x),
            o.multiply(x, o.divide(o.relu6(o.add(x, 3.0)), 6.0)), o.cast(x, "float32"), o.clip(x, -np.inf, 0.5),
            o.max_pool(x, 3, strides=(2, 1), padding="same"), o.average_pool(x, (2, 3)), o.normalize(x, axis=-1),
            o.flip(x, axis=2), o.swapaxes(x, 1, -1), *o.unstack(p, axis=2)[1:3], o.softmax(x, axis=1), L.MaxPooling2D(3, strides=2)(
                o.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=-np.inf))]


def functions_tf(x):
    p = tf.abs(x) + 0.5
    rows = tf.reduce_mean(x, axis=1)
    return [x * 0.5, 1.0 + x, x - tf.constant([1.0, 2.0, 3.0, 4.0]), 2.0 - x, x / 4.0, 3.0 / p, x / p, tf.pow(p, 2.0),
            tf.square(x), tf.sqrt(p), tf.math.rsqrt(p), -x, tf.exp(x), tf.maximum(x, 0.25), tf.minimum(x, 0.25),
            tf.clip_by_value(x, -0.5, 0.75), tf.maximum(x, p), tf.nn.relu(x), tf.nn.relu6(x), tf.nn.leaky_relu(x), tf.nn.elu(x),
            tf.nn.selu(x), tf.nn.gelu(x), tf.nn.gelu(x, approximate=True), tf.nn.silu(x), tf.nn.sigmoid(x), tf.tanh(x),
            tf.nn.softplus(x), tf.nn.softsign(x), tf.nn.softmax(x), x[..., ::-1], x[:, 1:-1, ::2, 1:3], x[..., 0], x[:, ::-2],
            tf.concat([x, p], axis=1), tf.stack([rows, rows], axis=2), tf.transpose(x, [0, 2, 1, 3]),
            tf.reshape(x, [-1, 6, 28]), tf.expand_dims(rows, 1), tf.squeeze(tf.reduce_mean(x, axis=2, keepdims=True), [2]),
            tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]), tf.reduce_mean(x, axis=[1, 2], keepdims=True),
            tf.reduce_max(x, axis=[1, 2]), tf.reduce_sum(x, axis=-1), tf.reduce_min(x, axis=2), tf.image.resize(x, (5, 9)),
            tf.image.resize(x, (9, 5), method="nearest"), tf.nn.bias_add(x, [1.0, 2.0, 3.0, 4.0]),
            tf.nn.depth_to_space(x, 2), x * tf.reduce_mean(x, axis=-1, keepdims=True), x * tf.nn.sigmoid(x),
            x * (tf.nn.relu6(x + 3.0) * (1.0 / 6.0)), tf.cast(x, tf.float32), tf.reduce_sum([x, p, x], axis=0),
            tf.reduce_mean([x, p, x], axis=[0]), tf.reduce_max([x, p], axis=0), tf.reduce_min([x, p], axis=0),
            tf.clip_by_value(x, -np.inf, 0.5), tf.nn.softmax(x, axis=1), *tf.split(x, [1, -1], axis=-1),
            L.MaxPooling2D(3, strides=2)(tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=-np.inf)),
            tf.image.resize(p[:, :2], tf.shape(x)[1:-1]), tf.image.resize(p[:, :3], (tf.shape(x)[2], tf.shape(x)[1])),
            *tf.unstack(p, axis=2)[1:3], tf.nn.l2_normalize(x, axis=-1), tf.reverse(x, [1, 3]), tf.reshape(x, (tf.shape(x)[0], -1, 4)), tf.reshape(x, (-1, tf.shape(x)[2], 28))]


def structure(x):
    """Nested, shared, several calls: what node indices count."""
    inner_input = keras.Input((7, 6, 4), name="inner_input")
    y = L.Conv2D(4, 3, padding="same", name="conv")(inner_input)
    y = L.BatchNormalization(name="bn")(y)
    inner = keras.Model(inner_input, [L.ReLU(name="act")(y), y], name="inner")
    outer_input = keras.Input((7, 6, 4), name="outer_input")
    a, b = inner(outer_input)
    outer = keras.Model(outer_input, L.Add(name="sum")([a, L.Conv2D(4, 1, name="out_conv")(b)]), name="outer")
    head = keras.Sequential([keras.Input((7, 6, 4)), L.GlobalAveragePooling2D(), L.Dense(3, name="scores")], name="head")
    bare = keras.Sequential([L.Conv2D(4, 1, name="bare_conv"), L.ReLU()], name="bare")
    shared = L.Conv2D(4, 3, padding="same", name="shared")
    first = shared(outer(x))
    second = shared(bare(first))
    third = outer(second)
    return [head(first), L.Activation("softmax", name="probabilities")(head(third)), L.Concatenate(name="both")([first, second])]


def compress(path):
    """Keras stores; readers must take deflated entries, too."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)


def main():
    x = keras.Input((7, 6, 4), name="pixels")
    pixels = np.random.default_rng(5).uniform(-2, 2, (1, 7, 6, 4)).astype(np.float32)
    for name, build in [("layers", layers), ("functions", functions_k3 if K3 else functions_tf), ("structure", structure)]:
        keras.utils.set_random_seed(11)
        model = keras.Model(x, build(x), name=name)
        random = np.random.default_rng(3)
        model.set_weights([random.uniform(0.2, 1, w.shape).astype(np.float32) if "variance" in v.name or "alpha" in v.name
                           else np.asarray(random.uniform(-0.5, 0.5, w.shape), w.dtype)
                           for v, w in zip(model.weights, model.get_weights())])
        predicted = model.predict(pixels, verbose=0)
        predicted = predicted if isinstance(predicted, list) else [predicted]
        endings = {"structure": ["keras", "h5"], "functions": ["keras"] if K3 else ["h5"]}.get(name, ["keras"])
        for ending in endings:  # tf-keras cannot write an ellipsis into a .keras file
            model.save(f"{GENERATION}_{name}.{ending}")
        if "keras" in endings:
            compress(f"{GENERATION}_{name}.keras")
        arrays = {f"out_{i}": value.astype(np.float32) for i, value in enumerate(predicted)}
        np.savez_compressed(f"{GENERATION}_{name}.npz", in_0=pixels, **arrays)


main()
