"""Augmented images are the old ones, mirrored or shifted, as their keys say."""

import jax
import jax.numpy as jnp
import numpy as np

from evonas.training.augmentation import crop, flip

IMAGES = jnp.asarray(np.random.default_rng(0).random((64, 4, 5, 2), np.float32) + 1)


def test_a_flip_mirrors_about_half_of_the_images_left_to_right_and_keeps_the_others():
    flipped = np.asarray(flip(jax.random.key(0), IMAGES))
    mirrored = [bool((new == np.asarray(old)[:, ::-1]).all()) for new, old in zip(flipped, IMAGES, strict=True)]
    kept = [bool((new == np.asarray(old)).all()) for new, old in zip(flipped, IMAGES, strict=True)]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert 16 < sum(mirrored) < 48


def test_a_crop_is_one_of_all_shifts_within_the_margin_and_all_of_them_occur():
    margin = 1
    padded = np.pad(np.asarray(IMAGES), ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    shifts = [(down, right) for down in range(3) for right in range(3)]
    found = []
    for number, new in enumerate(np.asarray(crop(jax.random.key(0), IMAGES, margin))):
        fits = [(d, r) for d, r in shifts if (padded[number, d : d + 4, r : r + 5] == new).all()]
        assert len(fits) == 1
        found += fits
    assert set(found) == set(shifts)


def test_the_key_decides():
    for change in (flip, lambda key, images: crop(key, images, 2)):
        once, again, other = (change(jax.random.key(seed), IMAGES) for seed in (0, 0, 1))
        assert (once == again).all()
        assert (once != other).any()
