#pragma once
// Power spectra and whitening of detector strain.

#include <cstddef>
#include <vector>

#include "engine/signal/fft.h"

namespace xf {

/// A one-sided power spectral density: density[k] is at k·spacing_hz, in (units of the series)²/Hz.
struct PowerSpectrum {
  double spacing_hz = 0;
  std::vector<double> density;
};

/// Welch's estimate with Hann windows that overlap by half, averaged as median-mean: the mean of the medians
/// of the odd and of the even segments, each free of the median's bias (Allen et al., "FINDCHIRP", Phys. Rev.
/// D 85, 122006, appendix B). A glitch that fills less than half of the segments hardly changes it. `segment`
/// is the number of samples of one (even). Throws DataError where the series has fewer than four segments.
PowerSpectrum welch_spectrum(const Series& series, double sample_rate, size_t segment);

/// The series with its spectrum made flat: white noise of this spectrum comes out with variance 1 per sample.
/// A cosine taper of `taper_seconds` at both ends keeps the jump between them out; the constant part is
/// removed. The series has an even number of samples.
Series whiten(const Series& series, double sample_rate, const PowerSpectrum& spectrum, double taper_seconds);

}  // namespace xf
