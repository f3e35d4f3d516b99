// SPDX-License-Identifier: Apache-2.0
#include "report/image_sentences.h"

#include <fmt/format.h>

#include "report/text_table.h"

namespace gpueval {
namespace {

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", grouped(static_cast<std::int64_t>(count)), what, count == 1 ? "" : "s");
}

std::string where_from(const CalibrationReport& c) {
  if (c.source == "table")
    return fmt::format("table {} ({})", shortened_path(c.path, 70),
                       counted(static_cast<std::size_t>(c.images), "image"));
  const std::string images = counted(static_cast<std::size_t>(c.images) + c.skipped.size(),
                                     c.source == "synthetic" ? "synthetic image" : "image");
  if (c.source == "synthetic") return images;
  std::string text = images + (c.excluded ? " of the data" : " of " + shortened_path(c.path, 50));
  if (c.classes > 1) text += fmt::format(", spread over {} classes", c.classes);
  if (c.classes <= 1 && c.indices.size() > 1) text += ", spread over the list";
  return text + (c.excluded ? ", not judged again" : "");
}

std::string left_out(const CalibrationReport& c) {
  if (c.source == "table" && c.left_out > 0)
    return fmt::format("{} of the data {} among those that the table was calibrated on and {} not judged.",
                       counted(c.left_out, "image"), c.left_out == 1 ? "is" : "are", c.left_out == 1 ? "is" : "are");
  return "";
}

}  // namespace

std::string judged_text(const DataReport& data) {
  const std::size_t last = data.last > data.first ? data.last : data.first + data.count - 1;
  const bool gaps = last - data.first + 1 > data.count;
  return fmt::format("{} {} to {}", gaps ? fmt::format("{} of the images", data.count) : "images", data.first + 1,
                     last + 1);
}

std::vector<std::string> calibration_sentences(const CalibrationReport& c) {
  std::vector<std::string> result{fmt::format("Calibration: {}.", where_from(c))};
  if (std::string text = left_out(c); !text.empty()) result.push_back(std::move(text));
  if (c.source != "table" && c.same_content > 0) {
    const bool one = c.same_content == 1;
    result.push_back(fmt::format("{} more {} the content of a calibration image and {} not judged either.",
                                 grouped(static_cast<std::int64_t>(c.same_content)), one ? "image has" : "images have",
                                 one ? "is" : "are"));
  }
  if (c.isa.empty() || c.source == "synthetic") return result;
  const std::string place = c.isa + (c.cpu.empty() ? "" : " on " + c.cpu);
  result.push_back(
      c.source == "table"
          ? fmt::format("The table was calibrated with {}.", place)
          : fmt::format("Calibrated with {}: float32 sums of another instruction set may move int8 by some "
                        "tenths of a point; a calibration table gives the same int8 everywhere.",
                        place));
  return result;
}

}  // namespace gpueval
