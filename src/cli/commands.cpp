// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <array>

namespace gpueval::cli {

std::span<const Command> commands() {
  static const std::array kAll{kMeasure, kCalibrate, kTable,   kSensitivity, kExport,
                               kList,    kInspect,   kCompare, kJudge,       kSelftest};
  return kAll;
}

}  // namespace gpueval::cli
