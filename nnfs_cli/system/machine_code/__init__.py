"""Machine code for loops over numbers: declared as Python functions, compiled once per machine, kept in a cache.

Read `kernel.py` (how a loop is written), `compiler.py` (how Numba turns it into an object file), `cache.py` (where
object files are kept, and which are trusted), `loader.py` (how they are loaded, without Numba) and `entry.py` (how they
are called).
"""
