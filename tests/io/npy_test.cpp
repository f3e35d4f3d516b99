// SPDX-License-Identifier: Apache-2.0
// Arrays of numpy.save are read in every type and order, and no file that lies about itself is.
#include <cmath>
#include <cstring>
#include <limits>

#include "gpueval/preprocessing.h"
#include "gpueval/selection.h"
#include "io/data/npy_header.h"
#include "support/data_files.h"

namespace gpueval {
namespace {

using test::data_golden;
using test::error_of;
using Bytes = std::vector<std::uint8_t>;

const std::string kLabels = data_golden("labels_i1.npy");

// Of a file with these words in its header, and `data` bytes behind it.
Bytes npy(const std::string& dict, std::size_t data) {
  Bytes bytes = {0x93,
                 'N',
                 'U',
                 'M',
                 'P',
                 'Y',
                 1,
                 0,
                 static_cast<std::uint8_t>(dict.size()),
                 static_cast<std::uint8_t>(dict.size() >> 8)};
  bytes.insert(bytes.end(), dict.begin(), dict.end());
  bytes.resize(bytes.size() + data);
  return bytes;
}
Bytes npy(const std::string& type, const std::string& shape, std::size_t data) {
  return npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

class Npy : public testing::Test {
 protected:
  std::string file(const Bytes& bytes, const std::string& name = "x.npy") const {
    test::write_bytes(folder_ / name, bytes);
    return folder_ / name;
  }
  // What is said of it, without the file's name in front.
  std::string refusal(const Bytes& bytes) const {
    const std::string path = file(bytes);
    const std::string said = error_of([&] { open_dataset(path, "", LabelUse::kUnused); });
    EXPECT_EQ(said.find(path + ": "), 0u) << said;
    return said.substr(std::min(said.size(), path.size() + 2));
  }
  // Of labels that are no good for the golden arrays.
  std::string refused_labels(const std::string& path, const LabelRules& rules = {}) const {
    return error_of([&] { open_dataset(data_golden("uint8.npy"), path, LabelUse::kJudged, rules); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(Npy, EveryTypeAndOrderIsRead) {
  for (const char* name : {"uint8", "version2", "version3", "float32", "float32be", "float64", "float64be"}) {
    const auto data = open_dataset(data_golden(std::string(name) + ".npy"), kLabels);
    ASSERT_EQ(data->size(), 3u) << name;
    ASSERT_TRUE(data->array()) << name;
    const bool bytes = name[0] != 'f';
    EXPECT_EQ(data->array()->shape, (Shape{1, 2, 3, 4})) << name;
    EXPECT_EQ(data->array()->bytes, bytes) << name;
    EXPECT_EQ(data->kind(), "npy");
    EXPECT_EQ(data->name(2), "element 2");
    for (std::size_t element = 0; element < 3; ++element) {
      std::vector<float> values(24);
      data->read(element, values);
      for (std::size_t i = 0; i < 24; ++i) {
        const auto at = static_cast<float>(24 * element + i);
        EXPECT_EQ(values[i], bytes ? std::fmod(7 * at, 256.0f) : at / 8 - 2) << name << " at " << at;
      }
    }
  }
}

TEST_F(Npy, LabelsOfEveryWidthAreRead) {
  const std::string arrays = data_golden("uint8.npy");
  test::write_text(folder_ / "list.txt", "7\n0\n3\n");
  std::vector<std::string> files{folder_ / "list.txt"};
  for (const char* type : {"i1", "u1", "i2", "u2be", "i4", "i4be", "u8", "i8be", "column"})
    files.push_back(data_golden(fmt::format("labels_{}.npy", type)));
  for (const std::string& labels : files) {
    const auto data = open_dataset(arrays, labels, LabelUse::kJudged, {8, false});
    EXPECT_EQ(data->label(0), 7) << labels;
    EXPECT_EQ(data->label(1), 0) << labels;
    EXPECT_EQ(data->label(2), 3) << labels;
    EXPECT_NE(data->ground_truth().mapping.find(labels), std::string::npos);
  }
}

TEST_F(Npy, LabelsThatDoNotFitAreRefused) {
  const std::string arrays = data_golden("uint8.npy"), four = folder_ / "four.txt", named = folder_ / "named.txt";
  EXPECT_EQ(
      error_of([&] { open_dataset(arrays, ""); }),
      arrays + ": holds 3 elements without labels; name these with --labels (an .npy of class ids, or one a line)");
  test::write_text(four, "1\n2\n3\n4\n");
  EXPECT_EQ(refused_labels(four), four + ": has 4 labels, but " + arrays + " holds 3 elements");
  test::write_text(named, "a.png 1\nb.png 2\nc.png 3\n");
  EXPECT_NE(refused_labels(named).find("line 1: names a picture"), std::string::npos);
  EXPECT_NE(refused_labels(kLabels, {7, false}).find("element 0: class id 7, but the network has classes 0 to 6"),
            std::string::npos);
  const std::string floats = file(npy("<f4", "(3,)", 12), "floats.npy");
  EXPECT_EQ(refused_labels(floats), floats + ": holds float32, expected class ids as integers");
  for (const char* shape : {"(4,)", "(3, 2)", "()", "(3, 1, 1)", "(1, 3)"}) {
    const std::size_t count = std::string(shape) == "(4,)" ? 4 : std::string(shape) == "()" ? 1 : 3;
    const std::string other = file(npy("|u1", shape, std::string(shape) == "(3, 2)" ? 6 : count), "other.npy");
    EXPECT_NE(refused_labels(other).find("expected (3,) or (3, 1)"), std::string::npos) << shape;
  }
  Bytes negative = npy("<i2", "(3,)", 6), large = npy("<u8", "(3,)", 24);
  negative.back() = 0x80;
  large[large.size() - 4] = 1;
  EXPECT_NE(refused_labels(file(negative, "n.npy")).find("element 2 is no class id"), std::string::npos);
  EXPECT_NE(refused_labels(file(large, "l.npy")).find("element 2 is no class id"), std::string::npos);
}

TEST_F(Npy, FilesThatLieAreRefused) {
  EXPECT_EQ(refusal({}), "expected a NumPy array (np.save), found nothing");
  EXPECT_EQ(refusal({'P', 'K', 3, 4}), "expected a NumPy array (np.save), found something else");
  EXPECT_EQ(refusal(npy("|u1", "(2, 2, 2, 1)", 7)),
            "holds 7 bytes behind its header, expected 8 for uint8 of shape (2, 2, 2, 1)");
  EXPECT_EQ(refusal(npy("|u1", "(2, 2, 2, 1)", 9)),
            "holds 9 bytes behind its header, expected 8 for uint8 of shape (2, 2, 2, 1)");
  EXPECT_NE(refusal(npy("<f8", "(4294967296, 4294967296, 4294967296, 3)", 8)).find("expected more than any file has"),
            std::string::npos);
  // 2^64 bytes are 0 in 64 bits.
  EXPECT_NE(refusal(npy("|u1", "(65536, 65536, 65536, 65536)", 0)).find("more than any file has"), std::string::npos);
  EXPECT_NE(refusal(npy("|u1", "(0, 2, 2, 1)", 0)).find("no element at all"), std::string::npos);
  EXPECT_NE(refusal(npy("|u1", "(0, 18446744073709551615, 1, 1)", 0)).find("has shape"), std::string::npos);
  EXPECT_NE(refusal(npy("|u1", "(3, 0, 2, 1)", 0)).find("at least one value"), std::string::npos);
  EXPECT_NE(refusal(npy("|u1", "(3, 4, 4)", 48)).find("x[..., None] makes pictures of one channel"), std::string::npos);
  EXPECT_NE(refusal(npy("|u1", "(3,)", 3)).find("expected (N, height, width, channels)"), std::string::npos);
  EXPECT_EQ(refusal(npy("<i8", "(1, 1, 1, 1)", 8)), "holds int64, expected uint8, float32 or float64");
  EXPECT_EQ(refusal(npy("<f2", "(1, 1, 1, 1)", 2)), "holds float16, expected uint8, float32 or float64");
  EXPECT_EQ(refusal(npy("|O", "(1, 1, 1, 1)", 8)), "holds elements of type |O, expected numbers");
  EXPECT_EQ(refusal(npy("<U3", "(1, 1, 1, 1)", 12)), "holds elements of type <U3, expected numbers");
  EXPECT_EQ(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4)),
            "holds records of several fields, expected numbers");
  EXPECT_EQ(refusal(test::read_bytes(data_golden("fortran.npy"))),
            "is in Fortran order; save it in C order (np.ascontiguousarray)");
  Bytes version = npy("|u1", "(1, 1, 1, 1)", 1);
  version[6] = 4;
  EXPECT_EQ(refusal(version), "NumPy format 4.0, expected 1 to 3");
  for (const char* dict : {"", "{", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': False, 'shape': (3)}",
                           "{'descr': '|u1', 'fortran_order': 0, 'shape': (3,)}", "{'descr': '|u1', 'shape': (-3,)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)} x",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    EXPECT_NE(refusal(npy(dict, 3)).find("its header is damaged"), std::string::npos) << dict;
  }
}

TEST_F(Npy, EveryTruncationIsRefused) {
  const Bytes bytes = test::read_bytes(data_golden("version2.npy"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(refusal(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))).empty()) << size;
}

// One bad element is no reason to lose the others.
TEST_F(Npy, ElementsThatAreNotFiniteAreBadImages) {
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e39}) {
    Bytes bytes = npy("<f8", "(2, 1, 1, 2)", 32);
    std::memcpy(bytes.data() + bytes.size() - 8, &value, sizeof(value));
    const auto data = open_dataset(file(bytes), "", LabelUse::kUnused);
    std::vector<float> dst(2);
    data->read(0, dst);
    EXPECT_EQ(dst, (std::vector<float>{0, 0}));
    EXPECT_THROW(data->read(1, dst), BadImage) << value;
  }
}

TEST_F(Npy, TellsElementsAndFilesApart) {
  const std::string path = file(npy("|u1", "(3, 1, 1, 2)", 6));
  Bytes bytes = test::read_bytes(path);
  bytes[bytes.size() - 1] = 9;  // the last of three; the first two are the same
  test::write_bytes(path, bytes);
  const auto data = open_dataset(path, "", LabelUse::kUnused);
  EXPECT_FALSE(data->labelled());
  EXPECT_EQ(data->content_bytes(0), 2u);
  EXPECT_EQ(data->content(2), (Bytes{0, 9}));
  const std::size_t first[] = {0};
  const OtherImages others = other_images(*data, first, image_digests(*data, first), 3);
  EXPECT_EQ(others.indices, (std::vector<std::size_t>{2}));
  EXPECT_EQ(others.same_content, 1u);
  const std::string state = data->state();
  std::filesystem::last_write_time(path, std::filesystem::file_time_type{});
  EXPECT_NE(data->state(), state);
  const auto selected = select(*data, {2});
  std::vector<float> dst(2);
  selected->read(0, dst);
  EXPECT_EQ(dst, (std::vector<float>{0, 9}));
  EXPECT_NE(error_of([&] { data->decode(0); }).find("is an array, not a picture"), std::string::npos);
  EXPECT_NE(error_of([&] { open_demo("test", 1)->read(0, dst); }).find("is no array"), std::string::npos);
}

TEST_F(Npy, ArraysGoToTheNetworkAsTheyAre) {
  const auto bytes = open_dataset(file(npy("|u1", "(1, 1, 2, 3)", 6), "bytes.npy"), "", LabelUse::kUnused);
  const auto floats = open_dataset(file(npy("<f4", "(1, 1, 2, 3)", 24), "floats.npy"), "", LabelUse::kUnused);
  const InputSpec input{1, 2, Normalization::kTf};
  const Preprocessing as_it_is = make_preprocessing(input, *bytes);
  EXPECT_EQ(preprocessing_name(*bytes, as_it_is), "array_none");
  EXPECT_FALSE(as_it_is.only_resizes());
  std::vector<float> pixels{0, 100, 255, 1, 2, 3};
  as_it_is.normalize_array(pixels);
  EXPECT_EQ(pixels, (std::vector<float>{0, 100, 255, 1, 2, 3}));
  const Preprocessing caffe = make_preprocessing(input, *bytes, {.normalization = Normalization::kCaffe});
  EXPECT_EQ(preprocessing_name(*bytes, caffe), "array_caffe-bgr");
  caffe.normalize_array(pixels);
  const PixelTable table = pixel_table(Normalization::kCaffe);
  EXPECT_EQ(pixels, (std::vector<float>{table.values[0][255], table.values[1][100], table.values[2][0],
                                        table.values[0][3], table.values[1][2], table.values[2][1]}));
  EXPECT_EQ(preprocessing_name(*floats, make_preprocessing(input, *floats)), "array_none");
  const auto says = [&](const Dataset& data, const InputSpec& spec, const PreprocessingChoice& choice,
                        const char* text) {
    const std::string said = error_of([&] { make_preprocessing(spec, data, choice); });
    EXPECT_NE(said.find(text), std::string::npos) << said;
  };
  says(*floats, input, {.normalization = Normalization::kTf}, "are floats, which go to the network as they are");
  says(*bytes, input, {.fit = Fit::kSquash}, "there is nothing to fit or to resize");
  says(*bytes, input, {.original = true}, "there is nothing to fit or to resize");
  says(*bytes, {2, 1, {}}, {}, "its elements are 1 x 2 x 3, but the network takes 2 x 1 x 3 (height, width, channels)");
  says(*bytes, {1, 2, {}, 4}, {}, "but the network takes 1 x 2 x 4");
}

}  // namespace
}  // namespace gpueval
