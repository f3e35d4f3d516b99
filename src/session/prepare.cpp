// SPDX-License-Identifier: Apache-2.0
#include "session/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpueval/error.h"
#include "session/calibration.h"
#include "session/images.h"
#include "session/islands.h"
#include "session/pixel_chain.h"
#include "session/settle_task.h"

namespace gpueval {
namespace {

// Where nothing is judged, or the weights are random, the minutes of the best recipe would buy nothing: its kernels are
// those of maxabs.
Scheme usual_scheme(const Plan& plan, const RecipeRequest& request, const LoadedData& data) {
  const bool measures = plan.accuracy || plan.speed;
  const bool worth = plan.accuracy && data.images && plan.model.weights != "random";
  return request.chooses() || !measures || worth ? Scheme::kBest : Scheme::kMaxAbs;
}

// A row's request with what the table, if one is read, and the default say of it.
RecipeRequest settled(const Plan& plan, const RecipeRequest& asked, const CalibrationTable* read,
                      const LoadedData& data) {
  RecipeRequest request = asked;
  if (read != nullptr) request = with_table(std::move(request), *read, plan.calibration.table);
  if (!request.automatic && !request.scheme) request.scheme = usual_scheme(plan, request, data);
  return request;
}

// Pixels of 0 to 255, or to 1, have one bit more in u8 than in s8. What an array of floats holds, nobody knows.
bool never_negative(const Plan& plan, const LoadedModel& model, const LoadedData& data) {
  const std::optional<Normalization> asked = asked_preprocessing(plan, model).normalization;
  const Normalization normalization = asked.value_or(model.input.normalization);
  const bool shifted = normalization.kind() != Normalization::kNone && normalization.kind() != Normalization::kUnit;
  if (!data.images || !data.images->array()) return !shifted;
  return data.images->array()->bytes && (!asked || !shifted);
}

void add_once(std::vector<std::string>& sentences, const std::string& sentence) {
  if (std::find(sentences.begin(), sentences.end(), sentence) == sentences.end()) sentences.push_back(sentence);
}

void calibrate_row(const Plan& plan, const CalibrationTable* read, Prepared& prepared, const StepText& step,
                   Observer& observer, LoweredRow& row) {
  const RecipeRequest& recipe = row.row.recipe;
  CalibrationReport calibration;
  CalibrationTable table = read != nullptr
                               ? check_read_table(plan, *read, recipe, prepared.model, prepared.data, calibration)
                               : obtain_table(plan, recipe, prepared.model, prepared.data, calibration, step);
  row.quantization = calibration.quantization;
  QuantOptions quant = recipe_of(table);
  quant.float_layers = recipe.float_layers;
  const Graph& bound = prepared.model.graph;
  if (const auto note = rounding_note(bound, recipe_of(table))) {
    observer.on_note(*note);
    add_once(prepared.notes, *note);
  }
  row.graph = lower_static(bound, table, quant);
  if (const auto note = island_note(row.graph)) add_once(prepared.notes, *note);
  // Every row calibrates on the same images; what an automatic one tried is worth keeping.
  if (calibration.trials.empty() && prepared.calibration) calibration.trials = std::move(prepared.calibration->trials);
  prepared.calibration = std::move(calibration);
  prepared.table = std::move(table);
}

std::unique_ptr<Engine> engine_of(const Plan& plan, const LoweredRow& row, Graph graph, int batch) {
  EngineOptions options{.batch = batch, .kernel = row.row.kernel};
  options.pixels = row.pixels;
  options.overlap_launches = plan.overlap_launches;
  options.chunk = plan.chunk;
  if (row.row.precision == Precision::kTf32) options.math = FloatMath::kTf32;
  if (row.row.precision == Precision::kFloat16) options.math = FloatMath::kHalf;
  options.cuda_graph = plan.cuda_graph;
  return make_engine(plan.device, std::move(graph), options);
}

// Of pictures in colour.
std::shared_ptr<const PixelTable> pixels_of(const Plan& plan, const LoadedModel& model) {
  if (!plan.input_as_bytes || model.input.channels != 3) return nullptr;
  const auto asked = asked_preprocessing(plan, model).normalization;
  return std::make_shared<const PixelTable>(pixel_table(asked.value_or(model.input.normalization)));
}

// Boxes and label maps are of whole pictures.
void check_whole_pictures(const Preprocessing& preprocessing, const Dataset& images) {
  const bool cropped = preprocessing.fit == Fit::kCrop || preprocessing.first_crop > 0;
  if (images.truth() <= TruthKind::kClass || !cropped) return;
  fail_usage("fit crop: it cuts off a part of the pictures of {}, whose {} are of all of it; squash and pad do not",
             images.path(), images.truth() == TruthKind::kBoxes ? "boxes" : "label maps");
}

}  // namespace

bool Row::calibrates() const {
  if (precision != Precision::kInt8) return false;
  return recipe.automatic || !recipe.scheme || needs_calibration(*recipe.scheme);
}

std::string Row::scheme() const {
  if (precision != Precision::kInt8) return "";
  return recipe.automatic ? "auto" : recipe.scheme ? to_string(*recipe.scheme) : "";
}

ModelName named_model(const ModelPlan& plan) {
  ModelName named = parse_model_name(plan.name);
  if (!named.alpha) named.alpha = plan.alpha;
  return named;
}

void mark_input(const Plan& plan, LoadedModel& model, const LoadedData& data) {
  std::get<Input>(model.graph.nodes.front().op).non_negative = never_negative(plan, model, data);
}

Prepared load(const Plan& plan, PixelChain chain) {
  Prepared prepared;
  prepared.model = load_model(plan.model);
  prepared.judged = settle_task(plan, prepared.model);
  prepared.data = load_data(plan, *prepared.model.spec, prepared.judged);
  if (chain == PixelChain::kTaken) take_pixel_chain(plan, prepared.data, prepared.model);
  prepared.notes = prepared.model.notes;
  mark_input(plan, prepared.model, prepared.data);
  const bool reads = plan.accuracy || plan.speed || (calibrates(plan) && plan.calibration.table.empty());
  // What does not fit the network's input is told before anything is calibrated.
  if (reads && prepared.data.images)
    check_whole_pictures(preprocessing_of(plan, prepared.model, *prepared.data.images), *prepared.data.images);
  return prepared;
}

void lower_rows(const Plan& plan, Prepared& prepared, Observer& observer) {
  const auto count = std::count_if(plan.rows.begin(), plan.rows.end(), [](const Row& row) { return row.calibrates(); });
  const std::string& path = plan.calibration.table;
  std::optional<CalibrationTable> read;  // once for all rows: it may hold the weights of a network
  if (!path.empty() && count > 0) read = load_table(path);
  if (read && prepared.model.pixel_chain) read->range.erase(*prepared.model.pixel_chain);
  const CalibrationTable* table = read ? &*read : nullptr;
  const auto pixels = pixels_of(plan, prepared.model);
  for (const Row& asked : plan.rows) {
    LoweredRow& row = prepared.rows.emplace_back(LoweredRow{asked, "", {}, std::nullopt, pixels});
    if (asked.precision != Precision::kInt8) {  // TF32 and float16 are the engine's matter
      row.graph = lower_float(prepared.model.graph);
      continue;
    }
    row.row.recipe = asked.calibrates() ? settled(plan, asked.recipe, table, prepared.data) : asked.recipe;
    row.scheme = row.row.scheme();
    if (!row.row.calibrates()) {
      row.graph = lower_reference(prepared.model.graph, settle(row.row.recipe));
      continue;
    }
    observer.on_step("calibrating");
    const auto step = [&](const std::string& text) {
      observer.on_step(count > 1 ? fmt::format("{}: {}", row.scheme, text) : text);
    };
    calibrate_row(plan, table, prepared, step, observer, row);
  }
  for (const std::string& note : prepared.table.notes) add_once(prepared.notes, note);
}

Prepared prepare(const Plan& plan, Observer& observer) {
  Prepared prepared = load(plan, PixelChain::kKept);
  lower_rows(plan, prepared, observer);
  return prepared;
}

std::unique_ptr<Engine> make_engine(const Plan& plan, const LoweredRow& row, int batch) {
  return engine_of(plan, row, row.graph, batch);
}

EngineSet make_last_engines(const Plan& plan, std::span<LoweredRow> rows, int batch) {
  EngineSet set;
  for (LoweredRow& row : rows) {
    set.owned.push_back(engine_of(plan, row, std::exchange(row.graph, {}), batch));
    set.engines.push_back(set.owned.back().get());
  }
  return set;
}

EngineSet make_engines(const Plan& plan, std::span<const LoweredRow> rows, int batch) {
  EngineSet set;
  for (const LoweredRow& row : rows) {
    set.owned.push_back(make_engine(plan, row, batch));
    set.engines.push_back(set.owned.back().get());
  }
  return set;
}

Calibrated calibrate_network(const Plan& plan, Observer& observer) {
  const Prepared prepared = load(plan, PixelChain::kTaken);
  if (!prepared.data.images) fail("{}", prepared.data.missing);
  Calibrated result;
  const RecipeRequest request = plan.rows.front().recipe;
  const Dataset& images = prepared.data.calibration ? *prepared.data.calibration : *prepared.data.images;
  result.table = observe_table(plan, request, prepared.model, images, calibration_count(plan, prepared.data),
                               result.report, [&](const std::string& text) { observer.on_step(text); });
  // The table is of the network in the file, whoever reads it.
  if (prepared.model.pixel_chain) result.table.range[*prepared.model.pixel_chain] = 255;
  if (const auto note = rounding_note(prepared.model.graph, recipe_of(result.table))) result.notes.push_back(*note);
  return result;
}

}  // namespace gpueval
