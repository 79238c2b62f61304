#pragma once
// From a sample to its pixels: the one place where images are read.

#include <vector>

#include "engine/data/dataset.h"
#include "engine/io/image.h"

namespace xf {

/// One image, as it is stored. A dataset of Gravity Spy's HDF5 layout, (1, 140, 170) numbers from 0 to 1,
/// becomes grey bytes, rounded. Throws as io::read_image() does, and DataError for a dataset of another shape
/// or with values that are no such numbers. Any thread may call this; reads from HDF5 wait for each other.
io::Image read_source(const ImageSource& source);

/// The image that a network sees of a sample, before it is resized:
///   plain    its image; of a plot of Gravity Spy's PNG release only the plot area, in colour
///   single   its image
///   merged   its four images, 2x2: 0.5 and 1.0 s above, 2.0 and 4.0 s below
///   stacked  the grey values of its three images as R, G and B
/// A plot of the PNG release becomes, in all but plain, what the HDF5 release has of it: reduced().
/// Throws as read_source() does, and DataError where images that belong together differ in size.
io::Image read_image(const Sample& sample);

/// Four images of one size as one, 2x2, row by row.
io::Image merged(const std::vector<io::Image>& parts);
/// The grey values of three images of one size as R, G and B.
io::Image stacked(const std::vector<io::Image>& parts);

}  // namespace xf
