// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <gtest/gtest.h>

#include "gpueval/error.h"

namespace gpueval::bench {
namespace {

ParsedLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "gpu_bench");
  return parse_line(static_cast<int>(words.size()), words.data());
}

TEST(BenchOptions, OwnOptionsAreParsedTheRestIsPassedOn) {
  const ParsedLine line = parse({"--device", "cpu,emu", "--batch", "1,8", "--compare", "dp4a,mma", "--cache", "both",
                                 "--benchmark_filter=x", "--benchmark_repetitions=3"});
  EXPECT_EQ(line.options.devices, (std::vector<std::string>{"cpu", "emu"}));
  EXPECT_EQ(line.options.batches, (std::vector<int>{1, 8}));
  EXPECT_EQ(line.options.compare, (std::vector<std::string>{"dp4a", "mma"}));
  EXPECT_TRUE(line.options.hot() && line.options.cold());
  EXPECT_EQ(line.rest, (std::vector<std::string>{"--benchmark_filter=x", "--benchmark_repetitions=3"}));
}

TEST(BenchOptions, WrongOnesAreUsageErrors) {
  const std::vector<std::vector<const char*>> lines = {{"--device", "tpu"},
                                                       {"--batch", "0"},
                                                       {"--no-such"},
                                                       {"--compare", "a,("},
                                                       {"--shapes", "["},
                                                       {"--cache", "warm"},
                                                       {"--roofs", "--roof-time", "0"},
                                                       {"extra"},
                                                       {"--min-time", "0"}};
  for (const auto& words : lines) {
    try {
      parse(words);
      ADD_FAILURE() << words[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    }
  }
}

TEST(BenchOptions, HelpNamesEveryOption) {
  const std::string help = parse({"--help"}).help;
  for (const char* option : {"--device", "--batch", "--threads", "--shapes", "--kernels", "--compare", "--cache",
                             "--min-time", "--roof-time", "--json", "--markdown", "--list", "--roofs", "--ops"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace gpueval::bench
