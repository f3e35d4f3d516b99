#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the build (and with --tests the test suite) needs from Debian 12's own packages; does nothing if all is there.
set -euo pipefail
packages=(g++ cmake ninja-build ccache pkg-config git
  libhdf5-dev libopencv-core-dev libopencv-imgproc-dev libturbojpeg0-dev libpng-dev libpugixml-dev libzip-dev libdnnl-dev libssl-dev
  libfmt-dev nlohmann-json3-dev libcli11-dev libprotobuf-dev protobuf-compiler libonnx-dev)
if [[ "${1:-}" == --tests ]]; then
  packages+=(libgtest-dev libgmock-dev libbenchmark-dev python3 python3-jsonschema clang libclang-rt-14-dev libomp-dev clang-format xz-utils)
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
as_root=()
[[ $EUID -eq 0 ]] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
