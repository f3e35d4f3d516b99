// SPDX-License-Identifier: Apache-2.0
#include "keras/importer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "gpueval/error.h"
#include "graph/passes.h"
#include "keras/tables.h"

namespace gpueval::keras {
namespace {

std::string shape_text(const std::vector<int>& shape) {
  std::vector<std::string> extents{"None"};
  for (const int extent : shape) extents.push_back(extent < 0 ? "None" : std::to_string(extent));
  return fmt::format("({})", fmt::join(extents, ", "));
}

// What no importer need look at.
void check_layer(const Layer& layer, const Call& call) {
  const auto setting = [&](const char* key) -> std::string {
    const auto found = layer.config.is_object() ? layer.config.find(key) : layer.config.end();
    return found != layer.config.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const std::string format = setting("data_format"), old_format = setting("dim_ordering");
  if (format == "channels_first" || old_format == "th") {
    unsupported("its data format is channels_first; save the network with channels_last");
  }
  if (call.training && layer.kind == "BatchNormalization") {
    unsupported("the model calls it with training=True, so that it normalises by each batch");
  }
  const auto dtype = layer.config.is_object() ? layer.config.find("dtype") : layer.config.end();
  if (dtype != layer.config.end() && dtype->is_object() && dtype->value("class_name", "").starts_with("Quantized")) {
    unsupported("its weights are quantized ({}); save the network before it is quantized",
                dtype->value("class_name", ""));
  }
}

// Wrappers of training that leave the layer's own weights as they are, and the one that applies a layer to every row of
// a map, where that layer looks at the last extent alone.
bool may_unwrap(const Layer& layer) {
  constexpr std::array<std::string_view, 4> kTraining{"PruneLowMagnitude", "QuantizeWrapper", "QuantizeWrapperV2",
                                                      "ClusterWeights"};
  if (std::find(kTraining.begin(), kTraining.end(), layer.kind) != kTraining.end()) return true;
  constexpr std::array<std::string_view, 5> kLastExtent{"Dense", "Activation", "BatchNormalization",
                                                        "LayerNormalization", "Dropout"};
  return layer.kind == "TimeDistributed" &&
         std::find(kLastExtent.begin(), kLastExtent.end(), layer.wrapped->kind) != kLastExtent.end();
}

constexpr std::size_t kMostResults = 64;  // of a layer that is not supported: nobody knows how many it has

// "mixed_float16" of a string or a policy; empty for float32.
std::string narrow_policy(const Layer& layer) {
  const auto dtype = layer.config.is_object() ? layer.config.find("dtype") : layer.config.end();
  if (dtype == layer.config.end()) return "";
  std::string name = dtype->is_string() ? dtype->get<std::string>() : "";
  if (dtype->is_object()) name = dtype->value("config", Json::object()).value("name", "");
  return name.find("float16") != std::string::npos ? name : "";
}

std::string why_no_merge(const Layer& layer) {
  if (layer.kind == "Merge of models")
    return "it joins models that have an input each; expected a network of one input";
  if (layer.kind == "Merge of mode lambda")
    return "its mode is Python code, which is not run; write it with layers of Keras";
  return "this mode is not supported; sum, mul, concat, ave and max are";
}

// Values that are no tensors of the graph.
void check_readers(const Layer& layer, const std::vector<Value>& sources) {
  const bool beyond =
      std::any_of(sources.begin(), sources.end(), [](const Value& value) { return value.beyond != Padding{}; });
  if (beyond && layer.kind != "MaxPooling2D") unsupported("it reads a padding of -infinity, which only max pools may");
  constexpr std::array<std::string_view, 6> kOfNumbers{"get_item", "getitem", "resize", "reshape", "cast", "identity"};
  const bool numbers =
      std::any_of(sources.begin(), sources.end(), [](const Value& value) { return value.numbers.has_value(); });
  if (numbers && std::find(kOfNumbers.begin(), kOfNumbers.end(), layer.function) == kOfNumbers.end()) {
    unsupported("it computes with the shape of a tensor, which only slices, resizes and reshapes may");
  }
}

// Of a module of its own, "keras_hub.src.models" among them; ".h5" files say no module, but the package of a class that
// was registered: "Custom>Block".
bool is_own_class(const Layer& layer) {
  if (layer.module.empty()) return layer.registered;
  const std::string package = layer.module.substr(0, layer.module.find('.'));
  return package != "keras" && package != "tf_keras" && package != "tensorflow";
}

std::string why_unknown(const Layer& layer) {
  if (layer.saved_class == "Merge") return why_no_merge(layer);
  if (layer.kind == "Lambda") return "Python code, which is not run; write it with layers or functions of Keras";
  if (layer.wrapped != nullptr) return "wraps the layer '" + layer.wrapped->name + "'; save the network without it";
  if (!layer.function.empty()) return fmt::format("the function {} is not supported", layer.function);
  if (is_own_class(layer))
    return "a class of its own, whose Python code is not in the file; write it with layers of Keras";
  return "this class is not supported; `gpu_eval list layers` has those that are";
}

}  // namespace

Importer::Importer(const KerasFile& file, const Model& model, const KerasOptions& options)
    : file_(file), model_(model), options_(options), weights_(file, model, !options.weights), parts_(model.name) {
  parts_.keras_version = file.keras_version;
  parts_.archive = file.archive;
  parts_.keras3 = file.keras_version.starts_with("3") || model.keras3;
}

RecordedInput recorded_input(const Model& model) {
  RecordedInput input{.shape = model.input_shape};
  const int index = model.find(model.inputs.front().layer);
  if (index < 0) return input;
  const Layer& layer = model.layers[static_cast<std::size_t>(index)];
  input.layer = layer.name;
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    const auto found = layer.config.is_object() ? layer.config.find(key) : layer.config.end();
    if (found == layer.config.end() || !found->is_array()) continue;
    input.shape.emplace();
    for (std::size_t i = 1; i < found->size(); ++i) {
      const Json& extent = (*found)[i];
      input.shape->push_back(extent.is_number_integer() ? extent.get<int>() : -1);
    }
  }
  return input;
}

void fail_unread(const Unread& unread, const std::string& file) {
  std::vector<Refused> all = unread.unsupported;
  all.insert(all.end(), unread.unknown.begin(), unread.unknown.end());
  std::size_t layers = 0;
  for (const Refused& refused : all) layers += refused.layers.size();
  fail("{}: {} of its layers {} not supported: {}", file, layers, layers == 1 ? "is" : "are", text_of(all));
}

std::string text_of(const std::vector<Refused>& refused) {
  constexpr std::size_t kMostNamed = 3;
  std::vector<std::string> parts;
  for (const auto& [kind, reason, layers] : refused) {
    std::vector<std::string> named;
    for (std::size_t i = 0; i < std::min(layers.size(), kMostNamed); ++i) named.push_back("'" + layers[i] + "'");
    const std::string more =
        layers.size() > kMostNamed ? fmt::format(" and {} more", layers.size() - kMostNamed) : std::string();
    parts.push_back(fmt::format("{}{} ({}: {})", fmt::join(named, ", "), more, kind, reason));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

KerasNetwork Importer::run(Unread* unread) {
  if (model_.inputs.size() != 1) {
    std::vector<std::string> names;
    for (const TensorRef& input : model_.inputs) names.push_back(input.layer);
    fail("{}: the network has {} inputs ({}), expected one", file_.path, names.size(), fmt::join(names, ", "));
  }
  Use use{.model = model_, .path = {}, .prefix = "", .inputs = {make_input()}, .values = {}};
  const std::vector<Value> outputs = run_model(use);
  if (!unread_.empty() && unread == nullptr) fail_unread(unread_, file_.path);
  weights_.check_all_taken();
  for (const Value& output : outputs) {
    if (output.beyond != Padding{} || output.numbers) {
      fail("{}: an output is {}, expected a tensor that is computed", file_.path,
           output.numbers ? "the shape of a tensor" : "padded with -infinity");
    }
  }
  if (unread_.empty()) {
    set_outputs(outputs);
  } else {
    set_outputs_to_ends();
    *unread = unread_;
  }
  KerasNetwork network;
  network.name = model_.name;
  network.file = file_.path;
  network.sha256 = file_.sha256;
  network.keras_version = file_.keras_version;
  network.parameters = weights_.parameters();
  network.layers = std::move(models_);
  network.notes = std::move(parts_.notes);
  network.graph = std::move(parts_.graph);
  for (const Value& output : outputs) network.shapes.push_back(output.shape);
  return network;
}

Value Importer::make_input() {
  auto [name, shape] = recorded_input(model_);
  if (!shape) fail("{}: the description of the model does not say the shape of its input", file_.path);
  if (options_.input && shape->size() == 3) {
    (*shape)[0] = options_.input->height;
    (*shape)[1] = options_.input->width;
  }
  const bool known = std::all_of(shape->begin(), shape->end(), [](int extent) { return extent > 0; });
  if (!known && shape->size() == 3 && shape->back() > 0) {
    fail_usage("{}: the network leaves the size of its input open ({}); say it with --input-size", file_.path,
               shape_text(*shape));
  }
  constexpr int kMostExtent = 1 << 16;
  if (!known || shape->empty() || shape->size() > 3 || *std::max_element(shape->begin(), shape->end()) > kMostExtent) {
    fail("{}: the network's input is {}, expected pictures: (None, height, width, channels)", file_.path,
         shape_text(*shape));
  }
  Node node{.name = parts_.unique(name), .op = Input{}, .inputs = {}, .shape = physical(*shape)};
  parts_.graph.nodes.push_back(std::move(node));
  return {0, *shape};
}

std::vector<Value> Importer::run_model(Use& use) {
  models_.push_back(use.model.name);
  // In the order of the description, as whoever wrote the network down would: which of two operands is computed last
  // decides where a sum is fused.
  for (std::size_t layer = 0; layer < use.model.layers.size(); ++layer) {
    for (std::size_t call = 0; call < use.model.layers[layer].calls.size(); ++call) {
      compute(use, static_cast<int>(layer), static_cast<int>(call));
    }
  }
  std::vector<Value> outputs;
  for (const TensorRef& output : use.model.outputs) {
    const auto [layer, call] = place_of(use, output, true);
    compute(use, layer, call);
    const std::vector<Value>& values = use.values.at({layer, call});
    if (output.tensor < 0 || output.tensor >= std::ssize(values)) {
      fail("{}: model '{}' has an output {} of layer '{}', which has {}", file_.path, use.model.name, output.tensor,
           output.layer, values.size());
    }
    outputs.push_back(values[static_cast<std::size_t>(output.tensor)]);
  }
  return outputs;
}

std::pair<int, int> Importer::place_of(const Use& use, const TensorRef& reference, bool in_outputs) const {
  const int layer = use.model.find(reference.layer);
  if (layer < 0) fail("{}: model '{}' has no layer '{}'", file_.path, use.model.name, reference.layer);
  const Layer& found = use.model.layers[static_cast<std::size_t>(layer)];
  if (found.calls.empty() && found.kind == "InputLayer") return {layer, 0};
  int call = use.model.call_of(reference, in_outputs);
  // A model of a class that is not known may count as models do: it is refused by name.
  const bool known = found.model != nullptr || !found.function.empty() || find_layer(found.kind) != nullptr;
  if (!known) call = std::min(call, static_cast<int>(found.calls.size()) - 1);
  if (call < 0 || call >= std::ssize(found.calls)) {
    fail("{}: model '{}' names call {} of layer '{}', which is called {} times", file_.path, use.model.name,
         reference.node, reference.layer, found.calls.size());
  }
  return {layer, call};
}

// Depth first, without recursion: networks are thousands of layers deep.
void Importer::compute(Use& use, int layer, int call) {
  std::vector<std::pair<int, int>> stack{{layer, call}};
  std::set<std::pair<int, int>> open;
  while (!stack.empty()) {
    const std::pair<int, int> place = stack.back();
    if (use.values.contains(place)) {
      stack.pop_back();
      continue;
    }
    const Layer& current = use.model.layers[static_cast<std::size_t>(place.first)];
    const bool is_input = current.calls.empty();
    const std::vector<TensorRef> references =
        is_input ? std::vector<TensorRef>{} : current.calls[static_cast<std::size_t>(place.second)].tensors();
    std::vector<Value> sources;
    bool ready = true;
    for (const TensorRef& reference : references) {
      if (reference.layer.empty()) {  // a Sequential's first layer reads the model's input
        sources.push_back(use.inputs.front());
        continue;
      }
      const std::pair<int, int> source = place_of(use, reference, false);
      const auto found = use.values.find(source);
      if (found == use.values.end()) {
        if (ready && !open.insert(place).second) {
          fail("{}: layer '{}' of model '{}' depends on itself", file_.path, current.name, use.model.name);
        }
        stack.push_back(source);
        ready = false;
        continue;
      }
      if (!ready) continue;
      if (reference.tensor < 0 || reference.tensor >= std::ssize(found->second)) {
        fail("{}: layer '{}' reads output {} of layer '{}', which has {}", file_.path, current.name, reference.tensor,
             reference.layer, found->second.size());
      }
      sources.push_back(found->second[static_cast<std::size_t>(reference.tensor)]);
      check_recorded(use, current, reference, sources.back());
    }
    if (!ready) continue;
    open.erase(place);
    use.values[place] = result_of(use, place.first, place.second, sources);
    stack.pop_back();
  }
}

std::vector<Value> Importer::result_of(Use& use, int index, int number, const std::vector<Value>& sources) {
  const Layer& layer = use.model.layers[static_cast<std::size_t>(index)];
  if (layer.kind == "InputLayer") return input_of(use, layer);
  if (layer.calls.empty()) fail("{}: layer '{}' is called by nothing", file_.path, layer.name);
  if (layer.model != nullptr) return enter_model(use, layer, number, sources);
  return import_layer(use, layer, layer.calls[static_cast<std::size_t>(number)], number, sources);
}

std::vector<Value> Importer::input_of(Use& use, const Layer& layer) const {
  for (std::size_t i = 0; i < use.model.inputs.size(); ++i) {
    if (use.model.inputs[i].layer != layer.name) continue;
    if (i < use.inputs.size()) return {use.inputs[i]};
  }
  fail("{}: '{}' is an input that model '{}' is not given", file_.path, layer.name, use.model.name);
}

std::vector<Value> Importer::enter_model(Use& use, const Layer& layer, int number, const std::vector<Value>& sources) {
  const Model& model = *layer.model;
  if (sources.size() != model.inputs.size()) {
    fail("{}: model '{}' has {} inputs, but is called with {}", file_.path, layer.name, model.inputs.size(),
         sources.size());
  }
  Use inner{.model = model, .path = use.path, .prefix = use.prefix + layer.name, .inputs = sources, .values = {}};
  inner.path.push_back(layer.name);
  inner.prefix += number > 0 ? fmt::format("#{}/", number + 1) : "/";
  return run_model(inner);
}

std::vector<Value> Importer::import_layer(Use& use, const Layer& outer, const Call& call, int number,
                                          const std::vector<Value>& sources) {
  const Layer& layer = outer.wrapped != nullptr && may_unwrap(outer) ? *outer.wrapped : outer;
  const LayerRow* row = layer.function.empty() ? find_layer(layer.kind) : nullptr;
  const FunctionRow* function = layer.function.empty() ? nullptr : find_function(layer.function);
  try {
    check_layer(layer, call);
    note_policy(layer);
    if (row == nullptr && function == nullptr) unsupported("{}", why_unknown(layer));
    const bool broken = std::any_of(sources.begin(), sources.end(), [](const Value& value) { return value.node < 0; });
    if (broken) return std::vector<Value>(kMostResults);
    if (sources.empty()) unsupported("it is called with no tensor");
    check_readers(layer, sources);
    std::vector<std::string> path = use.path;
    path.push_back(outer.name);
    if (&layer != &outer) path.push_back(layer.name);
    std::string name = use.prefix + outer.name;
    if (number > 0) name += fmt::format("#{}", number + 1);
    LayerCall layer_call{parts_, layer, call, sources, std::move(name), weights_.of(path)};
    if (function != nullptr) return function->import(layer_call);
    return {row->import(layer_call)};
  } catch (const Unsupported& reason) {
    refuse(row != nullptr || function != nullptr ? unread_.unsupported : unread_.unknown, layer, reason.what());
  } catch (const Json::exception&) {
    fail("{}: the settings of layer '{}' ({}) are none that Keras writes; fetch it again", file_.path, layer.name,
         layer.kind);
  }
  return std::vector<Value>(kMostResults);
}

// Once for all layers.
void Importer::note_policy(const Layer& layer) {
  const std::string policy = narrow_policy(layer);
  if (policy.empty() || std::exchange(narrow_, true)) return;
  parts_.notes.push_back(
      fmt::format("The network's layers compute in {}; here float32 is computed in float32, so that results differ "
                  "from Keras's by what "
                  "that rounds away.",
                  policy));
}

void Importer::refuse(std::vector<Refused>& list, const Layer& layer, const std::string& reason) {
  auto found = std::find_if(list.begin(), list.end(), [&](const Refused& refused) {
    return refused.kind == layer.kind && refused.reason == reason;
  });
  if (found == list.end()) found = list.insert(found, {layer.kind, reason, {}});
  std::vector<std::string>& names = found->layers;
  if (std::find(names.begin(), names.end(), layer.name) == names.end()) names.push_back(layer.name);
}

// The file says what shape each tensor has, unless the input has another size than it says.
void Importer::check_recorded(const Use& use, const Layer& reader, const TensorRef& reference,
                              const Value& value) const {
  if (!reference.shape || value.node < 0 || options_.input) return;
  bool same = reference.shape->size() == value.shape.size();
  for (std::size_t i = 0; same && i < value.shape.size(); ++i) {
    same = (*reference.shape)[i] < 0 || (*reference.shape)[i] == value.shape[i];
  }
  if (same) return;
  fail("{}: layer '{}' of model '{}' reads {} of '{}' as the file says, but {} as it was computed; please report it",
       file_.path, reader.name, use.model.name, shape_text(*reference.shape), reference.layer, shape_text(value.shape));
}

void Importer::set_outputs(const std::vector<Value>& values) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string name = model_.output_names.empty() ? model_.outputs[i].layer : model_.output_names[i];
    for (int k = 2; !names.insert(name).second; ++k) name = fmt::format("{}#{}", model_.outputs[i].layer, k);
    parts_.graph.outputs.push_back({name, values[i].node});
  }
}

void Importer::set_outputs_to_ends() {
  const std::vector<int> uses = parts_.graph.uses();
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i] == 0) parts_.graph.outputs.push_back({parts_.graph.nodes[i].name, static_cast<int>(i)});
  }
}

}  // namespace gpueval::keras
