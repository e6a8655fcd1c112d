"""Regularized evolution of small NAS-Bench-201 networks, trained on 10,000 real CIFAR-10 images.

Command:  evonas run experiments/cifar10_nas_bench_201.py --data.data-dir DIR
          DIR holds ``cifar10/3.0.2`` as tensorflow-datasets prepares it; left out, it is downloaded to TFDS's own.
Time:     10 minutes on 2 CPU cores (AMD EPYC, jax 0.10.2, 2026-11-25)
Score:    best validation accuracy 58.2 %, mean 51.4 %, founders' mean 51.0 %, test accuracy of the best 58.2 %

          evonas retrain WORKDIR --epochs 30    (4 minutes): 80.5 % on test
          evonas retrain WORKDIR --epochs 80    (8 s an epoch): 82.4 % on test
"""

import evonas


def config() -> evonas.Experiment:
    """The experiment; every field can be set on the command line."""
    return evonas.Experiment(
        space=evonas.spaces.NASBench201(channels=8, cells_per_stage=1),
        data=evonas.data.TFDS("cifar10", limit=10_000),
        algorithm=evonas.regularized_evolution(population_size=10, sample_size=3),
        training=evonas.Training(epochs=4, batch_size=64, learning_rate=0.1, flip=True, crop=4),
        evaluations=40,
        batch_size=4,
        seed=0,
    )
