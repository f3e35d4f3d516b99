// SPDX-License-Identifier: Apache-2.0
// The vectorised functions against double over the whole range of float32, at every instruction set, by units in the
// last place of the result.
#include "cpu/float32/functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/random.h"
#include "cpu/int8/isa.h"

namespace gpueval::cpu {
namespace {

// Every magnitude from the smallest to the largest, both signs, and what lies around the functions' own seams.
std::vector<float> arguments() {
  Random random(31);
  std::vector<float> x{0.0f, 1e30f, -1e30f, 3.4e38f, -3.4e38f, 1e-45f, -1e-45f};
  for (int i = 0; i < 20000; ++i) {
    const double sign = random.integer(0, 1) == 1 ? 1 : -1;
    x.push_back(static_cast<float>(sign * std::exp2(random.uniform(-149, 127))));
    x.push_back(static_cast<float>(random.uniform(-110, 110)));
    x.push_back(static_cast<float>(random.uniform(-6, 6)));
  }
  return x;
}

// Of the number that `want` rounds to.
double unit(double want) {
  const double size = std::max(std::abs(want), double{std::numeric_limits<float>::min()});
  return std::ldexp(1.0, std::ilogb(size) - 23);
}

struct Bound {
  Function function;
  double units;         // of the result
  double absolute = 0;  // and this much of |x|: where the result is x times a number close to 0
};

TEST(Functions, AreAccurateOverTheWholeRange) {
  const std::vector<float> x = arguments();
  const Bound bounds[] = {
      {{FunctionKind::kExp}, 1},
      {{FunctionKind::kSigmoid}, 2.5},
      {{FunctionKind::kSilu}, 4},
      {{FunctionKind::kTanh}, 3},
      {{FunctionKind::kMish}, 5},
      {{.kind = FunctionKind::kElu, .alpha = 1}, 1},
      {{FunctionKind::kSelu}, 2},
      {{FunctionKind::kSoftplus}, 3},
      {{FunctionKind::kSoftsign}, 1.5},
      {{FunctionKind::kHardSilu}, 1, 1e-7},
      {{.kind = FunctionKind::kHardSigmoid, .alpha = 0.2f, .beta = 0.5f}, 1, 1e-7},
      {{FunctionKind::kGelu}, 2, 1e-7},
      {{FunctionKind::kGeluTanh}, 1, 1e-7},
  };
  for (const Isa isa : usable_isas()) {
    if (isa != vector_isa(isa)) continue;
    ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", to_string(isa).c_str(), 1), 0);
    for (const Bound& bound : bounds) {
      std::vector<float> got(x.size());
      function_set().apply[static_cast<std::size_t>(bound.function.kind)](bound.function, x.data(), got.data(),
                                                                          std::ssize(x));
      double worst = 0, at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = apply(bound.function, x[i]);
        if (std::abs(want) > std::numeric_limits<float>::max()) {
          ASSERT_EQ(got[i], want > 0 ? INFINITY : -INFINITY) << to_string(bound.function.kind) << " of " << x[i];
          continue;
        }
        // 2^-149: x times a factor that is less accurate below 2^-126
        const double error = std::abs(got[i] - want) - (bound.absolute + 0x1p-149) * std::abs(double{x[i]});
        if (!(error / unit(want) <= worst)) worst = error / unit(want), at = x[i];
      }
      RecordProperty(to_string(isa) + "_" + to_string(bound.function.kind), std::to_string(worst));
      EXPECT_LE(worst, bound.units) << to_string(bound.function.kind) << " of " << at << ", " << to_string(isa);
    }
  }
  unsetenv("GPUEVAL_CPU_ISA");
}

}  // namespace
}  // namespace gpueval::cpu
