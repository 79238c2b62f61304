#pragma once
// The CSV that Gravity Spy publishes beside its images: a line a glitch.

#include <filesystem>

#include "engine/data/dataset.h"

namespace xf {

/// The CSV beside a data set: NAME_metadata.csv for NAME.h5 or the folder NAME, or, for trainingsetX.h5, the
/// published trainingset_X_metadata.csv. Empty where there is none.
std::filesystem::path find_metadata(const std::filesystem::path& source);

/// Takes over, by gravityspy_id, the GPS times (event_time) and, where the data has no parts of its own and
/// the CSV knows all of its glitches, the parts (sample_type). Logs how much it found, and labels that
/// differ: the data's count. A glitch's id is the last part of its name.
/// Throws MissingInputError, and DataError for a CSV without the column gravityspy_id, with an id of two
/// times, a time or a part that is none, or with none of the data's ids.
void join_metadata(Dataset& data, const std::filesystem::path& csv);

}  // namespace xf
