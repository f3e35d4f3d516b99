// SPDX-License-Identifier: Apache-2.0
// The embedded default: a toy MobileNet and its trained weights, part of the program itself.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace gpueval {

// The bytes of models/demo/demo.h5, a Keras weight file.
std::span<const std::byte> demo_weights();

// A path that read_weight_file can open, valid until the program ends: the bytes above in a nameless file in memory
// (nothing is written to disk, no source tree is needed). It reads like "/proc/self/fd/5": in messages and results say
// kDemoWeightsName instead. Thread-safe; one file a process. Throws Error if the system has no room for it.
std::string demo_weights_path();
inline constexpr const char* kDemoWeightsName = "embedded demo.h5";

}  // namespace gpueval
