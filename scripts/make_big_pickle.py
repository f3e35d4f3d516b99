#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a pickle in the layout of val224_compressed.pkl, of any size, by repeating JPEG images: to measure that a data set of
many gigabytes is indexed, not loaded. Needs no memory of that size itself.

    python scripts/make_big_pickle.py --images 50000 --kilobytes 100 --out /tmp/big.pkl
"""
import argparse
import pickle
import struct


def short_string(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def write(out, jpegs, count, bytes_each, protocol):
    """Protocol 4 with BINBYTES, or 2 with latin-1 text (as Python 3 writes bytes there)."""
    out.write(bytes([0x80, protocol]) + b"}(")
    memo = 0
    key = (lambda t: short_string(t)) if protocol >= 4 else (lambda t: b"X" + struct.pack("<I", len(t)) + t.encode())
    out.write(key("data") + b"](")
    for i in range(count):
        # Bytes behind a JPEG's end marker are ignored by every decoder.
        jpeg = jpegs[i % len(jpegs)].ljust(bytes_each, b"\0")
        if protocol >= 4:
            out.write(b"B" + struct.pack("<I", len(jpeg)) + jpeg + b"\x94")
        else:
            text = jpeg.decode("latin1").encode()
            out.write(b"c_codecs\nencode\nX" + struct.pack("<I", len(text)) + text)
            out.write(b"X\x06\0\0\0latin1\x86Rr" + struct.pack("<I", memo))
            memo += 1
    out.write(b"e" + key("target") + b"](")
    for i in range(count):
        out.write(b"M" + struct.pack("<H", i % 1000))
    out.write(b"eu.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", default="../shared/data/imagenet/val224_sample.pkl", help="pickle to take images from")
    parser.add_argument("--images", type=int, default=50000)
    parser.add_argument("--kilobytes", type=int, default=100, help="bytes of an image, at least those of the sample's")
    parser.add_argument("--protocol", type=int, default=4, choices=(2, 4))
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    with open(args.sample, "rb") as f:
        jpegs = pickle.load(f)["data"]
    with open(args.out, "wb") as f:
        write(f, jpegs, args.images, args.kilobytes * 1000, args.protocol)


if __name__ == "__main__":
    main()
