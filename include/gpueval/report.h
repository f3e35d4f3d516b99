// SPDX-License-Identifier: Apache-2.0
// The forms of a result: text for people, JSON (docs/result-schema.json and the like) for programs, self-contained
// pages.
#pragma once

#include <span>
#include <string>

#include "gpueval/keras.h"
#include "gpueval/result.h"
#include "gpueval/selftest.h"

namespace gpueval {

// Text of at most 110 columns, but for a row that is INVALID and has a long name.
std::string to_table(const Report& report);
std::string to_layer_tables(const Report& report);
std::string to_json(const Report& report);
std::string to_html(const Report& report);  // tables, charts, environment

std::string to_markdown(const TableReport& table);
std::string to_text(const TableReport& table);  // at most 110 columns
std::string to_json(const TableReport& table);
std::string to_html(const TableReport& table);

std::string to_text(const Classification& found);
std::string to_text(const ExportedNetwork& exported);  // a sentence

std::string to_text(const SelftestResult& result);
std::string to_json(const SelftestResult& result);

std::string to_text(const SensitivityReport& report);  // at most 110 columns
std::string to_json(const SensitivityReport& report);
std::string to_html(const SensitivityReport& report);

// Layer by layer: shapes, parameters, multiply-adds, and what computes in integers in an int8 network.
std::string to_text(const KerasNetwork& network);

// Text of `gpu_eval compare`: matching runs of two result files side by side. Throws Error for a file that is no
// result.
std::string compare_results(const std::string& path_a, const std::string& path_b);

// How far a measurement is, in a line.
std::string progress_text(const AccuracyProgress& progress);
std::string progress_text(const SpeedProgress& progress);

// Tables of what this version and this machine have.
struct Listing {
  const char* name;  // "models"
  std::string (*text)();
};
std::span<const Listing> listings();

}  // namespace gpueval
