// SPDX-License-Identifier: Apache-2.0
// Whatever libhdf5 does to the process that reads a damaged file first, ours lives and says which file it was.
#include <gtest/gtest.h>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/rehearse.h"

namespace gpueval {
namespace {

std::string message_of(const std::function<void()>& task,
                       std::optional<std::chrono::milliseconds> wall = std::nullopt) {
  try {
    rehearse("w.h5", 1000, task, wall);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kDamaged =
    "w.h5: expected Keras weights, found a damaged HDF5 file that the HDF5 library cannot digest; fetch it again";

TEST(Rehearse, ReturnsAfterSuccessAndLeavesNoTrace) {
  int runs = 0;
  EXPECT_EQ(message_of([&] { ++runs; }), "no error");
  EXPECT_EQ(runs, 0) << "the task must run in another process";
}

TEST(Rehearse, PassesTheTasksErrorOn) {
  EXPECT_EQ(message_of([] { fail("w.h5: layer '{}' is odd", "x"); }), "w.h5: layer 'x' is odd");
}

TEST(Rehearse, ReportsACrashAnExceptionAndAnExit) {
  EXPECT_EQ(message_of([] { std::raise(SIGSEGV); }), kDamaged);
  EXPECT_EQ(message_of([] { std::abort(); }), kDamaged);
  EXPECT_EQ(message_of([] { throw std::bad_alloc(); }), kDamaged);
  EXPECT_EQ(message_of([] { std::_Exit(7); }), kDamaged);
}

TEST(Rehearse, EndsAnEndlessLoop) {
  volatile bool forever = true;
  const auto loop = [&] {
    while (forever) {
    }
  };
  EXPECT_EQ(message_of(loop, std::chrono::minutes(5)), kDamaged) << "the limit of CPU time, on a busy machine, too";
}

// Sets what a signal does for the life of a test.
class SignalAction {
 public:
  SignalAction(int signal, void (*handler)(int), int flags) : signal_(signal) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, &before_);
  }
  ~SignalAction() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ = {};
};

void reap_every_child(int) {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}
void do_nothing(int) {}

// The exit status is lost then: what the child said decides.
TEST(Rehearse, ACrashIsSeenWhereTheExitStatusIsLost) {
  const auto check = [] {
    EXPECT_EQ(message_of([] { std::raise(SIGSEGV); }), kDamaged);
    EXPECT_EQ(message_of([] { std::_Exit(0); }), kDamaged) << "ended well, but said nothing";
    EXPECT_EQ(message_of([] { fail("w.h5: odd"); }), "w.h5: odd");
    EXPECT_EQ(message_of([] {}), "no error");
  };
  for (int i = 0; i < 5; ++i) {
    {
      const SignalAction ignored(SIGCHLD, SIG_IGN, 0);
      check();
    }
    {
      const SignalAction no_zombies(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
      check();
    }
    const SignalAction reaping(SIGCHLD, reap_every_child, 0);
    check();
  }
}

TEST(Rehearse, SignalsDoNotEndTheWaiting) {
  const SignalAction alarm(SIGALRM, do_nothing, 0);  // no SA_RESTART: every system call ends with EINTR
  const itimerval often{{0, 2000}, {0, 2000}}, never{};
  setitimer(ITIMER_REAL, &often, nullptr);
  EXPECT_EQ(message_of([] { usleep(100'000); }), "no error");
  EXPECT_EQ(message_of([] { std::abort(); }), kDamaged);
  setitimer(ITIMER_REAL, &never, nullptr);
}

TEST(Rehearse, CtrlCInTheForegroundGroupIsTheParentsAffair) {
  EXPECT_EQ(message_of([] {
              for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::raise(signal);
            }),
            "no error");
}

TEST(Rehearse, EndsAChildThatOnlyWaits) {
  const auto start = std::chrono::steady_clock::now();
  const std::string message = message_of([] { pause(); }, std::chrono::milliseconds(300));
  EXPECT_NE(message.find("w.h5: reading the file's structure was not done after 0.3 s"), std::string::npos) << message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Rehearse, BringsAnAnswerOfAnySizeUpToTheLimit) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, std::size_t{5'000'000}}) {
    EXPECT_EQ(answer_of_child("w.h5", 1000, [&] { return std::string(size, 'x'); }), std::string(size, 'x'));
  }
  EXPECT_THROW(answer_of_child("w.h5", 1000, [] { return std::string(kMaxAnswerBytes + 100, 'x'); }), Error);
}

// Found by tests/fuzz/fuzz_hdf5: libhdf5 1.10.8 reads through a null pointer, past a buffer, or copies size_t(-1)
// bytes. A build without AddressSanitizer may get through the second and third; what counts is that the process lives.
TEST(Rehearse, FilesThatCrashTheLibrary) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GPUEVAL_SOURCE_DIR "/tests/golden/hdf5_damaged")) {
    try {
      const WeightFile file = read_weight_file(entry.path());
      EXPECT_NE(entry.path().stem(), "null_pointer") << "should not be readable";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind(entry.path().string(), 0), 0u) << error.what();
    }
    ++files;
  }
  EXPECT_EQ(files, 3);
}

}  // namespace
}  // namespace gpueval
