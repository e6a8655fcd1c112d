"""A search from its first candidate to a result on disk."""

from evonas.run.callback import Callback as Callback
from evonas.run.experiment import Experiment as Experiment
from evonas.run.experiment import run_experiment as run_experiment
from evonas.run.experiment import search as search
from evonas.run.frame import to_dataframe as to_dataframe
from evonas.run.log import Evaluation as Evaluation
from evonas.run.log import RunLog as RunLog
from evonas.run.log import best_of as best_of
from evonas.run.loop import Evaluator as Evaluator
from evonas.run.loop import Run as Run
from evonas.run.processes import NoAnswerError as NoAnswerError
from evonas.run.processes import OtherProcessError as OtherProcessError
