"""Candidate training: compiled once, run thousands of times."""

from evonas.training.evaluator import TrainingEvaluator as TrainingEvaluator
from evonas.training.network_files import TrainedNetwork as TrainedNetwork
from evonas.training.network_files import load_network as load_network
from evonas.training.network_files import save_network as save_network
from evonas.training.retraining import Retrained as Retrained
from evonas.training.retraining import retrain as retrain
from evonas.training.settings import Training as Training
