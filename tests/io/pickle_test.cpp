// SPDX-License-Identifier: Apache-2.0
// The pickle reader: every protocol and way to store labels, and nothing hostile gets through: no call, no crash, no
// lie about sizes.
#include <string_view>

#include "io/data/pickle_index.h"
#include "support/data_files.h"

namespace gpueval::data {
namespace {

using test::data_golden;
using test::error_of;
using test::read_bytes;
using std::literals::string_literals::operator""s;  // programs hold zero bytes
using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

PickleIndex index_of(const Bytes& bytes) { return index_pickle(MemorySource(bytes, "x.pkl")); }

std::string error_of_index(std::string_view text) {
  return error_of([&] { index_of(bytes_of(text)); });
}

Bytes image_bytes(const Bytes& file, const PickledImage& image) {
  return read_image_bytes(MemorySource(file, "x.pkl"), image);
}

std::string hex(const Bytes& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

class PickleVariant : public testing::TestWithParam<std::string> {};

TEST_P(PickleVariant, IsRead) {
  const Bytes file = read_bytes(data_golden(GetParam() + ".pkl"));
  const PickleIndex index = index_of(file);
  EXPECT_EQ(index.labels, (std::vector<int>{7, 300, 999}));
  std::ifstream lines(data_golden("bytes.txt"));
  ASSERT_EQ(index.images.size(), 3u);
  for (const PickledImage& image : index.images) {
    std::string expected;
    lines >> expected;
    EXPECT_EQ(hex(image_bytes(file, image)), expected);
  }
}

TEST_P(PickleVariant, EveryTruncationIsAnError) {
  const Bytes file = read_bytes(data_golden(GetParam() + ".pkl"));
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(index_of(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), Error) << size;
  }
}

TEST_P(PickleVariant, EveryFlippedByteIsSafe) {
  const Bytes file = read_bytes(data_golden(GetParam() + ".pkl"));
  int changed = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes damaged = file;
      damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ flip);
      try {
        const PickleIndex index = index_of(damaged);
        ASSERT_EQ(index.images.size(), index.labels.size());
        for (const PickledImage& image : index.images) ASSERT_LE(image.offset + image.length, damaged.size());
      } catch (const Error&) {
        ++changed;
      }
    }
  }
  EXPECT_GT(changed, 0);
}

INSTANTIATE_TEST_SUITE_P(All, PickleVariant,
                         testing::Values("ints_p2", "ints_p3", "ints_p4", "ints_p5", "scalars_p2", "scalars_p3",
                                         "scalars_p4", "scalars_p5", "array_p2", "array_p3", "array_p4", "array_p5",
                                         "int16be_p2", "int16be_p3", "int16be_p4", "int16be_p5"),
                         [](const auto& parameter) { return parameter.param; });

// As Python 2 writes it: strings are bytes; SHORT_BINSTRING 'U', BINSTRING 'T', labels as LONG1.
const std::string kPython2 =
    "\x80\x02}q\x00(U\x04"
    "dataq\x01]q\x02(U\x03\xff\xd8\x01T\x02\x00\x00\x00\xff\xd9"
    "eU\x06targetq\x03]q\x04(K\x05\x8a\x02\x2c\x01"
    "eu."s;

TEST(Pickle, ReadsPython2) {
  const Bytes file = bytes_of(kPython2);
  const PickleIndex index = index_of(file);
  ASSERT_EQ(index.images.size(), 2u);
  EXPECT_EQ(hex(image_bytes(file, index.images[0])), "ffd801");
  EXPECT_EQ(hex(image_bytes(file, index.images[1])), "ffd9");
  EXPECT_EQ(index.labels, (std::vector<int>{5, 300}));
}

TEST(Pickle, RefusesCodeAndNamesIt) {
  // cposix\nsystem\n(X...echo\ntR. as pickle.dumps of a class with __reduce__ = (os.system, ("echo",)).
  const std::string kSystem =
      "\x80\x02"
      "cposix\nsystem\nq\x00X\x04\x00\x00\x00"
      "echoq\x01\x85q\x02Rq\x03."s;
  EXPECT_NE(error_of_index(kSystem).find("x.pkl: refused: the pickle asks for 'posix.system' at byte 2"),
            std::string::npos);
  const std::string kStackGlobal =
      "\x80\x04\x8c\x08"
      "builtins\x8c\x04"
      "eval\x93."s;
  EXPECT_NE(error_of_index(kStackGlobal).find("'builtins.eval' at byte 18"), std::string::npos);
  const std::string kNumpyLoad = "\x80\x04\x8c\x05numpy\x8c\x04load\x93."s;
  EXPECT_NE(error_of_index(kNumpyLoad).find("'numpy.load'"), std::string::npos);
}

TEST(Pickle, RefusesEveryOtherWayToCall) {
  const std::pair<std::string, std::string> cases[] = {
      {"(iposix\nsystem\n.", "INST at byte 3"},
      {"(o.", "OBJ at byte 3"},
      {"N)\x81.", "NEWOBJ at byte 4"},
      {"N)}\x92.", "NEWOBJ_EX at byte 5"},
      {"P1\n.", "PERSID at byte 2"},
      {"NQ.", "BINPERSID at byte 3"},
      {"\x82\x01.", "EXT1 at byte 2"},
      {"cnumpy\nndarray\n)R.", "calls 'numpy.ndarray'"},
      {"}}b.", "set the state of a dict"},
      {"cnumpy\ndtype\n}b.", "set the state of a function"},
  };
  for (const auto& [program, message] : cases) {
    EXPECT_NE(error_of_index("\x80\x02"s + program).find("refused"), std::string::npos) << message;
    EXPECT_NE(error_of_index("\x80\x02"s + program).find(message), std::string::npos) << message;
  }
}

TEST(Pickle, RefusesOtherFiles) {
  EXPECT_NE(error_of_index("").find("found a file of 0 bytes"), std::string::npos);
  EXPECT_NE(error_of_index("PK\x03\x04 not a pickle").find("not a pickle of protocol 2 to 5"), std::string::npos);
  EXPECT_NE(error_of_index("(dp0\n.").find("not a pickle of protocol 2 to 5"), std::string::npos);
  EXPECT_NE(error_of_index("\x80\x06N.").find("protocol 6"), std::string::npos);
  EXPECT_NE(error_of_index("\x80\x04\xfe.").find("unknown operation 0xfe at byte 2"), std::string::npos);
  EXPECT_THROW(index_pickle(FileSource("/nowhere/x.pkl")), Error);
  EXPECT_THROW(index_pickle(FileSource("/")), Error);
}

// {'data': DATA, 'target': TARGET} of protocol 4.
std::string dict_of(const std::string& data, const std::string& target) {
  return "\x80\x04}(\x8c\x04"
         "data" +
         data + "\x8c\x06target" + target + "u.";
}

TEST(Pickle, ChecksTheStructure) {
  const std::string one_image = "](C\x02xye", one_label =
                                                  "](K\x01"
                                                  "e";
  EXPECT_EQ(index_of(bytes_of(dict_of(one_image, one_label))).labels, std::vector<int>{1});
  const std::pair<std::string, std::string> cases[] = {
      {"\x80\x04N.", "expected a pickled dict with 'data' and 'target', found None"},
      {"\x80\x04}.", "has no 'data'"},
      {"\x80\x04}\x8c\x04"
       "data]s.",
       "has no 'target'"},
      {dict_of("K\x01", one_label), "'data' is an integer, expected a list"},
      {dict_of("]", "]"), "'data' holds no images"},
      {dict_of("](K\x01"
               "e",
               one_label),
       "element 0 of 'data' is an integer"},
      {dict_of("](\x8c\x02xye", one_label), "element 0 of 'data' is a string"},
      {dict_of(one_image, "]"), "'target' has 0 labels, but 'data' has 1 images"},
      {dict_of(one_image,
               "](K\x01K\x02"
               "e"),
       "'target' has 2 labels, but 'data' has 1 images"},
      {dict_of(one_image,
               "](J\xff\xff\xff\xff"
               "e"),
       "element 0 of 'target' is -1"},
      {dict_of(one_image,
               "](\x8a\x05"
               "aaaaae"),
       "element 0 of 'target' is"},
      {dict_of(one_image, "](Ne"), "element 0 of 'target' is None"},
      {dict_of(one_image,
               "](\x8a\x09"
               "aaaaaaaaae"),
       "no 64-bit integer"},
      {dict_of(one_image, "N"), "'target' is None, expected a list of class ids"},
  };
  for (const auto& [program, message] : cases) {
    EXPECT_NE(error_of_index(program).find(message), std::string::npos) << message << "\n" << error_of_index(program);
  }
}

TEST(Pickle, ChecksNumpyArrays) {
  const std::string dtype = "cnumpy\ndtype\n\x8c\x02i4\x85R", build = "(K\x01(K\x01t" + dtype + "\x89";
  const std::string array =
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x01\x85"
      "C\x01"
      "b\x87R";
  const auto with = [&](const std::string& state) { return dict_of("](C\x02xye", array + state); };
  EXPECT_EQ(index_of(bytes_of(with(build + "C\x04" + std::string("\x09\0\0\0", 4) + "tb"))).labels,
            std::vector<int>{9});
  EXPECT_NE(error_of_index(with(build + "C\x03"
                                        "abctb"))
                .find("3 bytes for 1 elements"),
            std::string::npos);
  EXPECT_NE(error_of_index(with(build + "C\x40" + std::string(64, 'a') + "tb")).find("damaged"), std::string::npos);
  EXPECT_NE(error_of_index(with("")).find("without contents"), std::string::npos);
  EXPECT_NE(error_of_index(with("(K\x01(K\x02t" + dtype +
                                "\x89"
                                "C\x08" +
                                std::string(8, '\0') + "tb"))
                .find("has 2 labels"),
            std::string::npos);
  EXPECT_NE(error_of_index(with("(K\x01(J\xff\xff\xff\xfft" + dtype +
                                "\x89"
                                "C\x00tb"s))
                .find("without a shape"),
            std::string::npos);
}

TEST(Pickle, BrokenProgramsAreErrors) {
  const std::string cases[] = {
      ".",     "a.",   "e.", "N(.", "N(0a.", "h\x01.", "q\x01.",          "R.",   "b.", "\x87.", "t.", "u.", "s.",
      "}(Nu.", "(]a.", "1.", "2.",  "NNR.",  "\x93.",  "K\x01K\x02\x93.", "\x94."};
  for (const std::string& program : cases) EXPECT_THROW(index_of(bytes_of("\x80\x04"s + program)), Error) << program;
}

TEST(Pickle, LengthsBeyondTheFileAreTruncation) {
  const std::string cases[] = {"B\xff\xff\xff\x7f.", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
                               "\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "\x8b\xff\xff\xff\xff.",
                               "X\x05\x00\x00\x00"
                               "abc."s};
  for (const std::string& program : cases) {
    EXPECT_NE(error_of_index("\x80\x04"s + program).find("truncated pickle"), std::string::npos)
        << hex(bytes_of(program));
  }
}

TEST(Pickle, SelfReferenceAndFloodsEnd) {
  EXPECT_THROW(index_of(bytes_of("\x80\x04]\x94h\x00"
                                 "a.")),
               Error);  // a list that holds itself
  Bytes flood(10'000'000, 'N');
  flood[0] = 0x80;
  flood[1] = 4;
  EXPECT_NE(error_of([&] { index_of(flood); }).find("more than 6000000 operations"), std::string::npos);
}

TEST(Pickle, Protocol2TextBeyondBytesIsAnError) {
  const Bytes file =
      bytes_of("\x80\x02}(X\x04" + std::string(3, '\0') + "data](c_codecs\nencode\nX\x03" + std::string(3, '\0') +
               "\xe2\x82\xacX\x06" + std::string(3, '\0') + "latin1\x86ReX\x06" + std::string(3, '\0') +
               "target](K\x01"
               "eu.");
  const PickleIndex index = index_of(file);
  EXPECT_NE(error_of([&] { image_bytes(file, index.images.at(0)); }).find("beyond 255"), std::string::npos);
}

TEST(PickleDataset, ReadsTheRealSample) {
  const std::string path = test::real_data("imagenet/val224_sample.pkl");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto data = open_dataset(path, "");
  EXPECT_EQ(data->kind(), "pickle");
  EXPECT_TRUE(data->images_are_cropped());
  ASSERT_EQ(data->size(), 500u);
  EXPECT_EQ(data->label(0), 616);
  EXPECT_EQ(data->label(4), 920);
  EXPECT_EQ(data->decode(499).rgb.size(), std::size_t{224} * 224 * 3);
  EXPECT_EQ(target_sha256(*data, 0, 2), [] {
    Sha256 sum;
    sum.update(std::string_view("616\n26\n"));
    return sum.hex();
  }());
}

TEST(PickleDataset, CorruptImagesAreErrorsOneByOne) {
  const auto data = open_dataset(data_golden("ints_p4.pkl"), "");  // three byte strings that only begin like a JPEG
  ASSERT_EQ(data->size(), 3u);
  EXPECT_NE(error_of([&] { data->decode(1); }).find("ints_p4.pkl: image 1: "), std::string::npos);
}

}  // namespace
}  // namespace gpueval::data
