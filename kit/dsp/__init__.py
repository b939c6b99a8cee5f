"""Float64 NumPy reference of every DSP stage: what the fixed-point C is measured against.

Signals are in int16 LSB, at 48 kHz, in hops of 480 samples. Step t takes in hop t; frame t covers
the hops t - 1 and t; gains apply to frame l = t - 2.
"""
