"""The same training in eager PyTorch, with the same record of it: what a careful person would write there.

Forward hooks keep every pre-activation and activation.  Their gradients ∂L/∂z and ∂L/∂h come from `retain_grad`, the
cheapest of PyTorch's ways, or from full backward hooks, the way that its documentation shows first.  Left out, to its
advantage: accumulation of norms in float64.
"""

import warnings

import torch
from problem import Array, Problem
from torch import Tensor, nn
from torch.linalg import vector_norm

# The first layer's inputs need no gradient, and nobody asks for it.
warnings.filterwarnings("ignore", message="Full backward hook is firing")


def network(problem: Problem) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weights in problem.weights:
        linear = nn.Linear(*weights.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T))
            linear.bias.zero_()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Recorder:
    """Rows of updates and evaluations, written into arrays made once."""

    def __init__(self, model: nn.Sequential, problem: Problem, backward_hooks: bool):
        self.model, self.problem, self.backward_hooks = model, problem, backward_hooks
        self.weights = [module.weight for module in model if isinstance(module, nn.Linear)]
        self.outputs: list[Tensor] = []  # of the modules in turn: z_1, h_1, z_2, ..., z_L
        self.gradients: list[Tensor] = []  # of the loss for these, last module first; of backward hooks alone
        self.keeping = True
        for module in model:
            module.register_forward_hook(self._keep)
            if backward_hooks:
                module.register_full_backward_hook(self._keep_gradient)
        n_layers = len(self.weights)
        layered = ["gradient_norm", "weight_norm", "update_norm", "delta_rms", "weight_factor", "slope_factor"]
        single = ["batch_loss", "data_gradient_norm", "penalty_gradient_norm", "total_gradient_norm", "clipped_norm"]
        steps, evaluations = problem.experiment.steps, len(problem.evaluations)
        self.updates = {name: torch.full((steps, n_layers), torch.nan) for name in layered}
        self.updates |= {name: torch.zeros(steps) for name in single}
        layered = ["dead_fraction", "activation_mean", "activation_std", "probe_delta_rms"]
        single = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
        self.evaluations = {name: torch.full((evaluations, n_layers), torch.nan) for name in layered}
        self.evaluations |= {name: torch.zeros(evaluations) for name in single}
        self.evaluated = 0
        self.grid = torch.from_numpy(problem.grid)
        self.frames: dict[str, list] = {"parameters": [], "predictions": [], "confusion": []}

    def _keep(self, module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        if self.keeping:
            self.outputs.append(output)
            if not self.backward_hooks:
                output.retain_grad()

    def _keep_gradient(self, module: nn.Module, inward: tuple[Tensor, ...], outward: tuple[Tensor, ...]) -> None:
        self.gradients.append(outward[0])

    def _gradient_rms(self) -> tuple[Tensor, Tensor]:
        """rms ∂L/∂z of every layer and rms ∂L/∂h of every hidden one."""
        gradients = self.gradients[::-1] or [output.grad for output in self.outputs]
        rms = torch.stack([vector_norm(g) / g.numel() ** 0.5 for g in gradients if g is not None])
        return rms[::2], rms[1::2]

    def _forget(self) -> None:
        self.outputs.clear()
        self.gradients.clear()

    def update(self, step: int, loss: Tensor, before: list[Tensor]) -> None:
        rows, batch = self.updates, len(self.outputs[0])
        gradients = [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
        total = nn.utils.get_total_norm(gradients)
        for name in ("data_gradient_norm", "total_gradient_norm", "clipped_norm"):
            rows[name][step] = total
        rows["batch_loss"][step] = loss
        rows["gradient_norm"][step] = torch.stack([vector_norm(w.grad) for w in self.weights])
        rows["weight_norm"][step] = torch.stack([vector_norm(w) for w in before])
        updates = torch._foreach_sub(before, self.weights)
        rows["update_norm"][step] = torch.stack([vector_norm(update) for update in updates])
        delta, hidden = self._gradient_rms()
        rows["delta_rms"][step] = delta * batch
        rows["weight_factor"][step, :-1] = hidden / delta[1:]
        rows["slope_factor"][step, :-1] = delta[:-1] / hidden
        self._forget()

    def evaluate(self, step: int, criterion: nn.Module, sets: dict[str, tuple[Tensor, Tensor]]) -> None:
        rows, row = self.evaluations, self.evaluated
        self.keeping = False
        with torch.no_grad():
            for name in ("train", "validation"):
                inputs, targets = sets[name]
                z = self.model(inputs)
                rows[f"{name}_loss"][row] = criterion(z, targets)
                rows[f"{name}_accuracy"][row] = ((z > 0) == (targets > 0.5)).float().mean()
            if step in self.problem.frames:
                cells = 2 * targets[:, 0].long() + (z[:, 0] > 0)
                self.frames["confusion"].append(torch.bincount(cells, minlength=4).reshape(2, 2))
                self.frames["parameters"].append([parameter.clone() for parameter in self.model.parameters()])
                self.frames["predictions"].append(self.model(self.grid).sigmoid())
        self.keeping = True
        inputs, targets = (values[: self.problem.n_probe] for values in sets["train"])
        criterion(self.model(inputs), targets).backward()
        with torch.no_grad():
            pre, hidden = self.outputs[:-1:2], [*self.outputs[1::2], self.outputs[-1].sigmoid()]
            rows["dead_fraction"][row, :-1] = torch.stack([(z.amax(0) <= 0).float().mean() for z in pre])
            rows["activation_mean"][row] = torch.stack([h.mean() for h in hidden])
            rows["activation_std"][row] = torch.stack([h.std(correction=0) for h in hidden])
            rows["probe_delta_rms"][row] = self._gradient_rms()[0] * len(inputs)
        self._forget()
        self.model.zero_grad()
        self.evaluated += 1

    def test(self, criterion: nn.Module, inputs: Tensor, targets: Tensor) -> dict[str, float]:
        self.keeping = False
        with torch.no_grad():
            z = self.model(inputs)
            accuracy = ((z > 0) == (targets > 0.5)).float().mean()
            return {"test_loss": float(criterion(z, targets)), "test_accuracy": float(accuracy)}


def train(problem: Problem, backward_hooks: bool = False) -> tuple[dict[str, Array], ...]:
    """Train and record: rows of updates, of evaluations and of frames, field by field, and results on the test set."""
    model = network(problem)
    recorder = Recorder(model, problem, backward_hooks)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=problem.experiment.learning_rate)
    sets = {name: (torch.from_numpy(inputs), torch.from_numpy(y)) for name, (inputs, y) in problem.sets.items()}
    inputs, targets = sets["train"]
    recorder.evaluate(0, criterion, sets)
    for step, chosen in enumerate(problem.batches()):
        batch = torch.from_numpy(chosen)
        optimizer.zero_grad()
        loss = criterion(model(inputs[batch]), targets[batch])
        loss.backward()
        with torch.no_grad():
            before = [weights.clone() for weights in recorder.weights]
            optimizer.step()
            recorder.update(step, loss, before)
        if step + 1 in problem.evaluations:
            recorder.evaluate(step + 1, criterion, sets)
    frames = {name: torch.stack(recorder.frames[name]).numpy() for name in ("predictions", "confusion")}
    return (
        {name: row.numpy() for name, row in recorder.updates.items()},
        {name: row.numpy() for name, row in recorder.evaluations.items()},
        frames,
        recorder.test(criterion, *sets["test"]),
    )
