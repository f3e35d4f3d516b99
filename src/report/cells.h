// SPDX-License-Identifier: Apache-2.0
// The numbers of a result as text, and the tables made of them, the same on the console, in Markdown and in HTML.
#pragma once

#include <string>

#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval {

std::string significance_cell(const PairedComparison& paired);  // "0.31", "<0.0001"; "" where the task has no p
// Of the metric; "-" where it tells nothing of a network of so many classes.
std::string metric_cell(const Report& report, const RunReport& run, std::size_t metric);
std::string percent(double fraction);                // "56.40%"
std::string milliseconds(double ms);                 // "1.25", "125"
std::string rate(double per_second);                 // "12.34", "1234"
std::string decibels(double sqnr_db);                // "25.8", "exact" for infinite
std::string verdict_text(const SpeedResult& speed);  // "VALID", "NOISY", "INVALID", "emulated"
// Images per second in a table: "845", "NOISY 845", "INVALID 845", "emulated" instead of a number.
std::string rate_with_verdict(const SpeedResult& speed);
std::string doubt(const RunReport& run);        // " (NOISY)", " (INVALID)": behind its speed; "" if VALID
std::string layer_doubt(const Report& report);  // the same for times layer by layer, with the reasons
// The run that another one's speed is a ratio of: the first of its batch.
const RunReport& baseline(const Report& report, const RunReport& run);
// A row that was said to be so at the first of several batches.
bool repeats(const Report& report, const RunReport& run);
std::string batches_text(const Report& report);      // "1, 8"
std::string network_name(const ModelReport& model);  // "mobilenet 0.25"

TextTable result_table(const Report& report);                   // one row a precision
TextTable layer_error_table(const RunReport& run);              // one row a layer that has an error
TextTable trial_table(const std::vector<SchemeTrial>& trials);  // --scheme auto
TextTable layer_time_table(const RunReport& run);               // one row a layer
std::string roof_sentence(const DeviceRoofs& roofs);
bool has_layer_errors(const RunReport& run);
bool has_layer_times(const RunReport& run);

// "int8 best: logits' SQNR 25.3 dB, KL 0.0100 against float32." Of a run with vs_first->logits.
std::string output_error_sentence(const Report& report, const RunReport& run);

// "mse ranges, u8 activations, 128 calibration images; corrections: bias-correction, gptq".
std::string quantization_text(const QuantizationReport& quantization);

// "WARNING: ..." for each, wrapped at `width`.
std::string warning_lines(const std::vector<std::string>& warnings, std::size_t width);

}  // namespace gpueval
