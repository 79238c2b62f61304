"""Compares the program with gwpy: the spectrum, the whitened strain and the Q transform of a GWOSC file.

usage: with_gwpy.py BINARY RESULTS [PATTERN...]
The strain is GW150914's below $XFERRUN_TEST_DATA, without which it is noise made here with a sine-Gaussian in it.
"""
import functools
import os
import pathlib

import h5py
import numpy as np
from gwpy.frequencyseries import FrequencySeries
from gwpy.signal.qtransform import q_scan
from gwpy.timeseries import TimeSeries
from scipy.interpolate import CubicSpline, RectBivariateSpline

from common import main, run_tool

MERGER = 1126259462.42
RATE, HIGHEST, SECONDS, ROWS, COLUMNS = 4096, 1024, 1.0, 140, 500

def strain_of(detector, folder):
    """The path of a file of strain around MERGER."""
    data = os.environ.get("XFERRUN_TEST_DATA")
    found = sorted(pathlib.Path(data, "strain").glob(f"*-{detector}_*.hdf5")) if data else []
    if found:
        return found[0]
    random = np.random.default_rng(3)
    start, seconds = 1126259446, 32
    t = start + np.arange(seconds * RATE) / RATE - MERGER
    x = random.standard_normal(len(t)) + 3 * np.exp(-(t / 0.02) ** 2) * np.sin(2 * np.pi * 120 * t)
    path = folder / "noise.hdf5"
    with h5py.File(path, "w") as f:
        f.create_dataset("strain/Strain", data=x * 1e-21).attrs["Xspacing"] = 1 / RATE
        f["meta/GPSstart"], f["meta/Detector"] = start, detector
    return path

def ours_and_theirs(detector, folder):
    """The program's numbers, and the same strain for gwpy."""
    path = strain_of(detector, folder)
    out = folder / "out.h5"
    run_tool("parity-strain", path, MERGER, HIGHEST, SECONDS, ROWS, COLUMNS, out)
    with h5py.File(out, "r") as f:
        ours = {**{k: f[k][:] for k in ("density", "whitened", "energy")}, **dict(f.attrs)}
        ours["spacing"] = float(f["density"].attrs["spacing_hz"])
    with h5py.File(path, "r") as f:
        strain = TimeSeries(f["strain/Strain"][:], t0=f["meta/GPSstart"][()], sample_rate=RATE)
    return ours, strain

def spectrum(detector, folder):
    """gwpy's is the median of all segments, ours the mean of the medians of the odd and the even ones: both scatter by
    1 / (n ln²2) in power for n independent segments (31 that overlap by half count as some 16), with a part in common,
    so the amplitudes' median ratio over thousands of bins must be near 1 and their scatter below that."""
    ours, strain = ours_and_theirs(detector, folder)
    theirs = strain.asd(fftlength=2, overlap=1, method="median", window="hann")
    band = slice(int(20 / ours["spacing"]), int(1500 / ours["spacing"]))
    ratio = np.sqrt(ours["density"])[band] / theirs.value[band]
    middle, scatter = abs(np.median(ratio) - 1), np.std(ratio)
    limit = 0.5 / np.sqrt(16 * np.log(2) ** 2)
    return middle <= 0.02 and scatter <= limit, f"median ratio off by {middle:.1e}, scatter {scatter:.1e}"

def whitened(detector, folder):
    """With our spectrum in both. gwpy's filter is cut to two seconds, which smears the lines: what it leaves of the
    difference is a small part of the series' unit variance."""
    ours, strain = ours_and_theirs(detector, folder)
    asd = FrequencySeries(np.sqrt(ours["density"]), df=ours["spacing"])
    asd.value[0] = asd.value[1]  # ours removes the mean
    theirs = strain.whiten(asd=asd, fduration=2).value
    edge = 2 * RATE
    a = in_band(ours["whitened"], 20, 1500)[edge:-edge]
    b = in_band(theirs, 20, 1500)[edge:-edge]
    correlation = float((a @ b) / np.sqrt((a @ a) * (b @ b)))
    scale = abs(float((a @ b) / (b @ b)) - 1)
    return correlation >= 0.99 and scale <= 0.02, f"1 - correlation {1 - correlation:.1e}, scale off by {scale:.1e}"

def in_band(series, low, high):
    """The band in which a detector measures strain."""
    spectrum = np.fft.rfft(series)
    f = np.fft.rfftfreq(len(series), 1 / RATE)
    spectrum[(f < low) | (f > high)] = 0
    return np.fft.irfft(spectrum, len(series))

def q_transform(detector, folder):
    """Of our whitened series in both. Both interpolate their tiles with cubics, ours of four points, gwpy's splines, and
    gwpy rounds frequencies to 1 / 32 Hz; its unit is the median, ours the mean, 1 / ln 2 of it for noise."""
    ours, _ = ours_and_theirs(detector, folder)
    series = TimeSeries(ours["whitened"], t0=ours["start"], sample_rate=RATE)
    gram, _ = q_scan(series, qrange=(4, 64), frange=(10, HIGHEST), search=(MERGER - 0.25, MERGER + 0.25))
    if abs(gram.plane.q / ours["q"] - 1) > 1e-6:
        raise ValueError(f"Q {gram.plane.q} instead of {ours['q']}")
    times = MERGER + SECONDS * ((np.arange(COLUMNS) + 0.5) / COLUMNS - 0.5)
    # At our times by splines through their tiles, then between their frequencies in the logarithm.
    rows = []
    for row in gram.energies:
        at = row.times.value
        near = (at > MERGER - SECONDS) & (at < MERGER + SECONDS)
        rows.append(CubicSpline(at[near], row.value[near])(times))
    frequencies = np.asarray(gram.plane.frequencies)
    grid = np.log(10) + np.log(HIGHEST / 10) * (np.arange(ROWS) + 0.5) / ROWS
    inside = (grid > np.log(frequencies[1])) & (grid < np.log(frequencies[-2]))
    theirs = RectBivariateSpline(np.log(frequencies), times, np.array(rows))(grid, times) * np.log(2)
    a, b = ours["energy"][inside], theirs[inside]
    largest = float(np.abs(a - b).max() / b.max())
    peak = abs(ours["peak_energy"] / (gram.peak["energy"] * np.log(2)) - 1)
    late = abs(ours["peak_time"] - gram.peak["time"])
    passed = largest <= 0.05 and peak <= 1e-2 and late <= 1e-3
    return passed, f"energy {largest:.1e} of the largest, peak's {peak:.1e}, {late:.1e} s apart"

def spline(x, y, at):
    from scipy.interpolate import CubicSpline
    return CubicSpline(x, y)(at)

def cases():
    for detector in ("H1", "L1"):
        for compare in (spectrum, whitened, q_transform):
            yield f"strain/{detector}/{compare.__name__}", functools.partial(compare, detector)

main([*cases()])
