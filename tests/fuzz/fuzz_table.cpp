// SPDX-License-Identifier: Apache-2.0
// Calibration tables of any text: load_table gives finite numbers or throws Error, and what it accepts can be saved and
// loaded again.
#include <cmath>
#include <cstdlib>

#include "gpueval/error.h"
#include "gpueval/quant.h"
#include "temporary_file.h"

namespace {

void check_numbers(const gpueval::CalibrationTable& table) {
  for (const auto& [name, range] : table.range) {
    if (!std::isfinite(range) || range < 0) std::abort();
  }
  for (const auto& [name, correction] : table.corrections) {
    for (const float bias : correction.bias) {
      if (!std::isfinite(bias)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const gpueval::fuzz::TemporaryFile file("table.json");
  file.write(bytes, size);
  gpueval::CalibrationTable table;
  try {
    table = gpueval::load_table(file.path());
  } catch (const gpueval::Error&) {
    return 0;
  }
  check_numbers(table);
  gpueval::save_table(table, file.path());
  if (gpueval::load_table(file.path()).range != table.range) std::abort();
  return 0;
}
