#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/io/data/imagenet_classes.inc from synset_words.txt ("n01440764 tench, Tinca tinca" a line, in the order of the
class ids): make_imagenet_classes.py synset_words.txt > src/io/data/imagenet_classes.inc"""
import sys

WIDTH = 120


def main():
    entries = []
    for line in open(sys.argv[1], encoding="utf-8"):
        synset, names = line.rstrip("\n").split(" ", 1)
        entries.append('{"%s", "%s"},' % (synset, names.split(",")[0].strip()))
    print("// ImageNet's classes in the order of Keras's ids: WordNet id, first name. By scripts/make_imagenet_classes.py.")
    row = ""
    for entry in entries:
        if row and len(row) + 1 + len(entry) > WIDTH:
            print(row)
            row = ""
        row += (" " if row else "") + entry
    print(row)


if __name__ == "__main__":
    main()
