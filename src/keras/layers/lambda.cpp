// SPDX-License-Identifier: Apache-2.0
// Lambdas whose code is not read, but known: layer_kind.cpp says by what.
#include <algorithm>

#include "keras/arithmetic.h"
#include "keras/layer_call.h"

namespace gpueval::keras::layers {
namespace {

// Says once for each module that its code was not looked at.
void note_module(LayerCall& call) {
  const std::string note =
      fmt::format("Lambda layers of {} were taken for what that module does; their code in the file was not looked at.",
                  call.text({"module"}, ""));
  std::vector<std::string>& notes = call.parts.notes;
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

const Json& lambda_argument(const LayerCall& call, const char* name) {
  return call.layer.config.at("arguments").at(name);
}

void check_channels(const Json& axis) {
  if (axis != 3) unsupported("its channels are at axis {}; save the network with channels_last", axis.dump());
}

}  // namespace

Value lambda_expand_dims(LayerCall& call) {
  note_module(call);
  check_channels(lambda_argument(call, "channels_axis"));
  const Value& src = call.input_of_rank(1);
  return call.reshaped(src, {1, 1, src.channels()});
}

Value lambda_slice(LayerCall& call) {
  note_module(call);
  check_channels(lambda_argument(call, "axis"));
  const Value& src = call.picture();
  const int start = lambda_argument(call, "start").get<int>(), stop = lambda_argument(call, "stop").get<int>();
  if (start < 0 || stop <= start || stop > src.channels()) {
    unsupported("it takes channels {} to {} of {}", start, stop, src.channels());
  }
  const Slice slice{{0, 0, start}, {1, 1, 1}, {src.shape[0], src.shape[1], stop - start}};
  return call.append(slice, {src}, {src.shape[0], src.shape[1], stop - start});
}

Value lambda_scaled_sum(LayerCall& call) {
  note_module(call);
  if (call.inputs.size() != 2) unsupported("it adds {} tensors, expected two", call.inputs.size());
  const Value scaled = call.affine(call.inputs[1], {lambda_argument(call, "scale").get<double>()}, {0}, "/scaled");
  return combined(call, BinaryKind::kAdd, call.inputs[0], scaled);
}

}  // namespace gpueval::keras::layers
