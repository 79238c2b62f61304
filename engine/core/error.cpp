#include "engine/core/error.h"

#include <fmt/format.h>

#include <utility>

namespace xf {

std::string to_string(const Shape& s) { return fmt::format("{}x{}x{}x{}", s.n, s.h, s.w, s.c); }

Error::Error(std::string subject, std::string reason, std::string remedy)
    : text_(std::move(subject) + ": " + std::move(reason)), remedy_(std::move(remedy)) {}

namespace {
std::string with_shapes(std::string reason, const std::vector<Shape>& shapes) {
  reason += " (shapes";
  for (const Shape& s : shapes) reason += " " + to_string(s);
  return reason + ")";
}
}  // namespace

ShapeError::ShapeError(std::string subject, std::string reason, std::vector<Shape> shapes)
    : Error(std::move(subject), with_shapes(std::move(reason), shapes)), shapes_(std::move(shapes)) {}

}  // namespace xf
