"""The unrolled generator gives the numbers of JAX's own, under every transformation that keys go through."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from evonas.threefry import hash_words, seeded_key


def drawn(key):
    """Some of what keys are used for."""
    return (
        jax.random.bits(key, (5, 3)),
        jax.random.bits(key, (4,), "uint8"),
        jax.random.uniform(key),
        jax.random.normal(key, (7,)),
        jax.random.bernoulli(key, 0.3, (2, 2)),
        jax.random.permutation(key, 20),
        jax.random.key_data(jax.random.split(key, (2, 3))),
        jax.random.key_data(jax.random.fold_in(key, 2**31 + 3)),
    )


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
@pytest.mark.parametrize("lift", [lambda f: f, jax.jit])
def test_the_numbers_are_those_of_jax(seed, lift):
    jax.tree.map(np.testing.assert_array_equal, lift(drawn)(seeded_key(seed)), drawn(jax.random.key(seed)))


def test_keys_are_folded_and_drawn_from_under_vmap_and_scan():
    def draws(key):
        keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(jnp.arange(4))
        return jax.lax.scan(lambda carry, key: (carry, jax.random.uniform(key, (3,))), 0, keys)[1]

    np.testing.assert_array_equal(draws(seeded_key(5)), draws(jax.random.key(5)))


def test_the_hash_is_that_of_the_papers_known_answers():
    # Random123's kat_vectors: threefry2x32 of 20 rounds.
    for key, counter, expected in [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]:
        words = hash_words(jnp.array(key, jnp.uint32), *(jnp.uint32(word) for word in counter))
        assert tuple(int(word) for word in words) == expected


def test_more_than_32_bits_at_once_are_refused():
    with jax.enable_x64(True), pytest.raises(ValueError, match="at most 32 random bits at once, got 64"):
        jax.random.bits(seeded_key(0), (2,), "uint64")
