"""python3 -m unittest discover -s examples/airflow: the DAG's callables against a cdcm that only answers."""

import json
import os
import pathlib
import py_compile
import stat
import tempfile
import unittest

import cdcm_steps as steps

FAKE = '''#!/usr/bin/env python3
import json, os, pathlib, sys
folder = pathlib.Path(os.environ["FAKE"])
verb = " ".join(argument for argument in sys.argv[1:] if argument not in ("-o", "json"))
with (folder / "calls").open("a") as calls:
    print(verb, file=calls)
answers = json.loads((folder / "answers").read_text())
answer = answers[verb].pop(0) if len(answers[verb]) > 1 else answers[verb][0]
(folder / "answers").write_text(json.dumps(answers))
sys.stderr.write("error: as told\\n" if answer[0] else "")
print(json.dumps(answer[1]))
sys.exit(answer[0])
'''


def sides(source: str, target: str) -> dict:
    return {"source": {"state": source}, "target": {"state": target}}


class Steps(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        fake = self.folder / "cdcm"
        fake.write_text(FAKE)
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        os.environ.update(PATH=f"{self.folder}:{os.environ['PATH']}", FAKE=str(self.folder), CDCM_SERVER="http://127.0.0.1:1")

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    def test_everything_up_to_the_end(self):
        (self.folder / "answers").write_text(json.dumps({
            "preflight -f m.yaml": [[0, {"ok": True}]], "cutover prepare": [[0, {}]], "verify start --wait --timeout 12h": [[0, {}]],
            "cutover check": [[3, {"open": False}], [4, {}], [0, {"open": True}]], "rehearse --yes": [[0, {"writeOutageMs": 432.1}]],
            "cutover status": [[0, sides("Open", "Sealed")]], "cutover start --yes": [[0, {}]], "cutover complete --yes": [[0, {}]],
            "diagnose -f m.yaml": [[0, {"entries": [{"code": "note", "severity": "info"}]}], [3, {}]], "rollback --yes": [[0, {}]],
        }))
        steps.preflight("m.yaml")
        steps.prepare()
        steps.compare()
        self.assertEqual([False, False, True], [steps.gate_is_open() for _ in range(3)])
        self.assertEqual(432.1, steps.rehearse())
        self.assertTrue(steps.switch())
        self.assertEqual([], steps.watch("m.yaml"))
        self.assertEqual(1, len(steps.watch("m.yaml")))
        steps.roll_back()
        steps.complete()
        self.assertEqual("cutover complete --yes", self.calls()[-1])

    def test_an_interrupted_cutover_is_looked_at_and_not_begun_again(self):
        for code, after, there in [(4, ("Sealed", "Open"), True), (5, ("Open", "Sealed"), False), (3, ("Open", "Sealed"), False)]:
            (self.folder / "answers").write_text(json.dumps({
                "cutover status": [[0, sides("Open", "Sealed")], [4, {}], [0, sides("Sealed", "Sealed")], [0, sides(*after)]], "cutover start --yes": [[code, {}]]}))
            self.assertEqual(there, steps.switch())
            self.assertEqual(1, self.calls().count("cutover start --yes"))
            (self.folder / "calls").unlink()

    def test_a_cutover_that_was_done_is_not_done_again(self):
        (self.folder / "answers").write_text(json.dumps({"cutover status": [[0, sides("Sealed", "Open")]]}))
        self.assertTrue(steps.switch())
        self.assertEqual(["cutover status"], self.calls())

    def test_what_only_a_person_can_mend_is_said(self):
        (self.folder / "answers").write_text(json.dumps({"cutover check": [[2, {}]], "cutover status": [[0, sides("Open", "Sealed")]], "cutover start --yes": [[6, {}]], "preflight -f m.yaml": [[3, {}]]}))
        for step in (steps.gate_is_open, steps.switch, lambda: steps.preflight("m.yaml")):
            with self.assertRaises(steps.CommandFailed) as raised:
                step()
            self.assertIn("as told", str(raised.exception))

    def test_the_dag_is_python(self):
        py_compile.compile(str(pathlib.Path(__file__).with_name("cdcm_migration.py")), cfile=str(self.folder / "dag.pyc"), doraise=True)


if __name__ == "__main__":
    unittest.main()
