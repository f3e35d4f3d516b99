// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/recipe.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "gpueval/error.h"

namespace gpueval::cli {

int calibrate(const Options& options) {
  const LoadedModel model = load_model(options);
  const LoadedData data = load_data(options, *model.spec);
  if (!data.images) fail("{}", data.missing);
  CalibrationReport report;
  const std::size_t count = calibration_count(options, data);
  const CalibrationTable table =
      observe_table(options, model, data.calibration ? *data.calibration : *data.images, count, report);
  save_table(table, options.calibration_table);
  print_line(fmt::format("{}: ranges of {} tensors of {} from {} images of {}, scheme {}, {}",
                         options.calibration_table, table.range.size(), table.model, table.images, report.path,
                         table.scheme, table.preprocessing));
  if (const auto note = rounding_note(model.graph, parse_recipe(table.scheme))) print_note(*note);
  if (!report.skipped.empty())
    print_line(fmt::format("{} images could not be decoded and were skipped.", report.skipped.size()));
  return 0;
}

}  // namespace gpueval::cli
