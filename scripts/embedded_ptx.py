#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the PTX that nvcc embeds in object files, for GPUs newer than those it made code for: OUT/NAME.ptx each, and
their paths in OUT/files.txt, one a line.

    scripts/embedded_ptx.py OUT OBJECT...

Objects without kernels in PTX (host code, code for one GPU alone) are passed over. Exit code 0: fine; 1: none has any.
"""
import os
import sys

import check_spills


def main():
    out, *objects = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    written = []
    for path in objects:
        with open(path, "rb") as file:
            texts = [text for _, text in check_spills.device_images(file.read(), check_spills.KIND_PTX) if b".entry" in text]
        if not texts:
            continue
        if len(texts) > 1:
            sys.exit(f"embedded_ptx.py: {path}: PTX for {len(texts)} architectures, expected one")
        written.append(os.path.join(out, os.path.basename(path).split(".")[0] + ".ptx"))
        with open(written[-1], "wb") as file:
            file.write(texts[0].rstrip(b"\0"))
    if not written:
        sys.exit("embedded_ptx.py: no PTX in these objects")
    if len(set(written)) < len(written):
        sys.exit("embedded_ptx.py: two objects of one name")
    with open(os.path.join(out, "files.txt"), "w", encoding="utf-8") as file:
        file.write("".join(path + "\n" for path in written))


main()
