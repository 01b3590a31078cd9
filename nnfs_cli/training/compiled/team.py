"""A team of threads that shares the pieces of an instruction: the thread that runs the program, and its helpers.

The state of the team is a word that all threads look at: where the instruction is in the program, its number of pieces,
and a bit for each piece that has been taken. Whoever sets a bit has taken that piece. So no thread waits for one that
the machine has put aside, unless it holds a piece. A thread begins with the same piece each time, whose numbers are
still in the cache of its core, and takes a piece of another thread only if that one is late. A thread that finds
nothing to do looks again for a while, and then sleeps between two looks.
"""

from __future__ import annotations

from nnfs_cli.system.machine_code.intrinsics import (
    FLUSH,
    add_shared,
    call,
    exchange_shared,
    load_shared,
    pause,
    set_float_mode,
    sleep,
    store_shared,
)
from nnfs_cli.system.machine_code.kernel import Ints, device, kernel

MOST_THREADS = 4  # that make a step together
HEAD = 5  # words of an instruction before its operands: the kernel, the next instruction, lo, hi, entries of a piece

# Addresses in the memory of a team, each in a line of the cache of its own: pieces done, helpers present.
DONE, PRESENT, BYTES = 128, 256, 384  # the state has the address of the memory itself
OVER = -1  # a state
BITS = 10  # of the state for the pieces that have been taken, and for the number of pieces
LAST = (1 << BITS) - 1
LOOKS = 4000  # without sleep; each takes about 0.05 microseconds, and to wake up takes more than 100
NAP = 50  # microseconds


@device
def do_pieces(words: Ints, base: int, team: int, thread: int) -> None:
    """Do pieces until all have been taken, beginning with the thread's own."""
    while True:
        state = load_shared(team)
        taken, pieces, at = state & LAST, (state >> BITS) & LAST, state >> 2 * BITS
        if state < 0 or taken == (1 << pieces) - 1:
            return
        piece = thread % pieces
        while (taken >> piece) & 1:
            piece = (piece + 1) % pieces
        if exchange_shared(team, state, state | (1 << piece)) == state:
            first = words[at + 2] + piece * words[at + 4]
            end = min(words[at + 3], first + words[at + 4])
            call(words[at], base + 8 * (at + HEAD), first, end)
            add_shared(team + DONE, 1)


@device
def share(words: Ints, base: int, team: int, nap: int, at: int) -> None:
    """Do an instruction together with the helpers."""
    pieces = (words[at + 3] - words[at + 2] + words[at + 4] - 1) // words[at + 4]
    store_shared(team + DONE, 0)
    store_shared(team, (at << 2 * BITS) | (pieces << BITS))
    do_pieces(words, base, team, 0)
    looks = 0
    while load_shared(team + DONE) < pieces:
        looks += 1
        if looks < LOOKS:
            pause()
        else:
            sleep(nap, NAP)


@kernel
def assist(lo: int, hi: int, words: Ints, base: int, team: int, nap: int) -> None:
    """Do pieces as the helper number `lo`, counted from 1, until the team's work is over."""
    mode = set_float_mode(FLUSH)
    add_shared(team + PRESENT, 1)
    looks = 0
    while True:
        state = load_shared(team)
        if state < 0:
            break
        if state & LAST != (1 << ((state >> BITS) & LAST)) - 1:
            do_pieces(words, base, team, lo)
            looks = 0
        else:
            looks += 1
            if looks < LOOKS:
                pause()
            else:
                sleep(nap, NAP)
    add_shared(team + PRESENT, -1)
    set_float_mode(mode)
