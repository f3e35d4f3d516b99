// SPDX-License-Identifier: Apache-2.0
// Labelled images.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/error.h"
#include "gpueval/image.h"
#include "gpueval/tensor.h"
#include "gpueval/truth.h"

namespace gpueval {

// The decoder's verdict on an image's bytes: no picture that it reads, damaged, too large. Whoever works through a data
// set counts such images and goes on. Any other failure (a file that cannot be read, memory) says nothing about the
// image and ends it.
class BadImage : public Error {
 public:
  explicit BadImage(const std::string& message) : Error(message) {}
};

// How the labels of a data set were found and what of it was passed over, for the reader of a result.
struct GroundTruth {
  std::string mapping;                // "WordNet ids of 60 class folders"; empty: nothing to tell
  std::vector<std::string> notes;     // whole sentences
  std::vector<std::string> warnings;  // whole sentences: pictures left out, labels that may be wrong
};

// Elements of arrays in place of pictures.
struct ArrayForm {
  Shape shape;         // of one element: n = 1
  bool bytes = false;  // its values are whole and from 0 to 255, as a picture's
};

// A set of labelled images: pictures, or where array() has a value elements of arrays. decode() and read() are
// thread-safe; they throw BadImage for bytes that are no picture, and for values that are no finite float32.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::size_t size() const = 0;
  virtual int label(std::size_t index) const = 0;
  virtual bool labelled() const { return true; }      // false: opened without labels, and label() is -1
  virtual Image decode(std::size_t index) const = 0;  // pixels as stored, before preprocessing
  // Elements go to the network as they are: read() in place of decode(). dst: as many floats as the shape has.
  virtual std::optional<ArrayForm> array() const { return std::nullopt; }
  virtual void read(std::size_t index, std::span<float> dst) const;
  virtual std::string name(std::size_t index) const = 0;  // for messages: file name or "image 17"
  virtual std::string path() const = 0;                   // as given by the user
  virtual std::string kind() const = 0;                   // "pickle", "folder", "demo", "npy"
  virtual bool images_are_cropped() const = 0;            // true: stored cropped (pickle, demo)
  // The encoded image as it is stored, and its length, which is known without reading it; nothing and 0 where an image
  // is not stored. Two images are the same picture if these bytes are (gpueval/selection.h).
  virtual std::uint64_t content_bytes(std::size_t) const { return 0; }
  virtual std::vector<std::uint8_t> content(std::size_t) const { return {}; }
  virtual GroundTruth ground_truth() const { return {}; }  // how the labels were found
  // Truths of other tasks, of pictures as decode() gives them: pixels are of the very same picture.
  virtual TruthKind truth() const { return labelled() ? TruthKind::kClass : TruthKind::kNone; }
  virtual LabelMap label_map(std::size_t index) const;                 // kLabelMap; read from its file, thread-safe
  virtual std::vector<TruthBox> boxes(std::size_t index) const;        // kBoxes; thread-safe
  virtual std::vector<std::string> class_names() const { return {}; }  // of boxes and label maps; may be empty
  // Numbers of pictures and classes in COCO's result files; without any of their own, both count from 1.
  virtual std::int64_t image_id(std::size_t index) const { return static_cast<std::int64_t>(index) + 1; }
  virtual std::int64_t category_id(int category) const { return category + 1; }
  // Text that changes when an image may have: names, sizes and times of its files. Equal texts continue each other's
  // journals, so a view of another data set says which of its images are in it and in which order.
  virtual std::string state() const = 0;
};

// What is known of the network whose classes the labels are.
struct LabelRules {
  int classes = 0;        // labels must be below; 0: not known, nothing is checked
  bool imagenet = false;  // ImageNet's 1,000 classes in Keras's order: WordNet ids have a meaning
};

// What labels are for: kUnused where nothing is judged. Pictures side by side then need no list of labels.
enum class LabelUse { kJudged, kUnused };

// "demo" (2,000 test images), a folder, an .npy, or else a pickle file. labels: of a flat folder or an .npy, else
// empty. Error for labels that are no classes of `rules`.
std::unique_ptr<Dataset> open_dataset(const std::string& path, const std::string& labels,
                                      LabelUse use = LabelUse::kJudged, const LabelRules& rules = {});

// A label map's values as files have them -> classes of the network. An identity but for what it names.
struct ClassMap {
  std::array<std::uint8_t, 256> classes = identity();
  static std::array<std::uint8_t, 256> identity();
};
// "15:1,255:void,other:0": `other` is every value that is not named. Usage error that says what is accepted.
ClassMap parse_class_map(const std::string& text);

// Pictures with label maps or boxes.
struct AnnotatedRequest {
  std::string path;   // a folder
  std::string split;  // empty: all there are, or the only one
  TruthKind truth = TruthKind::kBoxes;
  std::string annotations;           // COCO's instances_*.json of a folder of pictures; empty: found by the layout
  std::vector<std::string> classes;  // the network's, in its order; empty: the data's own
  std::optional<ClassMap> map;       // of label maps
};
// Whether open_annotated() can tell the layout, or is told; a usage error where it would have several to choose from.
bool is_annotated(const AnnotatedRequest& request);
// PASCAL VOC (JPEGImages beside Annotations or SegmentationClass), COCO (annotations/instances_SPLIT.json beside a
// folder SPLIT of pictures, or a folder of pictures and a file), Cityscapes (leftImg8bit beside gtFine), or a folder of
// images/ beside masks/: docs/formats.md. Error that names the file for what is missing or is not as the format has it.
std::unique_ptr<Dataset> open_annotated(const AnnotatedRequest& request);

// The published val224_compressed.pkl or one like it: a dict with `data` (JPEG strings) and `target` (class ids),
// pickle protocols 2 to 5. Only offsets are kept; an image's bytes are read when it is decoded. The file is data:
// nothing in it is run, and a pickle that would call anything but how numpy and bytes are stored is an Error that names
// the call and its place.
std::unique_ptr<Dataset> open_pickle(const std::string& path, const LabelRules& rules = {});

// Flat folder + list of labels, or without a list one sub-folder a class; what lists and folder names may look like and
// how they become class ids is in docs/formats.md. Files that are no .jpg, .jpeg or .png are passed over and counted.
std::unique_ptr<Dataset> open_folder(const std::string& path, const std::string& labels,
                                     LabelUse use = LabelUse::kJudged, const LabelRules& rules = {});

// NumPy's .npy, N x height x width x channels of uint8, float32 or float64, either byte order, C order; read element by
// element. labels: an .npy of integers, N or N x 1, or a text with a class id a line. Error for anything else, for a
// length that is not the header's, and for labels that are missing where they are judged.
std::unique_ptr<Dataset> open_npy(const std::string& path, const std::string& labels, LabelUse use = LabelUse::kJudged,
                                  const LabelRules& rules = {});

// 96 x 96 images of the embedded toy problem (10 classes), made on the fly from a seed, the same on every machine.
// split: "train", "calibration" or "test": disjoint streams of any length.
std::unique_ptr<Dataset> open_demo(const std::string& split, std::size_t count);
// 96 x 96 pictures of one to four shapes (disc, ring, square, triangle, cross) with their boxes, or their label maps:
// class 0 is the background. The same pictures; splits as above.
std::unique_ptr<Dataset> open_demo_boxes(const std::string& split, std::size_t count);
std::unique_ptr<Dataset> open_demo_masks(const std::string& split, std::size_t count);

// What the three components of a decoded JPEG are. An ordinary file stores R, G, B. The public pickle was encoded from
// R, G, B arrays by a library that assumed B, G, R, so its files store red and blue exchanged: exchanging them again
// gives R, G, B.
enum class StoredColors { kRgb, kBgr };

// Decodes a JPEG (grey, RGB, YCbCr, CMYK, YCCK) to R, G, B with the pixels of cv2.imdecode(IMREAD_COLOR), which turns
// the picture by its EXIF orientation. Throws BadImage naming `name` for anything that is no JPEG, is damaged or
// truncated, or is larger than 100 million pixels.
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name,
                  StoredColors stored = StoredColors::kRgb);
// Decodes a PNG of any kind to R, G, B with the pixels of cv2.imdecode(IMREAD_COLOR): of 16 bits the upper 8, palettes
// looked up, grey as three equal channels, alpha dropped (not blended), no gamma, turned by an eXIf chunk. Throws
// BadImage as decode_jpeg() does, for a file without its end chunk, too.
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_picture(std::span<const std::uint8_t> bytes, const std::string& name);  // either, by its first bytes
Image read_image(const std::string& path);                                           // a file of either

// SHA-256 (hex) of the truths of images [first, first + count), one a line: class ids as decimal numbers, boxes with
// their classes, of label maps the names.
std::string target_sha256(const Dataset& data, std::size_t first, std::size_t count);  // Error if beyond size()

// synset_words.txt ("n01440764 tench, Tinca tinca" a line) or one name a line.
std::vector<std::string> read_class_names(const std::string& path);

}  // namespace gpueval
