// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/printable.h"
#include "gpueval/report.h"

namespace gpueval {
namespace {

std::string calibration_sentence(const CalibrationReport& report) {
  if (report.source == "table") return fmt::format("int8 calibration: table {}.", report.path);
  if (report.source == "image")
    return "int8 calibration: this image alone, as no data was found; other images or a calibration table do better.";
  return fmt::format("int8 calibration: {} images of {}.", report.images, report.path);
}

}  // namespace

std::string to_text(const Classification& found) {
  std::string text = fmt::format("{}, {} x {} pixels\n", printable(found.path), found.width, found.height);
  for (const Classification::Of& row : found.rows) {
    text += fmt::format("\n{}\n", row.label);
    if (row.has_nan) text += "  the logits hold NaN: no class can be told\n";
    for (const Classification::Class& likely : row.classes)
      text += fmt::format("  {:6.2f}%  {:>4}  {}\n", 100 * likely.probability, likely.id, printable(likely.name));
  }
  if (found.calibration) text += '\n' + printable(calibration_sentence(*found.calibration)) + '\n';
  return text;
}

}  // namespace gpueval
