// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "gpueval/dataset.h"
#include "gpueval/error.h"

namespace gpueval::data {

constexpr std::int64_t kMaxPixels = 100'000'000;  // of a picture

template <typename... Args>
[[noreturn]] void bad_image(fmt::format_string<Args...> format, Args&&... args) {
  throw BadImage(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gpueval::data
