"""The doctor's rules, a row each: what is the same in every finding of one kind.

A detector decides whether a rule applies to a run, and adds what it measured there.
"""

from dataclasses import replace
from math import inf

from engine.doctor import thresholds
from engine.doctor.findings import Confirmation
from engine.doctor.rule import ALWAYS, TUNED, Rule

# Codes whose curves look alike; what tells them apart is step 0, the updates, or one more run.
_FLAT = (  # the loss stays where it starts
    "symmetry", "vanishing_gradients", "small_start", "dead_units", "saturated_units", "learning_rate_too_low",
    "unscaled_inputs",
)  # fmt: skip
_WILD = (  # it jumps, or grows beyond all bounds
    "learning_rate_too_high", "exploding_gradients", "unscaled_inputs", "unscaled_targets", "not_finite",
    "batch_too_small",
)  # fmt: skip
_HIGH = (  # ends high
    "underfitting", "over_regularized", "dropout_too_high", "learning_rate_too_low", "one_answer", "wrong_output",
)  # fmt: skip
_APART = ("overfitting", "label_noise", "validation_shift", "label_mismatch")  # training and new data part

_SMALLER_STEPS = Confirmation(
    "With a tenth of the learning rate the loss falls steadily; where the start or the data are at fault it does not.",
    factors=(("learning_rate", 0.1),),
)
# Layer normalization does little for deep sigmoid layers: it bore out 27 of 106 vanishing gradients and 54 of 120
# saturated starts, batch normalization 103 and 118.
_NORMALIZED = Confirmation(
    "With batch normalization values keep their spread from layer to layer, and the loss falls; where the steps are "
    "too short it hardly does.",
    settings=(("normalization", "batch"),),
)
_USUAL_START = Confirmation(
    "With weights of the usual size, all different, the loss falls from the first steps on.",
    settings=(("initializer", "xavier_normal"), ("gain", 1.0), ("bias", 0.0)),
)
_LARGER = Confirmation(
    "With twice the units and twice the steps the training loss ends clearly lower; where something holds the network "
    "back it does not.",
    factors=(("width", 2.0), ("steps", 2.0)),
)

_NO_PENALTIES = Confirmation("Without penalties the training loss ends far lower.", settings=(("l1", 0.0), ("l2", 0.0)))

# --- signals and gradients ---

SYMMETRY = Rule(
    "symmetry",
    "share of a layer’s units that equal another in all their weights",
    thresholds.EQUAL_SHARE,
    "the course notes cs231n and the tool NeuraLint",
    ("initializer",),
    mistaken_for=_FLAT,
    confirm=_USUAL_START,
)
_R = "R, the first layer’s error signal over the last hidden layer’s"
VANISHING_GRADIENTS = Rule(
    "vanishing_gradients",
    _R,
    thresholds.VANISHES,
    TUNED,
    ("activation", "initializer", "normalization", "residual", "shallower", "optimizer"),
    severe_below=thresholds.VANISHED,
    mistaken_for=_FLAT,
    confirm=_NORMALIZED,
)
BORDERLINE_VANISHING = replace(VANISHING_GRADIENTS, threshold=thresholds.BORDERLINE * thresholds.VANISHES)
FADING_GRADIENTS = replace(VANISHING_GRADIENTS, threshold=thresholds.FADES)
EXPLODING_BACKWARD = Rule(
    "exploding_gradients",
    _R,
    thresholds.EXPLODES,
    TUNED,
    ("initializer", "gain", "normalization", "clip", "learning_rate_down", "shallower"),
    severe_above=thresholds.EXPLODED,
    mistaken_for=_WILD,
    confirm=Confirmation(
        "With half the initial weights R falls as often as there are layers, and the loss jumps no more.",
        factors=(("gain", 0.5),),
    ),
)
EXPLODING_FORWARD = replace(EXPLODING_BACKWARD, metric="size of the output’s pre-activation over that of the inputs")

TINY_WEIGHTS = Rule(
    "small_start",
    "size of the initial weights over that of Xavier’s initializer, median over the layers",
    thresholds.SMALL_START,
    TUNED,
    ("initializer", "gain", "learning_rate_up", "normalization", "optimizer", "steps"),
    severe_below=thresholds.SMALL_START / 10,
    mistaken_for=_FLAT,
    confirm=_USUAL_START,
)
HUGE_WEIGHTS = Rule(
    "large_start",
    "size of the initial weights behind the first layer over that of Xavier’s initializer, times the steepest slope, "
    "median",
    thresholds.LARGE_START,
    f"Chizat, Oyallon & Bach 2019; {TUNED}",
    ("initializer", "gain", "learning_rate_down", "normalization"),
    severe_above=10 * thresholds.LARGE_START,
    mistaken_for=(*_WILD, *_APART),
    confirm=_USUAL_START,
)

# --- data ---

TARGETS_TOO_LARGE = Rule(
    "unscaled_targets",
    "size of the targets, root mean square",
    thresholds.LARGE_TARGETS,
    TUNED,
    ("target_scale", "learning_rate_down", "optimizer", "clip"),
    severe_above=10 * thresholds.LARGE_TARGETS,
    mistaken_for=_WILD,
    confirm=Confirmation(
        "With targets of size 1 the loss falls.", factors=(("target_scale", 1.0), ("target_shift", 1.0))
    ),
)
TARGETS_TOO_SMALL = replace(
    TARGETS_TOO_LARGE,
    metric="standard deviation of the targets",
    threshold=thresholds.SMALL_TARGETS,
    severe_above=inf,
    severe_below=thresholds.SMALL_TARGETS / 10,
    mistaken_for=_FLAT,
)
INPUTS_TOO_LARGE = Rule(
    "unscaled_inputs",
    "size of the inputs, root mean square",
    thresholds.LARGE_INPUTS,
    TUNED,
    ("inputs", "normalization", "learning_rate_down"),
    severe_above=10 * thresholds.LARGE_INPUTS,
    mistaken_for=(*_FLAT, *_WILD),
    confirm=Confirmation(
        "With standardised inputs the loss falls from the first steps on.",
        settings=(("inputs", "standardised"), ("input_scale", 1.0), ("input_shift", 0.0)),
    ),
)
INPUTS_TOO_SMALL = replace(
    INPUTS_TOO_LARGE, threshold=thresholds.SMALL_INPUTS, severe_above=inf, severe_below=thresholds.SMALL_INPUTS / 10
)
INPUTS_UNEQUAL = replace(
    INPUTS_TOO_LARGE,
    metric="size of the largest input over that of the median one",
    threshold=thresholds.UNEQUAL_INPUTS,
    severe_above=10 * thresholds.UNEQUAL_INPUTS,
)
UNSHUFFLED = Rule(
    "unshuffled",
    "variance of the batches’ mean targets over that of batches drawn at random",
    thresholds.SORTED,
    TUNED,
    ("shuffle", "batch_size"),
    mistaken_for=("learning_rate_too_high", "batch_too_small", "label_noise"),
    confirm=Confirmation("Shuffled, the batch losses differ no more within an epoch.", settings=(("shuffle", True),)),
)
LEAKAGE = Rule(
    "leakage",
    "share of validation examples that are training examples, above that of the test examples",
    thresholds.LEAKS,
    "Kaufman et al. 2012",
    ("leakage",),
    confirm=Confirmation("Without them, validation is as bad as the test.", settings=(("leakage", 0.0),)),
)
VALIDATION_SHIFT = Rule(
    "validation_shift",
    "distance of the validation inputs’ mean from that of training, in standard deviations, median input",
    thresholds.SHIFTED,
    TUNED,
    ("validation_shift",),
    mistaken_for=("overfitting", "label_mismatch", "label_noise"),
    confirm=Confirmation("With examples from where training’s come both agree.", settings=(("validation_shift", 0.0),)),
)
LABEL_MISMATCH = Rule(
    "label_mismatch",
    "accuracy on validation data if each class bore the name most often given to it, above the accuracy",
    thresholds.RENAMED,
    TUNED,
    ("validation_labels",),
    mistaken_for=("overfitting", "validation_shift", "label_noise"),
    confirm=Confirmation("In training’s code they are answered rightly.", settings=(("validation_labels", "right"),)),
)
WRONG_OUTPUT = Rule(
    "wrong_output",
    "error of the nearest values that the output can take, over the best constant answer’s",
    thresholds.UNREACHED,
    TUNED,
    ("output",),
    severe_above=5 * thresholds.UNREACHED,
    mistaken_for=_HIGH,
    confirm=Confirmation(
        "With an output that reaches all targets the training loss ends far lower.", settings=(("output", "auto"),)
    ),
)
DEAD_OUTPUT = replace(
    WRONG_OUTPUT,
    metric="share of the classes whose output is 0 for every training example",
    threshold=0.0,
    source="as for hidden units",
    severe_above=inf,
    confirm=Confirmation(
        "With probabilities as answers, and the cross-entropy as loss, it is right far more often.",
        settings=(("output", "auto"), ("loss", "auto")),
    ),
)
ONE_ANSWER = Rule(
    "one_answer",
    "recall of the class that is missed most, on validation data",
    thresholds.MISSED,
    "a convention; recall by class as in He & Garcia 2009",
    ("class_weights", "learning_rate_up", "steps", "n_train"),
    mistaken_for=("learning_rate_too_low", "underfitting", "vanishing_gradients"),
    confirm=Confirmation(
        "Where all classes weigh alike in the loss, the rare one is named.", settings=(("class_weights", "balanced"),)
    ),
)
LABEL_NOISE = Rule(
    "label_noise",
    "accuracy on new data above that on the training labels, where the loss on new data is lowest",
    inf,  # three standard errors, which depend on the numbers of examples
    "Arpit et al. 2017: what is regular is learnt first",
    ("label_noise", "patience", "n_train", "l2", "dropout"),
    mistaken_for=_APART,
    confirm=Confirmation("With the labels put right the gap is gone.", settings=(("label_noise", 0.0),)),
)
SMALL_BATCH = Rule(
    "batch_too_small",
    "examples in a batch that is normalised",
    thresholds.FEW_IN_BATCH,
    f"Wu & He 2018; {TUNED}",
    ("batch_size", "normalization"),
    mistaken_for=(*_WILD, "vanishing_gradients", "underfitting"),
    confirm=Confirmation("With all examples in one batch the loss falls.", settings=(("batch_size", 0),)),
)
NOISY_BATCHES = replace(
    SMALL_BATCH,
    metric="standard deviation of the batch losses over their mean, second half of training",
    threshold=thresholds.NOISY,
    source=TUNED,
    remedies=("batch_size", "learning_rate_down"),
)

# --- units ---

DEAD_UNITS = Rule(
    "dead_units",
    "share of a layer’s units that give 0 for every example",
    thresholds.DEAD_SHARE,
    "the tools SageMaker Debugger and TheDeepChecker",
    ("activation", "learning_rate_down", "initializer", "normalization", "wider"),
    mistaken_for=_FLAT,
    confirm=Confirmation(
        "With leaky ReLU no unit can die, and the loss falls.", settings=(("activation", "leaky_relu"),)
    ),
)
BORN_DEAD = replace(
    DEAD_UNITS,
    source="Lu et al. 2019",
    remedies=("wider", "activation", "shallower", "normalization", "residual"),
    severe_above=ALWAYS,
)
SATURATED_UNITS = Rule(
    "saturated_units",
    "share of a layer’s values where the slope is below a twentieth of the steepest",
    thresholds.SATURATED_SHARE,
    "the tools DeepDiagnosis and TheDeepChecker",
    ("initializer", "gain", "normalization", "activation"),
    severe_above=thresholds.MOSTLY_SATURATED,
    mistaken_for=_FLAT,
    confirm=_NORMALIZED,
)
PARTLY_SATURATED_UNITS = replace(SATURATED_UNITS, threshold=thresholds.PARTLY_SATURATED, source=TUNED)

# --- steps ---

TOO_FEW_STEPS = Rule(
    "underfitting",
    "steps",
    thresholds.HARDLY_BEGUN,
    TUNED,
    ("steps",),
    mistaken_for=_FLAT,
    confirm=Confirmation("With ten times the steps the loss falls on.", factors=(("steps", 10.0),)),
)
LONG_STEPS = Rule(
    "learning_rate_too_high",
    "‖ΔW‖/‖W‖ of a layer, 90th percentile over the first steps",
    thresholds.LARGE_UPDATE,
    "the tool TheDeepChecker",
    ("learning_rate_down", "clip", "optimizer", "normalization"),
    severe_above=10 * thresholds.LARGE_UPDATE,
    mistaken_for=_WILD,
    confirm=_SMALLER_STEPS,
)
LOSS_JUMPS = replace(
    LONG_STEPS,
    metric="highest training loss over the first",
    threshold=thresholds.JUMPS,
    source=TUNED,
    severe_above=10 * thresholds.JUMPS,
)
WEIGHTS_THROWN = replace(
    LONG_STEPS,
    metric="‖W_end − W_start‖/‖W_start‖ of the layer that moved most",
    threshold=thresholds.THROWN,
    source=TUNED,
    severe_above=10 * thresholds.THROWN,
)
LOSS_OSCILLATES = replace(
    LONG_STEPS,
    metric="all rises of the training loss together, over the best constant answer’s loss",
    threshold=thresholds.ALL_RISES,
    source=TUNED,
    severe_above=10 * thresholds.ALL_RISES,
)
LEARNING_RATE_TOO_LOW = Rule(
    "learning_rate_too_low",
    "‖W_end − W_start‖/‖W_start‖ of all weights together",
    thresholds.STAYED,
    TUNED,
    ("learning_rate_up", "optimizer", "steps"),
    severe_below=thresholds.STAYED / 10,
    mistaken_for=(*_FLAT, *_HIGH),
    confirm=Confirmation(
        "With ten times the learning rate the loss falls; where no gradient arrives it does not.",
        factors=(("learning_rate", 10.0),),
    ),
)
LOSS_DIVERGES = Rule(
    "not_finite",
    "highest training loss over the first",
    thresholds.DIVERGES,
    "a convention",
    ("learning_rate_down", "clip", "initializer", "gain"),
    severe_above=ALWAYS,
    mistaken_for=_WILD,
    confirm=_SMALLER_STEPS,
)
TENSOR_NOT_FINITE = replace(
    LOSS_DIVERGES,
    metric="the first tensor that is not finite",
    source="the tools TensorBoard Debugger and SageMaker Debugger",
)

# --- fit ---

LINEAR_NETWORK = Rule(
    "underfitting",
    "error of the least squares line above the better reference’s, over the best constant answer’s",
    thresholds.BEHIND,
    TUNED,
    ("activation",),
    mistaken_for=_HIGH,
    confirm=Confirmation("With tanh it can bend, and its loss ends far lower.", settings=(("activation", "tanh"),)),
)
TOO_FEW_UNITS = Rule(
    "underfitting",
    "hidden units",
    thresholds.FEW_UNITS,
    TUNED,
    ("wider", "deeper"),
    mistaken_for=_HIGH,
    confirm=Confirmation("With 16 units a layer it ends far lower.", settings=(("width", 16),)),
)
HIGH_LOSS = Rule(
    "underfitting",
    "training loss over the best constant answer’s",
    thresholds.UNDERFITS,
    TUNED,
    ("wider", "deeper", "activation", "learning_rate_up", "optimizer", "steps"),
    mistaken_for=_HIGH,
    confirm=_LARGER,
)
HIGH_LOSS_WITH_LABEL_NOISE = replace(
    HIGH_LOSS, metric=f"{HIGH_LOSS.metric}, both above what label noise makes unavoidable"
)
HIGH_ERROR = replace(
    HIGH_LOSS, metric="error above the better reference’s, over the best constant answer’s", threshold=thresholds.BEHIND
)
MOST_DROPPED = Rule(
    "dropout_too_high",
    "share of hidden units dropped",
    thresholds.HIGH_DROPOUT,
    "Srivastava et al. 2014",
    ("dropout", "wider"),
    mistaken_for=_HIGH,
    confirm=Confirmation("Without dropout the training loss ends far lower.", settings=(("dropout", 0.0),)),
)
COSTLY_DROPOUT = replace(
    MOST_DROPPED,
    metric="training loss with dropped units less that without, over the best constant answer’s",
    threshold=thresholds.MASK_COSTS,
    source=TUNED,
)
PENALTY_OVERSHOOTS = Rule(
    "over_regularized",
    "ηλ of the L2 penalty",
    thresholds.OVERSHOOTS,
    "arithmetic: beyond 2, |1 − ηλ| is above 1",
    ("l2", "learning_rate_down"),
    severe_above=ALWAYS,
    mistaken_for=(*_HIGH, *_WILD),
    confirm=_NO_PENALTIES,
)
STRONG_PENALTY = Rule(
    "over_regularized",
    "‖∂penalty‖/‖∂data loss‖ in the first tenth of the steps",
    thresholds.PENALTY_PULLS,
    TUNED,
    (),  # less of those penalties that the run has
    severe_above=thresholds.PENALTY_RULES,
    mistaken_for=_HIGH,
    confirm=_NO_PENALTIES,
)
OVERFITTING = Rule(
    "overfitting",
    "how much better it does on its training data than it would on new ones, median of the last checks",
    thresholds.WIDE_GAP,  # times the widest possible gap, and more where chance may account for it
    f"generalization loss of Prechelt 1998; gap {TUNED}",
    ("patience", "l2", "n_train", "dropout", "l1", "shallower"),
    mistaken_for=_APART,
    confirm=Confirmation(
        "Stopped where its loss on new data is lowest, it does better on them.", settings=(("patience", 10),)
    ),
)

# --- where the evidence does not suffice ---

CANNOT_TELL = Rule(
    "cannot_tell",
    "error on new data over the best constant answer’s",
    inf,  # that of the better reference, or unknown
    "a convention",
    ("steps", "wider", "learning_rate_up", "learning_rate_down"),
    mistaken_for=_HIGH,
    confirm=Confirmation("With three times the steps it goes on improving, or it does not.", factors=(("steps", 3.0),)),
)
RATE_OR_BATCH = replace(
    CANNOT_TELL,
    metric="examples in a batch",
    threshold=thresholds.FEW_IN_BATCH,
    source=TUNED,
    remedies=("batch_size", "learning_rate_down"),
    mistaken_for=("learning_rate_too_high", "batch_too_small"),
    confirm=Confirmation(
        "At the same learning rate with 32 examples in a batch the loss falls where the batches were too small; where "
        "the rate is too high it does not.",
        settings=(("batch_size", 32),),
    ),
)
