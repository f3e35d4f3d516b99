#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include what: only src/backend knows the backends, and src/core knows nothing above it.

    check_includes.py SOURCE_FOLDER

Follows the includes of every file (through headers, too) and prints the way to each one that is not allowed. Also
prints where a file compares a device's name: DeviceInfo has the facts to ask for. Exit code 1 if there is any.
"""
import pathlib
import re
import sys

BACKENDS = ("src/cpu/", "src/emulator/", "cuda/")
# Folder -> prefixes of files that nothing there may reach. Those of the backends themselves are free.
FORBIDDEN = {
    "src/quant/": BACKENDS,
    "src/eval/": BACKENDS,
    "src/accuracy/": BACKENDS,
    "src/speed/": BACKENDS,
    "src/session/": BACKENDS,
    "src/task/": BACKENDS,
    "src/report/": BACKENDS,
    "src/program/": BACKENDS,
    "src/cli/": BACKENDS,
    "src/export/": BACKENDS,
    "src/graph/": BACKENDS,
    "src/io/": BACKENDS,
    "src/reference/": BACKENDS,
    "include/": BACKENDS,
    "models/": BACKENDS,
    "src/core/": BACKENDS + ("src/backend/", "src/graph/", "src/quant/", "src/eval/", "include/gpueval/engine.h",
                             "include/gpueval/graph.h", "include/gpueval/node_runner.h", "include/gpueval/quant.h"),
}
NO_NAMES = ("src/quant/", "src/eval/", "src/accuracy/", "src/speed/", "src/session/", "src/task/", "src/report/", "src/program/",
            "src/cli/")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMPARED = re.compile(r'[=!]=\s*"(cpu|cuda|emu)"|"(cpu|cuda|emu)"\s*[=!]=')


def included(root, file):
    """The project's own files that `file` includes."""
    for name in INCLUDE.findall(file.read_text()):
        for folder in (root / "include", root / "src", root, file.parent):
            if (folder / name).is_file():
                yield (folder / name).resolve()
                break


def way_to(root, start, forbidden):
    """[start, ..., forbidden file], or nothing."""
    ways, seen = [[start]], {start}
    for way in ways:
        for file in included(root, way[-1]):
            if str(file.relative_to(root)).startswith(forbidden):
                return way + [file]
            if file not in seen:
                seen.add(file)
                ways.append(way + [file])
    return []


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    found = checked = 0
    for folder, forbidden in FORBIDDEN.items():
        for file in sorted(p for p in (root / folder).rglob("*") if p.suffix in (".h", ".cpp", ".inc")):
            checked += 1
            if way := way_to(root, file, forbidden):
                found += 1
                print(" -> ".join(str(p.relative_to(root)) for p in way) + f": not allowed in {folder}")
            if not folder.startswith(NO_NAMES):
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                if COMPARED.search(line):
                    found += 1
                    print(f"{file.relative_to(root)}:{number}: compares a device's name: {line.strip()}")
    print(f"{checked} files, {found} findings")
    sys.exit(1 if found or checked == 0 else 0)


main()
