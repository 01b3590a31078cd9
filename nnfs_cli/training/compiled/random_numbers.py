"""The random numbers of `system/random.py: random_stream`, bit for bit, in compiled code.

`seed_stream` gives the first state of a stream from its entropy, and `draw_words` the words of 64 bits that follow.
NumPy makes a float64 of each word (its upper 53 bits), and two of float32 (the upper 24 bits of the lower half, then
those of the upper half).

A state is a whole number s of 128 bits. A step replaces it by s · MULTIPLIER + c, where the odd c belongs to the
stream, and a word mixes the two halves of s. Any number of steps is one step with another multiplier and a multiple of
c. So every `LANES`-th state is a sequence of its own, and a processor computes several of these sequences at once.

Sources: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
Generation" (2014), PCG-XSL-RR 128/64; O'Neill, "Developing a seed_seq Alternative" (2015), as NumPy's `SeedSequence`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.system.machine_code.kernel import Ints, device, kernel
from nnfs_cli.system.random import entropy

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645  # of PCG64
LANES = 16
BLOCK = 1024  # words, a multiple of LANES
STATE = 4  # words of 64 bits: the upper and the lower half of s, then those of c
WORD_BYTES = 8
SPARE = 2 * LANES  # words of 64 bits that a block works in

POOL = 4  # words of 32 bits that a SeedSequence mixes the entropy into


def entropy_words(numbers: Sequence[int]) -> list[int]:
    """Return the words of 32 bits that NumPy makes of whole numbers from 0; the lowest word of a number is first."""
    words = []
    for number in numbers:
        words.append(number & 0xFFFFFFFF)
        while number := number >> 32:
            words.append(number & 0xFFFFFFFF)
    return words


class Stream:
    """The random streams of a member, one for each batch: the entropy that they begin from, and the first state."""

    def __init__(self, seed: int, role: str, member: int, step: Array) -> None:
        numbers = entropy(seed, role, member=member)
        self._epoch = len(entropy_words(numbers[:2]))  # the place of the epoch; that of the batch follows
        self._entropy = np.array(entropy_words(numbers), np.int64)
        self._step = step
        self.state = np.zeros(STATE, np.int64)

    def begin(self, epoch: int, batch: int) -> None:
        """Begin a chunk in this epoch whose first step has this batch; both are below 2^32."""
        self._entropy[self._epoch : self._epoch + 2] = epoch, batch

    @property
    def operands(self) -> tuple[Array, Array, int, int, Array]:
        """The operands of `seed_stream`."""
        return self.state, self._entropy, len(self._entropy), self._epoch + 1, self._step


def jump(steps: int) -> Array:
    """Return a number of steps as one step, (STATE,): s <- s · multiplier + c · factor, as two halves each."""
    multiplier, factor = 1, 0
    square, sum_of_square = MULTIPLIER, 1
    while steps:
        if steps & 1:
            multiplier, factor = multiplier * square % 2**128, (factor * square + sum_of_square) % 2**128
        square, sum_of_square = square * square % 2**128, sum_of_square * (square + 1) % 2**128
        steps >>= 1
    halves = [half for number in (multiplier, factor) for half in divmod(number, 2**64)]
    return np.array(halves, np.uint64).view(np.int64)


Word = np.uint64
ZERO, ONE, LOWER, HALF, WORD, TOP_SIX, LAST_SIX = map(Word, (0, 1, 2**32 - 1, 32, 64, 58, 63))
STEP_HI, STEP_LO, _, _ = jump(1).view(Word)
LANES_HI, LANES_LO, LANES_FACTOR_HI, LANES_FACTOR_LO = jump(LANES).view(Word)
BLOCK_HI, BLOCK_LO, BLOCK_FACTOR_HI, BLOCK_FACTOR_LO = jump(BLOCK).view(Word)
HASH_IN, HASH_IN_FACTOR = Word(0x43B0D7E5), Word(0x931E8875)
HASH_OUT, HASH_OUT_FACTOR = Word(0x8B51F9DD), Word(0x58F38DED)
MIX_A, MIX_B, SHIFT = Word(0xCA01F9DD), Word(0x4973F715), Word(16)


@device
def multiply_add(a_hi: Word, a_lo: Word, b_hi: Word, b_lo: Word, c_hi: Word, c_lo: Word) -> tuple[Word, Word]:
    """Return a · b + c modulo 2^128, from the halves of a, b and c.

    The product of the lower halves is made of products of 32 bits, since processors have no vectors of longer ones.
    """
    a0, a1, b0, b1 = a_lo & LOWER, a_lo >> HALF, b_lo & LOWER, b_lo >> HALF
    first = a0 * b0 + (c_lo & LOWER)
    second = a1 * b0 + (first >> HALF)
    third = a0 * b1 + (second & LOWER) + (c_lo >> HALF)
    upper = a1 * b1 + (second >> HALF) + (third >> HALF)
    return upper + c_hi + b_lo * a_hi + b_hi * a_lo, (third << HALF) | (first & LOWER)


@device
def output(hi: Word, lo: Word) -> Word:
    """Return the word of a state: both halves by exclusive or, rotated by the six upper bits."""
    mixed, by = hi ^ lo, hi >> TOP_SIX
    return (mixed >> by) | (mixed << ((WORD - by) & LAST_SIX))


@kernel
def draw_words(lo: int, hi: int, words: Ints, spare: Ints, state: Ints, start: Ints, n: int) -> None:
    """Write n words of a stream from its first state (STATE,), after the jump `start` (STATE,).

    The axis is blocks of BLOCK words; `spare` has SPARE words for each.
    """
    if lo >= hi:
        return
    c_hi, c_lo = np.uint64(state[2]), np.uint64(state[3])
    add_hi, add_lo = multiply_add(c_hi, c_lo, np.uint64(start[2]), np.uint64(start[3]), ZERO, ZERO)
    s_hi, s_lo = multiply_add(
        np.uint64(state[0]), np.uint64(state[1]), np.uint64(start[0]), np.uint64(start[1]), add_hi, add_lo
    )
    if lo > 0:
        add_hi, add_lo = multiply_add(c_hi, c_lo, BLOCK_FACTOR_HI, BLOCK_FACTOR_LO, ZERO, ZERO)
        for _ in range(lo):
            s_hi, s_lo = multiply_add(s_hi, s_lo, BLOCK_HI, BLOCK_LO, add_hi, add_lo)
    at = SPARE * lo
    for j in range(LANES):
        s_hi, s_lo = multiply_add(s_hi, s_lo, STEP_HI, STEP_LO, c_hi, c_lo)
        spare[at + j] = np.int64(s_hi)
        spare[at + LANES + j] = np.int64(s_lo)
    add_hi, add_lo = multiply_add(c_hi, c_lo, LANES_FACTOR_HI, LANES_FACTOR_LO, ZERO, ZERO)
    end = min(hi * BLOCK, n)
    whole = (end - lo * BLOCK) // LANES
    for i in range(whole):
        first = lo * BLOCK + i * LANES
        for j in range(LANES):
            s_hi, s_lo = np.uint64(spare[at + j]), np.uint64(spare[at + LANES + j])
            words[first + j] = np.int64(output(s_hi, s_lo))
            s_hi, s_lo = multiply_add(s_hi, s_lo, LANES_HI, LANES_LO, add_hi, add_lo)
            spare[at + j] = np.int64(s_hi)
            spare[at + LANES + j] = np.int64(s_lo)
    first = lo * BLOCK + whole * LANES
    for j in range(end - first):
        words[first + j] = np.int64(output(np.uint64(spare[at + j]), np.uint64(spare[at + LANES + j])))


@device
def hashed(word: Word, constant: Word, multiplier: Word) -> tuple[Word, Word]:
    """Return a word of 32 bits hashed with a constant, and the next constant."""
    following = constant * multiplier & LOWER
    product = (word ^ constant) * following & LOWER
    return product ^ (product >> SHIFT), following


@device
def mixed(a: Word, b: Word) -> Word:
    """Return two words of 32 bits mixed to one."""
    difference = (a * MIX_A - b * MIX_B) & LOWER
    return difference ^ (difference >> SHIFT)


@device
def drawn(lower: Word, upper: Word, constant: Word) -> tuple[Word, Word]:
    """Return a word of 64 bits from two words of the pool, and the next constant."""
    lower, constant = hashed(lower, constant, HASH_OUT_FACTOR)
    upper, constant = hashed(upper, constant, HASH_OUT_FACTOR)
    return lower | (upper << HALF), constant


@device
def entropy_word(words: Ints, i: int, place: int, step: int) -> Word:
    """Return a word of the entropy of a step."""
    word = words[i]
    return np.uint64(word + step if i == place else word)


@kernel
def seed_stream(lo: int, hi: int, state: Ints, words: Ints, n: int, place: int, step: Ints) -> None:
    """Write the first state (STATE,) of the stream of a step. The axis has length 1.

    `words` are n words of 32 bits, at least POOL; the one at `place` is the batch of the first step of the chunk.
    """
    if lo >= hi:
        return
    constant = HASH_IN
    for i in range(POOL):
        word, constant = hashed(entropy_word(words, i, place, step[0]), constant, HASH_IN_FACTOR)
        state[i] = np.int64(word)
    for i in range(n):  # words of the pool mix with each other, and further words with all of the pool
        for j in range(POOL):
            if i != j:
                word = np.uint64(state[i]) if i < POOL else entropy_word(words, i, place, step[0])
                word, constant = hashed(word, constant, HASH_IN_FACTOR)
                state[j] = np.int64(mixed(np.uint64(state[j]), word))
    pool0, pool1, pool2, pool3 = np.uint64(state[0]), np.uint64(state[1]), np.uint64(state[2]), np.uint64(state[3])
    s_hi, constant = drawn(pool0, pool1, HASH_OUT)
    s_lo, constant = drawn(pool2, pool3, constant)
    c_hi, constant = drawn(pool0, pool1, constant)
    c_lo, constant = drawn(pool2, pool3, constant)
    c_hi, c_lo = (c_hi << ONE) | (c_lo >> LAST_SIX), (c_lo << ONE) | ONE
    s_hi, s_lo = multiply_add(s_hi, s_lo, ZERO, ONE, c_hi, c_lo)
    s_hi, s_lo = multiply_add(s_hi, s_lo, STEP_HI, STEP_LO, c_hi, c_lo)
    state[0], state[1], state[2], state[3] = np.int64(s_hi), np.int64(s_lo), np.int64(c_hi), np.int64(c_lo)
