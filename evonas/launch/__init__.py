"""Runs on Cloud TPU: the commands and scripts that make one, as values. Nothing here runs anything."""

from evonas.launch.accelerator import Accelerator as Accelerator
from evonas.launch.cost import Cost as Cost
from evonas.launch.cost import estimate as estimate
from evonas.launch.package import Package as Package
from evonas.launch.package import installed_package as installed_package
from evonas.launch.plan import Plan as Plan
from evonas.launch.plan import Step as Step
from evonas.launch.plan import as_line as as_line
from evonas.launch.plan import as_script as as_script
from evonas.launch.settings import Launched as Launched
from evonas.launch.settings import TpuLaunch as TpuLaunch
from evonas.launch.tpu import launch_plan as launch_plan
from evonas.launch.tpu import stop_plan as stop_plan
from evonas.launch.xpk import XpkLaunch as XpkLaunch
from evonas.launch.xpk import workload_plan as workload_plan
