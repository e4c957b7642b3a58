"""An experiment as a Python script for this engine."""

from engine.data.custom import CustomData, checked
from engine.data.loading import load_dataset
from engine.experiment import Experiment
from engine.export.script_parts import UNPACKED, call_of, in_words, packed

_TRAINED = """
# One line an evaluation: losses of the whole training and validation set.
for step, on_training, on_validation in zip(
    history.evaluation_step, history.train_loss, history.validation_loss, strict=True
):
    print(f"step {step}: training loss {on_training:.6g}, validation loss {on_validation:.6g}")
print(f"{history.status}; test loss {history.test_loss:.6g}")
for finding in diagnose("""
_FOUND = """):
    print(f"{finding.code}: {finding.explanation}")
"""


def engine_script(experiment: Experiment, data: CustomData | None = None) -> str:
    """A script that trains the experiment with this engine, prints its losses and what the doctor finds.

    It runs where `import engine` does: in the folder of this project.  data: as for load_dataset; the arrays stand in
    the script.  Raises OutOfRange for data that do not fit.
    """
    load_dataset(experiment, data)
    imports, arrays, handed_in = "", "", ""
    if experiment.dataset == "custom" and data is not None:
        inputs, targets = checked(*data)
        imports = "import base64\nimport zlib\n\nimport numpy as np\n\n"
        arrays = f"\n\n{UNPACKED}\n\n\nINPUTS = {packed(inputs)}\nTARGETS = {packed(targets)}"
        handed_in = ", data=(INPUTS, TARGETS)"
    return (
        f'"""A network of Backprop Clinic.  Run this beside the folder engine/ of its source code; it needs NumPy.\n\n'
        f'{in_words(experiment)}\n"""\n\n'
        f"{imports}from engine import Experiment, diagnose, train{arrays}\n\n"
        f"EXPERIMENT = {call_of(experiment)}\n"
        f"history = train(EXPERIMENT{handed_in})\n{_TRAINED}history{handed_in}{_FOUND}"
    )
