"""Self-checks: their text in the notebooks, and their script in Node."""

import json
import shutil
import subprocess
from collections import Counter

import pytest
from selfcheck_text import ROOT, SECTIONS, questions

SCRIPT = ROOT / "book" / "_static" / "selfcheck.mjs"


class TestText:
    def test_the_chapters_are_found(self):
        assert len(SECTIONS) >= 12

    @pytest.mark.parametrize("name", SECTIONS)
    def test_questions_are_complete(self, name):
        found = questions(name)
        assert len(found) == SECTIONS[name].count("<details"), "an answer without its question"
        assert [int(q["number"]) for q in found] == list(range(1, len(found) + 1))
        assert 3 <= len(found) <= 6
        for question in found:
            letters = [letter for letter, _ in question["choices"]]
            assert letters == list("ABCDEFG"[: len(letters)]) and len(letters) >= 3
            assert question["ask"].rstrip().endswith("**")
            # One is right and explained; every other one has a comment of its own.
            commented = [letter for letter, _ in question["comments"]]
            assert commented == [letter for letter in letters if letter != question["right"]]
            texts = [text for _, text in question["choices"] + question["comments"]]
            assert len(set(texts)) == len(texts)
            for _, comment in question["comments"]:
                assert len(comment.split()) >= 5, f"this explains nothing: {comment}"

    def test_the_right_choice_cannot_be_guessed(self):
        everything = [question for name in SECTIONS for question in questions(name)]
        places = Counter(question["right"] for question in everything)
        assert set(places) >= set("ABCD")
        assert max(places.values()) < 0.4 * len(everything), places
        assert all(len({q["right"] for q in questions(name)}) > 1 for name in SECTIONS)
        # Nor by its length: the right one is what authors tend to qualify until nobody can object.
        longest = [max(q["choices"], key=lambda c: len(c[1]))[0] == q["right"] for q in everything]
        assert sum(longest) < 0.4 * len(everything)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
class TestScript:
    def run(self, expression):
        code = f"import * as m from {json.dumps(SCRIPT.as_uri())};"
        code += f"console.log(JSON.stringify({expression}))"
        command = ["node", "--input-type=module", "-e", code]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return json.loads(done.stdout)

    def test_letters(self):
        texts = '["A. yes", " B.\\nno", "An end. B. c", "A.b", ""]'
        assert self.run(f"{texts}.map(m.letterOf)") == ["A", "B", None, None, None]

    def test_names_follow_the_words_and_not_the_line_breaks(self):
        names = self.run('["a b c", " a\\nb  c ", "a b d"].map(m.fingerprint)')
        assert names[0] == names[1] != names[2]

    @pytest.mark.parametrize(
        "choices, right, comments, good",
        [
            (["A", "B", "C"], "B", ["C", "A"], True),
            (["A", "B", "C"], "B", ["A"], False),  # a choice without a comment
            (["A", "B", "C"], "D", ["A", "B", "C"], False),  # nothing is right
            (["A", "B", "B"], "A", ["B", "B"], False),
            (["A", None, "C"], "A", [None, "C"], False),  # a list of something else
            (["A"], "A", [], False),
        ],
    )
    def test_only_whole_questions_are_taken(self, choices, right, comments, good):
        arguments = ", ".join(map(json.dumps, (choices, right, comments)))
        assert self.run(f"m.fits({arguments})") is good

    def test_the_first_right_answer_settles_a_question(self):
        steps = self.run(
            '["B", "B", "A", "C"].reduce((all, letter) =>'
            ' [...all, m.answered(all.at(-1), letter, "A")], [])'
        )
        assert [step["tried"] for step in steps] == [["B"]] * 4
        assert [step["done"] for step in steps] == [False, False, True, True]

    def test_score(self):
        first, later = {"tried": [], "done": True}, {"tried": ["B"], "done": True}
        open_ = {"tried": ["B"], "done": False}
        for states, line in [
            ([None, open_], "0 of 2 right so far."),
            ([first, None], "1 of 2 right, and at the first try."),
            ([first, first], "2 of 2 right, all at the first try."),
            ([first, later, open_], "2 of 3 right, 1 at the first try."),
            ([later], "1 of 1 right, none at the first try."),
        ]:
            assert self.run(f"m.score({json.dumps(states)})") == line

    def test_what_is_stored_is_not_believed(self):
        good = {"x1": {"tried": ["B"], "done": False}}
        bad = {"y": {"tried": "B", "done": True}, "z": None, "w": {"tried": ["<b>"], "done": True}}
        texts = [json.dumps({**good, **bad}), "null", "[1]", "7", "{", None]
        found = self.run(f"{json.dumps(texts)}.map(m.parse)")
        assert found == [good, {}, {}, {}, {}, {}]
