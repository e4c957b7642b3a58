"""Every setting of an experiment, in one table.

Widgets, addresses, limits, help texts, the comparison line and exports are all made from `SETTINGS`; a new setting is
one new row in `Experiment`.
"""

from dataclasses import Field, dataclass, fields

from engine.activations import ACTIVATIONS
from engine.cost import Cost, estimate
from engine.data.sources import DATASETS, HELD_OUT
from engine.initializers import INITIALIZERS
from engine.losses import CLASS_WEIGHTS, LOSSES, NUMERIC, OUTPUTS, PROBABILITIES
from engine.optimizers import OPTIMIZERS
from engine.remedies import CLIPPINGS
from engine.schedules import SCHEDULES
from engine.settings import OutOfRange, Setting, Value
from engine.settings import choice as _choice
from engine.settings import row as _row


@dataclass(frozen=True, slots=True)  # a server keeps thousands
class Experiment:
    """Every setting of one training run: immutable, hashable, checked when made.

    Raises OutOfRange for a value outside the table.  Same Experiment, same RunHistory, to the last bit.
    """

    dataset: str = _choice(
        DATASETS, "data", "Data set", "The problem that the network is asked to learn.", xor="XOR"
    )  # fmt: skip
    n_train: int = _row(
        150, "data", "Training examples", "What the weights are fitted to; more of them usually help on new data.",
        low=5, high=5000, log=True,
    )  # fmt: skip
    noise: float = _row(
        -1.0, "data", "Noise", "Standard deviation of the noise on the examples, before standardisation.",
        low=0, high=2, special=((-1.0, "the data set’s own"),),
    )  # fmt: skip
    label_noise: float = _row(
        0.0, "data", "Label noise", "Share of the training labels that are flipped to a wrong class.", low=0, high=0.5
    )
    data_digest: str = _row("", "data", "Data digest", "SHA-256 of a custom data set’s arrays.")
    inputs: str = _choice(
        ("standardised", "raw"), "data", "Inputs", "Standardised: every input has mean 0 and standard deviation 1. "
        "Raw: in the data’s own units.",
    )  # fmt: skip
    input_scale: float = _row(1.0, "data", "Input scale", "Multiplies every input.", low=1e-6, high=1e6, log=True)
    input_shift: float = _row(
        0.0, "data", "Input shift", "Added to every input, after the input scale.", low=-1e6, high=1e6
    )
    target_scale: float = _row(
        1.0, "data", "Target scale", "Multiplies the targets of a regression; its losses are in these units.",
        low=1e-6, high=1e6, log=True,
    )  # fmt: skip
    target_shift: float = _row(
        0.0, "data", "Target shift", "Added to the targets of a regression, after the target scale: it centres those "
        "that lie far from 0.",
        low=-1e6, high=1e6,
    )  # fmt: skip
    imbalance: float = _row(
        0.5, "data", "Share of the second class", "Below 0.5 the second of two classes is rare, in training, "
        "validation and test examples alike.",
        low=0.01, high=0.5,
    )  # fmt: skip
    held_out: float = _row(
        HELD_OUT, "data", "Share held out", "Share of the rows that is held out for validation, and as many again for "
        "test; no difference for data that are drawn.",
        low=0.05, high=0.45,
    )  # fmt: skip
    split: str = _choice(
        ("random", "stratified"), "data", "Split", "Which rows are held out: random, or stratified, which gives every "
        "class the same share in training, validation and test. The data seed says which; no difference for numbers "
        "to predict, or for data that are drawn.",
    )  # fmt: skip

    shuffle: bool = _row(
        True, "data faults", "Shuffle", "A new random order of the training examples in every epoch. Off: sorted by "
        "class, or by target, so that a batch holds few classes; no difference where a batch holds all examples.",
    )  # fmt: skip
    leakage: float = _row(
        0.0, "data faults", "Leakage", "Share of the validation examples that are training examples.", low=0, high=1
    )
    validation_shift: float = _row(
        0.0, "data faults", "Validation shift", "Added to every input of the validation examples, in standard "
        "deviations, as if they came from elsewhere.",
        low=-10, high=10,
    )  # fmt: skip
    validation_labels: str = _choice(
        ("right", "permuted"), "data faults", "Validation labels", "Permuted: the classes of the validation examples "
        "are numbered in another order than those of the training examples.",
    )  # fmt: skip

    depth: int = _row(4, "network", "Hidden layers", "Each hidden layer is one more factor in the chain rule.",
                      low=1, high=50)  # fmt: skip
    width: int = _row(16, "network", "Units a layer", "Units in every hidden layer.", low=1, high=256, log=True)
    activation: str = _choice(
        ACTIVATIONS, "network", "Activation", "The non-linear function of every hidden unit; its slope is a factor of "
        "every gradient that passes through.",
        relu="ReLU", leaky_relu="leaky ReLU", elu="ELU", selu="SELU", gelu="GELU", silu="SiLU",
    )  # fmt: skip
    initializer: str = _choice(
        INITIALIZERS, "network", "Initializer", "How the weights start: it sets the size of the signal forward and of "
        "the gradient backward.",
        he_normal="He normal", he_uniform="He uniform", xavier_normal="Xavier normal", xavier_uniform="Xavier uniform",
        lecun="LeCun", small_normal="small normal (sd 0.01)", standard_normal="standard normal (sd 1)",
        constant="constant 0.5",
    )  # fmt: skip
    gain: float = _row(1.0, "network", "Gain", "Multiplies the initial weights.", low=0, high=100, log=True)
    bias: float = _row(0.0, "network", "Initial bias", "Standard deviation of the initial biases.", low=0, high=10)
    bias_mean: float = _row(
        0.0, "network", "Mean initial bias", "Added to every bias of the hidden layers at the start; normalization "
        "takes it away again. Far below 0, ReLU units start dead.",
        low=-10, high=10,
    )  # fmt: skip
    normalization: str = _choice(
        ("none", "batch", "layer"), "network", "Normalization",
        "Rescales every hidden pre-activation to mean 0 and variance 1, over the batch or over the layer.",
    )  # fmt: skip
    residual: str = _choice(
        ("none", "plain", "scaled"), "network", "Residual connections", "Skip connections: each hidden layer’s output "
        "is added to the next one’s, so that signal and gradient can bypass a layer. Scaled: what a layer adds is "
        "divided by the number of hidden layers, so that the sum of many stays small.",
        switch=("none", "plain"),
    )  # fmt: skip
    output: str = _choice(
        OUTPUTS, "network", "Output", "What the output layer applies: auto is sigmoid for two classes, softmax for "
        "more and linear for regression. Another one may not reach the targets; of two classes, an answer above 0.5 is "
        "the second.",
        relu="ReLU",
    )  # fmt: skip

    loss: str = _choice(
        ("auto", *LOSSES), "loss", "Loss", "What training minimises; auto is cross-entropy for classes and mean "
        "squared error for regression, or where another output gives no probabilities.",
        mse="mean squared error", cross_entropy="cross-entropy", mae="mean absolute error", huber="Huber loss",
    )  # fmt: skip
    class_weights: str = _choice(
        CLASS_WEIGHTS, "loss", "Class weights", "Balanced: in training an example of a rare class counts more, so that "
        "every class counts as much as any other. Losses are shown without these weights, those of batches with them; "
        "no difference for a regression.",
    )  # fmt: skip

    optimizer: str = _choice(
        OPTIMIZERS, "training", "Optimizer", "How a gradient becomes a change of the weights.",
        sgd="gradient descent", nesterov="Nesterov", rmsprop="RMSprop", adam="Adam", adagrad="AdaGrad",
        adamw="AdamW",
    )  # fmt: skip
    learning_rate: float = _row(
        0.1, "training", "Learning rate", "η in w_new = w_old − η ∂L/∂w.", low=0, above=True, high=1000, log=True
    )
    schedule: str = _choice(
        SCHEDULES, "training", "Learning rate schedule", "How the learning rate changes: warmup grows it over the "
        "first tenth of the steps, cosine lets it fall to 0, step divides it by 10 at half and at three quarters.",
    )  # fmt: skip
    batch_size: int = _row(
        0,
        "training",
        "Batch size",
        "Examples averaged for one update; 0 takes all of them.",
        low=0,
        high=5000,
        special=((0, "all"),),
    )
    steps: int = _row(
        500, "training", "Training steps", "Number of updates of the weights.", low=1, high=20000, log=True
    )

    clip: str = _choice(
        CLIPPINGS, "remedies", "Gradient clipping",
        "Shortens a gradient that is too long: the whole of it (norm), or entry by entry (value).",
    )  # fmt: skip
    clip_threshold: float = _row(
        1.0, "remedies", "Clip threshold", "The largest norm, or the largest entry, that passes unchanged.",
        low=0, above=True, high=1e6, log=True,
    )  # fmt: skip
    l1: float = _row(0.0, "remedies", "L1 penalty", "λ in λ Σ|w|: pulls every weight equally hard to 0.",
                     low=0, high=100, log=True)  # fmt: skip
    l2: float = _row(0.0, "remedies", "L2 penalty", "λ in λ/2 Σw²: shrinks large weights most. With AdamW, λ in "
                     "w_new = w_old − … − ηλw_old, outside the gradient.",
                     low=0, high=100, log=True)  # fmt: skip
    dropout: float = _row(0.0, "remedies", "Dropout", "Share of hidden units dropped, at random for each example.",
                          low=0, high=0.9)  # fmt: skip
    patience: int = _row(
        0, "remedies", "Patience", "Stops after this many evaluations without a lower validation loss; 0 is off.",
        low=0, high=1000,
    )  # fmt: skip

    seed: int = _row(
        0, "other", "Seed", "All that is random follows from it: data, first weights, batches, dropped units.",
        low=0, high=2**31 - 1,
    )  # fmt: skip
    data_seed: int = _row(
        -1, "other", "Data seed", "A seed for the data alone.", low=0, high=2**31 - 1,
        special=((-1, "the same as the seed"),),
    )  # fmt: skip
    precision: str = _choice(
        ("float64", "float32"), "other", "Precision", "The format of the numbers that training calculates with."
    )

    def __post_init__(self) -> None:
        for name, setting in SETTINGS.items():
            object.__setattr__(self, name, setting.check(getattr(self, name)))
        data = DATASETS[self.dataset]
        if self.loss == "cross_entropy" and data.task == "regression":
            raise OutOfRange("loss", self.loss, NUMERIC, f"{self.dataset} asks for a number, not for a class.")
        if self.loss == "cross_entropy" and self.output not in PROBABILITIES:
            raise OutOfRange(
                "loss",
                self.loss,
                NUMERIC,
                f"Cross-entropy is of probabilities, which {self.output} output does not give.",
            )
        if self.imbalance != 0.5 and not (data.draw and data.task == "binary"):
            raise OutOfRange(
                "imbalance", self.imbalance, "0.5", f"{self.dataset} is not drawn from two classes whose shares could "
                "be chosen.",
            )  # fmt: skip
        if data.file and self.n_train > (most := data.n_train_max(self.held_out)):
            raise OutOfRange(
                "n_train", self.n_train, f"a whole number from 5 to {most}",
                f"{self.dataset} has no more besides its validation and test examples.",
            )  # fmt: skip

    @property
    def examples_per_update(self) -> int:
        """The size of a batch, 0 being all examples; the last batch of an epoch may be smaller."""
        return min(self.batch_size or self.n_train, self.n_train)

    @property
    def cost(self) -> Cost:
        """Floating-point operations, seconds on one core and bytes of history, estimated; custom data as if 2-D."""
        data = DATASETS[self.dataset]
        return estimate(self, data.n_in, data.n_out)

    @property
    def l2_in_loss(self) -> float:
        """λ of the L2 penalty that training minimises: none where the optimizer takes η λ w off the weights itself."""
        return 0.0 if OPTIMIZERS[self.optimizer].decoupled else self.l2

    def differences(self, other: "Experiment") -> dict[str, tuple[Value, Value]]:
        """Settings in which two experiments differ: name -> (mine, theirs), in the table's order."""
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in SETTINGS}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _setting(row: Field) -> Setting:
    if not isinstance(row.default, (str, int, float, bool)):
        raise TypeError(f"{row.name} has no plain default")
    return Setting(row.name, row.default, **row.metadata)


SETTINGS = {row.name: _setting(row) for row in fields(Experiment)}
