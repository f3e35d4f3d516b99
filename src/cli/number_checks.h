// SPDX-License-Identifier: Apache-2.0
// CLI11's own checks of this kind print the largest double in full. Like those they let NaN pass.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace gpueval::cli {

inline CLI::Validator above_zero() {
  return {[](const std::string& text) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && !(value <= 0)) return "";
            return "expected a number above 0, found '" + text + "'";
          },
          ""};
}

inline CLI::Validator zero_or_above() {
  return {[](const std::string& text) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && !(value < 0)) return "";
            return "expected 0 or a number above, found '" + text + "'";
          },
          ""};
}

}  // namespace gpueval::cli
