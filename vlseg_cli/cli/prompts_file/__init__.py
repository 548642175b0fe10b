"""``--prompts FILE``: what to ask of which input, a row each, in CSV or JSON lines.

Columns: input, task, and one of text, categories and regions::

    input,task,text,categories,regions
    kitchen.png,refer,the red cup,,
    kitchen.png,reason,what keeps food cold?,,
    street.png,instance,,"car, person",
    street.png,,,,"box 40,30,200,150; scribble 10,20 60,40 90,80"

``table`` reads rows, ``row`` says what one means, ``file`` gathers the rows of each input.
"""

from vlseg_cli.cli.prompts_file.file import PromptFile

__all__ = ["PromptFile"]
