#pragma once
// Grad-CAM's heat over the picture that it explains.

#include "engine/io/image.h"
#include "engine/train/grad_cam.h"

namespace xf::tool {

/// The picture, darkened to a quarter where there is no heat, with a white line around the places that have
/// half of the most or more. Brightness and a line tell it to people who see colours differently, too.
io::Image heat_picture(const io::Image& image, const HeatMap& heat);

}  // namespace xf::tool
