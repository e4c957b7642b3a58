"""Links for a class as they were made on 2026-11-28, one of each kind, and what they must show in every later version.

A line here is never changed to make a test pass: somebody has the link in the notes of a lecture.
"""

from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.shell.assignment import JOINER
from pages.components.shell.runs import shared_runs
from tests.pages.opened import opened, plain

DRAWN = "0Aa1Bb0Cc1Dd0Ee1Ff0Gg1Hh0Ii1Jj0Kk1Ll0Mm1Nn0Oo1Pp0Qq1Rr0Ss1Tt0Uu1Vv0Ww1Xx0Yy1Zz"

# A link; what it says; what of the page it does not; what can be moved, and what cannot, by key.
LINKS = [
    (
        "/vanishing_gradients?v=1&depth=12&steps=40&treated_activation=tanh&lock=depth:12,treated_activation:tanh,"
        "seal:108e2a&part=read&hide=verdict,part-why&task=Cure+%2Ait%2A&goal=treated+ratio+above+0.1+with+activation+"
        "tanh&question=Which+layer%3F&choices=the+first%0Athe+last&right=1",
        [HIDDEN_VERDICT, "Cure *it*", "Which layer?", "the treated network’s R,", "is above 0.1, with activation tanh.",
         "Locked by this link: Hidden layers; Treated: activation."],
        [], ["steps", "activation"], ["depth", "treated_activation"],
    ),
    (
        "/overfitting?v=1&steps=40&lock=all,-treated_l2,steps:40,seal:d443fa&part=read&goal=treated+validation_accuracy+"
        "above+0.9+in+7",
        ["All settings are locked by this link, except: Treated: L2 penalty", "accuracy on validation data is above 90",
         "in 7 of 8 seeds", "the seeds are not measured yet"],
        [], ["treated_l2"], ["l2", "n_train"],
    ),
    (
        "/exploding_gradients?v=1&steps=40&draw=learning_curves&part=look&timeline=0&hide=notes,cures",
        [HIDDEN_VERDICT, "Draw it first", "How does the loss on validation data move during training?"],
        ["diverged"], ["activation"], [],
    ),
    (
        "/mystery_patient?seed=17&level=medium&lock=all,level:medium,seed:17,seal:133369&hide=looks,points&goal=cause+"
        "within+3+looks",
        ["All settings are locked", "name the root cause, with at most 3 charts opened.", "hidden by this link"],
        ["points"], [], ["level", "patient_number"],
    ),
    (
        "/backpropagation?v=1&preset=xor&updates=3&lock=preset:preset%3Dxor,updates:3,changed:w1.1.1+%3D+0.5%252C+b1.1+"
        "%3D+1,seal:f53c08&hide=derivation,answers&goal=loss+below+0.1+within+10+updates",
        ["Locked by this link: Network; Changed weights and biases; Updates taken.", "What is written out is hidden",
         "the loss is below 0.1 after at most 10 updates.", "after 3 updates"],
        ["Written out", "Checked by finite"], ["learning_rate"], ["updates", "open_xor", "open_chain"],
    ),
    (
        f"/laboratory?sample=draw&points={DRAWN}&pin1=Wide~width~32~steps~30&steps=20&lock=data:sample%3Ddraw%26points%3D"
        f"{DRAWN},pin1:Wide~width~32~steps~30,seal:ecba24&hide=charts,notes&goal=present+training_loss+below+pin1",
        ["Locked by this link: Data; Pinned network 1.", "**26 rows**",
         "the present network’s loss on training data is below that of pinned network 1."],
        ["The doctor’s notes"], ["depth", "pin"], ["sample", "remove_pin1"],
    ),
    (  # of 2026-11-29: sealed as a whole
        "/underfitting?v=1&part=read&hide=notes&lock=all,-treated_width,seal:37b2e8&task=Cure+it,+and+say+why.&goal="
        "treated+training_loss+below+0.1+in+6&question=What+is+too+small%3F&choices=the+network%0Athe+learning+rate&"
        "right=1&seal=5a03ac",
        ["All settings are locked by this link, except: Treated: units a layer.", "What is too small?",
         "Cure it, and say why.", "is below 0.1, in 6 of 8 seeds", "the seeds are not measured yet"],
        ["altered"], ["treated_width"], ["width", "depth"],
    ),
    (
        "/lecture?lecture=before_2010&scene=3&hide=verdict&speaker=true",
        ["He initialization makes the weights √2 times larger.", "3 of 7"], ["R rises from"], ["scene_next"], [],
    ),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def text_of(page: AppTest) -> str:
    said = [*page.header, *page.subheader, *page.markdown, *page.text, *page.info]
    return plain("\n".join(element.value for element in said)).replace(JOINER, "")


@pytest.mark.parametrize(
    ("link", "says", "silent", "free", "fixed"), LINKS, ids=[one[0].partition("?")[0] for one in LINKS]
)
def test_a_link_shows_what_it_was_made_for(link, says, silent, free, fixed):
    parts = urlsplit(link)
    page = opened(parts.path.strip("/"), **dict(parse_qsl(parts.query)))
    assert not page.warning
    text = text_of(page)
    assert not [one for one in says if one not in text], text
    assert not [one for one in silent if one in text]
    widgets = [*page.selectbox, *page.slider, *page.number_input, *page.button_group, *page.button, *page.radio]
    disabled = {widget.key: widget.disabled for widget in widgets}
    assert not [key for key in free if disabled[key]]
    assert not [key for key in fixed if not disabled[key]]
