"""Compiled kernels: import these only where thousands of options are priced at once.

Importing this package imports numba. Pages that price a handful of options use the NumPy functions of
``hedging.maths`` instead, which give the same answers (tests hold both to 1e-13).
"""
