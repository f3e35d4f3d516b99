// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/near_miss.h"
#include "gpueval/error.h"
#include "gpueval/report.h"

namespace gpueval::cli {
namespace {

struct Listing {
  const char* name;
  std::string (*text)();
};
constexpr Listing kListings[] = {{"models", list_models},
                                 {"layers", list_layers},
                                 {"kernels", list_kernels},
                                 {"calibrators", list_calibrators},
                                 {"devices", list_devices}};

const Listing* find(const Options& o) {
  for (const Listing& listing : kListings) {
    if (o.positional.size() == 1 && o.positional.front() == listing.name) return &listing;
  }
  return nullptr;
}

void define_list(CLI::App& app, Options& o) {
  app.add_option("WHAT", o.positional, "models, layers, kernels, calibrators or devices");
}

void check_list(const CLI::App&, Options& o) {
  if (find(o) == nullptr) {
    const std::string near =
        o.positional.empty()
            ? ""
            : did_you_mean(o.positional.front(), {"models", "layers", "kernels", "calibrators", "devices"});
    fail_usage("list: expected models, layers, kernels, calibrators or devices{}", near);
  }
}

int run_list(const Options& o) {
  print_lines(find(o)->text());
  return 0;
}

}  // namespace

const Command kList{"list",   "models, layers, kernels, calibrators or devices", define_list, check_list,
                    run_list, "  gpu_eval list models\n  gpu_eval list kernels"};

}  // namespace gpueval::cli
