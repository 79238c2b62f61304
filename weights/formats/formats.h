#pragma once
// The readers of weights/listing.h. Each returns nothing for a file that is not in its format, and throws
// DataError for one that is and makes no sense.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weights/listing.h"

namespace xf::weights {

/// Keras's legacy layout: a weights-only file, or a whole model (`model_weights/`). A model used as a layer
/// counts as its own layers.
std::optional<Listing> list_legacy_keras(const hdf5::File& file);

/// Keras 3's layout: /layers/<class>[_N]/vars/<index>, or _layer_checkpoint_dependencies for layers.
/// Variables are told by index and class: kernel and bias; gamma, beta, mean and variance, gamma being absent
/// where there are three. A model used as a layer (layers/<model>/layers/…) counts as its own layers.
std::optional<Listing> list_keras3(const hdf5::File& file);

/// `datasets` are all of the file, by path. A key's dots may be slashes.
std::optional<Listing> list_state_dict(const hdf5::File& file, const std::vector<std::string>& datasets);

/// [data/]<layer>/<index>, as Caffe's Net::ToHDF5 and h5py scripts write blobs. A layer of three blobs, the
/// third of one element, is a BatchNorm: mean, variance, and the factor that divides both; the Scale layer
/// that follows it is called as the BatchNorm with "/sc", "/scale" or "_scale" behind. Names of BN-Inception
/// become Cadene's ("inception_3a/double3x3a/bn" is inception_3a_double_3x3_1_bn).
std::optional<Listing> list_caffe(const hdf5::File& file, const std::vector<std::string>& datasets);

/// "conv1/7x7_s2/0" parted at the last `separator`, "/": what is before it, and the number behind it. Nothing
/// where there is no number from 0 on and nothing else.
std::optional<std::pair<std::string, int>> split_index(std::string_view path, std::string_view separator);

}  // namespace xf::weights
