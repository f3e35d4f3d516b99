// SPDX-License-Identifier: Apache-2.0
// Guards that weights are held once (docs/memory.md): the largest network's peak, as the system counts it.
#include <sys/resource.h>
#include <sys/wait.h>

#include "cpu/float32/float_conv.h"
#include "program.h"

namespace gpueval::test {
namespace {

class Memory : public ProgramTest {};

TEST_F(Memory, Vgg16HoldsItsWeightsOnce) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps freed memory";
#endif
  const pid_t process = start({"--model",
                               "vgg16",
                               "--weights",
                               "random",
                               "--mode",
                               "speed",
                               "--batch",
                               "1",
                               "--scheme",
                               "maxabs",
                               "--calibration-images",
                               "1",
                               "--warm-up",
                               "0",
                               "--duration",
                               "0.01",
                               "--iterations",
                               "1",
                               "--device",
                               "cpu"});
  int status = 0;
  struct rusage usage {};
  ASSERT_EQ(wait4(process, &status, 0, &usage), process);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << read("stderr");
  const double megabytes = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  // oneDNN, which runs float32 without AVX-512 VNNI, has a packed copy of every weight.
  EXPECT_LT(megabytes, cpu::own_float_conv_usable() ? 1100 : 1450);
  EXPECT_GT(megabytes, 553 + 138) << "not both networks' weights were measured";
}

}  // namespace
}  // namespace gpueval::test
