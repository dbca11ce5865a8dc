"""The scripts do what the documentation says, word for word."""

import re
import runpy

import pytest

import digits.__main__
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS = "cnn.py", "teach.py", "load_model.py", "draw.py"


def help_of(script, capsys):
    with pytest.raises(SystemExit):
        runpy.run_path(str(ROOT / script))["main"](["--help"])
    return " ".join(capsys.readouterr().out.split())


def options_in(text):
    return [option for option in re.findall(r"(?<![\w-])--[a-z-]+", text) if option != "--help"]


def table_of_options():
    """Return the options of each script in the README's table, with what they are by default."""
    found, script = {name: {} for name in SCRIPTS}, None
    table = README.split("| script | option | meaning | default |\n")[1].split("\n\n")[0]
    for row in table.splitlines()[1:]:
        name, options, _, default = (cell.strip() for cell in row.strip("|").split(" |"))
        script = name.strip("`") or script
        if options == "the options of `cnn.py`":
            found[script] |= found["cnn.py"]
        defaults = default.split(", ") if "," in options else [default]
        found[script] |= dict(zip(options_in(options), defaults, strict=False))
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_readme_has_the_options_that_help_shows(script, capsys):
    text, options = help_of(script, capsys), table_of_options()[script]
    assert set(options_in(text)) == set(options)
    for option, default in options.items():
        if default.isdigit() or default.startswith("`"):
            shown = re.search(rf" {option} [A-Z]+ (?:(?! --).)*\(default: (\S+)[,)]", text)
            assert shown and shown[1] == default.strip("`"), option


@pytest.mark.parametrize("command", ["read", "draw", "train", "teach"])
def test_each_command_of_the_package_is_a_script(command, monkeypatch, capsys):
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'digits-{command} = "digits.__main__:{command}"' in pyproject
    monkeypatch.setattr("sys.argv", [f"digits-{command}", "--help"])
    with pytest.raises(SystemExit) as stopped:
        getattr(digits.__main__, command)()
    assert stopped.value.code == 0 and f"usage: digits-{command}" in capsys.readouterr().out
