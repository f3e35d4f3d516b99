// SPDX-License-Identifier: Apache-2.0
// The recipe of an int8 network: scheme, its parameters and the corrections switched on, as options and as text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/options.h"
#include "gpueval/quant.h"
#include "gpueval/report.h"

namespace gpueval::cli {

struct CorrectionSwitch {
  const char* name;  // "bias-correction": the option is --bias-correction, its opposite --no-bias-correction
  bool Corrections::*member;
  const char* help;
};
std::span<const CorrectionSwitch> correction_switches();

bool is_auto(const Options& options);  // --scheme auto

// What the options ask for; not for --scheme auto, which asks for nothing in particular. Contradictory switches are
// usage errors.
QuantOptions quant_options(const Options& options);

// Text that two recipes share only if they are the same: "best", "best -gptq", "percentile 99.9 +bias-correction".
// Calibration tables carry it as their scheme.
std::string recipe_text(const QuantOptions& quant);
QuantOptions parse_recipe(const std::string& text);  // Error if it is none

QuantizationReport quantization_report(const QuantOptions& quant, int calibration_images);

// A sentence on layers that gptq leaves alone; nullopt: there are none.
std::optional<std::string> rounding_note(const Graph& bound, const QuantOptions& quant);

// Where --calibration-table is read and --scheme or --activations was not typed: what the table was made with.
void adopt_table(Options& options);

}  // namespace gpueval::cli
