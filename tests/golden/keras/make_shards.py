#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the same weights in one file (k3_whole.weights.h5) and split over several (k3_shards.weights.json), by Keras 3.

    venv/bin/pip install keras tensorflow
    venv/bin/python make_shards.py

The limit makes Keras put layer "a" into the first file with the name of "b" alone, and cut "c" apart.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras

L = keras.layers
HERE = os.path.dirname(os.path.abspath(__file__))
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((5, 5, 3)), L.Conv2D(4, 3, name="a"), L.BatchNormalization(name="b"), L.Dropout(0.5),
                          L.Conv2D(6, 2, name="c", bias_initializer="normal"), L.GlobalAveragePooling2D(), L.Dense(3, name="d")])
model.save_weights(os.path.join(HERE, "k3_whole.weights.h5"))
model.save_weights(os.path.join(HERE, "k3_shards.weights.json"), max_shard_size=452 / 2**30)
