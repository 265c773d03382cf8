"""Parses `show` output with the public TextFSM templates for cisco_ios (ntc-templates), as automation does.

Standard input: a JSON object, command to output. Standard output: command to rows, each a field to its value; an
output that a template rejects is a string that says why.
"""

import json
import sys

from ntc_templates.parse import parse_output


def rows(command, output):
    try:
        return parse_output(platform="cisco_ios", command=command, data=output)
    except Exception as error:  # textfsm and ntc_templates raise several kinds
        return str(error)


outputs = json.load(sys.stdin)
json.dump({command: rows(command, output) for command, output in outputs.items()}, sys.stdout)
