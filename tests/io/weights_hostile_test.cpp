// SPDX-License-Identifier: Apache-2.0
// Bad weight files: each gives one Error that names the file, and none makes us allocate what it merely declares.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "gpueval/error.h"
#include "gpueval/weights.h"
#include "io/weights/read_weights.h"
#include "weights_writer.h"

namespace gpueval {
namespace {

using testing_weights::DatasetOptions;
using testing_weights::TempFile;
using testing_weights::Writer;

std::string error_of(const std::string& path) {
  try {
    read_weight_file(path);
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(std::string(error.what()).rfind(path, 0), 0u) << error.what();
    return error.what();
  }
  return "no error";
}

void expect_error(const std::string& path, const std::string& part) {
  const std::string message = error_of(path);
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

void write_bytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One layer "d" whose only weight "k" is `shape`.
void write_one(const Writer& file, const std::vector<hsize_t>& shape, const std::vector<float>& values,
               const DatasetOptions& options = {}) {
  file.dataset("/d/k", shape, values, options);
  file.strings("/", "layer_names", {"d"});
  file.strings("/d", "weight_names", {"k"});
}

TEST(HostileWeights, NoSuchFileEmptyFileFolderOrForeignFile) {
  expect_error(testing::TempDir() + "gpueval_absent.h5", "no such weight file");
  expect_error(testing::TempDir(), "expected a weight file");
  expect_error("/dev/zero", "found a device");
  const TempFile pipe(".fifo");
  ASSERT_EQ(mkfifo(pipe.path().c_str(), 0600), 0);
  expect_error(pipe.path(), "found a pipe");
  const TempFile temp(".h5");
  write_bytes(temp.path(), "");
  expect_error(temp.path(), "empty file");
  write_bytes(temp.path(), "<html>404 Not Found</html>");
  expect_error(temp.path(), "a file of another kind");
  write_bytes(temp.path(), "\x89HDF\r\n");
  expect_error(temp.path(), "a file of another kind");
  write_bytes(temp.path(), "PK\x03\x04 and nothing else");
  expect_error(temp.path(), "damaged zip file");
  { const Writer file(temp.path()); }
  expect_error(temp.path(), "an HDF5 file of another kind");
}

TEST(HostileWeights, EveryTruncationIsAnError) {
  const TempFile temp(".h5");
  write_one(Writer(temp.path()), {64}, std::vector<float>(64, 1));
  const std::string whole = read_bytes(temp.path());
  ASSERT_EQ(error_of(temp.path()), "no error");
  for (std::size_t size = 8; size < whole.size(); size += 37) {
    const TempFile cut("_cut.h5");
    write_bytes(cut.path(), whole.substr(0, size));
    expect_error(cut.path(), "truncated or damaged");
    const auto bytes = std::as_bytes(std::span(whole)).first(size);
    EXPECT_THROW(read_weight_bytes(bytes, "cut"), Error) << size;
  }
}

TEST(HostileWeights, NonFiniteNumbers) {
  for (const float bad :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    const TempFile temp(".h5");
    write_one(Writer(temp.path()), {3}, {1, 2, bad});
    expect_error(temp.path(), "'k' of layer 'd' holds a NaN or an infinity");
  }
}

std::int64_t peak_kilobytes() {  // of this process and of those that read the files first
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return std::max(self.ru_maxrss, children.ru_maxrss);
}

TEST(HostileWeights, DeclaredShapesBeyondTheFileAreNotAllocated) {
  const std::int64_t before = peak_kilobytes();
  for (const bool deflate : {false, true}) {
    const TempFile temp(".h5");
    // 4 GiB, the largest chunk that HDF5 permits being one element smaller.
    write_one(Writer(temp.path()), {deflate ? (1u << 30) - 1 : std::uint64_t{1} << 40}, {},
              {.deflate = deflate, .allocate = false});
    expect_error(temp.path(), "declares the shape");
  }
  EXPECT_LT(peak_kilobytes() - before, 100 * 1024);
}

TEST(HostileWeights, OneDatasetNamedManyTimesIsReadOnce) {
  const TempFile temp(".h5");
  {
    const Writer file(temp.path());
    file.dataset("/d/k", {100'000}, std::vector<float>(100'000, 1));
    file.strings("/", "layer_names", {"d"});
    file.strings("/d", "weight_names", std::vector<std::string>(5'000, "k"));
  }
  expect_error(temp.path(), "the file is damaged");
}

TEST(HostileWeights, WrongTypesAndMissingObjects) {
  const auto check = [](const auto& write, const std::string& part) {
    const TempFile temp(".h5");
    {
      const Writer file(temp.path());
      write(file);
    }
    expect_error(temp.path(), part);
  };
  check([](const Writer& f) { write_one(f, {2}, {1, 2}, {.type = H5T_STD_I32LE}); }, "floating-point numbers");
  check([](const Writer& f) { f.strings("/", "layer_names", {"absent"}); },
        "'absent' is named in the file, but not in it");
  check([](const Writer& f) { f.strings("/", "layer_names", {""}); }, "does not name an object");
  check([](const Writer& f) { f.group("/model_weights"); }, "no list of layer_names");
  check(
      [](const Writer& f) {
        f.group("/d");
        f.strings("/", "layer_names", {"d"});
      },
      "no list of weight_names");
  check(
      [](const Writer& f) {
        f.group("/d");
        f.strings("/", "layer_names", {"d"});
        f.empty_list("/d", "weight_names");
      },
      "no layer that has any");
  check(
      [](const Writer& f) {
        f.group("/d/k");
        f.strings("/", "layer_names", {"d"});
        f.strings("/d", "weight_names", {"k"});
      },
      "'k' of layer 'd' should be an array");
  check(
      [](const Writer& f) {
        f.dataset("/d", {1}, {1});
        f.strings("/", "layer_names", {"d"});
      },
      "should be a group");
  check([](const Writer& f) { f.dataset("/layers/conv2d/vars/kernel", {1}, {1}); }, "numbered 0, 1");
}

TEST(HostileWeights, LinksOutOfTheFileAndLoops) {
  const TempFile temp(".h5"), other("_other.h5");
  write_one(Writer(other.path()), {1}, {1});
  const auto write = [&](const auto& link) {
    const Writer file(temp.path());
    file.group("/d");
    link(file);
    file.strings("/", "layer_names", {"d"});
    file.strings("/d", "weight_names", {"k"});
  };
  write([&](const Writer& f) {
    H5Lcreate_external(other.path().c_str(), "/d/k", f.id(), "/d/k", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_error(temp.path(), "'k' is named in the file, but not in it");
  write([](const Writer& f) { H5Lcreate_soft("/d/k", f.id(), "/d/k", H5P_DEFAULT, H5P_DEFAULT); });
  expect_error(temp.path(), "'k' is named in the file, but not in it");
  write([](const Writer& f) { H5Lcreate_hard(f.id(), "/", f.id(), "/d/k", H5P_DEFAULT, H5P_DEFAULT); });
  expect_error(temp.path(), "should be an array");
  {
    const Writer file(temp.path());
    file.group("/layers");
    H5Lcreate_hard(file.id(), "/layers", file.id(), "/layers/conv2d", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file.id(), "/layers", file.id(), "/layers/vars", H5P_DEFAULT, H5P_DEFAULT);
  }
  expect_error(temp.path(), "numbered 0, 1");
}

// Raw storage in another file: a weight file must not make us read /etc/passwd as numbers.
TEST(HostileWeights, ExternalStorage) {
  const TempFile temp(".h5"), other("_other.bin");
  write_bytes(other.path(), std::string(64, 'x'));
  {
    const Writer file(temp.path());
    file.group("/d");
    const hsize_t count = 4;
    const H5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_external(create.get(), other.path().c_str(), 0, 16);
    const H5Handle made(
        H5Dcreate2(file.id(), "/d/k", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, create.get(), H5P_DEFAULT), H5Dclose);
    ASSERT_TRUE(made);
    file.strings("/", "layer_names", {"d"});
    file.strings("/d", "weight_names", {"k"});
  }
  expect_error(temp.path(), "outside of the file");
}

// Asking a virtual dataset for its extent opens its sources: a pipe without a writer would wait for ever.
TEST(HostileWeights, VirtualDatasetsAreRefusedBeforeTheirSourcesAreOpened) {
  const TempFile temp(".h5"), pipe("_source.fifo");
  ASSERT_EQ(mkfifo(pipe.path().c_str(), 0600), 0);
  for (const hsize_t limit : {hsize_t{4}, H5S_UNLIMITED}) {
    {
      const Writer file(temp.path());
      file.group("/d");
      const hsize_t count = 4, one = 1, start = 0;
      const H5Handle space(H5Screate_simple(1, &count, &limit), H5Sclose), source(H5Scopy(space.get()), H5Sclose);
      if (limit == H5S_UNLIMITED) {
        for (const H5Handle* unlimited : {&space, &source}) {
          H5Sselect_hyperslab(unlimited->get(), H5S_SELECT_SET, &start, nullptr, &limit, &one);
          H5Sselect_hyperslab(unlimited->get(), H5S_SELECT_SET, &start, &one, &limit, &one);
        }
      }
      const H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
      ASSERT_GE(H5Pset_virtual(create.get(), space.get(), pipe.path().c_str(), "/k", source.get()), 0);
      const H5Handle made(
          H5Dcreate2(file.id(), "/d/k", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, create.get(), H5P_DEFAULT), H5Dclose);
      ASSERT_TRUE(made);
      file.strings("/", "layer_names", {"d"});
      file.strings("/d", "weight_names", {"k"});
    }
    expect_error(temp.path(), "outside of the file");
  }
}

std::size_t pass_through(unsigned, std::size_t, const unsigned[], std::size_t bytes, std::size_t*, void**) {
  return bytes;
}

// Filters of others would be looked for in HDF5_PLUGIN_PATH, and their code run.
TEST(HostileWeights, OtherFiltersAndPlugins) {
  constexpr H5Z_filter_t kOther = 300;
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, kOther, 1, 1, "other", nullptr, nullptr, pass_through};
  ASSERT_GE(H5Zregister(&filter), 0);
  const TempFile temp(".h5");
  {
    const Writer file(temp.path());
    file.group("/d");
    const hsize_t count = 4;
    const H5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(create.get(), 1, &count);
    H5Pset_filter(create.get(), kOther, H5Z_FLAG_MANDATORY, 0, nullptr);
    const H5Handle made(
        H5Dcreate2(file.id(), "/d/k", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, create.get(), H5P_DEFAULT), H5Dclose);
    ASSERT_TRUE(made);
    file.strings("/", "layer_names", {"d"});
    file.strings("/d", "weight_names", {"k"});
  }
  expect_error(temp.path(), "is compressed by filter 300");
  H5Zunregister(kOther);

  unsigned before = 0, within = 1, after = 0;
  H5PLget_loading_state(&before);
  {
    const H5Guard guard;
    H5PLget_loading_state(&within);
  }
  H5PLget_loading_state(&after);
  EXPECT_EQ(within, 0u);
  EXPECT_EQ(after, before);
}

TEST(HostileWeights, NumbersOfOtherTypesAreNamed) {
  const TempFile temp(".h5");
  write_one(Writer(temp.path()), {2}, {1, 2}, {.type = H5T_STD_I64LE});
  expect_error(temp.path(), "'k' of layer 'd' holds 64-bit integers, expected");
  write_one(Writer(temp.path()), {2}, {1, 2}, {.type = H5T_STD_U8LE});
  expect_error(temp.path(), "holds unsigned 8-bit integers");
  const H5Handle opaque(H5Tcreate(H5T_OPAQUE, 2), H5Tclose);
  {
    const Writer file(temp.path());
    write_one(file, {2}, {}, {.type = opaque.get(), .allocate = false});
    file.string("/d/k", "dtype", "float8_e4m3fn");
  }
  expect_error(temp.path(), "'k' of layer 'd' holds float8_e4m3fn numbers, expected");
}

// Deflate expands by 1032 at most: a small file could still fill the memory.
TEST(HostileWeights, MoreNumbersThanAFileOfItsSizeMayHold) {
  const std::int64_t before = peak_kilobytes();
  const TempFile temp(".h5");
  write_one(Writer(temp.path()), {18u << 20}, std::vector<float>(18u << 20, 0), {.deflate = true});
  const std::int64_t writing = peak_kilobytes();
  expect_error(temp.path(), "more than a file of this size may hold unpacked");
  EXPECT_LT(peak_kilobytes() - std::max(before, writing), 10 * 1024);
}

TEST(HostileWeights, NestedAndSubclassedModelsAreNamed) {
  const TempFile temp(".h5");
  {
    const Writer file(temp.path());
    for (const char* inner : {"a", "b"}) file.dataset(std::string("/base/") + inner + "/kernel:0", {1}, {1});
    file.strings("/", "layer_names", {"base"});
    file.strings("/base", "weight_names", {"a/kernel:0", "b/kernel:0"});
  }
  expect_error(temp.path(), "'base' holds the weights of 2 layers ('a', ...): it is a model nested in another");
  {
    const Writer file(temp.path());
    file.dataset("/layers/functional/layers/conv2d/vars/0", {1}, {1});
    file.dataset("/layers/dense/vars/0", {1}, {1});
  }
  expect_error(temp.path(), "'functional' is a model nested in another");
  {
    const Writer file(temp.path());
    file.dataset("/layers/time_distributed/layer/vars/0", {1}, {1});
  }
  expect_error(temp.path(), "'time_distributed' is a model nested in another, or wraps other layers");
  {
    const Writer file(temp.path());
    file.dataset("/backbone/layers/conv2d/vars/0", {1}, {1});
    file.group("/vars");
  }
  expect_error(temp.path(), "'backbone' is an attribute of a subclassed model");
  {  // augmentation has no weights
    const Writer file(temp.path());
    file.group("/layers/sequential/layers/random_flip/vars");
    file.dataset("/layers/dense/vars/0", {1}, {1});
  }
  EXPECT_EQ(error_of(temp.path()), "no error");
}

TEST(HostileWeights, ForeignFilesAreNamed) {
  using namespace std::string_literals;
  struct Case {
    std::string suffix, bytes, kind;
  };
  for (const Case& c :
       {Case{".tflite", "\x1c\0\0\0TFL3\x14\0"s, "a TensorFlow Lite model"},
        Case{".h5", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 2108140\n", "a Git LFS pointer"},
        Case{".h5", "\n <!DOCTYPE HTML><html>", "an HTML page"},
        Case{".h5", "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "XML text"},
        Case{".h5.gz", "\x1f\x8b\x08", "a gzip archive; unpack it first"},
        Case{".onnx", "\x08\x07\x12\x07pytorch"s, "an ONNX model"},
        Case{".pt", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s, "a PyTorch file"},
        Case{".pkl", "\x80\x04\x95"s, "a Python pickle"},
        Case{".safetensors", "\x40\0\0\0\0\0\0\0{\"__metadata__\":{}"s, "a safetensors file"},
        Case{".ckpt.index", "\0\0\x01\x02"s, "a TensorFlow checkpoint"},
        Case{".ckpt.data-00000-of-00001", "\x3f\x80\0\0"s, "a TensorFlow checkpoint"},
        Case{"_checkpoint", "model_checkpoint_path: \"x.ckpt\"\n", "the list of a TensorFlow checkpoint"},
        Case{".pb", "\x0a\x10\x0a"s, "a TensorFlow graph"}, Case{".npy", "\x93NUMPY\x01\0"s, "a NumPy array"},
        Case{".json", "{\"class_name\": \"Model\"}", "JSON text"}, Case{".txt", "layer weights\n", "text"},
        Case{".h5", std::string(100, '\0'), "zeros only"}, Case{".h5", "\x01\x02\x03", "something unknown"}}) {
    const TempFile temp(c.suffix);
    write_bytes(temp.path(), c.bytes);
    expect_error(temp.path(), "found a file of another kind: " + c.kind);
  }
  const std::string folder = testing::TempDir() + "gpueval_saved_model";
  std::filesystem::create_directory(folder);
  write_bytes(folder + "/saved_model.pb", "");
  expect_error(folder, "a TensorFlow SavedModel folder");
  std::filesystem::remove_all(folder);
}

TEST(HostileWeights, HDF5PrintsNothing) {
  const TempFile temp(".h5");
  write_bytes(temp.path(), std::string("\x89HDF\r\n\x1a\n") + std::string(500, '\0'));
  testing::internal::CaptureStderr();
  expect_error(temp.path(), "truncated or damaged");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace gpueval
