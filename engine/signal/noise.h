#pragma once
// The noise of a detector.

#include "engine/core/rng.h"
#include "engine/signal/fft.h"

namespace xf {

/// The amplitude spectral density, in 1/√Hz, of a detector like Advanced LIGO: the analytic model of
/// Sathyaprakash and Schutz (Living Rev. Relativity 12, 2, table 1) with a steeper wall below 20 Hz and a few
/// narrow lines (mains, calibration, violin modes).
double detector_amplitude(double frequency);

/// `samples` standard normal numbers.
Series white_noise(Rng& rng, size_t samples);

/// Gives a series of unit white noise the spectrum of the detector: each bin times detector_amplitude(), so
/// that what had variance 1 has that one-sided density. The series has an even number of samples.
Series colour(const Series& white, double sample_rate);

}  // namespace xf
