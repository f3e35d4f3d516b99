// SPDX-License-Identifier: Apache-2.0
// What the first bytes of a file say that it is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gpueval::data {

enum class PictureKind { kJpeg, kPng, kOther };
PictureKind picture_kind(std::span<const std::uint8_t> bytes);
// "a PNG image", "nothing", "something else"
std::string_view describe_picture(std::span<const std::uint8_t> bytes);

}  // namespace gpueval::data
