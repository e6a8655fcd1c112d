"""Draw a run: every candidate's fitness, the best so far, and the retraining's curve if there is one.

Command:  pip install matplotlib
          python experiments/plot_run.py WORKDIR --output run.png
"""

import dataclasses
import json

import numpy as np
import tyro
from etils import epath

from evonas.run import RunLog


@dataclasses.dataclass(frozen=True)
class Settings:
    """What to draw, and where to."""

    workdir: tyro.conf.Positional[str]
    """Of the run."""
    output: str = "run.png"
    """The picture's file."""


def lowest_shown(fitness: np.ndarray) -> float:
    """Where the axis ends: lower values, far below the middle half of all, are drawn as triangles with their number."""
    low, high = np.quantile(fitness, (0.25, 0.75))
    return max(fitness.min(), low - 2 * (high - low))


def main(settings: Settings) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    workdir = epath.Path(settings.workdir)
    config = json.loads((workdir / "config.json").read_text())
    evaluations = sorted(evaluation for evaluation in RunLog(workdir / "history") if evaluation.fitness)
    numbers = np.array([evaluation.id + 1 for evaluation in evaluations])
    fitness = np.array([evaluation.fitness[0] for evaluation in evaluations])
    founders = numbers <= config["algorithm"]["population_size"]
    curve = workdir / "retrain" / "curve.json"
    figure, axes = pyplot.subplots(
        1, 1 + curve.exists(), figsize=(5 * (1 + curve.exists()), 3.4), layout="constrained", squeeze=False
    )
    search = axes[0, 0]
    search.plot(numbers, np.maximum.accumulate(fitness), drawstyle="steps-post", color="#1f5fbf", label="best so far")
    floor = lowest_shown(fitness)
    below, shown = fitness < floor, np.maximum(fitness, floor)
    for rows, color, label in ((founders, "#9a9a9a", "random founders"), (~founders, "#e07b28", "children")):
        search.scatter(numbers[rows & ~below], shown[rows & ~below], s=22, color=color, label=label)
        search.scatter(numbers[rows & below], shown[rows & below], s=26, color=color, marker="v")
    for number, value in zip(numbers[below], fitness[below], strict=True):
        search.annotate(f"{value:.2f}", (number, floor), (6, -3), textcoords="offset points", fontsize="small")
    search.set(title="search", xlabel="evaluation", ylabel="validation accuracy")
    search.legend(edgecolor="none", framealpha=0.9, loc="lower right")
    if curve.exists():
        entries = json.loads(curve.read_text())
        test = json.loads((workdir / "retrain" / "result.json").read_text())["accuracy"]
        epochs = [entry["epoch"] for entry in entries]
        axes[0, 1].plot(epochs, [entry["train_accuracy"] for entry in entries], color="#1f5fbf", label="training")
        axes[0, 1].axhline(test, color="#2a9d55", linestyle="--", label=f"test at the end: {100 * test:.1f} %")
        axes[0, 1].set(title="the best, trained for good", xlabel="epoch", ylabel="accuracy")
        axes[0, 1].legend(frameon=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(settings.output, dpi=144)


if __name__ == "__main__":
    main(tyro.cli(Settings))
