#include "engine/signal/fft.h"

#include <fftw3.h>

#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace xf {
namespace {

enum class Kind { real_forward, real_inverse, complex_inverse };

fftw_complex* fftw(std::complex<double>* p) { return reinterpret_cast<fftw_complex*>(p); }

struct DestroyPlan {
  void operator()(fftw_plan plan) const { fftw_destroy_plan(plan); }
};
using Plan = std::unique_ptr<std::remove_pointer_t<fftw_plan>, DestroyPlan>;

Plan make_plan(Kind kind, int n) {
  // The planner may write to the arrays it is given, so it never sees the caller's.
  Spectrum a(static_cast<size_t>(n)), b(static_cast<size_t>(n));
  double* real = reinterpret_cast<double*>(b.data());
  switch (kind) {
    case Kind::real_forward: return Plan(fftw_plan_dft_r2c_1d(n, real, fftw(a.data()), FFTW_ESTIMATE));
    case Kind::real_inverse: return Plan(fftw_plan_dft_c2r_1d(n, fftw(a.data()), real, FFTW_ESTIMATE));
    case Kind::complex_inverse: break;
  }
  return Plan(fftw_plan_dft_1d(n, fftw(a.data()), fftw(b.data()), FFTW_BACKWARD, FFTW_ESTIMATE));
}

/// Executing a plan is thread safe, making one is not: one table behind one mutex.
fftw_plan plan_for(Kind kind, size_t n) {
  static std::mutex mutex;
  static std::map<std::pair<Kind, size_t>, Plan> plans;
  const std::lock_guard lock(mutex);
  Plan& plan = plans[{kind, n}];
  if (!plan) plan = make_plan(kind, static_cast<int>(n));
  return plan.get();
}

}  // namespace

Spectrum forward_fft(const Series& series) {
  Spectrum out(series.size() / 2 + 1);
  // FFTW's out-of-place r2c keeps its input; its signature lacks the const.
  fftw_execute_dft_r2c(plan_for(Kind::real_forward, series.size()), const_cast<double*>(series.data()),
                       fftw(out.data()));
  return out;
}

Series inverse_fft(Spectrum&& spectrum) {
  const size_t n = 2 * (spectrum.size() - 1);
  Series out(n);
  fftw_execute_dft_c2r(plan_for(Kind::real_inverse, n), fftw(spectrum.data()), out.data());
  const double scale = 1.0 / static_cast<double>(n);
  for (double& x : out) x *= scale;
  return out;
}

void inverse_complex_fft(const Spectrum& in, Spectrum& out) {
  out.resize(in.size());
  fftw_execute_dft(plan_for(Kind::complex_inverse, in.size()),
                   fftw(const_cast<std::complex<double>*>(in.data())), fftw(out.data()));
}

}  // namespace xf
