"""The matrix product that NumPy itself calls, as an address for compiled code."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

NAMES = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_", "cblas_{}gemm$NEWLAPACK$ILP64")  # with integers of 64 bits


@functools.cache
def gemm_address(dtype: np.dtype[Any]) -> int | None:
    """Return the address of CBLAS' matrix product in NumPy's own library; None if there is none that fits."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    library = ctypes.CDLL(_multiarray_umath.__file__)  # and all that it needs
    for name in NAMES:
        function = getattr(library, name.format("s" if dtype == np.float32 else "d"), None)
        if function is not None:
            return ctypes.cast(function, ctypes.c_void_p).value
    return None
