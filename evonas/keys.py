"""What a run's key is folded with for each purpose that is not a proposal.

A candidate's proposal has the run's key folded with its id, which is below 2^31. `jax.random.split` and `fold_in` of
one key may give the same keys, so each purpose has a number that is no id, and folds in ids after it.
"""

RESAMPLING, NOISE, TRAINING, RETRAINING, NEIGHBOURS = range(2**31, 2**31 + 5)
