#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Registers, stack and shared memory of every GPU kernel in object files or libraries; no kernel may use the stack.

    scripts/check_spills.py build/cuda/libgpueval_gpu.a [--check REGEX] [--allow FILE] [--least N]

Reads the device code that nvcc embeds (fat binaries of ELF images), so it needs no CUDA tool. A spilled register lives on
the thread's stack, as does an array that is indexed at run time: both cost memory traffic in the innermost loop. Kernels
whose mangled or demangled name matches --check must have a stack of 0 bytes, unless a line of --allow ("REGEX BYTES",
reason behind #) permits that many. Exit code 0: fine; 1: a kernel uses the stack, an allowance that nothing needs, or fewer
kernels than --least were found; 2: usage.
"""
import argparse
import ctypes
import ctypes.util
import re
import shutil
import struct
import subprocess
import sys

FATBIN_MAGIC = 0xBA55ED50
KIND_PTX, KIND_ELF = 1, 2
FLAG_LZ4, FLAG_ZSTD = 0x2000, 0x8000
ATTRIBUTE_FRAME_SIZE, ATTRIBUTE_REGISTERS = 0x11, 0x2F
FORMAT_SIZED = 4


def lz4_block(data, size):
    out = bytearray()
    at = 0
    while at < len(data):
        token = data[at]
        at += 1
        literals = token >> 4
        if literals == 15:
            while True:
                literals += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
        out += data[at:at + literals]
        at += literals
        if at >= len(data) or len(out) >= size:
            break
        offset = data[at] | data[at + 1] << 8
        at += 2
        length = token & 15
        if length == 15:
            while True:
                length += data[at]
                at += 1
                if data[at - 1] != 255:
                    break
        for _ in range(length + 4):
            out.append(out[-offset])
    return bytes(out[:size])


def zstd_frame(data, size):
    name = ctypes.util.find_library("zstd")
    if not name:
        sys.exit("check_spills.py: the device code is compressed and libzstd is missing")
    library = ctypes.CDLL(name)
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    library.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    library.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(size)
    frame = library.ZSTD_findFrameCompressedSize(data, len(data))
    if library.ZSTD_decompress(out, size, data, min(frame, len(data))) != size:
        sys.exit("check_spills.py: a compressed device image is damaged")
    return out.raw


def device_images(data, wanted=KIND_ELF):
    """(compute capability x 10, ELF bytes or PTX text) of every fat binary in the file's bytes."""
    at = data.find(struct.pack("<I", FATBIN_MAGIC))
    while at >= 0:
        _, _, header, total = struct.unpack_from("<IHHQ", data, at)
        end = at + header + total
        entry = at + header
        while header == 16 and entry + 64 <= min(end, len(data)):
            kind, _, entry_header, size = struct.unpack_from("<HHIQ", data, entry)
            packed, = struct.unpack_from("<I", data, entry + 16)
            capability, = struct.unpack_from("<I", data, entry + 28)
            flags, = struct.unpack_from("<Q", data, entry + 40)
            plain_size, = struct.unpack_from("<Q", data, entry + 56)
            if entry_header < 64 or size == 0:
                break
            payload = data[entry + entry_header:entry + entry_header + size]
            if kind == wanted:
                if flags & FLAG_LZ4:
                    payload = lz4_block(payload[:packed or None], plain_size)
                elif flags & FLAG_ZSTD:
                    payload = zstd_frame(payload[:packed or None], plain_size)
                yield capability, payload
            entry += entry_header + size
        at = data.find(struct.pack("<I", FATBIN_MAGIC), at + 4)


def kernels_of(image):
    """name -> {registers, stack, shared, code} of one device ELF image."""
    if image[:4] != b"\x7fELF":
        sys.exit("check_spills.py: a device image is no ELF file (an unknown compression?)")
    section_offset, = struct.unpack_from("<Q", image, 40)
    entry_size, count, names_index = struct.unpack_from("<HHH", image, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, section_offset + i * entry_size) for i in range(count)]

    def text(section, offset):
        begin = sections[section][4] + offset
        return image[begin:image.index(b"\0", begin)].decode()

    names = [text(names_index, s[0]) for s in sections]
    symbols = {}
    for section, name in zip(sections, names):
        if name == ".symtab":
            for i in range(section[5] // 24):
                offset, = struct.unpack_from("<I", image, section[4] + i * 24)
                symbols[i] = text(section[6], offset)
    kernels = {name[len(".text."):]: {"registers": 0, "stack": 0, "shared": 0, "code": image[s[4]:s[4] + s[5]]}
               for s, name in zip(sections, names) if name.startswith(".text.")}
    for section, name in zip(sections, names):
        if name.startswith(".nv.shared.") and name[len(".nv.shared."):] in kernels:
            kernels[name[len(".nv.shared."):]]["shared"] = section[5]
        if name != ".nv.info":
            continue
        at, end = section[4], section[4] + section[5]
        while at + 4 <= end:
            form, attribute, size = struct.unpack_from("<BBH", image, at)
            if form == FORMAT_SIZED:
                if attribute in (ATTRIBUTE_FRAME_SIZE, ATTRIBUTE_REGISTERS):
                    symbol, value = struct.unpack_from("<II", image, at + 4)
                    key = "stack" if attribute == ATTRIBUTE_FRAME_SIZE else "registers"
                    if symbols.get(symbol) in kernels:
                        kernels[symbols[symbol]][key] = value
                at += 4 + size
            else:
                at += 4
    return kernels


def source_of(name):
    """The .cu file of a kernel in an anonymous namespace (or with a parameter of one), from its mangled name."""
    found = re.search(r"_GLOBAL__N__[0-9a-f]+_\d+_(\w+?)_cu_", name)
    return found.group(1) + ".cu" if found else ""


def demangled(names):
    if not shutil.which("c++filt"):
        return {name: name for name in names}
    out = subprocess.run(["c++filt", "-p"], input="\n".join(names), stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(names, out.stdout.splitlines()))


def read_allowances(path):
    rules = []
    if path:
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split("#")[0].split()
                if words:
                    rules.append((words[0], re.compile(words[0]), int(words[1])))
    return rules


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--check", default="gpueval", help="kernels that must not use the stack (default: all of ours)")
    parser.add_argument("--allow")
    parser.add_argument("--least", type=int, default=1)
    options = parser.parse_args()

    found = {}
    for path in options.files:
        with open(path, "rb") as file:
            data = file.read()
        for capability, image in device_images(data):
            for name, use in kernels_of(image).items():
                found[(name, capability)] = use
    plain = demangled(sorted({name for name, _ in found}))
    rules, needed, wrong = read_allowances(options.allow), set(), []
    print(f"{'sm':>3} {'registers':>9} {'stack':>5}  kernel, source")
    for (name, capability), use in sorted(found.items(), key=lambda item: (plain[item[0][0]], item[0][1])):
        shown = plain[name]
        print(f"{capability:>3} {use['registers']:>9} {use['stack']:>5}  {shown.replace('(anonymous namespace)::', '')} {source_of(name)}")
        if use["stack"] == 0 or not re.search(options.check, name + " " + shown):
            continue
        allowed = [(text, limit) for text, rule, limit in rules if rule.search(shown)]
        needed.update(text for text, _ in allowed)
        if use["stack"] > max((limit for _, limit in allowed), default=0):
            wrong.append(f"{shown} (sm_{capability}): {use['stack']} bytes of stack")
    wrong += [f"{options.allow}: no kernel needs the allowance '{text}'" for text, _, _ in rules if text not in needed]
    if len(found) < options.least:
        wrong.append(f"{len(found)} kernels found, expected at least {options.least}")
    for line in wrong:
        print(f"check_spills.py: {line}", file=sys.stderr)
    print(f"{len(found)} kernel images, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
