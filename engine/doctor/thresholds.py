"""Every threshold by which a run is judged, by the doctor or in a verdict: each is defined here alone.

Where a source is named, it states that very rule with that number.  "tuned": the number is from the zoo's tuning sets
(tests/zoo), since what tools for large networks propose does not carry over to small ones.  "convention": a round
number, by which a few runs more or less would be named.
"""

# --- signals and gradients before the first step ---
EQUAL_UNITS = 1e-6  # relative distance of two units that count as equal (convention; float32 rounds at 1e-7)
EQUAL_SHARE = 0.5  # of a layer's units (convention)
VANISHES, VANISHED = 1e-2, 1e-3  # R, warning and severe (tuned)
FADES = 0.05  # R, where nothing else explains that a run did not learn (tuned)
EXPLODES, EXPLODED = 10.0, 100.0  # R, and growth of the signal on its way forward: warning, severe (tuned)
SCATTER = {"relu": 5.0, "leaky_relu": 5.0, "linear": 2.0}  # β of ln R², times width, a layer (Hanin & Nica 2018)

BORDERLINE = 2.0  # times VANISHES: R of 16 units differs so much from draw to draw of the weights (tuned)
BY_THEORY = 3.0  # times VANISHES or BORDERLINE, and a fraction of it: there the predicted R decides (tuned)
SMALL_START = 0.2  # weights at the start over Xavier's: below, they count as tiny (tuned)
LARGE_START, FAR_OFF = 2.5, 2.0  # the same, above; first loss over the best constant answer's (tuned)
MANY_INPUTS = 3  # below, a large start need not be too large (tuned)
PLATEAU = 0.5  # share of the evaluations at which nothing had been learnt yet (convention)

# --- data ---
LARGE_TARGETS, SMALL_TARGETS = 10.0, 0.01  # size of regression targets; a network's first outputs are about 1 (tuned)
LARGE_IF_LEARNT = 50.0  # the same of the targets where half of what there is to learn was learnt (tuned)
LARGE_INPUTS, SMALL_INPUTS = 4.0, 0.1  # size of the inputs, for which initializers take 1 (tuned)
LENGTHENING_INPUTS = 2.0  # size of the inputs that makes a step of the first layer four times as long (convention)
UNEQUAL_INPUTS = 30.0  # size of the largest input over that of the median one (tuned)
SORTED = 3.0  # variance of the batches' mean targets over that of batches drawn at random (tuned)
LEAKS = 0.02  # share of validation examples that are training examples, above that of the test examples (convention)
SHIFTED = 0.5  # of the validation inputs' mean from that of training, standard deviations, median input (tuned)
RENAMED = 0.3  # of validation examples that would be right if classes bore other names (tuned)
UNREACHED = 0.1  # share of the targets' variance beyond the range of the output (convention: as much as WELL)
RARE = 0.25  # share of a class below which always giving the other is an answer that looks good (convention)
MISSED = 0.1  # recall of a class below which it counts as never named (convention)
LOW_RECALL = 0.5  # of a class: below, it is given another name more often than its own (convention)
FEW_IN_BATCH = 4  # examples whose mean and deviation are noise; Wu & He 2018 see it below 8 (tuned)
NOISY_RISES, NOISY = 1.0, 1.0  # of the training loss, as ALL_RISES; spread of the batch losses over their mean (tuned)

# --- units ---
DEAD_SHARE = 0.5  # of a layer's units (SageMaker Debugger, TheDeepChecker)
SATURATED_SHARE = 0.5  # of a layer's values, warning (DeepDiagnosis, TheDeepChecker)
MOSTLY_SATURATED = 0.8  # the same, severe (convention)
PARTLY_SATURATED = 0.3  # the same at the start, where nothing else explains that a run did not learn (tuned)

# --- steps ---
LARGE_UPDATE = 0.1  # ‖ΔW‖/‖W‖ (TheDeepChecker)
SMALL_UPDATE = 3e-3  # ‖ΔW‖/‖W‖ (tuned)
JUMPS = 5.0  # highest loss over first and uninformed (tuned)
DIVERGES = 1000.0  # times the first loss (convention)
OSCILLATES = 0.1  # all rises of the training loss together, over its span (tuned)
ALL_RISES = 2.0  # the same over the best constant answer's loss (tuned)
HARDLY_BEGUN = 20  # steps: what lasts shows in ten, and there must be as many before (tuned)
STAYED = 0.2  # ‖W_end − W_start‖/‖W_start‖ of all weights together (tuned)
THROWN = 5.0  # the same of the layer that moved most (tuned)
STILL_PULLS = 0.02  # gradient norm at the end over that at the start: below, the run has arrived (tuned)
FITTED = 0.1  # share of error on its training data: below, there is hardly anything left to learn from them (tuned)

# --- fit: shares are of what the best constant answer costs ---
WELL = 0.1  # above the better reference's share of error: about two standard errors of 100 to 300 examples
BY_CHANCE = 2.0  # standard errors of a share: of right answers, where that is more than WELL, or of LEAKS (convention)
EXCELLENT = 0.15  # share of error that is a good result whatever the references do (tuned)
TWICE = 2.0  # times the better reference's errors, surely: worth a word, however few they are (convention)
LEARNT = 0.9  # share of error above which nothing was learnt, even if the references do no better (tuned)
FAR = 5.0  # a loss as many times the best constant answer's counts as that, lest one hides the others (convention)
UNDERFITS, LEARNT_NOTHING = 0.5, 0.9  # share of the training loss, warning and severe (tuned)
FALLING = 0.02  # share of the training loss over the last checks (tuned)
UNEXPLAINED = 0.2  # share of error above the better reference's that calls for a cause (tuned)
BEHIND = 0.12  # share of error above the better reference's (tuned)
FEW_UNITS = 2  # to enclose a region of a plane takes three half planes
PENALTY_PULLS = 0.15  # ‖∂penalty‖/‖∂data loss‖ as training starts, warning (tuned)
PENALTY_RULES = 2.0  # the same, severe (TheDeepChecker)
SHRUNK = 0.8  # ‖W_end‖/‖W_start‖, median over the layers (tuned)
OVERSHOOTS = 2.0  # ηλ: beyond, |1 − ηλ| > 1, and a step turns each weight round and makes it larger
MASK_COSTS = 0.1  # training loss with masks less that without, over the best constant answer's (tuned)
HIGH_DROPOUT = 0.5  # dropout (Srivastava et al. 2014 drop at most half of the hidden units)
GENERALIZATION_LOSS = 5.0  # per cent (Prechelt 1998: GL₅)
RISEN_GAP = 0.1  # training over validation, where the generalization loss has risen, × the widest possible gap (tuned)
WIDE_GAP = 0.20  # the same in any case (tuned)
LEAST_WIDE = 0.4  # the widest gap counts as so much where one class is rare (convention)
SURELY = 3.0  # standard errors of the validation accuracy: a gap within them may be chance (convention)
SEVERELY_RISEN = 100.0  # generalization loss in per cent of an overfitted network, severe (convention)

# --- what a sentence mentions ---
NOTABLY_RISEN = 50.0  # generalization loss in per cent of a healthy network (convention)
SMALL_GAP = 0.05  # of accuracies: next to none (convention)
SAME_ACCURACY = 0.02  # two that differ by less are about the same; so are two losses, relatively (convention)
SAME_LOSS = 0.01  # relative difference to the average answer's loss: no better than that (convention)
CLEARLY_LOWER = 0.05  # share by which a confirming run's cost is below that before; as EFFECT of a cure (convention)
ALIKE_ANSWERS = 0.001  # largest answer less the smallest: below, they look the same (convention)
GREW = 2.0  # the last loss over the first: training made it worse (convention)
