// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "core/printable.h"
#include "gpueval/report.h"

namespace gpueval {

std::string RunReport::label() const {
  std::string text = precision;
  if (!scheme.empty()) text += ' ' + scheme;
  if (depthwise == "float32") text += "-pw";  // only the pointwise convolutions are integer
  if (activations == "s8") text += " s8";
  if (shows_batch) text += " b" + std::to_string(batch);
  return printable(text);  // compared results may say anything
}

}  // namespace gpueval
