"""Regularized evolution of small convolutional cells, trained on scikit-learn's handwritten digits.

Command:  evonas run experiments/digits.py
Time:     54 s on 2 CPU cores (AMD EPYC, jax 0.10.2, 2026-11-26), 11 s of them compiling
Score:    validation accuracy of the best 99.3 %, of the best random founder 98.6 %, founders' mean 91.9 %; test 98.6 %
"""

import evonas


def config() -> evonas.Experiment:
    """The experiment; every field can be set on the command line."""
    return evonas.Experiment(
        space=evonas.spaces.NASBench201(channels=8, cells_per_stage=1),
        data="digits",
        algorithm=evonas.regularized_evolution(population_size=20, sample_size=5),
        training=evonas.Training(epochs=10, batch_size=64, learning_rate=0.1, crop=1),
        evaluations=64,
        batch_size=8,
        seed=2,
    )
