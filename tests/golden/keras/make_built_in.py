#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes built_in.zip: descriptions of built-in networks that segment and detect, as tf-keras saves them.

    venv/bin/pip install tensorflow tf-keras h5py numpy opencv-python-headless
    venv/bin/python make_built_in.py

The networks are those of scripts/make_segdet_goldens.py, small.
"""
import pathlib
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "scripts"))
from make_segdet_goldens import deeplab, keras, ssd, unet

NETWORKS = {"ssd300": lambda: ssd(257, 0.0625), "unet": lambda: unet(32), "deeplabv3plus_mobilenetv2": lambda: deeplab(64)}


def main():
    with zipfile.ZipFile(HERE / "built_in.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, build in NETWORKS.items():
            keras.backend.clear_session()
            entry = zipfile.ZipInfo(name + ".json", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, build().to_json(), zipfile.ZIP_DEFLATED, 9)


main()
