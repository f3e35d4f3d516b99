// SPDX-License-Identifier: Apache-2.0
// The recipe of an int8 network - scheme, its parameter, the corrections switched on - as text and as a request that
// leaves things open.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/quant.h"

namespace gpueval {

struct CorrectionSwitch {
  const char* name;  // "bias-correction"
  bool Corrections::*member;
  const char* help;  // a clause
};
std::span<const CorrectionSwitch> correction_switches();

// Text that two recipes share only if they are the same: "best", "best -gptq", "percentile 99.9 +bias-correction".
// Calibration tables carry it as their scheme.
std::string recipe_text(const QuantOptions& quant);
QuantOptions parse_recipe(const std::string& text);     // Error if it is none
QuantOptions recipe_of(const CalibrationTable& table);  // with its activations; Error as parse_recipe()

// What is asked of an int8 network. What is absent is the calibration table's where one is read, else the default.
struct RecipeRequest {
  std::optional<Scheme> scheme;
  bool automatic = false;                   // of several recipes the one that measures best on calibration images
  std::optional<DType> activations;         // default: u8
  std::optional<double> percentile;         // scheme percentile; default: 99.99
  std::map<std::string, bool> corrections;  // by CorrectionSwitch::name: switched on or off
  bool depthwise_int8 = true;               // scheme reference
  std::vector<std::string> float_layers;

  bool chooses() const;  // names a recipe or a part of one
};
// Fills in what the table of the file `path` has. What was asked for stays: check_table() refuses a table of another
// recipe.
RecipeRequest with_table(RecipeRequest request, const CalibrationTable& table, const std::string& path);
// usual: the scheme where none is asked for. Not for an automatic one, which asks for nothing in particular. Usage
// error for corrections that contradict or miss each other.
QuantOptions settle(const RecipeRequest& request, Scheme usual = Scheme::kBest);

// A sentence on layers that gptq leaves alone; nullopt: there are none.
std::optional<std::string> rounding_note(const Graph& bound, const QuantOptions& quant);

}  // namespace gpueval
