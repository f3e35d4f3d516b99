// SPDX-License-Identifier: Apache-2.0
// Options that several commands have, by heading. `options` must outlive the parsing.
#pragma once

#include "cli/options.h"
#include "cli/section.h"

namespace gpueval::cli {

// Headings that are also what check_*() refuses where they do not belong.
inline constexpr const char *kAccuracy = "Accuracy", *kSpeed = "Speed", *kStatic = "Static int8 schemes",
                            *kCorrections =
                                "Corrections of int8 (--no-NAME switches NAME off; best has what earned its "
                                "place, others none)";

void add_network(CLI::App& app, Options& options);
void add_images(CLI::App& app, Options& options);
void add_scheme(CLI::App& app, Options& options, const std::string& help);
void add_calibration(CLI::App& app, Options& options);  // all but the table
void add_calibration_images(CLI::App& app, Options& options);
void add_table_to_read(CLI::App& app, Options& options);  // behind add_calibration()
void add_corrections(CLI::App& app, Options& options);
void add_device(CLI::App& app, Options& options);
void add_timing(CLI::App& app, Options& options);
void add_limit(CLI::App& app, Options& options);
void add_resume(CLI::App& app, Options& options);
void add_results(CLI::App& app, Options& options, const char* schema);
void add_mode(CLI::App& app, Options& options, std::vector<std::string> modes);

// Each option of the heading that was typed is a usage error: "--limit contradicts --mode speed: ...".
void refuse(const CLI::App& app, const char* heading, const std::string& because);
void refuse_option(const Options& options, const std::string& option, const std::string& because);
// Those of the speed part, where it is left out.
void refuse_timing(const CLI::App& app, const Options& options);
// All that belongs to static int8 schemes.
void refuse_int8(const CLI::App& app, const Options& options, const std::string& because);

void need_model(const Options& options);
void need_one_batch(const Options& options, const std::string& whose);
std::string schemes_text(const Options& options);  // "--scheme best"
// Of a command that is for static schemes, and for one.
void check_static(const Options& options, const std::string& command);
// Options of a recipe that contradict the scheme.
void check_recipe(const Options& options);

}  // namespace gpueval::cli
