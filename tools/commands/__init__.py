"""One module for each tool: its arguments, the order of its steps, and what it prints.

What is worth testing or using without a command line lives in the other packages, which never import from
here.
"""
