// SPDX-License-Identifier: Apache-2.0
#include "program/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/near_miss.h"
#include "gpueval/error.h"

namespace gpueval {
namespace {

// CLI11's own checks of numbers print the largest double in full and let NaN pass.
CLI::Validator number(std::string expected, std::function<bool(double)> holds) {
  return {[expected = std::move(expected), holds = std::move(holds)](const std::string& text) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && holds(value)) return "";
            return fmt::format("expected {}, found '{}'", expected, text);
          },
          ""};
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> values) {
  return {[values = std::move(values)](const std::string& text) -> std::string {
            if (std::find(values.begin(), values.end(), text) != values.end()) return "";
            return fmt::format("expected {}, found '{}'{}", fmt::join(values, ", "), text, did_you_mean(text, values));
          },
          ""};
}

CLI::Validator parsed_by(std::function<void(const std::string&)> parse) {
  return {[parse = std::move(parse)](const std::string& text) -> std::string {
            try {
              parse(text);
              return "";
            } catch (const Error& error) {
              return error.what();
            }
          },
          ""};
}

CLI::Validator above_zero() {
  return number("a number above 0", [](double value) { return value > 0; });
}
CLI::Validator zero_or_above() {
  return number("0 or a number above", [](double value) { return value >= 0; });
}
CLI::Validator between(double least, double most) {
  return number(fmt::format("a number from {} to {}", least, most),
                [=](double value) { return value >= least && value <= most; });
}
CLI::Validator above_up_to(double above, double most) {
  return number(fmt::format("a number above {} and up to {}", above, most),
                [=](double value) { return value > above && value <= most; });
}
CLI::Validator whole(long least, long most) {
  return number(fmt::format("a whole number from {} to {}", least, most), [=](double value) {
    return value == std::floor(value) && value >= static_cast<double>(least) && value <= static_cast<double>(most);
  });
}

CLI::Validator auto_or(const CLI::Validator& other) {
  return CLI::Validator(
      [other](std::string& text) {
        const std::string fault = text == "auto" ? "" : other(text);
        return fault.empty() ? "" : fault + ", or auto";
      },
      "");
}

}  // namespace gpueval
