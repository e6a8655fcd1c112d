"""Stratified, deterministic division of examples."""

from __future__ import annotations

import numpy as np

from evonas.data.dataset import Dataset, Split, Task


def divide(
    name: str,
    train: Split,
    validation: Split | None,
    test: Split | None,
    *,
    label_names: tuple[str, ...] = (),
    validation_share: float = 0.1,
    split_seed: int = 0,
    limit: int | None = None,
) -> Dataset:
    """The data set of these splits; without ``validation``, a stratified part of ``train`` becomes it.

    Args:
        name: the data set's name.
        train: all training examples.
        validation: its validation examples, if they are known.
        test: its test examples, if there are any.
        label_names: a name for each class; by default its number.
        validation_share: the share of ``train`` that becomes validation where none is given, between 0 and 1.
        split_seed: chooses the examples that are taken.
        limit: the number of training examples that are kept once validation is taken; None keeps all.

    Raises:
        ValueError: if the splits do not fit each other, or there are too few examples.
    """
    task: Task = "classification" if train.targets.ndim == 1 else "regression"
    # Before anything is drawn: no draw is stratified over labels that are not labels.
    classes = max(_outputs(train), len(label_names))
    Dataset(name, train, train if validation is None else validation, test, task, classes, label_names)
    if validation is None:
        train, validation = _with_validation(train, validation_share, split_seed)
    train = _limited(train, limit, split_seed)
    if not label_names and task == "classification":
        label_names = tuple(str(label) for label in range(classes))
    return Dataset(name, train, validation, test, task, classes, label_names)


def stratified(targets: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` of the examples, with the share of each class that all of them have.

    Every class gets at least one of the drawn examples if there are as many as classes, also a class of a single
    example. Regression targets are drawn without strata. The same arguments give the same draw.

    Args:
        targets: ``[n]`` labels or ``[n, K]`` regression targets.
        count: 1 to n-1.
        seed: chooses the examples.

    Returns:
        The places of the drawn examples ``[count]`` and of the others ``[n - count]``, each ascending.
    """
    n = len(targets)
    sizes = np.unique(targets, return_counts=True)[1] if targets.ndim == 1 else np.array([n])
    # scikit-learn refuses classes of one example, and where a class is to give less than one it may give none.
    if targets.ndim == 1 and sizes.min() * min(count, n - count) < n:
        drawn = np.sort(_by_rank(targets, seed)[:count])
    else:
        drawn = _by_sklearn(targets, count, seed)
    return drawn, np.setdiff1d(np.arange(n), drawn)


def _by_sklearn(targets: np.ndarray, count: int, seed: int) -> np.ndarray:
    from sklearn.model_selection import train_test_split

    n = len(targets)
    strata = targets if targets.ndim == 1 else None
    drawn, _ = train_test_split(np.arange(n), train_size=count, test_size=n - count, random_state=seed, stratify=strata)
    return np.sort(drawn)


def _by_rank(labels: np.ndarray, seed: int) -> np.ndarray:
    """All examples in an order, each of whose beginnings has each class by its share, and each class early."""
    order = np.random.default_rng(seed).permutation(len(labels))
    share = np.empty(len(labels))
    for label in np.unique(labels):
        places = np.flatnonzero(labels[order] == label)
        share[places] = np.arange(len(places)) / len(places)
    return order[np.argsort(share, kind="stable")]


def _with_validation(train: Split, share: float, seed: int) -> tuple[Split, Split]:
    if not 0 < share < 1:
        raise ValueError(f"`validation_share` must lie between 0 and 1, got {share}; 0.1 takes a tenth of train")
    kept = len(train) - max(1, round(len(train) * share))
    least = _outputs(train) if train.targets.ndim == 1 else 1
    if kept < least:
        raise ValueError(
            f"`validation_share` {share} of {len(train)} training examples leaves {kept} for training, but there "
            f"must be at least {least}, one a class; give more examples, a smaller share or validation data"
        )
    drawn, others = stratified(train.targets, kept, seed)
    return train.take(drawn), train.take(others)


def _limited(train: Split, limit: int | None, seed: int) -> Split:
    least = _outputs(train) if train.targets.ndim == 1 else 1
    if limit is not None and limit < least:
        raise ValueError(
            f"`limit` must be at least {least} training examples, one a class, got {limit}; None keeps all"
        )
    if limit is None or limit >= len(train):
        return train
    return train.take(stratified(train.targets, limit, seed)[0])


def _outputs(split: Split) -> int:
    return int(split.targets.max()) + 1 if split.targets.ndim == 1 else int(split.targets.shape[1])
