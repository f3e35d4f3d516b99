#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/data/: what OpenCV (cv2), PIL, Keras's preprocess_input, numpy and pickle make of small inputs, and,
with --data, hashes of the real images' pixels. Needs opencv-python-headless, pillow, keras and jax (its smallest backend).

    python scripts/make_data_goldens.py --data ../shared/data
"""
import argparse
import hashlib
import os
import pickle
import struct
import zlib

os.environ.setdefault("KERAS_BACKEND", "jax")
import cv2
import numpy as np
from keras.applications import imagenet_utils
from PIL import Image

MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)


def picture(height, width, seed):
    """A smooth picture with some detail: gradients, a few rectangles, mild noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)], -1).astype(np.int32)
    for _ in range(6):
        top, left = rng.integers(0, height - 4), rng.integers(0, width - 4)
        image[top : top + height // 3, left : left + width // 4] = rng.integers(0, 255, 3)
    image += rng.integers(-12, 13, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def encode(image, quality=90, options=()):
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, *options])
    assert ok
    return data.tobytes()


def with_orientation(jpeg, orientation, order="<"):
    """Inserts an EXIF block behind SOI."""
    tiff = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1)
    tiff += struct.pack(order + "HHIHHI", 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def relabel_cmyk(jpeg_planes, transform):
    """A four-component baseline JPEG from grey JPEGs of equal size and tables: their scans one after the other, Adobe marker."""
    first = jpeg_planes[0]
    segments, scans = [], []
    for data in jpeg_planes:
        at, parts = 2, []
        while data[at + 1] != 0xDA:
            length = 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
            parts.append(data[at : at + length])
            at += length
        header = 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        scans.append(data[at + header : -2])
        segments.append(parts)
    out = first[:2] + b"\xff\xee" + struct.pack(">H", 14) + b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)
    for part in segments[0]:
        if part[1] == 0xE0:
            continue
        if part[1] == 0xC0:
            part = part[:2] + struct.pack(">H", 8 + 12) + part[4:9] + b"\x04"
            part += b"".join(bytes([i, 0x11, 0]) for i in range(1, 5))
        out += part
    for i, scan in enumerate(scans, 1):
        out += b"\xff\xda" + struct.pack(">H", 8) + bytes([1, i, 0, 0, 63, 0]) + scan
    return out + b"\xff\xd9"


def jpegs():
    color = picture(37, 50, 1)
    result = {
        "color444": encode(color, 92, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]),
        "color422": encode(color, 85, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x211111]),
        "color420": encode(color, 75, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x221111]),
        "color411": encode(color, 75, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111]),
        "color440": encode(color, 75, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x121111]),
        "progressive": encode(color, 80, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        "restart": encode(color, 80, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
        "grey": encode(color[..., 0], 90),
        "one_pixel": encode(color[:1, :1], 90),
    }
    planes = [encode(np.ascontiguousarray(picture(24, 32, 7 + i)[..., 1]), 90) for i in range(4)]
    result["cmyk"] = relabel_cmyk(planes, 0)
    result["ycck"] = relabel_cmyk(planes, 2)
    for orientation in range(1, 9):
        result[f"orientation{orientation}"] = with_orientation(result["color444"], orientation, "<>"[orientation % 2])
    result["extraneous"] = result["color444"][:-2] + b"\0\0\0" + result["color444"][-2:]
    return result


def pixels_hash(image_bgr):
    """SHA-256 of height, width and the R, G, B bytes."""
    height, width = image_bgr.shape[:2]
    return hashlib.sha256(f"{height}x{width}\n".encode() + image_bgr[..., ::-1].tobytes()).hexdigest()


def imdecode(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def write_jpegs(out):
    rows = []
    for name, data in jpegs().items():
        with open(os.path.join(out, name + ".jpg"), "wb") as f:
            f.write(data)
        image = imdecode(data)
        rows.append(f"{name} {image.shape[0]} {image.shape[1]} {pixels_hash(image)}")
    with open(os.path.join(out, "jpeg_pixels.txt"), "w") as f:
        f.write("\n".join(rows) + "\n")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, depth, colors, extra=(), interlaced=False):
    """samples: height x width x channels; extra: chunks in front of the pixels. Rows are packed from the highest bit on."""
    height, width, channels = samples.shape
    seven = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for top, left, down, across in seven if interlaced else [(0, 0, 1, 1)]:
        for row in samples[top::down, left::across] if left < width else []:
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            else:
                bits = "".join(f"{v:0{depth}b}" for v in row.reshape(-1))
                packed = bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))
            rows += b"\0" + packed
    header = struct.pack(">IIBBBBB", width, height, depth, colors, 0, 0, int(interlaced))
    end = chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + end


def pngs():
    rng = np.random.default_rng(3)
    of = lambda depth, channels: rng.integers(0, 1 << depth, (5, 11, channels))
    palette = chunk(b"PLTE", bytes(rng.integers(0, 256, 48).tolist()))
    tiff = lambda turn: b"MM" + struct.pack(">HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, turn, 0, 0)
    grey, grey16, rgb = of(8, 1), of(16, 1), of(8, 3)
    result = {f"grey{depth}": png(of(depth, 1), depth, 0) for depth in (1, 2, 4)}
    result["palette4"] = png(of(4, 1), 4, 3, [palette])
    for depth in (1, 2):
        colors = chunk(b"PLTE", bytes(rng.integers(0, 256, 3 << depth).tolist()))
        result[f"palette{depth}"] = png(of(depth, 1), depth, 3, [colors, chunk(b"tRNS", b"\0\x40")])
    result |= {
        "grey8": png(grey, 8, 0, [chunk(b"tRNS", struct.pack(">H", int(grey[0, 0, 0])))]),
        "grey16": png(grey16, 16, 0, [chunk(b"tRNS", struct.pack(">H", int(grey16[0, 0, 0])))]),
        "grey_alpha8": png(of(8, 2), 8, 4),
        "grey_alpha16": png(of(16, 2), 16, 4),
        "rgb8": png(rgb, 8, 2, [chunk(b"tRNS", struct.pack(">HHH", *rgb[0, 0].tolist()))]),
        "rgb16": png(of(16, 3), 16, 2),
        "rgba8": png(of(8, 4), 8, 6),
        "rgba16": png(of(16, 4), 16, 6),
        "rgb8_interlaced": png(of(8, 3), 8, 2, interlaced=True),
        "grey2_interlaced": png(of(2, 1), 2, 0, interlaced=True),
        "one_pixel": png(of(8, 3)[:1, :1], 8, 2),
        "one_pixel_interlaced": png(of(16, 4)[:1, :1], 16, 6, interlaced=True),
        "gamma": png(rgb, 8, 2, [chunk(b"gAMA", struct.pack(">I", 100000))]),
        "text": png(rgb, 8, 2, [chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b" * 1000))]),
        "turned6": png(rgb, 8, 2, [chunk(b"eXIf", tiff(6))]),
        "turned3": png(of(8, 4), 8, 6, [chunk(b"eXIf", tiff(3))]),
    }
    return result


def write_pngs(out):
    rows = []
    for name, data in pngs().items():
        with open(os.path.join(out, name + ".png"), "wb") as f:
            f.write(data)
        image = imdecode(data)
        rows.append(f"{name} {image.shape[0]} {image.shape[1]} {pixels_hash(image)}")
    with open(os.path.join(out, "png_pixels.txt"), "w") as f:
        f.write("\n".join(rows) + "\n")


def short_side(image, side):
    height, width = image.shape[:2]
    least = min(height, width)
    scaled = lambda extent: (extent * side + least // 2) // least
    return cv2.resize(image, (scaled(width), scaled(height)), interpolation=cv2.INTER_CUBIC)


def crop(image, size):
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return image[top : top + size, left : left + size]


def normalize(rgb, kind):
    x = rgb.astype(np.float32)
    if kind == "tf":
        x /= np.float32(127.5)
        x -= np.float32(1)
        return x
    return x[..., ::-1] - MEAN_BGR


def samples(x):
    """A few hundred values spread over an array: (flat index, value)."""
    flat = x.reshape(-1)
    index = (np.arange(300, dtype=np.int64) * 7919 * 31) % flat.size
    return flat[index].astype(np.float64)


def formula(height, width):
    """A picture that the tests can make, too."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = [(x * 7 + y * 3 + c * 40 + (x * y) // 5 + ((x // 9 + y // 7) % 2) * 90) % 256 for c in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def write_preprocessing(out):
    """rows: name, network size, normalization, then values: the defaults, which results of all versions have."""
    cv2.ipp.setUseIPP(False) if hasattr(cv2, "ipp") else None
    rows = []
    for size in (224, 227, 299):
        for kind in ("tf", "caffe"):
            image = cv2.resize(formula(224, 224), (size, size))
            rows.append((f"pickle 224 224 {size} {kind}", normalize(image, kind)))
    for height, width in ((375, 500), (333, 251), (256, 256)):
        source = formula(height, width)
        for size, side in ((224, 256), (227, 256), (299, 342)):
            rows.append((f"folder {height} {width} {size} tf", normalize(crop(short_side(source, side), size), "tf")))
            original = cv2.resize(crop(short_side(source, 256), 224), (size, size))
            rows.append((f"original {height} {width} {size} caffe", normalize(original, "caffe")))
    with open(os.path.join(out, "preprocess.txt"), "w") as f:
        for name, x in rows:
            f.write(name + " " + " ".join(f"{v:.9g}" for v in samples(x)) + "\n")


def resized(image, height, width, resize):
    if image.shape[:2] == (height, width):
        return image
    if resize == "nearest":
        return np.asarray(Image.fromarray(image).resize((width, height), Image.NEAREST))
    return cv2.resize(image, (width, height), interpolation={"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[resize])


def half_up(numerator, denominator):
    return (numerator + denominator // 2) // denominator


def fitted(image, fit, resize, height, width):
    rows, columns = image.shape[:2]
    if fit == "squash":
        return resized(image, height, width, resize)
    if fit == "crop":
        side = min(height, width)
        short = 256 if 224 <= side <= 227 else round(side * 8 / 7)
        cover_h, cover_w = half_up(height * short, side), half_up(width * short, side)
        if rows / cover_h <= columns / cover_w:  # a longer picture loses its ends first
            columns = min(columns, rows * 32 * cover_w // cover_h)
            image = image[:, (image.shape[1] - columns) // 2 :][:, :columns]
            image = resized(image, cover_h, half_up(columns * cover_h, rows), resize)
        else:
            rows = min(rows, columns * 32 * cover_h // cover_w)
            image = image[(image.shape[0] - rows) // 2 :][:rows]
            image = resized(image, half_up(rows * cover_w, columns), cover_w, resize)
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        return image[top : top + height, left : left + width]
    if rows / height >= columns / width:
        image = resized(image, height, max(1, half_up(columns * height, rows)), resize)
    else:
        image = resized(image, max(1, half_up(rows * width, columns)), width, resize)
    below, right = height - image.shape[0], width - image.shape[1]
    top, left = (below // 2, right // 2) if fit == "pad-centre" else (0, 0)
    return cv2.copyMakeBorder(image, top, below - top, left, right - left, cv2.BORDER_CONSTANT, value=(128, 128, 128))


def normalized(rgb, normalization):
    x = rgb.astype(np.float32)
    if normalization in ("tf", "caffe", "torch"):
        return imagenet_utils.preprocess_input(x, data_format="channels_last", mode=normalization)
    if normalization == "unit":
        return x / np.float32(255)
    if normalization == "none":
        return x
    mean, std = (np.array(part.split("=")[1].split(","), np.float32) for part in normalization.split(":"))
    return (x - mean) / std


def write_choices(out):
    """rows: fit, resize, height and width of the picture (formula()) and of the input, normalization, values."""
    normalizations = ["none", "tf", "caffe", "torch", "unit", "mean=123.675,116.28,103.53:std=58.395,57.12,57.375"]
    sizes = [(53, 37, 32, 32), (40, 60, 29, 41), (31, 33, 64, 48), (224, 224, 227, 227), (1, 5000, 24, 24), (5000, 1, 24, 30)]
    rows = []
    for fit in ("crop", "squash", "pad", "pad-centre"):
        for resize in ("bilinear", "bicubic", "nearest"):
            for height, width, to_h, to_w in sizes:
                normalization = normalizations[len(rows) * 5 // 6 % 6]
                x = normalized(fitted(formula(height, width), fit, resize, to_h, to_w), normalization)
                name = f"{fit} {resize} {height} {width} {to_h} {to_w} {normalization}"
                rows.append(name + " " + " ".join(f"{v:.9g}" for v in samples(x)[:100]))
    every_byte = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    for normalization in normalizations:
        x = normalized(every_byte, normalization).reshape(-1)
        rows.append(f"bytes {normalization} " + " ".join(f"{v:.9g}" for v in x))
    with open(os.path.join(out, "preprocessing_choices.txt"), "w") as f:
        f.write("\n".join(rows) + "\n")


def write_pickles(out):
    data = [bytes([0xFF, 0xD8, i, 0x80, 0xC3, 10]) + bytes(range(i * 20)) for i in range(3)]
    labels = [7, 300, 999]
    for protocol in range(2, 6):
        variants = {
            "ints": labels,
            "scalars": [np.int64(v) for v in labels],
            "array": np.array(labels, np.int64),
            "int16be": np.array(labels, ">i2"),
        }
        for name, target in variants.items():
            with open(os.path.join(out, f"{name}_p{protocol}.pkl"), "wb") as f:
                pickle.dump({"data": data, "target": target}, f, protocol)
    with open(os.path.join(out, "bytes.txt"), "w") as f:
        f.write("\n".join(d.hex() for d in data) + "\n")


def write_arrays(out):
    """3 elements of 2 x 3 x 4: value i of the file is 7 i mod 256, or i / 8 - 2; labels 7, 0, 3."""
    index = np.arange(72).reshape(3, 2, 3, 4)
    floats, labels = index / 8 - 2, np.array([7, 0, 3])
    arrays = {"uint8": (index * 7 % 256).astype(np.uint8), "float64be": floats.astype(">f8"), "float64": floats.astype("<f8")}
    arrays |= {"float32": floats.astype("<f4"), "float32be": floats.astype(">f4"), "fortran": np.asfortranarray(floats)}
    for kind in ("i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u8", ">i8"):
        arrays["labels_" + kind.strip("<>") + ("be" if kind[0] == ">" else "")] = labels.astype(kind)
    arrays["labels_column"] = labels.reshape(3, 1)
    for name, array in arrays.items():
        np.save(os.path.join(out, name + ".npy"), array)
    for version in (2, 3):
        with open(os.path.join(out, f"version{version}.npy"), "wb") as f:
            np.lib.format.write_array(f, arrays["uint8"], version=(version, 0))


def write_real_hashes(out, folder):
    with open(os.path.join(folder, "imagenet", "val224_sample.pkl"), "rb") as f:
        sample = pickle.load(f)
    with open(os.path.join(out, "val224_sample_pixels.txt"), "w") as f:
        for data in sample["data"]:  # imdecode's array, read as it comes, is R, G, B: exchange it for pixels_hash
            f.write(pixels_hash(imdecode(data)[..., ::-1]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "data"))
    parser.add_argument("--data", help="folder of the real data; without it the hashes of its images are left as they are")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    write_jpegs(args.out)
    write_pngs(args.out)
    write_preprocessing(args.out)
    write_choices(args.out)
    write_pickles(args.out)
    write_arrays(args.out)
    if args.data:
        write_real_hashes(args.out, args.data)


if __name__ == "__main__":
    main()
