"""``--prompts FILE``: one row for each prompt of an input, in CSV or JSON lines.

Columns: input, task, and one of text, categories and regions::

    input,task,text,categories,regions
    kitchen.png,refer,the red cup,,
    kitchen.png,reason,what keeps food cold?,,
    street.png,instance,,"car, person",
    street.png,,,,"box 40,30,200,150; scribble 10,20 60,40 90,80"

``table`` reads the cells of each row, ``row`` validates one, ``file`` finds the rows of an input.
pydantic, which validates them, is imported with this package: import it only where it is used.
"""

from vlseg_cli.cli.prompts_file.file import PromptFile

__all__ = ["PromptFile"]
