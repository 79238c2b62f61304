#pragma once
// Fourier transforms (FFTW). Plans are made once per length, with FFTW_ESTIMATE: the same plan, and so the
// same bits, in every run. Safe to call from several threads at once.

#include <complex>
#include <cstddef>
#include <new>
#include <vector>

namespace xf {

/// Memory aligned for FFTW's vector code; the plans rely on it.
template <class T>
struct FftAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};
  FftAllocator() = default;
  template <class U>
  constexpr FftAllocator(const FftAllocator<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* p, size_t) { ::operator delete(p, kAlignment); }
  template <class U>
  bool operator==(const FftAllocator<U>&) const {
    return true;
  }
};

/// A uniformly sampled real series.
using Series = std::vector<double, FftAllocator<double>>;
/// A spectrum: n/2+1 bins of a real series of n samples, or a complex series.
using Spectrum = std::vector<std::complex<double>, FftAllocator<std::complex<double>>>;

/// X[k] = Σ x[j] exp(−2πi jk/n) for k = 0 … n/2, unnormalised.
Spectrum forward_fft(const Series& series);

/// The inverse of forward_fft, normalised by 1/n, for an even n = 2 (bins − 1). Uses up its argument.
Series inverse_fft(Spectrum&& spectrum);

/// y[j] = Σ X[k] exp(+2πi jk/n), unnormalised, complex to complex. `out` is resized.
void inverse_complex_fft(const Spectrum& in, Spectrum& out);

}  // namespace xf
