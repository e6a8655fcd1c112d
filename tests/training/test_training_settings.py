"""Settings that can't be meant are refused in a sentence."""

import pytest

from evonas.training import Training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "Training.epochs must be an integer of at least 1, got 0"),
        ({"batch_size": -1}, "batch_size must be an integer of at least 1, got -1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"optimizer": "adam"}, "optimizer must be one of sgd, adamw, got 'adam'"),
        ({"precision": "float16"}, "precision must be one of float32, bfloat16, got 'float16'"),
        ({"initializer": "zeros"}, "initializer must be one of he, glorot, lecun, got 'zeros'"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and less than 1"),
        ({"crop": -1}, "crop must be an integer of at least 0, got -1"),
        ({"weight_decay": -1e-4}, "weight_decay must be at least 0"),
        ({"epochs": 3, "warmup_epochs": 3.0}, "warmup_epochs must be at least 0 and less than the 3 epochs, got 3.0"),
        ({"warmup_epochs": -1}, "warmup_epochs must be at least 0"),
        ({"objectives": ("loss", "loss")}, "objectives must be different, got loss, loss"),
        ({"max_gradient_norm": 0.0}, "max_gradient_norm must be positive or None, got 0.0"),
        ({"objectives": ("speed",)}, "unknown objective 'speed'; expected some of accuracy, macro_f1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Training(**settings)
