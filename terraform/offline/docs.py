"""The tables of inputs and outputs in the READMEs, made from the .tf files.

They stand between two markers; what is around them is written by hand.
"""

import pathlib
import re

import lint

BEGIN, END = "<!-- inputs and outputs: made by docs.py -->", "<!-- end -->"


def table(folder):
    """The text between the markers."""
    inputs = ["| input | type | default | |", "|---|---|---|---|"]
    outputs = ["| output | |", "|---|---|"]
    for kind, names, body in lint.blocks(folder):
        if kind == "variable":
            default = _argument(body, "default")
            shown = "needed" if default is None else f"`{_cell(_short(default))}`"
            kind_of = _cell(_short(_argument(body, "type") or ""))
            inputs.append(f"| `{names[0]}` | `{kind_of}` | {shown} | {_words(body)} |")
        if kind == "output":
            outputs.append(f"| `{names[0]}` | {_words(body)} |")
    return "\n".join([*inputs, "", *outputs])


def page(folder):
    """The README of a folder with its tables made anew; None without one."""
    readme = pathlib.Path(folder, "README.md")
    if not readme.exists():
        return None
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        return None
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n{table(folder)}\n{END}{after}"


def write(folder):
    pathlib.Path(folder, "README.md").write_text(page(folder))


def _argument(body, name):
    """The text of an argument, over as many lines as its brackets are open."""
    match = re.search(rf"^  {name}\s+= (.*)", body, re.M | re.S)
    if not match:
        return None
    text, depth = [], 0
    for line in match[1].split("\n"):
        text.append(line.strip())
        depth += sum(line.count(mark) for mark in "{[(") - sum(line.count(mark) for mark in "}])")
        if depth <= 0:
            break
    return " ".join(text)


def _short(text):
    """One line, aligned spaces gone, members with commas between them."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?<=[\w)\"\]}]) (?=\w+ = )", ", ", text)
    return text.replace("({ ", "({").replace(" })", "})")


def _words(body):
    return _cell(re.search(r'description = "(.*)"', body)[1].replace('\\"', '"'))


def _cell(text):
    return text.replace("|", "\\|")


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parent.parent
    for folder in [root, *sorted(root.glob("modules/*"))]:
        write(folder)
