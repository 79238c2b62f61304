#pragma once
// The typed errors of the library. The library throws them and never exits; the program maps each type to
// one exit code. `subject` names the file, tensor or option, `reason` says what is wrong with it, `remedy`
// what to do.

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"

namespace xf {

class Error : public std::exception {
 public:
  Error(std::string subject, std::string reason, std::string remedy = {});
  /// "SUBJECT: REASON".
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  /// One line saying what to do; empty where the reason says it all.
  [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }

 private:
  std::string text_, remedy_;
};

/// An option or argument that cannot be used as given.
struct UsageError : Error {
  using Error::Error;
};
/// Input was read and is wrong: a broken image, a tensor of another shape, one class only.
struct DataError : Error {
  using Error::Error;
};
/// An input file or folder is not there, or may not be read.
struct MissingInputError : Error {
  using Error::Error;
};
/// A device, driver, library or instruction set is not available.
struct UnavailableError : Error {
  using Error::Error;
};
/// The program contradicts itself: a defect of this software.
struct InternalError : Error {
  using Error::Error;
};
/// The plan does not fit in the memory there is.
struct MemoryError : Error {
  using Error::Error;
};
/// The output exists already and was not to be replaced.
struct OutputExistsError : Error {
  using Error::Error;
};
/// An output could not be written.
struct WriteError : Error {
  using Error::Error;
};
/// A signal stopped the work after its state was saved.
struct StoppedError : Error {
  using Error::Error;
};
/// The loss is no longer a finite number.
struct DivergedError : Error {
  using Error::Error;
};

/// Operands whose shapes do not go together; carries them.
class ShapeError : public Error {
 public:
  ShapeError(std::string subject, std::string reason, std::vector<Shape> shapes);
  [[nodiscard]] const std::vector<Shape>& shapes() const noexcept { return shapes_; }

 private:
  std::vector<Shape> shapes_;
};

}  // namespace xf
