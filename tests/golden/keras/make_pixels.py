#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes two networks of the same weights by Keras 3: one that prepares its pixels itself (k3_rescaling.keras), and one
that leaves it to whoever feeds it (k3_rescaled.keras). Each has a LayerNormalization, which has no integer form.

    venv/bin/pip install keras tensorflow
    venv/bin/python make_pixels.py
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras

L = keras.layers
HERE = os.path.dirname(os.path.abspath(__file__))


def network(first):
    keras.utils.set_random_seed(5)
    layers = [L.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="conv1"), L.LayerNormalization(name="norm"),
              L.Conv2D(8, 3, activation="relu", name="conv2"), L.GlobalAveragePooling2D(name="pool"),
              L.Dense(10, activation="softmax", name="classes")]
    return keras.Sequential([keras.Input((9, 9, 3), name="image"), *first, *layers], name="pixels")


rescaling = network([L.Rescaling(1 / 127.5, offset=-1, name="rescaling")])
rescaled = network([])
rescaled.set_weights(rescaling.get_weights())
rescaling.save(os.path.join(HERE, "k3_rescaling.keras"))
rescaled.save(os.path.join(HERE, "k3_rescaled.keras"))
