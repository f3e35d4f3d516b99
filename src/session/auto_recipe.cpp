// SPDX-License-Identifier: Apache-2.0
#include "session/auto_recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/stop_signal.h"
#include "eval/auto_scheme.h"
#include "gpueval/accuracy.h"
#include "gpueval/error.h"
#include "session/images.h"

namespace gpueval {
namespace {

constexpr std::size_t kLeastImages = 4;

// Recipes worth a trial, as text of recipe_text(). The first wins where two measure the same.
constexpr const char* kCandidates[] = {
    "best",
    "best +flips",
    "best -channel-scales",
    "best -gptq -asymmetric",
    "mse +bias-correction +bias-after-activation",
    "entropy +bias-correction",
    "percentile 99.99 +bias-correction",
    "maxabs +bias-correction",
    "maxabs",
};

std::vector<QuantOptions> candidates(const RecipeRequest& request) {
  std::vector<QuantOptions> result;
  for (const char* text : kCandidates) {
    result.push_back(parse_recipe(text));
    result.back().activations = request.activations.value_or(DType::kU8);
    result.back().float_layers = request.float_layers;
  }
  return result;
}

}  // namespace

QuantOptions pick_recipe(const Plan& plan, const RecipeRequest& request, const LoadedModel& model,
                         const Dataset& images, CalibrationReport& report, const StepText& step) {
  const std::size_t count = images.size();
  if (count < kLeastImages) {
    fail_usage(
        "scheme auto needs at least {} calibration images, three to calibrate on and one to measure on; it has {}",
        kLeastImages, count);
  }
  const std::size_t held_out = count / 4, calibrated = count - held_out;
  const Preprocessing preprocessing = preprocessing_of(plan, model, images);
  const auto part = [&](std::size_t first, std::size_t size) -> CalibrationImages {
    return [&, first, size] { return image_source(images, preprocessing, first, size, nullptr); };
  };
  // Of the automatic row.
  const auto row = std::find_if(plan.rows.begin(), plan.rows.end(), [](const Row& r) { return r.recipe.automatic; });
  const std::string kernel = row == plan.rows.end() ? "" : row->kernel;
  const std::vector<QuantOptions> tried = candidates(request);
  const auto show = [&](std::size_t i, int done, int total) {
    stop_point();
    step(fmt::format("trying recipe {} of {} ({}), {} of {}", i + 1, tried.size(), recipe_text(tried[i]), done, total));
  };
  const std::vector<SchemeResult> results =
      try_schemes(model.graph, {part(0, calibrated), part(calibrated, held_out)}, tried, {plan.device, kernel}, show);
  const std::size_t picked = best_scheme(results);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const SchemeResult& result = results[i];
    SchemeTrial& trial = report.trials.emplace_back();
    trial.name = recipe_text(tried[i]);
    trial.calibrated = static_cast<int>(calibrated);
    trial.measured = static_cast<int>(result.images);
    trial.sqnr_db = result.error.sqnr_db();
    trial.picked = i == picked;
    if (!result.same_class) continue;
    trial.kl = result.error.mean_kl();
    trial.agreement = static_cast<double>(*result.same_class) / static_cast<double>(result.images);
  }
  return tried[picked];
}

}  // namespace gpueval
