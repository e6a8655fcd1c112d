"""Settings that can't be meant are refused in a sentence."""

import pytest

from evonas.training import Training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is an integer of at least 1, got 0"),
        ({"batch_size": -1}, "batch_size is an integer of at least 1, got -1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"optimizer": "adam"}, 'optimizer is "sgd" or "adamw", got \'adam\''),
        ({"precision": "float16"}, 'precision is "float32" or "bfloat16"'),
        ({"initializer": "zeros"}, "initializer is one of he, glorot, lecun, got 'zeros'"),
        ({"label_smoothing": 1.0}, "label_smoothing is at least 0 and less than 1"),
        ({"crop": -1}, "crop is an integer of at least 0, got -1"),
        ({"objectives": ("speed",)}, "unknown objective 'speed'; expected some of accuracy, macro_f1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Training(**settings)
