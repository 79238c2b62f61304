#pragma once
// The PNG release of the Gravity Spy data set: plots of 800x600 pixels, with axes and colour bar around the
// spectrogram, named <ifo>_<id>_spectrogram_<duration>.png.

#include <optional>
#include <string>
#include <string_view>

#include "engine/io/image.h"

namespace xf {

/// The gravityspy_id that a file name of the release holds ("H1_0Sug0tqkoL_spectrogram_0.5.png"); none for
/// any other name. Folders before the name are passed over.
std::optional<std::string> release_id(std::string_view name);

/// Whether an image is a plot of the release, by its name and size.
bool is_release_plot(std::string_view name, const io::Image& image);

/// The spectrogram in a plot of the release, in colour: columns 105 to 670, rows 66 to 531.
io::Image plot_area(const io::Image& plot);

/// The plot as Gravity Spy's HDF5 release has it: the plot area, bilinearly rescaled by 0.3 to 170x140
/// without antialiasing (scikit-image's rescale(0.3) of 2018) and grey.
io::Image reduced(const io::Image& plot);
/// The same of a plot area.
io::Image reduced_area(const io::Image& area);

}  // namespace xf
